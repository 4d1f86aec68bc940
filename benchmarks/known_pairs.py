"""Measure a model of embeddings on the known pairs: `python benchmarks/known_pairs.py [URL MODEL]`.

Without URL, the embedded model. URL ends in `/v1`; `OPENAI_API_KEY` is sent if it is set. The bar
is set on every second pair and judged on the others, then the other way round, and last on all. A
pair is right when `dedupe --embeddings` would decide it as it is; those that the words alone
decide count too.
"""

import json
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from distillgen import embedding, semantic, weights
from distillgen.semantic import Pair
from distillgen.teachers.embedded import serve

BATCH = 50


@contextmanager
def asked(words: list[str]) -> Iterator[tuple[str, str]]:
    """URL and model, as given or embedded."""
    if words:
        yield words[0], words[1]
        return
    path = weights.fetch(weights.resolve(weights.EMBEDDER), lambda *_: None)
    server = serve(path, threads=None, context=512, slots=1, embeds=True)
    yield server.url, weights.EMBEDDER
    server.close()


def vectors(url: str, model: str, texts: list[str]) -> dict[str, embedding.Vector]:
    """The embedding of each text."""
    found = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        request = urllib.request.Request(
            f"{url}/embeddings",
            json.dumps({"model": model, "input": batch}).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'none')}",
            },
        )
        with urllib.request.urlopen(request) as response:
            stored = embedding.stored(response.read(), len(batch))
        found |= dict(zip(batch, embedding.unpacked(stored), strict=True))
    return found


def right(pairs: list[Pair], cosines: dict[Pair, float], above: float) -> Counter[bool]:
    """How many pairs are decided rightly, and wrongly."""
    return Counter((cosines.get(pair, -1.0) > above) == pair.same for pair in pairs)


if __name__ == "__main__":
    pairs = semantic.known()
    left = semantic.candidates(pairs)
    with asked(sys.argv[1:]) as (url, model):
        found = vectors(url, model, sorted({t for p in left for t in p[:2]}))
    cosines = {pair: embedding.cosine(found[pair.one], found[pair.other]) for pair in left}
    for name, chosen, judged in (
        ("set on one half, judged on the other", pairs[::2], pairs[1::2]),
        ("the other way round", pairs[1::2], pairs[::2]),
        ("all", pairs, pairs),
    ):
        bar = semantic.bar((cosines[pair], pair.same) for pair in chosen if pair in cosines)
        said = right(judged, cosines, bar.above)
        print(f"{name}: above {bar.above:.3f}, {said[True]} of {said.total()} right")
