"""Ask for items in a reply, and read them back."""

from collections.abc import Sequence

from distillgen import replies
from distillgen.records import JSON, Completion

TEXTS = ("user_context", "question")
"""What the teacher writes of an input, unless a strategy has it otherwise."""


def schema(count: int, *more: str, of: Sequence[str] = TEXTS) -> dict[str, JSON]:
    """JSON Schema of a reply with so many inputs, strict; `more` names texts that stand first."""
    text = {"type": "string", "minLength": 1}
    names = (*more, *of)
    item = {
        "type": "object",
        "properties": dict.fromkeys(names, text),
        "required": list(names),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": item, "minItems": count, "maxItems": count}
        },
        "required": ["examples"],
        "additionalProperties": False,
    }


def number(name: str, count: int) -> tuple[str, ...]:
    """The field by which an item says of which of several things it is; of one it need not."""
    return (name,) if count > 1 else ()


def numbered(
    completion: Completion, name: str, count: int, of: Sequence[str] = TEXTS
) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """The items of a reply with the index of what each is of, and what is wrong with the others.

    Raises:
        ParseError: there is no item at all.
    """
    items, problems = replies.items(completion, fields=(*number(name, count), *of))
    found = []
    for item in items:
        said = item.get(name, "1").strip("#. ")
        if said.isdecimal() and 0 < int(said) <= count:
            found.append((int(said) - 1, item))
        else:
            problems.append(f"no {name} {said[:20]}")
    return found, problems
