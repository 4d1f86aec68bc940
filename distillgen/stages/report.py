"""Write the page that tells a stranger what a run holds."""

from collections.abc import Sequence
from pathlib import Path

from distillgen import __version__, charts, facts, files, report
from distillgen.errors import UserError
from distillgen.folder import read_manifest
from distillgen.records import JSON, digest
from distillgen.work import Result, Work

COMMAND = "report"
PAGES = (".html", ".htm")
"""What a page's name ends in: that of no other file of a run does."""


def run(work: Work, others: Sequence[Path] = (), out: Path | None = None) -> Result:
    """Write `report.html` of a run, or of it and another; nothing where nothing has changed.

    Raises:
        UserError: a run has no records yet, a person changed the page, or `out` is no page.
    """
    run = work.folder.path
    path = out or run / name(others)
    if path.suffix.lower() not in PAGES:
        raise UserError(f"-o {path}: a report is a page; name a file that ends in .html")
    command = " ".join([COMMAND, *(["vs", str(others[0])] if others else [])])
    work.guard([path])
    seen = digest([*(_seen(one) for one in (run, *others)), __version__, charts.there(), str(path)])
    old = work.folder.manifest.commands.get(command)
    if old and old.settled.get("seen") == seen and work.folder.as_written(path):
        return Result(COMMAND, dict(old.counts), ended="done", written=[path])
    asked: dict[str, JSON] = {"runs": [str(one) for one in (run, *others)], "out": str(path)}
    entry = work.begin(command, run, "", asked=asked, settled={"seen": seen})
    found = [facts.of(one) for one in (run, *others)]
    report.write(path, found)
    result = Result(COMMAND, {"given": sum(one.records for one in found)}, ended="done")
    result.written = [path]
    if not charts.there():
        result.notes.append(f"report: tables in place of charts; {charts.EXTRA}")
    work.finish(entry, result, command)
    return result


def name(others: Sequence[Path]) -> str:
    """The page's file in the run folder."""
    return f"report-vs-{others[0].resolve().name}.html" if others else report.FILE


def _seen(run: Path) -> dict[str, JSON]:
    """All that the page of a run depends on, but for times: the digests of its files, and what its
    commands were asked and came to."""
    manifest = read_manifest(run)
    found: dict[str, JSON] = {}
    if (source := facts.source_of(run, manifest)).name not in facts.READ:
        found[source.name] = files.sha256_of(source)
    for name in facts.READ:
        if (path := run / name).exists():
            stamp = manifest.files.get(name)
            kept = stamp and not files.changed(path, stamp)
            found[name] = stamp.sha256 if stamp and kept else files.sha256_of(path)
    for command, entry in manifest.commands.items():
        if not command.startswith(COMMAND):
            found[command] = [entry.source_sha256, entry.options, entry.counts, entry.prompts,
                              entry.settled.get("formats")]  # fmt: skip
    return found
