"""The commands that choose records and write what trainers read."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from distillgen import folder, stages
from distillgen.commands.targets import answers_of, task_of
from distillgen.contenders import Items
from distillgen.errors import UserError
from distillgen.records import JSON
from distillgen.select import SELECTED
from distillgen.session import Session


def select(given: Mapping[str, JSON]) -> None:
    """The best answers, and why the others are out."""
    source, path = answers_of(given)
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    items = Items(source, this.fields)
    with this.opened() as work:
        this.screen.say(f"select: {len(items):,} answers of {source}, in {path}")
        result = stages.select.run(work, items)
        kept = result.counts["kept"]
        this.end(work, [result], f"export {shlex.quote(str(path / SELECTED))}" if kept else "")


def pairs(given: Mapping[str, JSON]) -> None:
    """A better and a worse answer to each question."""
    source, path = answers_of(given)
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    items = Items(source, this.fields)
    with this.opened() as work:
        this.screen.say(f"pairs: {len(items):,} answers of {source}, in {path}")
        this.end(work, [stages.pairs.run(work, items)], "")


def export(given: Mapping[str, JSON]) -> None:
    """Answers to what trainers read."""
    source = Path(given["run"])
    if folder.is_run(source):
        source = source / "answers.jsonl"
    if not source.is_file():
        raise UserError(f"{source}: no answers yet; distillgen answer {given['run']}")
    if source.name.lower().endswith((".csv", ".parquet", ".gz")):
        raise UserError(
            f"{source}: export reads JSON Lines; write each record as a line of JSON, with"
            " `question` and `answer` or `label`"
        )
    path = folder.folder_of(str(source))
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    with this.opened() as work:
        result = stages.export.run(work, source, given["out"] or path / "export")
        this.end(work, [result], "")
