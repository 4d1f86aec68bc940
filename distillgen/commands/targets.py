"""What a command line means: the file to read, the run folder, the task, and what comes next."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from distillgen import folder
from distillgen.errors import UserError
from distillgen.records import JSON
from distillgen.task import Task, load_task, task_beside


def folder_for(seeds: Path, out: Path | None) -> Path:
    """The run folder for seeds: `runs/NAME.answers` for the answers of the run NAME."""
    if out is None and seeds.name == "answers.jsonl" and folder.is_run(seeds.parent):
        return folder.RUNS / f"{seeds.parent.resolve().name}.answers"
    return folder.folder_of(str(seeds), out)


def task_of(source: Path, run: Path) -> Task:
    """The task that an input belongs to: the file beside it, else the one its run was made with.

    Where neither has labels, those that the run's answers were given hold.
    """
    task = _task_of(source, run)
    answer = folder.read_manifest(run).commands.get("answer")
    labels = answer.options.get("task", {}).get("labels", {}) if answer else {}
    return task if task.labels else task.model_copy(update={"labels": labels})


def _task_of(source: Path, run: Path) -> Task:
    made_from = folder.read_manifest(run).commands.get("expand")
    known = made_from.options.get("task", {}) if made_from else {}
    if source.parent != run:
        return task_beside(source)
    if not (run / "task.toml").is_file():
        return task_beside(source).model_copy(update={"name": known["name"]} if known else {})
    return load_task(run / "task.toml").model_copy(update={"name": known.get("name", run.name)})


def task_of_seeds(source: Path) -> Task:
    """The task of seeds: the file beside them; of answers or inputs of a run, that run's."""
    in_a_run = str(source) != "-" and folder.is_run(source.parent)
    return task_of(source, source.parent) if in_a_run else task_beside(source)


def no_folder(source: Path) -> Path:
    """A file to read.

    Raises:
        UserError: it is a folder.
    """
    if source.is_dir():
        raise UserError(f"{source}: is a folder, and no run folder; name a file")
    return source


def newest(target: Path) -> Path:
    """Of a run folder the answers, or the inputs while there are none; else the file itself."""
    if not target.is_dir():
        return target
    there = [target / name for name in ("answers.jsonl", "inputs.jsonl")]
    return next((file for file in there if file.exists()), target)


def answers_of(given: Mapping[str, JSON]) -> tuple[Path, Path]:
    """The file of answers that is meant, and the run folder to work in."""
    source = Path(given["file"])
    if given["file"] == "-":
        raise UserError("-: answers are read more than once; write them into a file")
    if folder.is_run(source):
        source = source / "answers.jsonl"
        if not source.is_file():
            raise UserError(f"{source}: no answers yet; distillgen answer {given['file']}")
    return no_folder(source), folder.folder_of(str(source), given["out"])


def goes_to(made: Path, fields: Mapping[str, str], answered: bool) -> str:
    """The command that takes records on."""
    if answered:
        return f"export {shlex.quote(str(made))}"
    mapped = [word for pair in fields.items() for word in ("--field", "=".join(pair))]
    return shlex.join(["answer", str(made), *mapped])
