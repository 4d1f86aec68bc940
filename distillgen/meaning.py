"""Tell by embeddings that a text says what a test item says, in other words.

They are asked where the words leave it open: of pairs that share a few words, and of which one has
no numbers. What cosine is needed is measured on the test set, as for the words alone: its own items
are as near to each other as texts of the same kind are.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from statistics import fmean

from distillgen import embedding
from distillgen.dice import shuffled
from distillgen.embedding import Vector
from distillgen.engine import Stop
from distillgen.overlap import Found, Index, Item, bar, text_of

Embed = Callable[[Iterable[str]], Mapping[str, Vector] | Stop]
"""The vectors of texts, by what is embedded of them; of those that failed none."""
MEASURABLE = 100
"""Items that a test set has at least, so that the cosine can be measured on it."""


def said(user_context: str, question: str) -> str:
    """What is embedded of a text: its beginning."""
    return text_of(user_context, question)[: embedding.LONGEST]


def items(index: Index) -> Iterator[str]:
    """What is embedded of the items."""
    return map(_of, index.items)


def in_doubt(index: Index, user_context: str, question: str) -> bool:
    """Whether the words neither give a text away nor clear it, and the cosine can be measured."""
    text = user_context, question
    enough = len(index.items) >= MEASURABLE
    return enough and not index.find(*text) and bool(index.alike(*text))


def measured(index: Index, vectors: Mapping[str, Vector]) -> float | None:
    """The cosine above which few items seem to paraphrase another one; None where there are too
    few items.

    It lies at least half way from two items drawn at random to equal ones: where each item is about
    something else, what is on the subject of one would seem to paraphrase it.
    """
    if len(index.items) < MEASURABLE:
        return None
    found = (nearest(index, item.user_context, item.question, vectors) for item in index.items)
    near = bar([(one and one.cosine) or 0.0 for one in found], 1.0)
    drawn = map(_of, shuffled(index.items, random.Random(0)))
    apart = [
        embedding.cosine(vectors[one], vectors[other])
        for one, other in pairwise(drawn)
        if one in vectors and other in vectors
    ]
    return max(near, (1 + fmean(apart)) / 2) if apart else None


def nearest(
    index: Index, user_context: str, question: str, vectors: Mapping[str, Vector]
) -> Found | None:
    """The item that is nearest in meaning of those that share a few words with a text."""
    mine = vectors.get(said(user_context, question))
    best: Found | None = None
    for found in index.alike(user_context, question) if mine else ():
        if mine and (theirs := vectors.get(_of(found.item))):
            cosine = round(embedding.cosine(mine, theirs), 4)
            if best is None or cosine > (best.cosine or 0):
                best = found._replace(cosine=cosine)
    return best


def _of(item: Item) -> str:
    return said(item.user_context, item.question)
