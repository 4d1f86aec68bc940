"""Have the teacher imagine a person first, then who that is in their own words, then the question.

A persona makes the user context, and the context makes the question (Ge et al. 2024, "Persona
Hub"). Personas differ among themselves as inputs do.
"""

from itertools import islice

from distillgen import replies
from distillgen.items import schema
from distillgen.records import Completion
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw

PROMPT = "expand.personas"
SHOWN, LOOKED_AT = 12, 100
"""The latest personas, among the latest inputs, that the teacher is told not to repeat."""


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: persons unlike those that came before; the shots show the form."""
    shots = draw(turn, (), setting)
    latest = (example.persona for example in reversed(pool[-LOOKED_AT:]))
    known = list(islice(filter(None, latest), SHOWN))
    messages = setting.messages(turn, shots, personas=known)
    request = setting.request(turn, messages, schema(setting.per_call, "persona"))
    return Planned(request, {"parents": [shot.id for shot in shots]})


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply with their personas, unusable items with their problem.

    Raises:
        ParseError: there is no item at all.
    """
    items, problems = replies.items(completion, fields=("persona", "user_context", "question"))
    parents = tuple(lineage["parents"])
    good = [
        Proposal(
            item["user_context"], item["question"], {"persona": item["persona"], "parents": parents}
        )
        for item in items
    ]
    return good + [Proposal("", "", {}, problem) for problem in problems]
