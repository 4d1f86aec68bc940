"""Change numbers, names or words of examples, or ask backwards; half of it needs no teacher.

Numbers are changed where the equation is known, so that the right answer is recomputed; names are
exchanged; a clause is added that changes nothing (GSM-NoOp, Mirzadeh et al. 2024). A teacher says
it in other words, or puts x in the place of a number and asks for it: the answer as one more fact
(self-verification, Weng et al. 2022), or as given (FOBAR, Jiang et al. 2023). The three together
made MetaMath (Yu et al. 2023).
"""

import random
import re
from dataclasses import dataclass
from itertools import islice

from distillgen import asides, equations, first_names
from distillgen.dice import sample
from distillgen.errors import UserError
from distillgen.items import number, numbered, schema
from distillgen.records import JSON, Completion, Example, Seed
from distillgen.strategies import (
    LOOKED_AT,
    Lineage,
    Planned,
    Pool,
    Proposal,
    Setting,
    Turn,
    may_have_a_child,
)

PROMPT = "expand.augment"
OPERATIONS = ("numbers", "names", "irrelevant", "rephrase", "self_verification", "backward")
NO_TEACHER = ("numbers", "names", "irrelevant")
CAPPED = True
EQUATION = ("equation", "Equation")
"""Columns of an example that may hold how its answer is worked out."""
UNKNOWN = re.compile(r"\bx\b", re.I)


@dataclass(frozen=True)
class Made:
    """What is made of an example, or what the teacher is to make it of."""

    user_context: str
    question: str
    gold: str = ""
    """The right answer of the child, where it is known."""
    meta: tuple[tuple[str, str], ...] = ()
    """Its equation."""
    answer: str = ""
    """What the teacher is told of the answer to the example."""

    def row(self) -> dict[str, JSON]:
        """As JSON."""
        return {**vars(self), "meta": dict(self.meta)}


