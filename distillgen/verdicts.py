"""Join answers with what files beside them say: verdicts of checks, scores of a judge."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distillgen import answers, files
from distillgen.errors import UserError
from distillgen.records import JSON, Answer, Verdict

CHECKS, SCORES = "checks.jsonl", "scores.jsonl"
MADE_BY = {CHECKS: "check", SCORES: "judge"}
"""The command that writes each file: a line an answer, in order."""


def joined(path: Path, folder: Path, fields: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """The answers of a file with the verdicts and scores that a run folder holds of them.

    Raises:
        UserError: these are of other answers; says which command makes them anew.
    """
    beside = {name: files.rows_of(folder / name) for name in MADE_BY if (folder / name).is_file()}
    for line in answers.records(path, fields):
        answer = answers.of_line(line)
        rows = {name: next(rows, None) for name, rows in beside.items()}
        for name, row in rows.items():
            if row is None or row.get("id") != answer.id:
                raise _other(folder / name, path, line.line)
        yield _with(answer, rows)
    for name, left in beside.items():
        if next(left, None) is not None:
            raise _other(folder / name, path, 0)


def _with(answer: Answer, rows: Mapping[str, JSON]) -> Answer:
    update: dict[str, JSON] = {}
    if CHECKS in rows:
        said = {name: Verdict(**verdict) for name, verdict in rows[CHECKS]["checks"].items()}
        update["checks"] = answer.checks | said
    if SCORES in rows:
        update["scores"] = answer.scores | rows[SCORES]["scores"]
    return answer.model_copy(update=update) if update else answer


def _other(beside: Path, path: Path, line: int) -> UserError:
    where = f"line {line} of {path}" if line else f"{path}, which is shorter"
    command = MADE_BY[beside.name]
    return UserError(f"{beside}: does not fit {where}; run distillgen {command} {path} again")
