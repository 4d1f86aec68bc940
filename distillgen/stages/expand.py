"""Grow seeds into inputs."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

from distillgen import dry_run, files, strategies
from distillgen.defaults import of_expand, of_walk, sees, settled_of_expand
from distillgen.engine import Read, Stop
from distillgen.errors import DONE, FEWER, UserError
from distillgen.expand import Walk, expand
from distillgen.folder import is_run, write, write_among
from distillgen.records import Seed, digest
from distillgen.sending import Ask
from distillgen.work import Result, Work

SHORT = {
    "saturated": "the last {options.patience} proposals brought at most 3 new inputs: more or other"
    " seeds help most; to go on all the same: --patience 0",
    "ceiling": "{walk.folded} requests were made, the ceiling; to go on: --max-requests N",
}
"""Why a walk ends before `-n`."""


def walk_of(work: Work, seeds: list[Seed]) -> Walk:
    """The walk along the sequence that these seeds fix, not yet begun."""
    parts, vision = [], sees(work.settings, work.chosen)
    used = strategies.used(work.settings.strategy, work.settings.operations)
    for strategy, share, operations in used:
        prompt = work.prompt(strategy.PROMPT)
        setting = of_expand(work.settings, work.chosen, work.task, prompt, tuple(seeds))
        setting = replace(setting, operations=operations)
        if path := _material(work, strategy):
            more = (vision,) if hasattr(strategy, "SEES") else ()
            setting = replace(setting, material=strategy.read(path, *more))
        if hasattr(strategy, "check"):
            strategy.check(setting, alone=len(used) == 1)
        parts.append(strategies.Part(strategy, setting, share))
    return Walk(parts, of_walk(work.settings, parts[0].setting), work.folder.journal)


def estimate(work: Work, seeds: list[Seed]) -> dry_run.Estimate:
    """What is left to ask of the sequence."""
    return dry_run.of_expand(walk_of(work, seeds), work.folder.journal, work.chosen.price)


def run(work: Work, source: Path, seeds: list[Seed]) -> Result:
    """Write inputs, rejected and failures; keep the seeds and the task beside them."""
    paths = work.outputs(("inputs.jsonl", "rejected.jsonl", "failures.jsonl"), source)
    work.apart(source, ("seeds.jsonl", "task.toml"))
    walk = walk_of(work, seeds)
    walk.advance()
    entry = work.begin(
        "expand", source, files.sha256_of(source), used=_used_by(work, walk),
        settled=settled_of_expand(walk.setting),
        to_ask=lambda: 0 if walk.ended else walk.needed() - walk.folded,
    )  # fmt: skip
    _keep_task(work, source, seeds)

    def fill(asks: Iterable[Ask | None], read: Read) -> Stop | None:
        tally, n = work.engine.tally, walk.options.n
        with work.watch.live("expand", n, tally, lambda: len(walk.kept)):
            return work.engine.fill(asks, read)

    found = expand(walk, fill)
    write(paths[0], found.inputs)
    write_among(paths[1], "expand", found.rejected)
    write_among(paths[2], "expand", found.failures)
    kinds = Counter[str](failure.kind for failure in found.failures)
    result = Result(
        "expand", found.ledger, stop=found.stop, ended=found.ended, written=paths, kinds=kinds
    )
    result.code = found.stop.code if found.stop else DONE if found.ended == "done" else FEWER
    if found.ended in SHORT:
        result.notes.append(SHORT[found.ended].format(walk=walk, options=walk.options))
        if any(part.capped for part in walk.parts):
            n = walk.setting.per_parent
            result.notes.append(f"{n} inputs of one example are kept at most; more: --per-parent N")
    work.finish(entry, result)
    return result


def _material(work: Work, strategy: ModuleType) -> Path | None:
    """The file that a strategy works from: the one that is named, else that of the run."""
    if not hasattr(strategy, "FILE"):
        return None
    name = strategy.FILE.partition(".")[0]
    named = getattr(work.settings, name)
    path = Path(named) if named else work.folder.path / strategy.FILE
    if named and not path.is_file():
        raise UserError(f"--{name} {named}: no such file")
    if not path.is_file():
        drafts = f"`distillgen {name} SEEDS` drafts one to edit, "
        raise UserError(
            f"{strategy.FILE}: there is none in the run folder yet;"
            f" {drafts if hasattr(strategy, 'text') else ''}--{name} FILE names yours"
        )
    return path


def _used_by(work: Work, walk: Walk) -> dict[str, str]:
    """The digests of the files that go into requests."""
    used: dict[str, str] = {}
    for part in walk.parts:
        used |= part.setting.prompt.digests
        if path := _material(work, part.strategy):
            used[path.name] = digest(asdict(part.setting.material))
    return used


def _keep_task(work: Work, source: Path, seeds: list[Seed]) -> None:
    """Copy the task file and the seeds as they are used, for the commands that follow."""
    write(work.folder.path / "seeds.jsonl", seeds)
    beside = "task.toml" if is_run(source.parent) else f"{work.task.name}.toml"
    if source.with_name(beside).is_file():
        shutil.copyfile(source.with_name(beside), work.folder.path / "task.toml")
