"""Show the teacher a few examples and ask for more of the same pattern."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from distillgen import replies
from distillgen.records import JSON, Completion, Example, Request, Seed
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn

T = TypeVar("T")
E = TypeVar("E", bound=Seed | Example)
PROMPT = "expand.few_shot"


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place of the sequence asks; a function of its arguments alone.

    Of the shots most are written by people and some made by the teacher, 6 and 2 in Self-Instruct
    (Wang et al. 2022, section 2.2); seeds fill up while the pool is empty.
    """
    place = turn.place
    shots = _draw(place // setting.steady * setting.steady, pool, setting)
    messages = setting.prompt.render(
        expert=setting.task.expert,
        language=setting.task.language,
        labels=setting.task.labels,
        shots=shots,
        per_call=setting.per_call,
        tags=sorted({tag for seed in setting.seeds for tag in seed.tags}),
        place=place,
    )
    terms = replace(setting.terms, json_schema=schema(setting.per_call))
    return Planned(Request(terms, messages, place), {"parents": [shot.id for shot in shots]})


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply, unusable items with their problem.

    Raises:
        ParseError: there is no item at all.
    """
    items, problems = replies.items(completion)
    origin = {"parents": tuple(lineage["parents"])}
    good = [Proposal(item["user_context"], item["question"], origin) for item in items]
    return good + [Proposal("", "", origin, problem) for problem in problems]


def schema(per_call: int) -> dict[str, JSON]:
    """JSON Schema of a reply with `per_call` inputs, strict."""
    text = {"type": "string", "minLength": 1}
    item = {
        "type": "object",
        "properties": {"user_context": text, "question": text},
        "required": ["user_context", "question"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": item, "minItems": per_call, "maxItems": per_call}
        },
        "required": ["examples"],
        "additionalProperties": False,
    }


def _draw(place: int, pool: Pool, setting: Setting) -> list[Seed | Example]:
    """The examples to show, in a random order that depends on the place alone."""
    dice = random.Random(f"{setting.random_seed} {place}")
    made = _pick(pool, setting.shots - setting.human_shots, setting.short, dice)
    human = _pick(setting.seeds, setting.shots - len(made), setting.short, dice)
    return _sample([*human, *made], setting.shots, dice)


def _pick(items: Sequence[E], k: int, short: bool, dice: random.Random) -> list[E]:
    """`k` of the items, `short` the shorter half of twice as many."""
    if not short:
        return _sample(items, k, dice)
    drawn = _sample(items, 2 * k, dice)
    return sorted(drawn, key=lambda item: len(f"{item.user_context}{item.question}"))[:k]


def _sample(items: Sequence[T], k: int, dice: random.Random) -> list[T]:
    """At most `k` different items, drawn with `random()` alone: its stream is the only one that
    Python promises to keep."""
    left = list(range(len(items)))
    return [items[left.pop(int(dice.random() * len(left)))] for _ in range(min(k, len(left)))]
