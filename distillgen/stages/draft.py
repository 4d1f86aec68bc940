"""Draft a strategy's file, for people to edit."""

from collections import Counter
from pathlib import Path

from distillgen import dry_run, files, strategies
from distillgen.defaults import of_expand
from distillgen.draft import KINDS, Drafting
from distillgen.errors import DONE, FEWER
from distillgen.folder import write_among
from distillgen.records import Seed
from distillgen.work import Result, Work


def estimate(work: Work, name: str, seeds: list[Seed]) -> dry_run.Estimate:
    """What is left to ask of a draft."""
    return dry_run.of_draft(_drafting(work, name, seeds), work.folder.journal, work.chosen.price)


def run(work: Work, name: str, source: Path, seeds: list[Seed]) -> Result:
    """Draft the file of the strategy `name`: writes it, rejected and failures."""
    strategy = strategies.load(name)
    paths = work.outputs((strategy.FILE, "rejected.jsonl", "failures.jsonl"), source)
    drafting = _drafting(work, name, seeds)
    entry = work.begin(
        name, source, files.sha256_of(source), used=drafting.setting.prompt.digests,
        settled=drafting.settled, to_ask=drafting.left,
    )  # fmt: skip
    stop = None
    if left := drafting.left():
        stop = work.fill(name, left, drafting.requests(), drafting.heard)
    found = drafting.read()
    with files.Whole(paths[0]) as out:
        if found.table:
            out.write_text(strategy.text(found.table))
    write_among(paths[1], name, found.rejected)
    write_among(paths[2], name, found.failures)
    kinds = Counter[str](failure.kind for failure in found.failures)
    result = Result(name, found.counts, stop=stop, written=paths, kinds=kinds)
    too_many = kinds.total() > work.settings.max_failed * found.counts["given"]
    result.code = stop.code if stop else FEWER if too_many else DONE
    result.ended = "" if stop else "done"
    result.notes = list(drafting.words(found))
    work.finish(entry, result)
    return result


def _drafting(work: Work, name: str, seeds: list[Seed]) -> Drafting:
    """The requests that draft a strategy's file, nothing asked yet."""
    setting = of_expand(work.settings, work.chosen, work.task, work.prompt(name), tuple(seeds))
    return Drafting(KINDS[name], setting, work.folder.journal, work.settings.resample)
