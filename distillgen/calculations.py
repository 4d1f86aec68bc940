"""Find the calculations that a text states, and work each out again: "3 bags x $4 = $12".

Text is data: a calculation is handed to `equations`, which walks it as a syntax tree of numbers and
`+ - * /`. What has a variable, a power or anything else in it is none of ours. The words are English.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from distillgen.equations import Equation
from distillgen.equations import read as equation

ROUNDED = Fraction(1, 50)
"""Relative difference of two calculations, the second with numbers that were rounded."""
_MARK = re.compile(r"<<([^<>]*)>>(\s?-?\$?\s?-?(?:\d[\d,]*(?:\.\d+)?|\.\d+))?")
"""The marks of GSM8K (Cobbe et al. 2021): "<<48/2=24>>24"."""
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_RUN = re.compile(rf"(?:{_NUMBER}|[-+*/()%=~@ ])+")
_GAP = re.compile(r"(?<=[\d%)]) +(?=[\d.(])")
_MIXED = re.compile(r"(?<![\d./])(\d+) +(\d+)/(\d+)(?![\d./])")
_PARTED = re.compile(r"(?<=[\d)])(?=\()")
_SIGNED = re.compile(r"^-(?=[\d.])|(?<=[(*/])-(?=[\d.])")
_PERCENT = re.compile(r"([\d.]+)\s*%")
_UNDER = re.compile(r"([*/]) *\(?(\d+) */ *(\d+)\)?(?![\d.])")
_PER = re.compile(r"(?:/ ?|\bper )[A-Za-z]+")
_NOT_ALONE = re.compile(r"(?:[\w^√!|\\{}]|\d[:,.])$")
_GOES_ON = re.compile(r"[A-Za-z](?![A-Za-z])|[\^!\\{]|:\d")
_MEASURE = re.compile(
    r"(?i)\b(?:second|minute|hour|day|week|month|year|inch(?:e)?|feet|foot|yard|mile|[cmk]?m|meter"
    r"|kilometer|centimeter|k?g|gram|kilogram|pound|lb|ounce|oz|cup|pint|quart|gallon|m?l|liter"
    r"|cent|dollar|dime|nickel|penn(?:y|ie)|quarter|dozen|pair|half|thousand|million|billion)s?\b"
)
"""Where two of these meet, one may have been turned into the other."""
_THOUSANDS = re.compile(r"(?i)\b(?:thousand|million|billion)s?\b")
_FACTORS = (2, 3, 4, 5, 7, 10, 12, 16, 20, 24, 25, 30, 36, 52, 60, 100, 365, 1000, 3600, 10**6)
"""What one measure may be of another."""
_NO_UNIT = frozenset(
    "all already and as at because but by every from had has have he i if it"
    " now only or she since so that then there they this to was we were"
    " when which who will with would you".split()
)
"""English words that part a number from what follows; up to six others behind it may be its unit."""


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _unit(match: re.Match[str]) -> str:
    words = match[0].lower().replace("-", " ").replace("/", " ").split()
    parts = any(word in _NO_UNIT or len(word) == 1 for word in words)
    return match[0] if parts else _blank(match)


_SPELLINGS = (
    (re.compile(r"[×·]|\\times\b|\\cdot\b|(?<![A-Za-z])[xX](?=\s?[$(.\d])"), "*"),
    (re.compile(r"÷|\\div\b|\bdivided by\b"), "/"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"(?<=\d) (?=\d{3}(?![\d,]))"), ","),
    (re.compile(r"(?<=[-+*/=] )\. (?=\d)"), " ."),
    (re.compile(r"(?<=\d) and (?=\d+/\d+\b)"), " "),
    (re.compile(r"\bper ?cent\b"), "%"),
    (re.compile(r"(?:(?<=%)|(?<=\d/\d)|(?<=\d/\d\d)) of (?:the |his |her |their |its |those )?(?=\$?[\d.(])"), "@"),
    (re.compile(r"(?<=[\d)%]) (?:is|are|equals|gives|makes) (?=[$-]?[\d.])"), "~"),
)  # fmt: skip
_WORDS = r"(?:(?!x\b)[A-Za-z'’]+[ ]?){1,6}"
_UNIT = re.compile(
    rf"(?<=[\d)%])(?:[ -]?(?!of\b){_WORDS})?(?: ?(?:/|\bper\b) ?{_WORDS})?(?=\s*[-+*/=~)](?!(?<=[a-z]/)\d))"
)
_LABEL = re.compile(r"(?i)(?:\b(?:day|week|month|year|grade|level|step|room|number)s?|\d,)$")
_MONEY = re.compile(r"[$€£]")


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
        factors = (1, 100, Fraction(1, 100)) if self.loose else (1,)
        return any(self._fits(self.equation.result * factor, factor != 1) for factor in factors)

    @property
    def converted(self) -> bool:
        """The difference may be that of two measures: "2 hours + 30 minutes = 150 minutes"."""
        worked_out = self.equation.result
        if set("+-") & set(self.equation.text) or not self.stated or not worked_out:
            return True
        ratio = worked_out / self.stated
        return any(abs(ratio / one - 1) < ROUNDED for f in _FACTORS for one in (f, Fraction(1, f)))

    @property
    def _cut(self) -> bool:
        """Whole numbers that do not come to one were cut: "7 + 9 + 1 + 2 = $19.50"."""
        whole = all(leaf.value.denominator == 1 for leaf in self.equation.leaves)
        return whole and "/" not in self.equation.text and self.stated.denominator > 1

    def _fits(self, value: Fraction, roughly: bool) -> bool:
        if self.rounded or roughly:
            return abs(value - self.stated) <= ROUNDED * abs(value)
        unit = Fraction(1, 10**self.places)
        exact = (value / unit).denominator == 1
        if self._cut:
            return abs(value - self.stated) <= len(self.equation.leaves)
        return value == self.stated if exact else abs(value - self.stated) < unit


@lru_cache(4)  # two checks look at the same text
def stated(text: str) -> tuple[Calculation, ...]:
    """The equations of a text that can be worked out; marked ones first, each kind in order.

    >>> [(c.said, c.right) for c in stated("She has 3 bags x 4 = 12 apples, so 12 - 5 = 8 are left.")]
    [('3 * 4 = 12', True), ('12 - 5 = 8', False)]
    """
    marked = [found for match in _MARK.finditer(text) for found in _marked(match)]
    plain = _MARK.sub(lambda match: f"\0{match[2] or ''}", text)
    return (*marked, *_plain(plain))


def alone(text: str) -> Equation | None:
    """A text that is nothing but a calculation, such as "(84 / 2)"."""
    found = equation(_said(text))
    return found if found and len(found.leaves) > 1 else None


def _marked(match: re.Match[str]) -> Iterator[Calculation]:
    """What a mark says, and whether the number behind it is its result."""
    found = list(_plain(match[1], 1))
    yield from found
    behind = re.sub(r"[\s$,]", "", match[2] or "")
    if found and behind:
        last = found[-1]._replace(said=match[0], stated=Fraction(behind), loose=True)
        yield last._replace(places=len(behind.partition(".")[2]))


def _plain(text: str, least: int = 2) -> Iterator[Calculation]:
    """The equations of a text without marks; `least` are the numbers of a calculation."""
    read = text
    for pattern, sign in _SPELLINGS:  # all keep the length, so that places stay what they are
        read = pattern.sub(lambda match, sign=sign: sign.rjust(len(match[0]) // 2 + 1).ljust(len(match[0])), read)
    read = _UNIT.sub(_unit, _MONEY.sub(" ", read))
    for run in _RUN.finditer(read):
        sides = re.split(r"[=~]", run[0])
        if len(sides) < 2:
            continue
        before = read[max(0, run.start() - 8) : run.start()]
        if (_NOT_ALONE if run[0][0] != " " else _LABEL).search(before):
            sides[0] = ""
        if before[-1:] not in ("", "\n"):  # else a list
            sides[0] = re.sub(r"^ *- +", "+", sides[0])
        if run[0][-1] != " " and _GOES_ON.match(read, run.end()):
            sides[-1] = ""
        around = text[run.start() : run.end() + 16]
        line = text[text.rfind("\n", 0, run.start()) + 1 : run.end()]
        if _THOUSANDS.search(line):
            around += " thousand and million"
        yield from _of_sides(sides, around, "~" in run[0], least)


def _of_sides(
    sides: list[str], around: str, in_words: bool, least: int
) -> Iterator[Calculation]:
    measures = (match[0].lower().rstrip("s") for match in _MEASURE.finditer(_PER.sub("", around)))
    several = len(set(measures)) > 1
    loose = any(sign in around for sign in ("%", "cent", "¢", "$"))
    for left, right in pairwise(sides):
        one, other = _calculation(left, -1), _calculation(right, 0)
        if one is None or other is None or len(one.leaves) < least:
            continue
        if _meant(one, other.result, left):
            continue
        if in_words and _fraction(one):
            continue  # "if 1/2 is 5"
        spelled = other.text.strip("() ")
        found = Calculation(
            f"{one.text} = {other.text}", one, other.result, len(spelled.partition(".")[2]),
            loose, len(other.leaves) > 1,
        )  # fmt: skip
        if found.rounded and (one.result == other.leaves[0].value or _fraction(one)):
            continue  # "8 x 45 = 360 divided by 5 is 72"
        if found.right or not (several and found.converted):
            yield found


def _fraction(one: Equation) -> bool:
    return len(one.leaves) == 2 and "/" in one.text


def _meant(one: Equation, result: Fraction, left: str) -> bool:
    """It comes to that in another reading: a fraction stands for its inverse ("2000 / 2/3 = 3000",
    "5 x 1/2 = 10 halves"), or a bracket was not closed."""
    under = _UNDER.sub(lambda m: f"{'/' if m[1] == '*' else '*'} {m[2]} / {m[3]}", one.text)
    over = _UNDER.sub(r"/ (\2 / \3)", one.text)
    closed = _said(left) + ")" * (left.count("(") - left.count(")"))
    readings = (equation(said) for said in {under, over, closed} - {one.text})
    return any(read.result == result for read in readings if read)


def _calculation(side: str, end: int) -> Equation | None:
    """The calculation next to the "=": at the end of what stands left of it, the start of the right."""
    side = _MIXED.sub(_mixed, side.replace(",", "").strip())
    said = _GAP.split(side)[end].strip()
    if end == 0:
        said = re.sub(r"\s-$|@.*", "", said)
    return equation(_said(_balanced(said, end)))


def _said(side: str) -> str:
    """A side as an equation is written."""
    side = _PERCENT.sub(r"(\1/100)", side.replace("@", "*").strip())
    return _SIGNED.sub("0-", _PARTED.sub("*", re.sub(r"(?<!\d)\.(?=\d)", "0.", side)))


def _mixed(match: re.Match[str]) -> str:
    whole, top, bottom = match.groups()
    return f"({whole}+{top}/{bottom})" if int(top) < int(bottom) else match[0]


def _balanced(said: str, end: int) -> str:
    """Without the bracket that is open where the "=" stands: of "10% x (3 + 4 = 7)"."""
    open_, place = [], 0
    for place, sign in enumerate(said):
        if sign == "(":
            open_.append(place)
        elif sign == ")" and open_:
            open_.pop()
        elif sign == ")":
            return said[:place].strip() if end == 0 else ""
    if not open_:
        return said
    return said[: open_[0]].strip() if end == 0 else said[open_[-1] + 1 :].strip()
