"""The numbers that are reckoned with stand in question or context, or were worked out before."""

import re
from fractions import Fraction

from distillgen import calculations, equations
from distillgen.checks import Setting, whole
from distillgen.records import Answer, Verdict

ALWAYS = frozenset(map(Fraction, (0, 1, 2, 3, 4, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000, 3600)))
"""Nobody needs to state these: halves, percent, the days of a week, the minutes of an hour …"""
_UNKNOWN = re.compile(r"[^\W\d_]+")
_CALCULATES = re.compile(r"\([^()]*\d\s*[-+*/]|[-+*/]\s*\d[^()]*\)")


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the operands that came from nowhere.

    An answer that is a calculation itself, "(84 / 2)", must make do with what is given.
    """
    given = {one.value for one in equations.numbers(f"{answer.user_context}\n{answer.question}")}
    nowhere: dict[str, None] = {}
    known = given | ALWAYS | {part for one in given for part in _parts(one)}
    steps = calculations.stated(whole(answer))
    for one in steps:
        nowhere |= _others(one.equation, known)
        known |= {one.stated, *one.equation.steps}
    said = answer.answer.strip()
    if final := calculations.alone(said):
        nowhere |= _others(final, given)
    elif _CALCULATES.search(said) and len(said) <= equations.MOST:
        nowhere |= dict.fromkeys(_UNKNOWN.findall(said) or [said])
    elif not steps:
        return None
    return Verdict(passed=not nowhere, value=list(nowhere))


def _parts(value: Fraction) -> tuple[Fraction, ...]:
    """What is said with a number: 20 % off, a fifth."""
    share, part = value / 100, Fraction(1) / (value or 1)
    return share, 1 - share, 1 + share, 100 - value, 100 + value, part


def _others(equation: equations.Equation, known: set[Fraction]) -> dict[str, None]:
    """What is not known."""
    operands = {leaf.value: None for leaf in equation.leaves}
    return {equations.spell(one): None for one in operands if one not in known}
