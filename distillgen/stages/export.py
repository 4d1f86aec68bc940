"""Write answers as trainers read them."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from distillgen import (
    answers,
    difficulty,
    export,
    facts,
    files,
    hub,
    leakage,
    remake,
    splits,
    styles,
    terms,
)
from distillgen.card import About
from distillgen.delivery import Exported, Wanted
from distillgen.dice import shuffled
from distillgen.errors import UserError
from distillgen.formats import LeftOut
from distillgen.lines import Lines
from distillgen.pairs import PAIRS
from distillgen.records import JSON, Answer, Entry, Preference
from distillgen.review.reviewed import Reviewed
from distillgen.settings import Settings
from distillgen.splits import Split
from distillgen.tables import READERS
from distillgen.task import Task
from distillgen.work import Result, Work

T = TypeVar("T")

PUSHED = "hf"
"""The format that `--push` uploads."""


def check(work: Work, out: Path) -> None:
    """Find what is wrong before anything is paid.

    Raises:
        UserError: the options do not go together, `-n` is too small for the service, a person
            changed an export, or nothing can be uploaded as wanted.
    """
    options = _options(work)
    _check_push(work)
    settled = export.settle(options, bool(work.task.labels))
    for found, told in settled:
        limits, rows = found.limit(told), work.settings.n * options.shares.get("train", 0)
        if rows < limits.least:
            raise UserError(
                f"--format {found.name}: {limits.who} takes {limits.least} rows to train on at"
                f" least; -n {work.settings.n} gives about {rows:.0f}"
            )
    work.guard(export.paths(out, settled, options.wanted.stages))


def run(work: Work, source: Path, out: Path) -> Result:
    """Write `out/<format>/` for each format."""
    closed = bool(work.task.labels) or answers.closed(source)
    options = replace(
        _options(work), images=answers.with_images(source), mixed=_mixed(source, closed)
    )
    settled = export.settle(options, closed)
    pairs = work.folder.path / PAIRS
    if any(found.of_pairs(told) for found, told in settled) and not pairs.is_file():
        last = work.folder.manifest.commands.get("pairs")
        if last and last.source_sha256 == files.sha256_of(source):
            raise UserError(
                f"{source}: `pairs` found no two answers of which one is better; unpaired.jsonl"
                " says why"
            )
        raise UserError(f"{pairs}: no pairs yet; distillgen pairs {source}")
    work.guard(export.paths(out, settled, options.wanted.stages))
    _check_push(work)
    sha256, last = files.sha256_of(source), work.folder.manifest.commands.get("export")
    entry = work.begin("export", source, sha256)
    settings = work.settings
    reviewed = Reviewed.beside(work.folder.path)
    assigned, to_keep = _assigned(work, source, sha256, options, reviewed, last)
    split_of = partial(_split_of, splits.Assigned(work.folder.path / splits.FILE))

    def of_train() -> Iterator[Answer]:
        taken = map(Reviewed(reviewed.decisions).taken, answers.read(source))
        return (answer for answer, out in taken if not out and split_of(answer.id) == "train")

    counts = Counter(rejected=0)
    sources = list(dict.fromkeys([*(_sources(last) if assigned.stayed else ()), source.name]))
    earlier = sources[0] != source.name
    about = _about(work, source, options, closed, assigned.leakage, earlier)
    exported = export.export(
        _ordered(source, answers.of_bytes, settings),
        _ordered(pairs, Preference.model_validate_json, settings) if pairs.is_file() else (),
        closed, options, out, split_of,
        about,
        of_train,
        reviewed,
        counts,
    )  # fmt: skip
    counts["given"] = counts.total()
    counts["kept"] = counts["given"] - counts["rejected"]
    written = [path for one in exported for path in one.files]
    result = Result("export", dict(counts), ended="done", written=written, exported=exported)
    result.written.append(work.folder.path / splits.FILE)
    result.leakage = assigned.leakage
    result.measured = {
        "exports": {one.format: one.as_json() for one in exported},
        "leakage": assigned.leakage.as_json(),
        **({"reviewed": dict(reviewed.counts)} if reviewed.counts else {}),
    }
    for measure in dict.fromkeys(one.measure for one in exported if one.measure):
        how = difficulty.SHOWN[measure]
        result.notes.append(f"{settings.stages} stages from easy to hard, by {how}")
    if assigned.anew:
        result.notes.append("other shares or another seed: all records were assigned anew")
    result.notes += leakage.notes(assigned.leakage)
    result.notes += reviewed.notes()
    if about.facts and about.facts.outdated:
        result.notes.append(
            f"{about.facts.outdated:,} answers changed since they were checked: distillgen check"
        )
    result.notes += [warning for one in exported for warning in one.warnings]
    teachers = dict.fromkeys(name for one in exported for name in one.teachers)
    result.notes += terms.warnings(teachers, settings.license)
    formats = {one.format: {"records": one.records, "left_out": one.left_out} for one in exported}
    settled_as = {"splits": to_keep, "formats": formats, "sources": sources}
    work.finish(entry.model_copy(update={"settled": settled_as}), result)
    if settings.push:
        alone = "; the images were not, only their paths" if options.images else ""
        result.notes.append(f"{_push(settings.push, exported)}{alone}")
    return result


def _mixed(source: Path, closed: bool) -> bool:
    """Whether some records teach a label, and some an answer."""

    def labelled(line: bytes) -> bool:
        if b'"label"' not in line:
            return False
        answer = answers.of_bytes(line)
        return bool(answer.label and (closed or not answer.answer))

    kinds = files.read_lines(source, labelled)
    first = next(kinds, False)
    return any(kind != first for kind in kinds)


def _sources(last: Entry | None) -> list[str]:
    """The names of the files whose export made the splits that stand, the first first."""
    return last.settled.get("sources", [Path(last.source).name]) if last else []


def _about(
    work: Work, source: Path, options: export.Options, closed: bool, leaks: leakage.Leakage,
    earlier: bool,
) -> About:  # fmt: skip
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
        splits_stayed=earlier,
        leakage=leakage.markdown(leaks),
    )


def _check_push(work: Work) -> None:
    if repo := work.settings.push:
        if PUSHED not in work.settings.format:
            raise UserError(f"--push {repo}: uploads the format {PUSHED}; add --format {PUSHED}")
        hub.check(repo)


def _push(repo: str, exported: Iterable[Exported]) -> str:
    """Upload what stands in its place now; gives the line that says so."""
    (made,) = (one for one in exported if one.format == PUSHED)
    assert made.card
    address = hub.push(made.card.parent, repo, made.files)
    return f"{PUSHED}: {len(made.files)} files uploaded to {address}"


def _assigned(
    work: Work,
    source: Path,
    sha256: str,
    options: export.Options,
    reviewed: Reviewed,
    last: Entry | None,
) -> tuple[splits.Summary, dict[str, JSON]]:
    """The splits of the answers, and what to keep of it in the manifest.

    Where the last export was of the same answers and decisions, what they came to is known, and
    nothing is compared again.
    """
    held_out, path = work.settings.seeds_for_test, work.folder.path / splits.FILE
    decisions = files.sha256_of(reviewed.decisions.path) if len(reviewed.decisions) else ""
    asked = [sha256, dict(options.shares), options.random_seed, held_out, decisions]
    known = last.settled.get("splits", {}) if last else {}
    stamp = work.folder.manifest.files.get(splits.FILE)
    if known.get("asked") == asked and stamp and path.exists() and not files.changed(path, stamp):
        return splits.Summary.of(known["summary"]), known
    read = 0

    def counted() -> Iterator[Answer]:
        nonlocal read
        for answer in answers.read(source):
            read += 1
            yield answer

    with work.watch.counting("splits", lambda: read):
        found = splits.assign(
            counted(), options.shares, options.random_seed, path, held_out, _lent(work),
            Reviewed(reviewed.decisions),
        )  # fmt: skip
    return found, {"asked": asked, "summary": found.as_json()}


def _lent(work: Work) -> list[Path]:
    """The splits of other runs, from whose files this one was made: where the manifest says that
    they lie, or beside this run."""
    run, commands = work.folder.path.resolve(), work.folder.manifest.commands
    sources = [
        Path(commands[name].source).parent for name in ("expand", "answer") if name in commands
    ]
    folders = {near for path in sources for near in (path.resolve(), run.parent / path.name)}
    return sorted(path for folder in folders - {run} if (path := folder / splits.FILE).is_file())


def _split_of(assigned: splits.Assigned, id: str) -> Split | LeftOut:
    return assigned.split(id) or LeftOut("bridges_splits")


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
