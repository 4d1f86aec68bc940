"""Write answers as trainers read them."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from distillgen import (
    answers,
    difficulty,
    export,
    facts,
    files,
    remake,
    splits,
    styles,
    terms,
)
from distillgen.card import About
from distillgen.delivery import Wanted
from distillgen.dice import shuffled
from distillgen.errors import UserError
from distillgen.formats import LeftOut
from distillgen.lines import Lines
from distillgen.pairs import PAIRS
from distillgen.records import Answer, Preference
from distillgen.settings import Settings
from distillgen.splits import Split
from distillgen.tables import READERS
from distillgen.task import Task
from distillgen.work import Result, Work

T = TypeVar("T")


def check(work: Work, out: Path) -> None:
    """Find what is wrong before anything is paid.

    Raises:
        UserError: the options do not go together, or a person changed an export.
    """
    options = _options(work)
    settled = export.settle(options, bool(work.task.labels))
    work.guard(export.paths(out, settled, options.wanted.stages))


def run(work: Work, source: Path, out: Path) -> Result:
    """Write `out/<format>/` for each format."""
    options = replace(_options(work), images=answers.with_images(source))
    closed = bool(work.task.labels) or answers.closed(source)
    settled = export.settle(options, closed)
    pairs = source.parent / PAIRS
    if any(found.of_pairs(told) for found, told in settled) and not pairs.is_file():
        raise UserError(f"{pairs}: no pairs yet; distillgen pairs {source.parent}")
    work.guard(export.paths(out, settled, options.wanted.stages))
    entry = work.begin("export", source, files.sha256_of(source))
    settings = work.settings
    places = {a.id: splits.of(a, options.shares, options.random_seed) for a in answers.read(source)}

    def split_of(id: str) -> Split | LeftOut:
        return places.get(id) or LeftOut("no_split")

    stage_of: Callable[[Answer], int] = lambda answer: 0  # noqa: E731
    if settings.curriculum:
        of_train = (a for a in answers.read(source) if split_of(a.id) == "train")
        stage_of = difficulty.curriculum(of_train, settings.stages).stage
    exported = export.export(
        _ordered(source, answers.of_bytes, settings),
        _ordered(pairs, Preference.model_validate_json, settings) if pairs.is_file() else (),
        closed, options, out, split_of,
        _about(work, source, options, closed),
        stage_of,
    )  # fmt: skip
    counts: Counter[str] = Counter()
    for one in exported[:1]:
        counts.update({str(split): n for split, n in one.records.items()})
        counts["rejected"] = sum(one.left_out.values())
        counts["kept"] = sum(one.records.values())
        counts["given"] = counts["kept"] + counts["rejected"]
    written = [path for one in exported for path in one.files]
    result = Result("export", dict(counts), ended="done", written=written, exported=exported)
    result.notes += [warning for one in exported for warning in one.warnings]
    teachers = dict.fromkeys(name for one in exported for name in one.teachers)
    result.notes += terms.warnings(teachers, settings.license)
    work.finish(entry, result)
    return result


def _about(work: Work, source: Path, options: export.Options, closed: bool) -> About:
    """What the cards say of the run, and of the file that is exported."""
    run, settings = work.folder.path, work.settings
    commands = work.folder.manifest.commands
    way = remake.way(commands)
    known = commands[way[0]].options.get("task", {}) if way else {}
    task = Task(**known) if known else work.task
    said = task.model_copy(update={"name": "", "fields": {}}) != Task()
    grown = files.rows_of(run / "seeds.jsonl") if "expand" in way else ()
    measurable = source.suffix in READERS and next(answers.read(source), None)
    return About(
        name=run.resolve().name,
        title=task.name,
        expert=task.expert if known else "",
        task_file=f"{task.name}.toml" if known and said else "",
        seeds=sum(1 for _ in grown),
        closed=closed,
        license=settings.license,
        shares=options.shares,
        random_seed=options.random_seed,
        shuffled=settings.shuffle or bool(settings.curriculum),
        commands=commands,
        facts=facts.of(run, source) if measurable else None,
    )


def _ordered(path: Path, parse: Callable[[bytes], T], settings: Settings) -> Iterable[T]:
    """The records of a file: in its order, or shuffled."""
    if not (settings.shuffle or settings.curriculum):
        return files.read_lines(path, parse)
    lines = Lines(path, parse)
    return lines.at(shuffled(range(len(lines)), random.Random(settings.random_seed)))


def _options(work: Work) -> export.Options:
    """What the user wants exported, and how."""
    settings = work.settings
    return export.Options(
        formats=settings.format,
        rationale=settings.rationale,
        layout=settings.layout,
        preset=settings.preset,
        label_weight=settings.label_weight,
        system=_systems(work),
        own_system=settings.system == "keep",
        shares=splits.shares(settings.split) if settings.split else splits.DEFAULT_SHARES,
        random_seed=settings.random_seed,
        soft_temperature=settings.soft_temperature,
        hard_weight=settings.hard_weight,
        wanted=Wanted(
            settings.max_length, settings.long, settings.stages if settings.curriculum else 0
        ),
    )


def _systems(work: Work) -> dict[str, str]:
    """The system prompts of the rows by style, as `--system` wants them.

    What the teacher was told about the form of its reply is never in them: the student's is
    another.
    """
    wanted = work.settings.system
    if wanted == "drop":
        return {}
    if wanted != "keep":
        return {"": wanted}
    who = f"You are {work.task.expert}."
    known, _ = styles.find(work.task.name, work.prompt_folders)
    return {"": who, **{name: f"{who}\n\n{text}" for name, text in known.items()}}
