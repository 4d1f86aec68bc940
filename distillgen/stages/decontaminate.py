"""Flag the records that give a test set away."""

from collections.abc import Mapping
from pathlib import Path

from distillgen import files
from distillgen.decontaminate import (
    FLAGS,
    KEPT,
    Decontaminated,
    EvalSets,
    decontaminate,
    in_doubt,
)
from distillgen.embedding import Vector
from distillgen.engine import Stop
from distillgen.errors import FEWER
from distillgen.meaning import MEASURABLE, measured
from distillgen.records import JSON
from distillgen.work import Result, Work


def run(work: Work, source: Path, against: EvalSets, drop: bool) -> Result:
    """Write the records that give a test set away; with `drop` also the file without them."""
    names = (FLAGS, KEPT) if drop else (FLAGS,)
    paths = work.outputs(names, source, *(one.path for one in against.all))
    asked: dict[str, JSON] = {"against": [str(one.path) for one in against.all]}
    asked |= {"field": dict(against.fields)}
    sha256 = files.sha256_of(source)
    asked |= {"drop": drop, "embeddings": work.settings.embeddings}
    entry = work.begin("decontaminate", source, sha256, asked=asked)
    done = Decontaminated(against.all)
    vectors = _vectors(work, source, against, done)
    if isinstance(vectors, Stop):
        result = Result("decontaminate", {}, code=vectors.code, stop=vectors)
        work.finish(entry, result)
        return result
    with work.watch.counting("decontaminate", lambda: done.given):
        decontaminate(source, against, work.folder.path, drop, done, vectors)
    counts = {"given": done.given, "kept": done.given - done.flagged, "flagged": done.flagged}
    result = Result("decontaminate", counts, ended="done", written=paths, decontaminated=done)
    if done.unread:
        result.code = FEWER
        result.notes.append(work.unread(done.unread, "flagged"))
    if done.blank:
        result.notes.append(f"kept: {done.blank:,} records have no question to compare")
    for one in against.all:
        if work.settings.embeddings and len(one.index.items) < MEASURABLE:
            result.notes.append(
                f"{one.path}: fewer than {MEASURABLE} items, so the words alone decide"
            )
        if one.blank:
            result.notes.append(f"left out: {one.blank:,} items of {one.path} have no question")
    if not drop and (work.folder.path / KEPT).exists():
        result.notes.append(f"{work.folder.path / KEPT} is of an earlier run; --drop renews it")
    work.finish(entry, result)
    return result


def _vectors(
    work: Work, source: Path, against: EvalSets, done: Decontaminated
) -> Mapping[str, Vector] | Stop:
    """The embeddings that are needed, where the user wants any; sets what they are measured by."""
    embed = work.embed("decontaminate")
    if not embed:
        return {}
    with work.watch.counting("decontaminate", lambda: done.looked_at):
        wanted = in_doubt(source, against, done)
    vectors = embed(wanted)
    if not isinstance(vectors, Stop):
        done.unread = sum(text not in vectors for text in wanted)
        for one in against.all:
            one.above = measured(one.index, vectors)
    return vectors
