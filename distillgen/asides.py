"""Put a sentence into a text that has nothing to do with it, so that the answer stays what it was.

Mirzadeh et al. 2024 ("GSM-Symbolic", section 4.4) add clauses that seem relevant and change nothing
to problems of GSM8K; even strong models then take numbers into account that do not matter.
"""

import random
import re
from collections.abc import Iterator

from distillgen import dedupe
from distillgen.equations import numbers

TRIES = 60
"""Sentences that are drawn before a text is left as it is."""
_WHO = (
    "neighbour", "cousin", "schoolfriend", "barber", "postman", "landlady", "dentist", "godfather",
    "piano teacher", "tenant upstairs", "former colleague", "baker round the corner",
)  # fmt: skip
_WHAT = (
    "keeps {n} hens", "rides a green bicycle", "plays the cello", "sings in a choir of {n} voices",
    "has painted the kitchen yellow", "speaks {n} languages", "owns {n} umbrellas",
    "likes crossword puzzles", "collects stamps of {n} countries", "is learning to juggle",
    "has been to Iceland {n} times", "wears odd socks", "grows pumpkins behind the garage",
    "has a parrot that knows {n} words", "reads a detective story every night",
    "won {n} medals for rowing at school", "never drinks coffee after lunch",
    "has {n} freckles on the nose", "swims in the lake even in winter", "snores on the train",
    "wrote {n} poems about fog", "repairs old radios", "is afraid of spiders",
    "whistles while shaving",
)  # fmt: skip
_EMPTY = frozenset(
    "a an and at for has in is my of on our round that the to".split()  # noqa: SIM905
)
"""Words that say nothing of what a sentence is about."""
_ENGLISH = frozenset(
    "and are does has have how i is my should the they what which with".split()  # noqa: SIM905
)
"""Words of which an English text has two; other languages have one of them at most."""
_WE, _I = re.compile(r"\b(?:we|us|our)\b", re.I), re.compile(r"\b(?:I|[Mm]e|[Mm]y|[Mm]ine)\b")
_THIRD = re.compile(r"\b(?i:he|him|his|she|her|hers|they|them|their|it|its)\b")
_NO_FIRST = re.compile(rf"(?![A-Z\d])|[\w ]*:|{_THIRD.pattern}", re.ASCII)
"""How a text begins that nothing can stand before: no sentence, a label, a pronoun."""
_BETWEEN = re.compile(r"(?:(?<=[a-z\d]{2}[.!?])|(?<=\s\d[.!?]))\s+(?=[A-Z])")
"""Between two sentences; not behind "Mr." or an initial."""
_LEAD = re.compile(
    r"(?:if|when|since|as|after|before|because|while|suppose|given|for|with)\b", re.I
)
"""Words by which a sentence without an end leads over to the question."""


def inserted(context: str, question: str, dice: random.Random) -> tuple[str, str] | None:
    """Context and question with such a sentence between two others; None where none fits.

    It takes up no word of theirs, and no pronoun that follows can be taken for the person in it.
    A text without a context has it before the question. Only English texts are served.
    """
    whole = f"{context}\n{question}"
    words = set(dedupe.tokens(whole))
    slots = list(_slots(context, question))
    if len(words & _ENGLISH) < 2 or not slots:
        return None
    whose = "Our" if _WE.search(whole) else "My" if _I.search(whole) else "A"
    taken = {number.value for number in numbers(whole)}
    free = [n for n in range(2, 10) if n not in taken]
    for _ in range(TRIES):
        who, what = (pool[int(dice.random() * len(pool))] for pool in (_WHO, _WHAT))
        if "{n}" in what and not free:
            continue
        n = free[int(dice.random() * len(free))] if free else 0
        aside = f"{whose} {who} {what.format(n=n)}."
        if words.isdisjoint(set(dedupe.tokens(aside)) - _EMPTY):
            place, before, after = slots[int(dice.random() * len(slots))]
            if context:
                return context[:place] + before + aside + after + context[place:], question
            return context, f"{aside} {question}"
    return None


def _slots(context: str, question: str) -> Iterator[tuple[int, str, str]]:
    """Places in the context, or before a question without one, and what goes before and behind."""
    text = context or question
    starts = [0, *(match.end() for match in _BETWEEN.finditer(context))]
    sentences = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    for start, sentence in zip(starts, sentences, strict=True):
        if not (_THIRD.search(sentence) if start else _NO_FIRST.match(sentence)):
            yield start, "", " "
    ends = text.rstrip()[-1:] in (".", "!", "?")
    if context and not _THIRD.search(question) and (ends or not _LEAD.match(sentences[-1])):
        yield len(context.rstrip()), " " if ends else ". ", ""
