"""Find again what was said of answers: the files that lie beside them in a run folder."""

from collections.abc import Mapping
from pathlib import Path

from distillgen import files

SCORES, COMPARISONS = "scores.jsonl", "comparisons.jsonl"
CHECKS, REVIEWS = "checks.jsonl", "reviews.jsonl"


def reviewed(run: Path) -> dict[str, bool]:
    """Whether people accepted a record as it was, by id; the latest decision counts."""
    rows = files.rows_of(run / REVIEWS)
    return {str(row["id"]): row.get("decision") == "accept" for row in rows if "id" in row}


def scored(run: Path) -> dict[str, Mapping[str, float]]:
    """The scores by aspect, by the digest of the texts that were judged."""
    return {str(row["of"]): row["scores"] for row in files.rows_of(run / SCORES)}
