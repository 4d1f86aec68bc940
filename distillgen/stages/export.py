"""Write answers as trainers read them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from distillgen import answers, export, files
from distillgen.settings import Settings
from distillgen.work import Result, Work


def check(work: Work, out: Path) -> None:
    """Find what is wrong before anything is paid.

    Raises:
        UserError: the options do not go together, or a person changed an export.
    """
    options = _options(work.settings)
    export.settle(options, bool(work.task.labels))
    work.guard(export.paths(out, options.formats))


def run(work: Work, source: Path, out: Path) -> Result:
    """Write `out/<format>/` for each format."""
    options = replace(_options(work.settings), images=answers.with_images(source))
    closed = bool(work.task.labels) or answers.closed(source)
    export.settle(options, closed)
    paths = export.paths(out, options.formats)
    work.guard(paths)
    entry = work.begin("export", source, files.sha256_of(source))
    exported = export.export(answers.read(source), closed, options, out)
    counts: Counter[str] = Counter()
    for one in exported[:1]:
        counts.update({str(split): n for split, n in one.records.items()})
        counts["rejected"] = sum(one.left_out.values())
        counts["kept"] = sum(one.records.values())
        counts["given"] = counts["kept"] + counts["rejected"]
    result = Result("export", dict(counts), ended="done", written=paths, exported=exported)
    work.finish(entry, result)
    return result


def _options(settings: Settings) -> export.Options:
    """What the user wants exported, and how."""
    return export.Options(
        formats=settings.format,
        rationale=settings.rationale,
        layout=settings.layout,
        preset=settings.preset,
        shares=export.shares(settings.split) if settings.split else export.DEFAULT_SHARES,
        random_seed=settings.random_seed,
        soft_temperature=settings.soft_temperature,
        hard_weight=settings.hard_weight,
    )
