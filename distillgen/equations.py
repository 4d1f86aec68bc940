"""Find the numbers of a word problem, and change them in its text and equation alike.

An equation is data: it is walked as a syntax tree of numbers and `+ - * /`, and never evaluated by
Python. What is changed stays of its kind: see `changed`.
"""

import ast
import operator
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

TRIES = 300
"""Draws of new numbers before a problem is left as it is; twice, see `changed`."""
MOST = 200
"""Characters of an equation."""
LONGEST = 15
"""Characters of a number; a longer one is left alone."""
PLACES = 6
"""Decimal places of what can be said as a decimal number."""

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_UNITS += " fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = {word: n for n, word in enumerate(_UNITS.split())}
WORDS |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
WORDS |= {
    f"{tens}-{unit}": WORDS[tens] + WORDS[unit]
    for tens in _TENS.split()
    for unit in _UNITS.split()[1:10]
}
"""English numbers from zero to ninety-nine."""
_SPELLED = {n: word for word, n in WORDS.items()}
_IMPLIED = {
    "both": 2, "couple": 2, "double": 2, "doubled": 2, "doubles": 2, "half": 2, "halves": 2,
    "pair": 2, "pairs": 2, "twice": 2, "second": 2, "thrice": 3, "triple": 3, "third": 3,
    "quarter": 4, "quarters": 4, "week": 7, "weeks": 7, "weekly": 7, "dozen": 12, "dozens": 12,
    "year": 12, "years": 12, "day": 24, "days": 24, "hour": 60, "hours": 60, "minute": 60,
    "minutes": 60, "percent": 100, "cents": 100, "hundred": 100, "thousand": 1000,
}  # fmt: skip
"""Words that may stand for a number of the equation; one that does is not for us to change."""
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[A-Za-z]+(?:-[A-Za-z]+)*|%", re.ASCII)
_PLAIN = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?", re.ASCII)
_ATTACHED = re.compile(r"[\w.,:/–-]#|#\w|#[-–]\d")
_CALCULATION = re.compile(r"[\d.+*/() -]*", re.ASCII)
_SCALE = re.compile(r"\s+(?:hundred|thousand|million|billion|dozen)\b", re.I)
_SHARE = re.compile(r"\s*(?:%|per ?cent\b)", re.I)


class Number(NamedTuple):
    """A number where it stands in a text."""

    start: int
    end: int
    value: Fraction
    spelled: str
    """As it stands there."""
    whole: bool
    """It can be replaced: no part of a fraction, a date or a range, and not merely implied."""
    share: bool = False
    """A percentage."""


def numbers(text: str) -> list[Number]:
    """Every number of a text in order, as figures or as an English word from zero to ninety-nine.

    >>> [(n.spelled, float(n.value)) for n in numbers("Two of 1,000 eggs fell by 3.5%.")]
    [('Two', 2.0), ('1,000', 1000.0), ('3.5', 3.5), ('%', 100.0)]
    """
    return [number for match in _TOKEN.finditer(text) for number in _read(match, text)]


def _read(match: re.Match[str], text: str) -> Iterator[Number]:
    start, end, said = match.start(), match.end(), match[0]
    if len(said) > LONGEST:
        return
    if not said[0].isdigit():
        word = "percent" if said == "%" else said.lower()
        if word in WORDS:
            whole = not _SCALE.match(text, end)
            yield Number(start, end, Fraction(WORDS[word]), said, whole)
            return
        for part in word.split("-"):
            if value := _IMPLIED.get(part) or WORDS.get(part):
                yield Number(start, end, Fraction(value), said, False)
        return
    around = f"{text[start - 1 : start] or ' '}#{text[end : end + 2]}"
    if _ATTACHED.search(around) or not _PLAIN.fullmatch(said):
        for piece in re.findall(r"\d+", said):
            yield Number(start, end, Fraction(piece), said, False)
        return
    share = _SHARE.match(text, end) is not None
    yield Number(start, end, Fraction(said.replace(",", "")), said, True, share)


def value_of(text: str) -> Fraction | None:
    """The number that a text is, such as an answer; None if it is none.

    >>> value_of(" 1,200.50 ")
    Fraction(2401, 2)
    """
    text = text.strip()
    plain = _PLAIN.fullmatch(text.removeprefix("-")) and len(text) <= LONGEST
    return Fraction(text.replace(",", "")) if plain else None


