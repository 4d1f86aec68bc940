"""The commands that tell whether records are to be trusted."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from distillgen import answers, checks, deduped, folder, inputs, stages, tables
from distillgen.commands.targets import answers_of, goes_to, newest, no_folder, task_of
from distillgen.contenders import Items
from distillgen.decontaminate import KEPT, EvalSets
from distillgen.errors import UserError
from distillgen.judging import Stage
from distillgen.program import program
from distillgen.records import JSON
from distillgen.session import Session
from distillgen.show import visible
from distillgen.task import columns, task_beside, with_labels
from distillgen.work import Result


def seeds(given: Mapping[str, JSON]) -> None:
    """What to mend in a seeds file, and two parts of it."""
    from distillgen import figures
    from distillgen import seeds as stage
    from distillgen.language import detector

    source = no_folder(Path(given["seeds"]))
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


def check(given: Mapping[str, JSON]) -> None:
    """Verdicts on answers."""
    source = Path(given["file"])
    if folder.is_run(source):
        source = source / "answers.jsonl"
        if not source.is_file():
            raise UserError(f"{source}: no answers yet; distillgen answer {given['file']}")
    path = folder.folder_of(str(source), given["out"])
    found = task_of(no_folder(source), path)
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
    source = newest(Path(given["file"]))
    path = folder.folder_of(str(source), given["out"])
    this = Session({**given, "teacher": "local"}, task_of(no_folder(source), path), path)
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
    return goes_to(path / KEPT if drop else source, fields, answered)


def dedupe(given: Mapping[str, JSON]) -> None:
    """Records without those that repeat others."""
    source = newest(Path(given["file"]))
    path = folder.folder_of(str(source), given["out"])
    this = Session({**given, "teacher": "local"}, task_of(no_folder(source), path), path)
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
        this.end(work, [result], goes_to(path / deduped.KEPT, this.fields, answered))


def judge(stage: Stage, given: Mapping[str, JSON]) -> None:
    """Answers to scores, or candidates to comparisons."""
    source, path = answers_of(given)
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


def _embedder(this: Session) -> str:
    return f", embeddings of {this.teacher.shown}" if this.settings.embeddings else ""
