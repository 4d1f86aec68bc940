"""Choose the best answers that are not too near to each other."""

from typing import get_args

from distillgen import files, findings
from distillgen.contenders import Items
from distillgen.records import ExclusionReason
from distillgen.select import FILES, Wanted, least, select
from distillgen.work import Result, Work


def run(work: Work, items: Items) -> Result:
    """Write what is chosen, and the others with their reasons."""
    settings = work.settings
    checks = tuple(name.replace("-", "_") for name in settings.require)
    wanted = Wanted(settings.budget, least(settings.min), checks, settings.random_seed)
    paths = work.outputs(FILES, items.path)
    names = ("budget", "min", "require", "compare", "random_seed")
    asked = {name: getattr(settings, name) for name in names}
    entry = work.begin("select", items.path, files.sha256_of(items.path), asked=asked)
    done = select(items, wanted, work.folder.path)
    reasons = {name: n for name in get_args(ExclusionReason) if (n := done.counts[name])}
    counts = {name: done.counts[name] for name in ("given", "kept")} | reasons
    result = Result("select", counts, ended="done", written=paths)
    result.measured = {"compared": done.figures}
    result.notes = list(findings.of_select(done.figures))
    work.finish(entry, result)
    return result
