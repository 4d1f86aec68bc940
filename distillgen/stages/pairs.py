"""Pair a better and a worse answer to each question."""

from typing import get_args

from distillgen import files, findings
from distillgen.contenders import Items
from distillgen.pairs import FILES, pairs
from distillgen.records import ExclusionReason
from distillgen.work import Result, Work


def run(work: Work, items: Items) -> Result:
    """Write the pairs, and the questions that have none."""
    paths = work.outputs(FILES, items.path)
    asked = {"margin": work.settings.margin}
    entry = work.begin("pairs", items.path, files.sha256_of(items.path), asked=asked)
    done = pairs(items, work.settings.margin, work.folder.path)
    reasons = {name: n for name in get_args(ExclusionReason) if (n := done.counts[name])}
    counts = {name: done.counts[name] for name in ("given", "kept")} | reasons
    result = Result("pairs", counts, ended="done", written=paths, measured=done.as_json())
    result.notes = list(findings.of_pairs(result.measured, counts["kept"]))
    work.finish(entry, result)
    return result
