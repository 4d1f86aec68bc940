"""Find the equations that a text states, and work each out again.

Text is data: a calculation is handed to `equations`, which walks it as a syntax tree of numbers and
`+ - * /`; `notation` says what is taken for one.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from distillgen import notation
from distillgen.equations import Equation
from distillgen.equations import read as equation

ROUNDED = Fraction(1, 50)
"""Relative difference of two calculations, the second with numbers that were rounded."""
_MARK = re.compile(r"<<([^<>]*)>>(\s?-?\$?\s?-?(?:\d[\d,]*(?:\.\d+)?|\.\d+))?")
"""The marks of GSM8K (Cobbe et al. 2021): "<<48/2=24>>24"."""
_OPERATION = re.compile(r"[\d)] ?[-+*/] ?[(\d.-]")
_UNDER = re.compile(r"([*/]) *\(?(\d+) */ *(\d+)\)?(?![\d.])")
_PER = re.compile(r"(?:/ ?|\bper )[A-Za-z]+")
_MEASURE = re.compile(
    r"(?i)\b(?:second|minute|hour|day|week|month|year|inch(?:e)?|feet|foot|yard|mile|[cmk]?m|meter"
    r"|kilometer|centimeter|k?g|gram|kilogram|pound|lb|ounce|oz|cup|pint|quart|gallon|m?l|liter"
    r"|cent|dollar|dime|nickel|penn(?:y|ie)|quarter|dozen|pair|half|thousand|million|billion)s?\b"
)
_SCALE = re.compile(r"(?i)\b(?:thousand|million|billion)s?\b")
_FACTORS = (2, 3, 4, 5, 7, 10, 12, 16, 20, 24, 25, 30, 36, 52, 60, 100, 365, 1000, 3600, 10**6)
"""What one measure may be of another."""


class Calculation(NamedTuple):
    """An equation of a text: what is calculated, and what the text says that it comes to."""

    said: str
    """Both sides, as they were read."""
    equation: Equation
    stated: Fraction
    places: int = 0
    """Decimal places of what is stated."""
    loose: bool = False
    """Percent, dollars or cents are in it, so that it may be a hundred times as much."""
    rounded: bool = False
    """What is stated is itself a calculation, perhaps with rounded numbers."""

    @property
    def right(self) -> bool:
        """Whether it comes to what is stated; what is cut or rounded, to within its last place."""
        worked_out = self.equation.result
        if self._fits(worked_out):
            return True
        hundreds = (worked_out * 100, worked_out / 100) if self.loose else ()
        return any(abs(value - self.stated) <= ROUNDED * abs(value) for value in hundreds)

    def _fits(self, value: Fraction) -> bool:
        apart = abs(value - self.stated)
        if self.rounded:
            return apart <= ROUNDED * abs(value)
        leaves, unit = self.equation.leaves, Fraction(1, 10**self.places)
        whole = all(leaf.value.denominator == 1 for leaf in leaves)
        if whole and "/" not in self.equation.text and self.stated.denominator > 1:
            return apart <= len(leaves)  # these were cut: "7 + 9 + 1 + 2 = $19.50"
        return apart == 0 if (value / unit).denominator == 1 else apart < unit

    @property
    def converted(self) -> bool:
        """The difference may be that of two measures: "2 hours + 30 minutes = 150 minutes"."""
        worked_out = self.equation.result
        if set("+-") & set(self.equation.text) or not self.stated or not worked_out:
            return True
        ratio = max(worked_out / self.stated, self.stated / worked_out)
        return any(abs(ratio / factor - 1) < ROUNDED for factor in _FACTORS)


@lru_cache(4)  # two checks look at the same text
def stated(text: str) -> tuple[Calculation, ...]:
    """The equations of a text that can be worked out; marked ones first, each kind in order.

    >>> [(c.said, c.right) for c in stated("She has 3 bags x 4 = 12 apples; 12 - 5 = 8 are left.")]
    [('3 * 4 = 12', True), ('12 - 5 = 8', False)]
    """
    marked = [found for match in _MARK.finditer(text) for found in _marked(match)]
    return (*marked, *_plain(_MARK.sub(lambda match: f"\0{match[2] or ''}", text)))


def alone(text: str) -> Equation | None:
    """A text that is nothing but a calculation, such as "(84 / 2)"."""
    return equation(notation.written(text)) if _OPERATION.search(text) else None


def _marked(match: re.Match[str]) -> Iterator[Calculation]:
    """What a mark says, and whether the number behind it is its result."""
    found = list(_plain(match[1], 1))
    yield from found
    behind = re.sub(r"[\s$,]", "", match[2] or "")
    if found and behind:
        last = found[-1]._replace(said=match[0], stated=Fraction(behind), loose=True)
        yield last._replace(places=len(behind.partition(".")[2]))


def _plain(text: str, least: int = 2) -> Iterator[Calculation]:
    """The equations of a text without marks; `least` are the numbers of a calculation.

    Where one measure may have been turned into another, what does not fit is left out.
    """
    for stretch in notation.stretches(text):
        around = text[stretch.start : stretch.end + notation.AFTER]
        loose = any(sign in around for sign in ("%", "cent", "¢", "$"))
        convertible = _convertible(text, stretch.start, around)
        for one_side, other_side in pairwise(stretch.sides):
            one, other = notation.left(one_side), notation.right(other_side)
            if one is None or other is None or len(one.leaves) < least:
                continue
            found = _calculation(one, other, loose)
            if _in_doubt(found, other, stretch.in_words):
                continue
            converted = convertible and found.converted
            if found.right or not (converted or _meant(found, one_side)):
                yield found


def _calculation(one: Equation, other: Equation, loose: bool) -> Calculation:
    places = len(other.text.strip("() ").partition(".")[2])
    said = " ".join(f"{one.text} = {other.text}".split())
    rounded = len(other.leaves) > 1 and not other.text.startswith("0-")
    return Calculation(said, one, other.result, places, loose, rounded)


def _convertible(text: str, start: int, around: str) -> bool:
    """Two measures stand there, or a scale in the line."""
    found = _MEASURE.finditer(_PER.sub("", around))
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return len({match[0].lower().rstrip("s") for match in found}) > 1 or bool(_SCALE.search(line))


def _in_doubt(found: Calculation, other: Equation, in_words: bool) -> bool:
    """It may be no equation: "if 1/2 is 5", "8 x 45 = 360 divided by 5 is 72"."""
    fraction = len(found.equation.leaves) == 2 and "/" in found.equation.text
    if found.rounded:
        return fraction or found.equation.result == other.leaves[0].value
    return fraction and in_words


def _meant(found: Calculation, side: str) -> bool:
    """It comes to what is stated in another reading: a fraction stands for its inverse ("2000 / 2/3
    = 3000", "5 x 1/2 = 10 halves"), or a bracket was not closed."""
    said = found.equation.text
    under = _UNDER.sub(lambda m: f"{'/' if m[1] == '*' else '*'} {m[2]} / {m[3]}", said)
    over = _UNDER.sub(r"/ (\2 / \3)", said)
    closed = notation.written(side) + ")" * (side.count("(") - side.count(")"))
    readings = (equation(other) for other in {under, over, closed} - {said})
    return any(read.result == found.stated for read in readings if read)
