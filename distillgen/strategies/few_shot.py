"""Show the teacher a few examples and ask for more of the same pattern."""

from distillgen import replies
from distillgen.items import schema
from distillgen.records import Completion
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw

PROMPT = "expand.few_shot"


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place of the sequence asks; a function of its arguments alone.

    Of the shots most are written by people and some made by the teacher, 6 and 2 in Self-Instruct
    (Wang et al. 2022, section 2.2); seeds fill up while the pool is empty.
    """
    shots = draw(turn, pool, setting)
    messages = setting.messages(
        turn, shots, tags=sorted({tag for seed in setting.seeds for tag in seed.tags})
    )
    request = setting.request(turn, messages, schema(setting.per_call))
    return Planned(request, {"parents": [shot.id for shot in shots]})


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply, unusable items with their problem.

    Raises:
        ParseError: there is no item at all.
    """
    items, problems = replies.items(completion)
    origin = {"parents": tuple(lineage["parents"])}
    good = [Proposal(item["user_context"], item["question"], origin) for item in items]
    return good + [Proposal("", "", origin, problem) for problem in problems]
