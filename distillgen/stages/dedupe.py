"""Leave out the records that repeat others."""

from collections.abc import Iterable, Mapping

from distillgen import embedding, files, inputs
from distillgen.deduped import FILES, dedupe
from distillgen.engine import Stop
from distillgen.errors import FEWER
from distillgen.records import Terms
from distillgen.sending import Ask
from distillgen.work import Result, Work


def run(work: Work, records: inputs.Records, on: tuple[str, ...]) -> Result:
    """Write the records that repeat none before them; with `--embeddings` asked twice."""
    source, embeddings = records.path, work.settings.embeddings
    paths = work.outputs(FILES, source)
    asked = {"on": list(on), "field": dict(records.fields), "embeddings": embeddings}
    entry = work.begin("dedupe", source, files.sha256_of(source), asked=asked)

    def embed(texts: Iterable[str]) -> Mapping[str, embedding.Vector] | Stop:
        return _vectors(work, texts)

    done = dedupe(records, on, work.folder.path, embed if embeddings else None)
    result = Result("dedupe", {}, stop=done.stop, written=paths, deduped=done)
    if done.stop:
        result.code = done.stop.code
    else:
        counts = {name: done.counts[name] for name in ("kept", "duplicate", "template")}
        result.counts = {"given": done.counts.total()} | counts
        result.ended = "done"
    if done.unread:
        result.code = result.code or FEWER
        result.notes.append(
            f"{done.unread:,} texts have no embedding: nothing was dropped for them"
        )
    work.finish(entry, result)
    return result


def _vectors(work: Work, texts: Iterable[str]) -> dict[str, embedding.Vector] | Stop:
    """The vectors of texts, those that the journal does not hold asked for."""
    terms = Terms(work.chosen.identity, work.settings.server)
    requests = list(embedding.batches(texts, terms))
    journal = work.folder.journal
    found: dict[str, embedding.Vector] = {}
    there: set[str] = set()

    def look() -> None:
        for request in requests:
            for outcome in journal.look(request.key) if request.key not in there else ():
                if outcome:
                    there.add(request.key)
                if outcome and outcome.body:
                    found.update(embedding.vectors(request, outcome.body))

    look()
    if left := [Ask(request) for request in requests if request.key not in there]:
        known = len(there)
        work.watch.say(f"{len(requests):,} requests for embeddings, {len(left):,} to be sent")
        if stop := work.fill("dedupe", len(requests), left, lambda *_: None, lambda: known):
            return stop
        look()
    return found
