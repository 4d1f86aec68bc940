"""Say when two answers are the same: by the short answer in them, numbers by their value."""

import re

from distillgen.equations import numbers

_BLANK = re.compile(r"[\W_]+")


def key(answer: str) -> str:
    """What answers that come to the same have in common: for votes.

    >>> key("She has 1,200.0 euros left.") == key("1200")
    True
    """
    found = {number.value for number in numbers(answer)}
    if len(found) == 1:
        return str(found.pop())
    return _BLANK.sub(" ", answer).strip().casefold()


def same(answer: str, gold: str) -> bool:
    return key(answer) == key(gold)
