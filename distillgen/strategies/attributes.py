"""Draw a value of each attribute in a file that people edit, and have the teacher write to them.

Attributed prompts vary what plain ones leave alike (Yu et al. 2023, "AttrPrompt").
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, combinations, product
from pathlib import Path
from typing import NamedTuple

from distillgen import toml
from distillgen.dice import shuffled
from distillgen.items import number, numbered, schema
from distillgen.records import JSON, Completion
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw

PROMPT = "expand.attributes"
FILE = "attributes.toml"
EXAMPLE = 'horizon = ["a week", "ten years"]'
WEIGHTED = "risk = { low = 0.7, high = 0.3 }"
HEAD = """\
# The attributes that `expand --strategy attributes` draws a value of for each input.
#
# horizon = ["a week", "ten years"]         all values alike often
# risk = { low = 0.7, high = 0.3 }          or as often as these weights say
#
# Delete, add and rename as you like. Any value must be able to meet any value of the others.

# "independent": each attribute is drawn for itself. "pairwise": every two values of different
# attributes meet, in as few inputs as possible; without weights.
"""
COVERAGE = ("independent", "pairwise")


class Attribute(NamedTuple):
    """What inputs differ in, its values, and how often each is drawn."""

    name: str
    values: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Attributes:
    """What a file holds."""

    all: tuple[Attribute, ...]
    pairwise: bool = False

    @cached_property
    def array(self) -> list[tuple[int, ...]]:
        """Rows of indices of values in which every two values meet; see `covering`."""
        return covering([len(attribute.values) for attribute in self.all])


def read(path: Path) -> Attributes:
    """The attributes of a file.

    Raises:
        UserError: it cannot be read or used; a line for each fault.
    """
    table, text = toml.load(path, EXAMPLE)
    faults: list[tuple[toml.Keys, str]] = []
    coverage = table.pop("coverage") if isinstance(table.get("coverage"), str) else COVERAGE[0]
    found = [_attribute(name, values) for name, values in table.items()]
    for name, fault in zip(table, found, strict=True):
        if isinstance(fault, str):
            faults.append(((name,), f"`{name}`: {fault}"))
    if not table:
        faults.append(((), f"no attribute in it; write some, such as {EXAMPLE}"))
    if coverage not in COVERAGE:
        faults.append((("coverage",), f"coverage: there are {' and '.join(map(repr, COVERAGE))}"))
    weighted = [name for name, values in table.items() if isinstance(values, dict)]
    if coverage == "pairwise" and weighted:
        fault = f"`{weighted[0]}` has weights, which pairwise coverage cannot keep; write a list"
        faults.append(((weighted[0],), fault))
    elif coverage == "pairwise" and len(table) == 1:
        faults.append((("coverage",), "pairwise coverage needs two attributes"))
    toml.refuse(path, text, faults)
    good = tuple(attribute for attribute in found if isinstance(attribute, Attribute))
    return Attributes(good, coverage == "pairwise")


def _attribute(name: str, values: JSON) -> Attribute | str:
    """An attribute, or what is wrong with it."""
    if not name.strip():
        return "a name is empty; write one"
    if not isinstance(values, list | dict):
        return f"must be a list of texts, {EXAMPLE}, or a table of weights, {WEIGHTED}"
    if not all(isinstance(value, str) for value in values):
        return f"each value must be a text in quotes: {EXAMPLE}"
    if not all(value.strip() for value in values):
        return "a value is empty; leave it out"
    if len({value.casefold() for value in values}) < len(values):
        return "a value stands twice; leave one out"
    if len(values) < 2:
        return "one value is no choice; give two or more, or leave the attribute out"
    weights = list(values.values()) if isinstance(values, dict) else [1] * len(values)
    if not all(_is_weight(weight) for weight in weights):
        return f"each weight must be a number above 0: {WEIGHTED}"
    return Attribute(name, tuple(values), tuple(map(float, weights)))


def _is_weight(weight: JSON) -> bool:
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    return is_number and weight > 0 and math.isfinite(weight)


def text(draft: dict[str, JSON]) -> str:
    """A file for people, of each attribute with its values."""
    mode = f"{'#' if 'coverage' in draft else ''}coverage = {toml.quoted(COVERAGE[0])}\n"
    lines = [toml.listed(name, values) for name, values in draft.items()]
    return "\n".join([HEAD + mode, *lines, ""])


Cell = tuple[int, int]
"""An attribute and one of its values, by their indices."""


def covering(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Rows with a value of each attribute, in which every two values of two attributes meet.

    Greedy, a row after the other, as in AETG (Cohen et al. 1997), with one candidate for each row:
    it begins with two values that have not met, and goes on with those that meet most others for
    the first time; of equals with the one that came less often.

    >>> covering([2, 2, 2])
    [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    cells = [[(i, value) for value in range(size)] for i, size in enumerate(sizes)]
    apart = {pair for one, other in combinations(cells, 2) for pair in product(one, other)}
    used: Counter[Cell] = Counter()
    rows = []
    while apart:
        row = list(min(apart))
        for column in cells:
            if column[0][0] not in [i for i, _ in row]:
                row.append(max(column, key=partial(_gain, row, apart, used)))
        apart.difference_update(combinations(sorted(row), 2))
        used.update(row)
        rows.append(tuple(value for _, value in sorted(row)))
    return rows


def _gain(
    row: list[Cell], apart: set[tuple[Cell, Cell]], used: Counter[Cell], cell: Cell
) -> tuple[int, int]:
    """How many cells of a row another would meet for the first time, and how rarely it came."""
    new = sum((min(cell, other), max(cell, other)) in apart for other in row)
    return new, -used[cell]


def drawn(attributes: Attributes, slot: int, random_seed: int) -> dict[str, str]:
    """A value of each attribute for the so-manieth input that is asked for."""
    if not attributes.pairwise:
        dice = random.Random(f"{random_seed} attributes {slot}")
        return {name: _one(values, weights, dice) for name, values, weights in attributes.all}
    n, i = divmod(slot, len(attributes.array))
    dice = random.Random(f"{random_seed} attributes {n}")  # shuffled anew each time it is used up
    names = [shuffled(attribute.values, dice) for attribute in attributes.all]
    row = shuffled(attributes.array, dice)[i]
    return {
        attribute.name: values[value]
        for attribute, values, value in zip(attributes.all, names, row, strict=True)
    }


def _one(values: Sequence[str], weights: Sequence[float], dice: random.Random) -> str:
    point = dice.random() * sum(weights)
    sums = zip(values, accumulate(weights), strict=True)
    return next((value for value, upto in sums if point < upto), values[-1])


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: an input for each of its draws; the shots show the form."""
    shots = draw(turn, (), setting)
    first = turn.nth * setting.per_call
    draws = [
        drawn(setting.material, slot, setting.random_seed)
        for slot in range(first, first + setting.per_call)
    ]
    messages = setting.messages(turn, shots, draws=draws)
    wanted = schema(len(draws), *number("number", len(draws)))
    lineage: Lineage = {"parents": [shot.id for shot in shots], "draws": draws}
    request = setting.request(turn, messages, wanted)
    return Planned(request, lineage)


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply with the values that were drawn, unusable items with their problem.

    Raises:
        ParseError: there is no item at all.
    """
    draws, parents = lineage["draws"], tuple(lineage["parents"])
    items, problems = numbered(completion, "number", len(draws))
    good = [
        Proposal(
            item["user_context"], item["question"], {"attributes": draws[n], "parents": parents}
        )
        for n, item in items
    ]
    return good + [Proposal("", "", {}, problem) for problem in problems]
