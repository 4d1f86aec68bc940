"""Find again what was said of answers: the files that lie beside them in a run folder."""

from collections.abc import Mapping
from pathlib import Path

from distillgen import files
from distillgen.records import JSON, digest

SCORES, COMPARISONS = "scores.jsonl", "comparisons.jsonl"
CHECKS, REVIEWS = "checks.jsonl", "reviews.jsonl"
ANYWHERE = 0


def of(user_context: str, question: str, rationale: str, said: str) -> str:
    """Digest of the texts that a verdict is about, 16 hexadecimal digits; `said` is the answer or
    the label."""
    return digest([user_context, question, rationale, said])[:16]


def stands(row: Mapping[str, JSON], of: str) -> bool:
    """Whether a verdict is about these texts; one of an older version is taken at its word."""
    return bool(row.get("of", of) == of)


def scored(run: Path) -> dict[str, Mapping[str, float]]:
    """The scores by aspect, by the digest of the texts that were judged."""
    return {str(row["of"]): row["scores"] for row in files.rows_of(run / SCORES)}


def checked(run: Path) -> dict[tuple[str, str | int], Mapping[str, JSON]]:
    """The verdicts by check, by id and digest of the texts (`of`). Those of an older version, which
    have none, by id and line; also by id and `ANYWHERE`, where an id stands once."""
    found: dict[tuple[str, str | int], Mapping[str, JSON]] = {}
    for row in files.rows_of(run / CHECKS):
        id = str(row["id"])
        if row.get("of"):
            found[id, row["of"]] = row["checks"]
            continue
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
