"""Make other tasks of answered examples: a summary, a title, a critique, the question, the facts.

The teacher writes what somebody asks about an answered example; the example itself is put into the
user context, so that nothing is spoken of that is not there. Inverted and mixed tasks helped in
Flan (Longpre et al. 2023, section 3).
"""

import random
from collections.abc import Mapping

from distillgen import dedupe
from distillgen.dice import sample
from distillgen.errors import UserError
from distillgen.items import number, numbered, schema
from distillgen.records import JSON, Completion, Seed
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

PROMPT = "expand.transform"
PARTS: Mapping[str, tuple[str, ...]] = {
    "summary": ("question", "rationale", "answer"),
    "title": ("question", "answer"),
    "critique": ("question", "flawed"),
    "question": ("answer",),
    "extract": ("question", "answer"),
    "counterfactual": ("question", "answer"),
    "label": ("question", "rationale"),
}
"""For each operation what stands in the user context behind the example's own."""
OPERATIONS = tuple(PARTS)
CAPPED = True
LEAST = 3
"""Words of a request."""
HEADINGS = {"question": "Question", "rationale": "Reasons", "answer": "Answer", "flawed": "Answer"}


def check(setting: Setting, *, alone: bool) -> None:
    """See that something can be done; the inputs of others have no answers.

    Raises:
        UserError: no operation applies to any seed.
    """
    wanted = setting.operations or OPERATIONS
    if not any(applies(name, seed, setting) for name in wanted for seed in setting.seeds):
        needed = (
            "a `label` and a `rationale` that does not name it"
            if setting.task.labels
            else ("an `answer`, as in hand-written seeds or the answers.jsonl of a run")
        )
        raise UserError(f"transform: {', '.join(wanted)}: no seed has what that needs: {needed}")


def applies(operation: str, seed: Seed, setting: Setting) -> bool:
    """Whether an example has what a task is made of.

    What comes of a closed task is answered with one of its labels, so there only the reasons are
    given, and the label is asked for.
    """
    if seed.images:
        return False
    if not setting.task.labels:
        return operation != "label" and bool(seed.answer)
    if operation != "label" or not (seed.label and seed.rationale):
        return False
    return seed.label.casefold() not in seed.rationale.casefold()


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: requests of one kind, on examples with few children."""
    dice = random.Random(f"{setting.random_seed} transform {turn.place}")
    free = may_have_a_child(sample(setting.seeds, LOOKED_AT, dice), pool, setting)
    for operation in sample(setting.operations or OPERATIONS, len(OPERATIONS), dice):
        parents = [seed for seed in free if applies(operation, seed, setting)][: setting.per_call]
        if parents:
            break
    lineage: Lineage = {
        "operation": operation,
        "parents": [parent.id for parent in parents],
        "records": [
            {"user_context": parent.user_context, "gold": _gold(operation, parent)}
            | {"right": parent.answer or ""}
            | {part: getattr(parent, part, None) or "" for part in PARTS[operation]}
            for parent in parents
        ],
    }
    if not parents:
        return Planned(None, lineage)
    messages = setting.messages(turn, parents, per_call=len(parents), operation=operation)
    wanted = schema(len(parents), *number("sample", len(parents)), of=_fields(operation))
    request = setting.request(turn, messages, wanted)
    return Planned(request, lineage)


def _fields(operation: str) -> tuple[str, ...]:
    """What the teacher writes of each example."""
    return ("flawed", "question") if operation == "critique" else ("question",)


def _gold(operation: str, seed: Seed) -> str:
    """The right answer to what is asked, where the example has it."""
    return {"question": seed.question, "label": seed.label or ""}.get(operation, "")


def parse(completion: Completion | None, lineage: Lineage) -> list[Proposal]:
    """The requests of a reply, each behind the example that it is about.

    Raises:
        ParseError: there is no item at all.
    """
    if completion is None:
        return []
    operation, records = lineage["operation"], lineage["records"]
    items, problems = numbered(completion, "sample", len(records), _fields(operation))
    proposals = []
    for place, item in items:
        origin = {
            "operation": operation,
            "generation": 1,
            "parents": (lineage["parents"][place],),
            "gold": records[place]["gold"],
        }
        flawed = item.get("flawed", "")
        same = flawed and dedupe.alike([flawed], [records[place]["right"]])
        context = told(operation, records[place] | {"flawed": flawed})
        problem = "the flawed answer says what the right one says" if same else ""
        if len(dedupe.tokens(item["question"])) < LEAST:
            problem = "no request"
        proposals.append(Proposal(context, item["question"], origin, problem))
    return proposals + [Proposal("", "", {}, problem) for problem in problems]


def told(operation: str, record: Mapping[str, JSON]) -> str:
    """What lies before the person who asks: of an example as much as the task needs.

    >>> told("question", {"user_context": "I am 40.", "answer": "No gold."})
    'I am 40.\\n\\nAnswer: No gold.'
    """
    parts = [f"{HEADINGS[part]}: {record[part]}" for part in PARTS[operation] if record[part]]
    return "\n\n".join(filter(None, [record["user_context"], *parts]))
