"""Flag the records that give a test set away."""

from pathlib import Path

from distillgen import files
from distillgen.decontaminate import FLAGS, KEPT, Decontaminated, EvalSets, decontaminate
from distillgen.work import Result, Work


def run(work: Work, source: Path, against: EvalSets, drop: bool) -> Result:
    """Write the records that give a test set away; with `drop` also the file without them."""
    names = (FLAGS, KEPT) if drop else (FLAGS,)
    paths = work.outputs(names, source, *(one.path for one in against.all))
    asked = {"against": [str(one.path) for one in against.all], "field": dict(against.fields)}
    sha256 = files.sha256_of(source)
    entry = work.begin("decontaminate", source, sha256, asked=asked | {"drop": drop})
    done = Decontaminated(against.all)
    with work.watch.counting("decontaminate", lambda: done.given):
        decontaminate(source, against, work.folder.path, drop, done)
    counts = {"given": done.given, "kept": done.given - done.flagged, "flagged": done.flagged}
    result = Result("decontaminate", counts, ended="done", written=paths, decontaminated=done)
    if done.blank:
        result.notes.append(f"kept: {done.blank:,} records have no question to compare")
    for one in against.all:
        if one.blank:
            result.notes.append(f"left out: {one.blank:,} items of {one.path} have no question")
    if not drop and (work.folder.path / KEPT).exists():
        result.notes.append(f"{work.folder.path / KEPT} is of an earlier run; --drop renews it")
    work.finish(entry, result)
    return result
