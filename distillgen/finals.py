"""Tell the short answer in a long one, and whether it is the right one.

`key` is for votes: equal keys are the same answer. `same` compares with what is known to be right,
and reads more into it: an answer may say "$1.577 billion" where 1577 is asked for in millions.
"""

import re

from distillgen import calculations, conclusions
from distillgen.conclusions import concluded, option, said_yes
from distillgen.quantities import FALLS, SCALES, Quantity, read

SHORT = 8
"""Words of a text that may be found within another; a longer one is no short answer."""
LONGEST = 25
"""Words of a text whose only number is its answer; a longer one has to conclude with it, or may
speak of numbers by the way."""
NEAR = 0.005
"""Relative difference of what was worked out with rounded steps; measured or counted numbers must
agree in every place that is stated."""
CRUDE = 0.02
"""Relative difference up to which an answer may be rounded more than the right one."""
_BLANK = re.compile(r"[\W_]+")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_IN = re.compile(
    r"(?i)\b(?:in|of|nearest|unit:?)\s+(?:\w+\s+){0,2}?(thousand|million|billion|trillion)s?\b"
    r"|[$€£]\s?(?:in\s)?(mm|bn|millions|billions|thousands)\b"
)
_ASKS_PERCENT = re.compile(r"(?i)%|\bper ?cent|\bpercentage")


def final(answer: str) -> str:
    """The short answer that a text comes to; empty where it has none.

    >>> final("Half of 84 is 42. The answer is (84 / 2).")
    '(84 / 2)'
    """
    if marked := conclusions.marked(answer):
        return marked
    if len(answer.split()) <= SHORT:
        return answer.strip()
    last = conclusions.last_sentence(answer)
    if len(answer.split()) > LONGEST and not conclusions.concludes(last):
        return ""
    for text in (answer, last):
        if len(found := {_canonical(one) for one in concluded(text)}) == 1:
            return found.pop()
    return ""


def key(answer: str) -> str:
    """What answers that come to the same have in common: for votes.

    >>> key("She has 1,200.0 euros left.") == key("1200") == key("The answer is (2400 / 2).")
    True
    """
    said = final(answer)
    if worked_out := _worked_out(said):
        return _canonical(worked_out)
    if choice := option(said):
        return choice[0]
    found = {_canonical(quantity) for quantity in read(said)}
    return found.pop() if len(found) == 1 else _plain(said or answer)


def amount(short: str) -> Quantity | None:
    """The one quantity of a short answer, a calculation worked out; None if it is no amount."""
    if worked_out := _worked_out(short):
        return worked_out
    found = read(short)
    return found[0] if len(found) == 1 else None


def says(text: str, short: str) -> bool:
    """Whether the words of a short answer, without the letter of an option, stand in a text."""
    choice = option(short)
    return f" {_plain(choice[1] if choice and choice[1] else short)} " in f" {_plain(text)} "


def _canonical(quantity: Quantity) -> str:
    sign = "-" if quantity.sign < 0 else ""
    value = quantity.value * (100 if quantity.percent else 1)
    return f"{sign}{value}{'%' if quantity.percent else ''}"


def _plain(text: str) -> str:
    return " ".join(_ARTICLE.sub(" ", _BLANK.sub(" ", text).casefold()).split())


# -- comparing with what is right -----------------------------------------------------------


def comparable(gold: str) -> bool:
    """Whether a right answer can be compared without understanding it."""
    words = len(gold.split())
    short = words <= SHORT or (words <= LONGEST and len(_golds(gold)) == 1)
    return short or said_yes(gold) is not None


def right(said: str, gold: str, question: str = "", *, closed: bool = False) -> bool | None:
    """Whether what was said comes to what is right; None where nobody can say without
    understanding it. Of a `closed` task a label is meant, and must be the same one.

    >>> right("very positive", "positive", closed=True)
    False
    """
    if not gold.strip():
        return None
    if closed:
        return said.strip().casefold() == gold.strip().casefold()
    return same(said, gold, question) if comparable(gold) else None


def same(answer: str, gold: str, question: str = "") -> bool:
    """Whether an answer comes to what is right; the question may say in which unit, of which year.

    >>> same("Capital expenditure was about USD 1.58 billion.", "$1,577 million")
    True
    """
    if not answer.strip():
        return False
    right = conclusions.marked(gold) or gold
    if (yes := said_yes(right)) is not None:
        return said_yes(answer, question) is yes
    if (choice := option(right)) and (chosen := option(conclusions.marked(answer) or answer)):
        return choice[0] == chosen[0]
    if wanted := _golds(right, question):
        worked_out = _worked_out(conclusions.marked(answer) or answer)
        years = all(one.year for one in wanted)
        found = [worked_out] if worked_out else concluded(answer, question, years)
        return all(any(_agree(one, gold, question, right) for one in found) for gold in wanted)
    return _states(answer, choice[1] if choice and choice[1] else right)


