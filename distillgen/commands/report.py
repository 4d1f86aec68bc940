"""The command of the page on a run."""

from collections.abc import Mapping
from pathlib import Path

from distillgen import folder, stages
from distillgen.commands.targets import task_of
from distillgen.errors import UserError
from distillgen.records import JSON
from distillgen.session import Session


def report(given: Mapping[str, JSON]) -> None:
    """A page on a run, or on two."""
    runs = [Path(name) for name in given["runs"]]
    if len(runs) > 2:
        raise UserError(f"{runs[2]}: a third run; report takes one, or two to compare")
    for path in runs:
        if not folder.is_run(path):
            raise UserError(f"{path}: not a run folder")
    if len({path.resolve() for path in runs}) < len(runs):
        raise UserError(f"{runs[1]}: is the same run; name another to compare with")
    first, *others = runs
    chosen = {**given, "teacher": "local", "out": first}
    this = Session(chosen, task_of(first / "answers.jsonl", first), first)
    with this.opened() as work:
        result = stages.report.run(work, others, given["out"])
        this.end(work, [result], "")
