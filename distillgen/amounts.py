"""Read the amounts that a text states, however they are written: "three dozen" has 3 and 12.

"twice" and "half" are 2, as "2 times" and the 2 of "1/2" are; so texts that put the same amounts
in other words have nearly the same set. The words are English. `dedupe` is stricter: it asks
whether texts are the same, this whether they may be about the same.
"""

import re
from collections.abc import Iterable

from distillgen.dedupe import is_number

_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
_PARTS = {
    2: "twice double doubles doubled doubling half halves halved pair couple",
    3: "thrice triple triples tripled tripling third thirds trio",
    4: "quadruple quadrupled quarter quarters fourth fourths",
    5: "fifth fifths", 6: "sixth sixths", 7: "seventh sevenths", 8: "eighth eighths",
    10: "tenth tenths decade", 12: "dozen dozens",
}  # fmt: skip
"""Multiples, parts and places; not "second", which mostly is a time."""
_AMOUNTS = {
    **{word: str(n) for n, word in enumerate(_TEENS.split(" "), 13)},
    **{word: str(10 * n) for n, word in enumerate(_TENS.split(" "), 2)},
    **{word: str(n) for n, words in _PARTS.items() for word in words.split(" ")},
}
_ENDING = re.compile(r"(?<=\d)(?:st|nd|rd|th)$|\.0+$|(?<=\.\d)0$")
"""Of "4th", "5.00" and "2.50", what does not count."""


def amounts(tokens: Iterable[str]) -> frozenset[str]:
    """The amounts among the tokens of a text, as digits.

    >>> sorted(amounts(["half", "of", "the", "4th", "12.00"]))
    ['12', '2', '4']
    """
    found = (_AMOUNTS.get(token, token) for token in tokens)
    return frozenset(_ENDING.sub("", token) for token in found if is_number(token))