# -- equations ------------------------------------------------------------------------------

_OPERATIONS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Leaf(NamedTuple):
    """A number where it stands in an equation."""

    start: int
    end: int
    value: Fraction


class Equation:
    """A calculation such as `( 8.0 - 3.0 )`.

    Raises:
        ValueError: it holds anything but numbers, brackets and `+ - * /`, or cannot be worked out.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if len(self.text) > MOST or not _CALCULATION.fullmatch(self.text):
            raise ValueError("too long, or no calculation")
        try:
            self._tree = ast.parse(self.text, mode="eval").body
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError("no calculation") from error
        self.leaves = sorted(self._leaves(self._tree))
        self.steps = self.work([leaf.value for leaf in self.leaves])
        """The value of each step, the result last."""

    @property
    def result(self) -> Fraction:
        """What it comes to."""
        return self.steps[-1]

    def _leaves(self, node: ast.expr) -> Iterator[Leaf]:
        match node:
            case ast.Constant():
                start, end = node.col_offset, node.end_col_offset or 0
                yield Leaf(start, end, Fraction(self.text[start:end]))
            case ast.BinOp() if type(node.op) in _OPERATIONS:
                yield from self._leaves(node.left)
                yield from self._leaves(node.right)
            case _:
                raise ValueError("no calculation with + - * / alone")

    def work(self, values: Sequence[Fraction]) -> list[Fraction]:
        """The value of each step, the result last, with these numbers in place of its own."""
        places = {leaf.start: value for leaf, value in zip(self.leaves, values, strict=True)}
        steps: list[Fraction] = []

        def of(node: ast.expr) -> Fraction:
            if isinstance(node, ast.BinOp):
                left, right = of(node.left), of(node.right)
                if isinstance(node.op, ast.Div) and not right:
                    raise ValueError("divides by zero")
                steps.append(_OPERATIONS[type(node.op)](left, right))
                return steps[-1]
            return places[node.col_offset]

        result = of(self._tree)
        return steps or [result]

    def needs(self, place: int) -> bool:
        """Whether another number in that place gives another result."""
        values = [leaf.value for leaf in self.leaves]
        values[place] += 1
        try:
            return self.work(values)[-1] != self.result
        except ValueError:
            return True

    def spell(self, values: Sequence[Fraction]) -> str:
        """The equation with these numbers in place of its own, each written as that was."""
        new = [
            (*leaf[:2], spell(value, self.text[leaf.start : leaf.end]))
            for leaf, value in zip(self.leaves, values, strict=True)
        ]
        return replaced(self.text, new)


def read(text: str) -> Equation | None:
    """An equation; None where it is none that we can work out."""
    try:
        return Equation(text)
    except ValueError:
        return None


def replaced(text: str, pieces: Sequence[tuple[int, int, str]]) -> str:
    """The text with new words from start to end of each piece."""
    for start, end, new in sorted(pieces, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def places(value: Fraction) -> int | None:
    """Decimal places that a number needs; None if more than `PLACES`."""
    return next((n for n in range(PLACES + 1) if (value * 10**n).denominator == 1), None)


def values(text: str) -> set[Fraction]:
    """The numbers that are written in a text, those in fractions and dates included; not "one".

    >>> sorted(map(int, values("One of two pairs costs 3.5%, since 9:40")))
    [2, 3, 9, 40]
    """
    stated = (n for n in numbers(text) if n.spelled[0].isdigit() or n.spelled.lower() in WORDS)
    return {n.value for n in stated if n.spelled.lower() != "one"}


def spell(value: Fraction, like: str = "") -> str:
    """A number as another is written: as a word, with so many decimal places, with commas.

    >>> [spell(Fraction(n), like) for n, like in (("2.5", "1.50"), ("2400", "1,000"), (7, "Two"))]
    ['2.50', '2,400', 'Seven']
    """
    if like[:1].isalpha():
        word = _SPELLED[int(value)]
        return word.capitalize() if like[0].isupper() else word
    digits = max(places(value) or 0, len(like.partition(".")[2]))
    whole, rest = divmod(int(abs(value) * 10**digits), 10**digits)
    said = f"{whole:,}" if "," in like else str(whole)
    return ("-" if value < 0 else "") + said + (f".{rest:0{digits}}" if digits else "")


# -- changing -------------------------------------------------------------------------------


class Changed(NamedTuple):
    """A problem with other numbers."""

    texts: tuple[str, ...]
    equation: str
    result: str


def occurrence(value: Fraction, there: Sequence[Sequence[Number]]) -> tuple[int, Number] | None:
    """Field and place of a number that stands there once, and can be replaced; else None."""
    found = [(n, one) for n, field in enumerate(there) for one in field if one.value == value]
    return found[0] if len(found) == 1 and found[0][1].whole else None


def changed(
    texts: Sequence[str], equation: Equation, result: str, dice: random.Random
) -> Changed | None:
    """The problem with other numbers in its texts and its equation; None where that is not sound.

    Sound is: the equation gives the known `result` (empty if none is known), and each of its
    numbers stands in the texts once, and nowhere else in another guise. The new numbers are of
    like size and as round; 0 and 1, years and percentages above 100 stay, percentages stay below.
    All numbers of the texts, those that the equation does not use included, keep their order. Each
    step of the calculation keeps its sign and has no more decimal places than before: what was a
    whole number of things stays one, what came out even comes out even.
    """
    known = value_of(result)
    if places(equation.result) is None or (result and known != equation.result):
        return None
    there = [numbers(text) for text in texts]
    found = [occurrence(leaf.value, there) for leaf in equation.leaves]
    stand = [one for one in found if one]
    if len(set(stand)) < len(found):
        return None
    options = [_options(one) for _, one in stand]
    free = sum(len(units) > 1 for units, _ in options)
    others = [
        one.value for n, field in enumerate(there) for one in field if (n, one) not in set(stand)
    ]
    old = [one.value for _, one in stand]
    for least in (free, 1):
        for _ in range(TRIES if free else 0):
            new = [Fraction(u[int(dice.random() * len(u))], scale) for u, scale in options]
            if sum(map(operator.ne, new, old)) < least or not _in_order(old, new, others):
                continue
            if steps := _steps(equation, new):
                pieces: list[list[tuple[int, int, str]]] = [[] for _ in texts]
                for (n, one), value in zip(stand, new, strict=True):
                    pieces[n].append((one.start, one.end, spell(value, one.spelled)))
                return Changed(
                    tuple(map(replaced, texts, pieces)), equation.spell(new),
                    spell(steps[-1], re.sub(r"\.0$", "", result)),
                )  # fmt: skip
    return None


def _options(number: Number) -> tuple[range, int]:
    """The numbers of like size and kind, the number itself included: so many parts of one."""
    value, like = number.value, number.spelled
    scale = 10 ** len(like.partition(".")[2])
    units = int(value * scale)
    is_year = scale == 1 and "," not in like and 1900 <= units < 2100
    if value in (0, 1) or is_year or (number.share and value > 100):
        return range(units, units + 1), scale
    step = max(
        s for s in (1, 5, 10, 50, 100, 500, 1000) if s == 1 or (units % s == 0 and units >= 4 * s)
    )
    least, most = max((units + 1) // 2, 2 if scale == 1 else 1), max(units * 3 // 2, units + 2)
    if number.share:
        most = min(most, 100 * scale - 1)
    if like[0].isalpha():
        most = min(most, 20 if value <= 20 else 99)
    return range(-(-least // step) * step, most + 1, step), scale


def _in_order(old: list[Fraction], new: list[Fraction], others: list[Fraction]) -> bool:
    """Whether all numbers stand to each other as they did."""
    both = sorted([*zip(old, new, strict=True), *zip(others, others, strict=True)])
    return all(a[1] < b[1] if a[0] < b[0] else a[1] == b[1] for a, b in pairwise(both))


def _steps(equation: Equation, values: list[Fraction]) -> list[Fraction] | None:
    """The steps with other numbers, if each is of the kind that it was."""
    try:
        steps = equation.work(values)
    except ValueError:
        return None
    for before, now in zip(equation.steps, steps, strict=True):
        most, needed = places(before), places(now)
        if (before > 0) != (now > 0) or (before < 0) != (now < 0):
            return None
        if most is not None and (needed is None or needed > most):
            return None
    return steps
