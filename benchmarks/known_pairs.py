"""Measure embeddings on the known pairs: `python benchmarks/known_pairs.py [NAME | URL MODEL]`.

NAME is an embedded model, without it the default one. URL ends in `/v1`; `OPENAI_API_KEY` is sent
if it is set. The bar is set on every second pair and judged on the others, then the other way
round, and last on all. A pair is right when `dedupe --embeddings` would decide it as it is; those
that the words alone decide count too.
"""

import json
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from distillgen import catalogue, embedding, semantic, weights
from distillgen.semantic import Pair
from distillgen.teachers.embedded import serve

BATCH = 50


class Asked(NamedTuple):
    """Who is asked for embeddings."""

    url: str
    model: str
    prefix: str = ""


@contextmanager
def asked(words: list[str]) -> Iterator[Asked]:
    """As the command line says: URL and model, or the name of an embedded one."""
    if len(words) > 1:
        yield Asked(*words)
        return
    found = weights.resolve(*words or [catalogue.EMBEDDER])
    path = weights.fetch(found, lambda *_: None)
    server = serve(path, threads=None, context=1024, slots=1, embeds=True)
    yield Asked(server.url, found.name, found.prefix)
    server.close()


def vectors(of: Asked, texts: list[str]) -> dict[str, embedding.Vector]:
    """The embedding of each text."""
    found = {}
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        request = urllib.request.Request(
            f"{of.url}/embeddings",
            json.dumps({"model": of.model, "input": [of.prefix + t for t in batch]}).encode(),
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
    with asked(sys.argv[1:]) as of:
        found = vectors(of, sorted({t for p in left for t in p[:2]}))
    cosines = {pair: embedding.cosine(found[pair.one], found[pair.other]) for pair in left}
    for name, chosen, judged in (
        ("set on one half, judged on the other", pairs[::2], pairs[1::2]),
        ("the other way round", pairs[1::2], pairs[::2]),
        ("all", pairs, pairs),
    ):
        bar = semantic.bar((cosines[pair], pair.same) for pair in chosen if pair in cosines)
        said = right(judged, cosines, bar.above)
        print(f"{name}: above {bar.above:.3f}, {said[True]} of {said.total()} right")
