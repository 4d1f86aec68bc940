"""Have the teacher rewrite inputs: harder, deeper, more concrete, rarer or simpler ones.

Evol-Instruct (Xu et al. 2023, "WizardLM", section 3.2): in-depth operations, breadth, and an
eliminator; simpler versions after Luo et al. 2023 ("WizardMath"), where they help as well.
"""

import random
import re

from distillgen import dedupe
from distillgen.items import number, numbered, schema
from distillgen.records import Completion, Example, Seed
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn

PROMPT = "expand.evolve"
OPERATIONS = (
    "constraints", "deepen", "concretise", "reasoning", "complicate", "breadth", "simplify",
)  # fmt: skip
"""What may be done to an input; one is drawn for each request, all alike likely."""
TRIES = 20
"""Draws for each parent; those that were rewritten too often count."""
SORRY_WORDS = 80
"""A text with "sorry" in it and fewer words than this is a refusal (WizardLM, section 3.2)."""
COPIED = re.compile(
    r"#\s?(given|rewritten|created) prompt"
    r"|\b(given|rewritten|evolved) (prompt|sample|case|version)",
    re.I,
)
"""Words of the prompt that have no place in what it asks for."""
STOP_WORDS = frozenset(
    "a an and are as at be but by can do for from have how i if in is it me my of on or"  # noqa: SIM905
    " should so that the this to was what when which will with would you your".split()
)


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: one operation, on inputs that were not yet rewritten too often."""
    dice = random.Random(f"{setting.random_seed} evolve {turn.place}")
    operations = setting.operations or OPERATIONS
    operation = operations[int(dice.random() * len(operations))]
    parents = _parents(pool, setting, dice)
    messages = setting.messages(turn, parents, per_call=len(parents), operation=operation)
    wanted = schema(len(parents), *number("sample", len(parents)))
    request = setting.request(turn, messages, wanted)
    lineage: Lineage = {
        "operation": operation,
        "parents": [parent.id for parent in parents],
        "texts": [[parent.user_context, parent.question] for parent in parents],
        "generations": [getattr(parent, "generation", 0) for parent in parents],
    }
    return Planned(request, lineage)


def _parents(pool: Pool, setting: Setting, dice: random.Random) -> list[Seed | Example]:
    """Seeds and earlier inputs, each as likely as any other that may still be rewritten."""
    drawn: dict[int, Seed | Example] = {}
    seeds = len(setting.seeds)
    for _ in range(TRIES * setting.per_call):
        place = int(dice.random() * (seeds + len(pool)))
        one = setting.seeds[place] if place < seeds else pool[place - seeds]
        if isinstance(one, Seed) or (one.generation < setting.generations and not one.images):
            drawn[place] = one
        if len(drawn) == min(setting.per_call, seeds + len(pool)):
            break
    return list(drawn.values())


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The rewritten inputs of a reply, each with its parent; what the eliminator refuses is
    a problem.

    Raises:
        ParseError: there is no item at all.
    """
    parents = lineage["parents"]
    items, problems = numbered(completion, "sample", len(parents))
    proposals = []
    for place, item in items:
        context, question = lineage["texts"][place]
        made = item["user_context"], item["question"]
        origin = {
            "operation": lineage["operation"],
            "generation": lineage["generations"][place] + 1,
            "parents": (parents[place],),
        }
        proposals.append(Proposal(*made, origin, eliminated(made, (context, question))))
    return proposals + [Proposal("", "", {}, problem) for problem in problems]


def eliminated(made: tuple[str, str], parent: tuple[str, str]) -> str:
    """Why a rewritten input (user context, question) is no use; empty when it is.

    The four rules of WizardLM's eliminator (section 3.2), as far as they concern the input:
    nothing gained, an apology, nothing but stop words, words copied from the prompt.

    >>> eliminated(("I am 40", "Sorry, I cannot help"), ("I am 40", "Buy gold?"))
    'an apology instead of an input'
    """
    text = " ".join(made)
    words = dedupe.tokens(text)
    if re.search(r"\bsorry\b", text, re.I) and len(words) < SORRY_WORDS:
        return "an apology instead of an input"
    if COPIED.search(text):
        return "repeats words of the prompt"
    if STOP_WORDS.issuperset(dedupe.tokens(made[1])):
        return "the question holds nothing but stop words"
    if dedupe.alike(made, parent):
        return "says no more than its parent"
    return ""