def _golds(gold: str, question: str = "") -> list[Quantity]:
    """The quantities that a right answer states: a year only where there is nothing else."""
    if worked_out := _worked_out(gold):
        return [worked_out]
    found = list(read(gold))
    if len(gold.split()) <= 3 and len(found) == 1 and found[0].sign == 0:
        return [found[0]._replace(sign=-1)]  # a bracket, as in tables
    others = [one for one in found if not one.year]
    if len(gold.split()) > SHORT:
        others = concluded(gold, question)
    return others or found


def _worked_out(text: str) -> Quantity | None:
    """The result of a text that is nothing but a calculation."""
    calculation = calculations.alone(text)
    if calculation is None:
        return None
    value = calculation.result
    return Quantity(0, len(text), abs(value), sign=-1 if value < 0 else 1)


def _agree(one: Quantity, gold: Quantity, question: str, right: str) -> bool:
    return _same_sign(one, gold, f"{question} {right}") and any(
        _near(one, factor, gold) for factor in _factors(one, gold, question)
    )


def _same_sign(one: Quantity, gold: Quantity, asked: str) -> bool:
    """Whether both are a rise, or both a fall; "fell by 3" is -3 unless the fall is asked for."""
    if not one.figure or gold.sign == 0:
        return True
    falls = gold.sign < 0 or gold.way < 0
    if one.sign < 0 or (one.way < 0 and one.sign):
        return falls or bool(FALLS.search(asked))
    if one.way > 0:
        return not falls
    return gold.sign > 0 or one.sign == 0


def _factors(one: Quantity, gold: Quantity, question: str) -> set[float]:
    """What the figure of one may be multiplied with to be in the unit of the other."""
    if one.percent or gold.percent:
        if one.percent and gold.percent:
            return {1}
        if gold.percent:
            return {1, 100} if one.plain else set()
        return {1, 0.01} if not _ASKS_PERCENT.search(question) else {1}
    asked_in = {_unit(match) for match in _IN.finditer(question)}
    units = {gold.scale} if gold.scale > 1 else asked_in or {1, 10**6, 10**9}
    scales = {one.scale} if one.scale > 1 else {1, *asked_in}
    if one.scale == 1 and gold.scale == 1:
        return {1, *(1 / unit for unit in units if one.figure >= 10**5 and unit > 1)}
    return {scale / unit for scale in scales for unit in units}


def _unit(match: re.Match[str]) -> int:
    name = (match[1] or match[2]).lower()
    return SCALES.get(name) or SCALES[name.removesuffix("s")]


def _near(one: Quantity, factor: float, gold: Quantity) -> bool:
    """Whether the figures agree as far as both are stated."""
    said, right = float(one.figure) * factor, float(gold.figure)
    apart = abs(said - right) - 1e-9 * right
    if apart <= 0:
        return True
    counted = not (one.places or gold.places or gold.percent or one.percent)
    if not right or (counted and factor == 1):
        return False
    measured = bool(gold.places or gold.percent)
    if measured and apart <= max(NEAR * right, float(gold.last_place) / 2):
        return True
    place = float(one.last_place) * factor
    two_digits = one.figure >= 10 * one.last_place
    return two_digits and apart <= min(max(place, float(gold.last_place)) / 2, CRUDE * right)


# -- texts ----------------------------------------------------------------------------------

_NOT = re.compile(r"(?:\b(?:not|no|never|nor|neither|without|rather than)|n t) (?:\w+ ){0,2}$")
_LETTER = re.compile(r"\([a-h]\)")


def _states(answer: str, gold: str) -> bool:
    """Whether a text says another, which is short, and does not deny it."""
    right = _plain(gold)
    short = conclusions.marked(answer) or answer
    said, chosen = _plain(short), option(short)
    if len(set(_LETTER.findall(short))) > 1:
        return False  # "(a) park or (b) garden"
    if right and right in (said, chosen and _plain(chosen[1])):
        return True
    if not right or len(right.split()) > SHORT:
        return False
    where = re.search(rf"\b{re.escape(right)}\b", said)
    return where is not None and not _NOT.search(said[: where.start()])
