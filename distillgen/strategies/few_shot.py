"""Show the teacher a few examples and ask for more of the same pattern."""

from dataclasses import replace

from distillgen import replies
from distillgen.records import Completion, Request
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw, schema

PROMPT = "expand.few_shot"


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place of the sequence asks; a function of its arguments alone.

    Of the shots most are written by people and some made by the teacher, 6 and 2 in Self-Instruct
    (Wang et al. 2022, section 2.2); seeds fill up while the pool is empty.
    """
    place = turn.place
    shots = draw(place // setting.steady * setting.steady, pool, setting)
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
