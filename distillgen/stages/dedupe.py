"""Leave out the records that repeat others."""

from distillgen import files, inputs, semantic
from distillgen.deduped import FILES, dedupe
from distillgen.errors import FEWER
from distillgen.work import Result, Work


def run(work: Work, records: inputs.Records, on: tuple[str, ...]) -> Result:
    """Write the records that repeat none before them; with `--embeddings` asked twice."""
    source = records.path
    paths = work.outputs(FILES, source)
    asked = {"on": list(on), "field": dict(records.fields), "embeddings": work.settings.embeddings}
    entry = work.begin("dedupe", source, files.sha256_of(source), asked=asked)
    embed = work.embed("dedupe")
    bar = semantic.MEASURED.get(work.chosen.shown.removeprefix("local:")) if embed else None
    done = dedupe(records, on, work.folder.path, embed, bar)
    result = Result("dedupe", {}, stop=done.stop, written=paths, deduped=done)
    if done.stop:
        result.code = done.stop.code
    else:
        counts = {name: done.counts[name] for name in ("kept", "duplicate", "template")}
        result.counts = {"given": done.counts.total()} | counts
        result.ended = "done"
    if done.unread:
        result.code = result.code or FEWER
        result.notes.append(work.unread(done.unread, "dropped"))
    work.finish(entry, result)
    return result
