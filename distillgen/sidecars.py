"""Find again what was said of answers: the files that lie beside them in a run folder."""

from collections.abc import Mapping
from pathlib import Path

from distillgen import files
from distillgen.records import JSON

SCORES, COMPARISONS = "scores.jsonl", "comparisons.jsonl"
CHECKS, REVIEWS = "checks.jsonl", "reviews.jsonl"
ANYWHERE = 0


def scored(run: Path) -> dict[str, Mapping[str, float]]:
    """The scores by aspect, by the digest of the texts that were judged."""
    return {str(row["of"]): row["scores"] for row in files.rows_of(run / SCORES)}


def checked(run: Path) -> dict[tuple[str, int], Mapping[str, JSON]]:
    """The verdicts by check, by id and line; also by id and `ANYWHERE`, where an id stands once."""
    found: dict[tuple[str, int], Mapping[str, JSON]] = {}
    for row in files.rows_of(run / CHECKS):
        id = str(row["id"])
        found[id, row["line"]] = row["checks"]
        found[id, ANYWHERE] = {} if (id, ANYWHERE) in found else row["checks"]
    return found


def preferred(run: Path) -> dict[frozenset[str], str]:
    """Of each two that were compared the digest of the better one, where both orders agree."""
    return {
        frozenset(row["of"]): row["of"][row["better"] != row["first"]]
        for row in files.rows_of(run / COMPARISONS)
        if row.get("better") is not None
    }
