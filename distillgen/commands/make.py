"""The commands that ask a teacher for records, from seeds to answers."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from distillgen import answers, checks, files, folder, inputs, prompts, screen, stages
from distillgen.commands.targets import folder_for, no_folder, task_of, task_of_seeds
from distillgen.errors import BUDGET, UserError
from distillgen.program import program
from distillgen.records import JSON
from distillgen.session import Session
from distillgen.task import task_beside, with_labels
from distillgen.work import Result, Work

DEMO_N = 12
DEMO_PAIRS = 2
"""Pairs that the demo shows at the end; with these it has done its job."""


def demo(out: Path | None, teacher: str | None, *, quiet: bool) -> None:
    """The whole way on the seeds that come with distillgen."""
    given = {
        "teacher": teacher or "local", "n": DEMO_N, "out": out, "quiet": quiet,
        "max_failed": 1 - DEMO_PAIRS / DEMO_N,
    }  # fmt: skip
    seeds = prompts.packaged_seeds("stock_advisor")
    _run(given, seeds, "init NAME     your own field: seeds and prompts to edit", demo=True)


def init(name: str, *, csv: bool) -> None:
    """Files to edit, and the command that follows."""
    from distillgen.init import init as lay_out

    written = lay_out(name, Path(), csv)
    width = max(len(str(path)) for path, _ in written)
    for path, words in written:
        print(f"{path!s:<{width}}   {words}")
    print("\nNext: write 5 to 20 seeds, then")
    print(f"  {program()} run {written[0][0]} --teacher openai:MODEL")


def run(given: Mapping[str, JSON]) -> None:
    """Expand, answer, export."""
    _run(given, no_folder(Path(given["seeds"])), "", demo=False)


def _run(given: Mapping[str, JSON], source: Path, next_command: str, demo: bool) -> None:
    every = screen.SIGN_OF_LIFE_S if demo else None
    path = folder_for(source, given["out"])
    this = Session(given, task_of_seeds(source), path, every)
    seeds = inputs.read_seeds(source, this.fields, bare=this.bare_seeds)
    n = this.settings.n
    with this.opened() as work:
        stages.answer.check(work)
        stages.export.check(work, this.path / "export")
        if given.get("dry_run"):
            expanded = stages.expand.estimate(work, seeds)
            this.estimate([expanded, *stages.answer.estimate_to_come(work, seeds)])
        this.begin(f"{this.task.name}: {len(seeds)} seeds -> {n:,} pairs")
        this.goes_on(work)
        results = [stages.expand.run(work, source, seeds)]
        made = this.path / "inputs.jsonl"
        if _goes_on(results[-1]) and made.exists():
            results.append(stages.answer.run(work, made, inputs.open_inputs(made)))
        answered = this.path / "answers.jsonl"
        if len(results) == 2 and _goes_on(results[-1]) and answered.exists():
            if results[-1].counts["kept"]:
                records = answers.records(answered, {})
                results.append(stages.check.run(work, records, checks.names()))
                results.append(stages.export.run(work, answered, this.path / "export"))
            results.append(_reported(work))
        this.end(work, results, next_command or f"show {this.path}     read them")


def _reported(work: Work) -> Result:
    """The page of a run; what is wrong with it is said, and undoes nothing."""
    try:
        return stages.report.run(work)
    except UserError as error:
        return Result("report", {}, notes=[f"no report: {error}"])


def _goes_on(result: Result) -> bool:
    """Whether the next stage runs: without money it still reads and writes what is there."""
    return result.stop is None or result.stop.code == BUDGET


def expand(given: Mapping[str, JSON]) -> None:
    """Seeds to inputs."""
    source = no_folder(Path(given["seeds"]))
    path = folder_for(source, given["out"])
    this = Session(given, task_of_seeds(source), path, expands=True)
    seeds = inputs.read_seeds(source, this.fields, bare=this.bare_seeds)
    with this.opened() as work:
        if given["dry_run"]:
            this.estimate([stages.expand.estimate(work, seeds)])
        this.begin(f"{this.task.name}: {len(seeds)} seeds -> {this.settings.n:,} inputs")
        this.goes_on(work)
        this.end(work, [stages.expand.run(work, source, seeds)], f"answer {this.path}")


def draft(name: str, given: Mapping[str, JSON]) -> None:
    """Seeds to a strategy's file, for people to edit."""
    source = no_folder(Path(given["seeds"]))
    this = Session(given, task_beside(source), folder.folder_of(str(source), given["out"]))
    seeds = inputs.read_seeds(source, this.fields)
    with this.opened() as work:
        if given["dry_run"]:
            this.estimate([stages.draft.estimate(work, name, seeds)])
        file = this.path / f"{name}.toml"
        this.begin(f"{this.task.name}: {len(seeds)} seeds -> {file.name} to edit")
        this.goes_on(work)
        result = stages.draft.run(work, name, source, seeds)
        words = ["expand", str(source), "--strategy", name]
        if given["out"]:
            words += ["-o", str(given["out"])]
        this.end(work, [result], shlex.join(words) if file.exists() else "")


def answer(given: Mapping[str, JSON]) -> None:
    """Inputs to answers."""
    path = folder.folder_of(given["inputs"], given["out"])
    source = Path(given["inputs"])
    if folder.is_run(source):
        source = source / "inputs.jsonl"
    found = task_of(no_folder(source), path)
    if given["labels"]:
        found = with_labels(found, given["labels"])
    this = Session(given, found, path)
    rows = inputs.open_inputs(source, this.fields, this.settings.skip_invalid)
    _answer(this, source, rows)


def _answer(this: Session, source: Path, rows: inputs.Inputs) -> None:
    with this.opened() as work:
        if this.given.get("dry_run"):
            this.estimate(stages.answer.estimate(work, rows))
        limit = this.settings.limit
        first = f"the first {limit:,} of " if limit and limit < rows.count else ""
        this.begin(f"{this.task.name}: {first}{rows.count:,} inputs")
        this.goes_on(work)
        this.end(work, [stages.answer.run(work, source, rows)], f"export {this.path}")


def retry(given: Mapping[str, JSON]) -> None:
    """Open what failed, say what it may cost, then answer as before."""
    path = Path(given["run"])
    entry = folder.read_manifest(path).commands.get("answer")
    if entry is None:
        raise UserError(f"{path}: no answers were asked for here; distillgen answer {path}")
    source = Path(entry.source)
    found = task_of(source, path)
    old = {name: value for name, value in entry.options.items() if name not in ("limit", "task")}
    new = {name: value for name, value in given.items() if value not in (None, [], ())}
    this = Session({**old, **new, "out": path}, found.model_copy(update={"defaults": {}}), path)
    rows = inputs.open_inputs(source, this.fields, this.settings.skip_invalid)
    kinds = set(given.get("kind") or ())
    with this.opened() as work:
        lost = stages.answer.lost(work, rows)
        keys = [key for key, kind in lost.items() if not kinds or kind in kinds]
        most = work.worst(keys)
        this.screen.say(f"retry: {len(keys):,} requests; it may cost up to {most}")
        failed = files.rows_of(path / "failures.jsonl")
        if others := sum(row.get("stage") == "expand" for row in failed):
            this.screen.say(
                f"{others:,} failed requests of expand are left alone: it has made up for them"
            )
        if given["dry_run"]:
            return
        work.folder.journal.reopen(keys)
    _answer(this, source, rows)
