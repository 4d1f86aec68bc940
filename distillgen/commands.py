"""What each command does, from its options to its exit code."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from distillgen import (
    answers,
    checks,
    deduped,
    files,
    folder,
    inputs,
    prompts,
    screen,
    stages,
    standing,
    tables,
)
from distillgen.contenders import Items
from distillgen.decontaminate import KEPT, EvalSets
from distillgen.errors import BUDGET, DONE, FEWER, UserError
from distillgen.judging import Stage
from distillgen.records import JSON
from distillgen.select import SELECTED
from distillgen.session import Session, columns, program
from distillgen.show import visible
from distillgen.task import Task, load_task, task_beside, with_labels
from distillgen.work import Result, Work

if TYPE_CHECKING:
    from distillgen.review.desk import Desk

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


def _no_folder(source: Path) -> Path:
    """A file to read.

    Raises:
        UserError: it is a folder.
    """
    if source.is_dir():
        raise UserError(f"{source}: is a folder, and no run folder; name a file")
    return source


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
    _run(given, _no_folder(Path(given["seeds"])), "", demo=False)


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
    source = _no_folder(Path(given["seeds"]))
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
    source = _no_folder(Path(given["seeds"]))
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
    found = task_of(_no_folder(source), path)
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


def export(given: Mapping[str, JSON]) -> None:
    """Answers to what trainers read."""
    source = Path(given["run"])
    if folder.is_run(source):
        source = source / "answers.jsonl"
    if not source.is_file():
        raise UserError(f"{source}: no answers yet; distillgen answer {given['run']}")
    path = folder.folder_of(str(source))
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    with this.opened() as work:
        result = stages.export.run(work, source, given["out"] or path / "export")
        this.end(work, [result], "")


def check(given: Mapping[str, JSON]) -> None:
    """Verdicts on answers."""
    source = Path(given["file"])
    if folder.is_run(source):
        source = source / "answers.jsonl"
        if not source.is_file():
            raise UserError(f"{source}: no answers yet; distillgen answer {given['file']}")
    path = folder.folder_of(str(source), given["out"])
    found = task_of(_no_folder(source), path)
    if given["labels"]:
        found = with_labels(found, given["labels"])
    this = Session({**given, "teacher": "local"}, found, path)
    next(tables.rows_of(source))
    asked = [name.strip() for name in (given["checks"] or "").split(",") if name.strip()]
    names = list(dict.fromkeys(checks.load(name).name for name in asked or checks.names()))
    records = answers.records(source, this.fields)
    with this.opened() as work:
        this.screen.hang(f"check: {source}, {len(names)} checks, in {path}")
        result = stages.check.run(work, records, names)
        self_made = source.parent == path
        this.end(work, [result], f"export {path if self_made else shlex.quote(str(source))}")


def decontaminate(given: Mapping[str, JSON]) -> None:
    """Records that give test sets away."""
    source = _newest(Path(given["file"]))
    path = folder.folder_of(str(source), given["out"])
    this = Session({**given, "teacher": "local"}, task_of(_no_folder(source), path), path)
    next(tables.rows_of(source))  # what is wrong with the whole file is said at once
    names = [*map(Path, given["against"]), *map(Path, given["more"] or [])]
    if source.resolve() in [name.resolve() for name in names]:
        raise UserError(f"{source}: cannot be its own test set; --against takes another file")
    eval_sets = EvalSets(names, this.fields)
    with this.opened() as work:
        sets = [f"{one.path} ({len(one.index.items):,} items)" for one in eval_sets.all]
        this.screen.hang(
            f"decontaminate: {source} against {', '.join(sets)}{_embedder(this)}, in {path}"
        )
        if this.settings.embeddings:
            this.introduce()
            this.goes_on(work)
        result = stages.decontaminate.run(work, source, eval_sets, given["drop"])
        this.end(work, [result], _after(source, path, result, this.fields, given["drop"]))


def _after(source: Path, path: Path, result: Result, fields: Mapping[str, str], drop: bool) -> str:
    """The command that follows."""
    if result.counts.get("flagged") and not drop:
        return f"{shlex.join([*sys.argv[1:], '--drop'])}     leave them out"
    if not result.counts.get("kept"):
        return ""
    answered = result.decontaminated is not None and result.decontaminated.answered
    return _goes_to(path / KEPT if drop else source, fields, answered)


def _goes_to(made: Path, fields: Mapping[str, str], answered: bool) -> str:
    """The command that takes records on."""
    if answered:
        return f"export {shlex.quote(str(made))}"
    mapped = [word for pair in fields.items() for word in ("--field", "=".join(pair))]
    return shlex.join(["answer", str(made), *mapped])


def dedupe(given: Mapping[str, JSON]) -> None:
    """Records without those that repeat others."""
    source = _newest(Path(given["file"]))
    path = folder.folder_of(str(source), given["out"])
    this = Session({**given, "teacher": "local"}, task_of(_no_folder(source), path), path)
    next(tables.rows_of(source))
    on = tuple(dict.fromkeys(given["on"] or deduped.ON))
    if unknown := [name for name in on if name not in deduped.MAY_BE_ON]:
        raise UserError(
            f"--on {unknown[0]}: no text field; there is {', '.join(deduped.MAY_BE_ON)}"
        )
    records = inputs.Records(source, this.fields, (*deduped.MAY_BE_ON, "images", "id"), strict=True)
    with this.opened() as work:
        this.screen.hang(f"dedupe: {source} on {' and '.join(on)}{_embedder(this)}, in {path}")
        if this.settings.embeddings:
            this.introduce()
            this.goes_on(work)
        result = stages.dedupe.run(work, records, on)
        done = result.deduped
        answered = done is not None and done.answered
        this.end(work, [result], _goes_to(path / deduped.KEPT, this.fields, answered))


def _embedder(this: Session) -> str:
    return f", embeddings of {this.teacher.shown}" if this.settings.embeddings else ""


def _newest(target: Path) -> Path:
    """Of a run folder the answers, or the inputs while there are none; else the file itself."""
    if not target.is_dir():
        return target
    there = [target / name for name in ("answers.jsonl", "inputs.jsonl")]
    return next((file for file in there if file.exists()), target)


def judge(stage: Stage, given: Mapping[str, JSON]) -> None:
    """Answers to scores, or candidates to comparisons."""
    source, path = _answered(given)
    this = Session(given, task_of(source, path), path)
    items = Items(source, this.fields, this.settings.limit)
    with this.opened() as work:
        if given["dry_run"]:
            this.estimate([stages.judge.estimate(work, stage, items)])
        this.begin(f"{stage}: {len(items):,} answers of {source}")
        this.goes_on(work)
        result = stages.judge.run(work, stage, items)
        pairs = stage == "compare" or this.settings.candidates
        command = ["pairs" if pairs else "select", given["file"]]
        for bar in result.measured.get("calibration", ()) if not pairs else ():
            if bar["best"] and bar["by"] == "lowest":
                command += ["--min", f"{bar['at_least']:g}"]
        this.end(work, [result], shlex.join(command))


def select(given: Mapping[str, JSON]) -> None:
    """The best answers, and why the others are out."""
    source, path = _answered(given)
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    items = Items(source, this.fields)
    with this.opened() as work:
        this.screen.say(f"select: {len(items):,} answers of {source}, in {path}")
        result = stages.select.run(work, items)
        kept = result.counts["kept"]
        this.end(work, [result], f"export {shlex.quote(str(path / SELECTED))}" if kept else "")


def pairs(given: Mapping[str, JSON]) -> None:
    """A better and a worse answer to each question."""
    source, path = _answered(given)
    this = Session({**given, "teacher": "local"}, task_of(source, path), path)
    items = Items(source, this.fields)
    with this.opened() as work:
        this.screen.say(f"pairs: {len(items):,} answers of {source}, in {path}")
        this.end(work, [stages.pairs.run(work, items)], "")


def _answered(given: Mapping[str, JSON]) -> tuple[Path, Path]:
    """The file of answers that is meant, and the run folder to work in."""
    source = Path(given["file"])
    if given["file"] == "-":
        raise UserError("-: answers are read more than once; write them into a file")
    if folder.is_run(source):
        source = source / "answers.jsonl"
        if not source.is_file():
            raise UserError(f"{source}: no answers yet; distillgen answer {given['file']}")
    return _no_folder(source), folder.folder_of(str(source), given["out"])


def review(given: Mapping[str, JSON]) -> int:
    """The review page, or records out and decisions in; gives the exit code."""
    from distillgen.review import files as exchange
    from distillgen.review.desk import Desk, setting

    wanted = setting(given["order"], given["double"], given["random_seed"])
    desk = Desk(Path(given["run"]), wanted)
    told = screen.Screen(quiet=bool(given["quiet"]))
    found: dict[str, JSON] = {"command": "review", "run": str(desk.run), "files": []}
    problems: list[str] = []
    name = given["reviewer"] or ""
    if source := given["import_from"]:
        imported = exchange.take_in(desk, source, name)
        found["imported"], problems = imported.as_json(), imported.problems
        found["problems"] = problems
        told.say(
            f"{source}: {imported.rows:,} rows = {imported.taken:,} taken + {imported.there:,}"
            f" there already + {imported.open:,} open + {len(problems):,} refused"
        )
        for problem in problems[: inputs.SHOWN]:
            told.error(problem)
        if len(problems) > inputs.SHOWN:
            told.error(f"… {len(problems) - inputs.SHOWN:,} more; --json lists them all")
    if out := given["export_to"]:
        n = exchange.export(desk, out, name, overwrite=given["overwrite"])
        found["files"] = [str(out)]
        told.say(f"{out}: {n:,} records; distillgen review {desk.run} --import {out} brings back"
                 " what was decided")  # fmt: skip
    if not (given["import_from"] or given["export_to"] or given["as_json"]):
        return _reviewed(desk, given, told)
    summary = desk.summary()
    for line in desk.words():
        told.say(line)
    if given["as_json"]:
        print(json.dumps(found | summary, ensure_ascii=False))
    return FEWER if problems else DONE


def _reviewed(desk: "Desk", given: Mapping[str, JSON], told: screen.Screen) -> int:
    """Serve the page until Ctrl-C."""
    try:
        server = import_module("distillgen.review.server")
    except ImportError as error:
        raise UserError(
            "the page needs packages: pip install 'distillgen[review]'; --export and --import do"
            " without"
        ) from error
    page = server.Server(
        desk, given["host"] or server.HERE, given["port"] or 0, remote=given["remote"],
        reviewer=given["reviewer"] or "",
    )  # fmt: skip
    before = len(desk.decisions)
    print(page.address, flush=True)
    opened = not given["no_browser"] and page.open()
    told.say("opened in your browser" if opened else "open this address in your browser")
    if page.remote:
        told.error(server.BEYOND)
    for line in desk.words():
        told.say(line)
    told.say(f"Each decision is saved at once in {desk.decisions.path}. Ctrl-C ends.")
    code: int = page.run()
    desk.decisions.refresh()
    saved = len(desk.decisions) - before
    told.say(f"saved {saved:,} decisions. Next: {program()} export {desk.run}     (leaves out the"
             " rejected, takes the edits)")  # fmt: skip
    return code


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


def show(target: str, limit: int) -> None:
    """Records in plain text."""
    from distillgen.show import blocks

    path = _newest(Path(target))
    if not path.is_file():
        raise UserError(f"{target}: nothing to show; give a run folder or a .jsonl file")
    rows = files.rows_of(path)
    for block in blocks(islice(rows, limit or None)):
        print(block, end="\n\n")


def stats(given: Mapping[str, JSON]) -> None:
    """Figures on a set, and what stands out."""
    from distillgen import figures
    from distillgen.stats import of

    path = _newest(Path(given["target"]))
    if path.is_dir():
        raise UserError(f"{path}: nothing to measure; give a run folder or a file with questions")
    run = path.parent if str(path) != "-" and folder.is_run(path.parent) else None
    fields = task_beside(path).fields | columns(given["field"] or [])
    found = of(path, run, given["against"], fields)
    if given["as_json"]:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(visible("\n".join(figures.of_stats(found))))


def seeds(given: Mapping[str, JSON]) -> None:
    """What to mend in a seeds file, and two parts of it."""
    from distillgen import figures
    from distillgen import seeds as stage
    from distillgen.language import detector

    source = _no_folder(Path(given["seeds"]))
    task = task_beside(source)
    rows = inputs.read_seeds(source, task.fields | columns(given["field"] or []))
    found: dict[str, JSON] = {"command": "seeds", "run": None, "file": str(source), "files": []}
    found |= stage.check(rows, task, detector())
    if given["holdout"] is not None:
        parts = stage.hold_out(rows, given["holdout"])
        found["files"] = [str(path) for path in stage.write(source, parts)]
        found["counts"] |= {"held_out": len(parts[0]), "rest": len(parts[1])}
    if given["as_json"]:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(visible("\n".join(figures.of_seeds(found))))
    for_teacher = found["files"][1] if found["files"] else source
    print(f"\nNext: {program()} run {for_teacher} --teacher openai:MODEL")
    if not found["files"]:
        print("Or first keep a fifth of them from the teacher, to test with at the end:")
        print(f"  {program()} seeds {source} --holdout 0.2")


def status(run: Path | None, *, as_json: bool) -> None:
    """How runs stand."""
    runs = [run] if run else sorted(p for p in folder.RUNS.glob("*") if folder.is_run(p))
    if run and not folder.is_run(run):
        raise UserError(f"{run}: not a run folder")
    found = [standing.of(path) for path in runs]
    if as_json:
        print(json.dumps({"command": "status", "runs": found}, ensure_ascii=False))
    elif not found:
        print("no runs in ./runs yet; distillgen demo makes one")
    for stand in () if as_json else found:
        print(standing.words(stand))


def trace(id: str, run: Path | None) -> None:
    """The way of one record."""
    from distillgen import trace as way

    runs = [run] if run else sorted(p for p in folder.RUNS.glob("*") if folder.is_run(p))
    for path in runs:
        if lines := way.of(id, path):
            print("\n".join(lines))
            return
    where = ", ".join(str(path) for path in runs) or "./runs"
    raise UserError(f"{id}: neither a record nor a request in {where}; --run names the folder")


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