def check(setting: Setting, *, alone: bool) -> None:
    """See that something can be done, unless others bring inputs to do it to.

    Raises:
        UserError: no operation applies to any seed.
    """
    wanted = setting.operations or OPERATIONS
    dice = random.Random(0)
    if alone and not any(made(name, seed, dice) for name in wanted for seed in setting.seeds):
        raise UserError(
            f"augment: {', '.join(wanted)}: nothing of this applies to any seed. `numbers` needs an"
            " `equation` that gives the answer, `names` first names that we know, `irrelevant`"
            " English, `self_verification` and `backward` a number as the answer"
        )


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: one operation, on examples that it applies to."""
    dice = random.Random(f"{setting.random_seed} augment {turn.place}")
    parents = _parents(pool, setting, dice)
    for operation in sample(setting.operations or OPERATIONS, len(OPERATIONS), dice):
        tried = ((parent, made(operation, parent, dice)) for parent in parents)
        found = list(islice(((p, m) for p, m in tried if m), setting.per_call))
        if found:
            break
    lineage: Lineage = {
        "operation": operation,
        "parents": [parent.id for parent, _ in found],
        "generations": [getattr(parent, "generation", 0) for parent, _ in found],
        "made": [one.row() for _, one in found],
    }
    if not found or operation in NO_TEACHER:
        return Planned(None, lineage)
    messages = setting.messages(
        turn, [one for _, one in found], per_call=len(found), operation=operation
    )
    wanted = schema(len(found), *number("sample", len(found)))
    return Planned(setting.request(turn, messages, wanted), lineage)


def _parents(pool: Pool, setting: Setting, dice: random.Random) -> list[Seed | Example]:
    """Seeds and earlier inputs that may have a child, those with the fewest first."""
    seeds = len(setting.seeds)
    drawn = sample(range(seeds + len(pool)), LOOKED_AT, dice)
    found = [setting.seeds[i] if i < seeds else pool[i - seeds] for i in drawn]
    young = [one for one in found if getattr(one, "generation", 0) < setting.generations]
    return may_have_a_child(young, pool, setting)


def parse(completion: Completion | None, lineage: Lineage) -> list[Proposal]:
    """The children, each with its parent; those of a teacher that lost something are a problem.

    Raises:
        ParseError: the reply holds no item at all.
    """
    wanted = lineage["made"]
    if completion is None:
        return [
            Proposal(one["user_context"], one["question"], _origin(lineage, place), near=True)
            for place, one in enumerate(wanted)
        ]
    items, problems = numbered(completion, "sample", len(wanted))
    proposals = []
    for place, item in items:
        texts = item["user_context"], item["question"]
        problem = lost(lineage["operation"], texts, wanted[place])
        proposals.append(Proposal(*texts, _origin(lineage, place), problem))
    return proposals + [Proposal("", "", {}, problem) for problem in problems]


def _origin(lineage: Lineage, place: int) -> dict[str, JSON]:
    one = lineage["made"][place]
    return {
        "operation": lineage["operation"],
        "generation": lineage["generations"][place] + 1,
        "parents": (lineage["parents"][place],),
        "gold": one["gold"],
        "meta": one["meta"],
    }


def made(operation: str, parent: Seed | Example, dice: random.Random) -> Made | None:
    """What an operation makes of an example; None where it does not apply."""
    texts, gold = (parent.user_context, parent.question), right(parent)
    column = next((name for name in EQUATION if parent.meta.get(name)), "")
    equation = str(parent.meta.get(column, ""))
    kept = ((column, equation),) if column else ()
    match operation:
        case "numbers":
            known = equations.read(equation)
            changed = known and equations.changed(texts, known, gold, dice)
            if not changed:
                return None
            context, question = changed.texts
            return Made(context, question, changed.result, ((column, changed.equation),))
        case "names":
            swapped = first_names.swapped((*texts, gold), dice)
            if not swapped:
                return None
            context, question, gold = swapped
            return Made(context, question, gold, kept)
        case "irrelevant":
            inserted = asides.inserted(*texts, dice)
            return Made(*inserted, gold, kept) if inserted else None
        case "rephrase":
            return Made(*texts, gold, kept)
    return _backwards(parent, equation, dice)


def right(parent: Seed | Example) -> str:
    """The right answer to an example; empty where it is not known."""
    if isinstance(parent, Seed):
        return parent.gold or parent.label or parent.answer or ""
    return parent.gold


def _backwards(parent: Seed | Example, equation: str, dice: random.Random) -> Made | None:
    """The example with x for one of its numbers, which the answer, a number, determines.

    Of an example with an equation it is one of the equation's, else any that stands there once;
    where a rationale is known, in that too.
    """
    texts, answer = (parent.user_context, parent.question), right(parent)
    result = equations.value_of(answer)
    if result is None or any(UNKNOWN.search(text) for text in texts):
        return None
    there = [equations.numbers(text) for text in texts]
    known = equations.read(equation)
    if known and known.result != result:
        return None
    if known:
        fitting = [leaf.value for n, leaf in enumerate(known.leaves) if known.needs(n)]
        fitting = [value for value in fitting if fitting.count(value) == 1]
    else:
        said = equations.values(getattr(parent, "rationale", None) or "\n".join(texts))
        fitting = [number.value for field in there for number in field if number.value in said]
    places = [
        place
        for value in dict.fromkeys(fitting)
        if value != result and (place := equations.occurrence(value, there))
    ]
    if not places:
        return None
    field, number = places[int(dice.random() * len(places))]
    context, question = (
        equations.replaced(text, [(number.start, number.end, "x")] if n == field else [])
        for n, text in enumerate(texts)
    )
    return Made(context, question, equations.spell(number.value), (), answer)


def lost(operation: str, texts: tuple[str, str], wanted: dict[str, JSON]) -> str:
    """Why what a teacher wrote of an example is no use; empty when it is.

    >>> lost("rephrase", ("He has 3.", "Why?"), {"user_context": "2 left", "question": "Why?"})
    'has other numbers than its parent'
    """
    numbers = equations.values("\n".join(texts))
    before = equations.values(f"{wanted['user_context']}\n{wanted['question']}")
    if operation == "rephrase":
        return "" if numbers == before else "has other numbers than its parent"
    if not UNKNOWN.search(texts[1]):
        return "the question does not ask for x"
    if not before <= numbers:
        return "lacks a number of its parent"
    if not equations.values(wanted["answer"]) <= numbers:
        return "does not say what the answer is"
    if not equations.values(wanted["gold"]).isdisjoint(numbers - before):
        return "gives away what is asked for"
    return ""
