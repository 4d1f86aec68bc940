"""Join answers with the verdicts that `check` wrote beside them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distillgen import answers, files
from distillgen.errors import UserError
from distillgen.records import Answer, Verdict
from distillgen.sidecars import CHECKS


def joined(path: Path, folder: Path, fields: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """The answers of a file with the verdicts that a run folder holds of them, if any.

    Raises:
        UserError: these are of other answers.
    """
    beside = folder / CHECKS
    there = beside.is_file()
    rows = files.rows_of(beside)
    for line in answers.records(path, fields):
        answer = answers.of_line(line)
        if there:
            row = next(rows, None)
            if row is None or row.get("id") != answer.id:
                raise _other(beside, path, f"line {line.line} of {path}")
            said = {name: Verdict(**verdict) for name, verdict in row["checks"].items()}
            answer = answer.model_copy(update={"checks": answer.checks | said})
        yield answer
    if there and next(rows, None) is not None:
        raise _other(beside, path, f"{path}, which is shorter")


def _other(beside: Path, path: Path, where: str) -> UserError:
    return UserError(f"{beside}: does not fit {where}; run distillgen check {path} again")
