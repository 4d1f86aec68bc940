"""The text does not go round in circles: few of its characters stand in repeated phrases."""

import re
from collections import Counter

from distillgen.checks import Setting
from distillgen.records import Answer, Verdict

N, MOST = 10, 0.10
"""Words of a phrase, and the share of characters in phrases that stand twice, above which a text
is dropped (MassiveText's rule for ten words: Rae et al. 2021, table A1)."""
FEWEST = 50
"""Words below which nothing is said, as there."""
TWICE = 2
"""A phrase may be said so often: the second of two like steps repeats the first. (There once.)"""
_WORD = re.compile(r"\S+")


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the highest share, 0 to 1, of answer and rationale."""
    found = (repeated(answer.answer), repeated(answer.rationale))
    shares = [share for share in found if share is not None]
    return Verdict(passed=max(shares) <= MOST, value=round(max(shares), 4)) if shares else None


def repeated(text: str) -> float | None:
    """The share of a text's letters in phrases of `N` words that were said twice before; None of a
    short text.

    >>> repeated("I am sure that it is so and ever will. " * 8)
    0.75
    """
    words = _WORD.findall(text.lower())
    if len(words) < FEWEST:
        return None
    seen = Counter[tuple[str, ...]]()
    again = place = 0
    while place <= len(words) - N:
        phrase = tuple(words[place : place + N])
        seen[phrase] += 1
        if seen[phrase] > TWICE:
            again += sum(map(len, phrase))
        place += N if seen[phrase] > TWICE else 1
    return again / sum(map(len, words))
