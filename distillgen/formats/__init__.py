"""The export formats, one file each: how an answer becomes the rows that a trainer reads.

A format is a module with `rows(answer, options)`. It may also state

- `RATIONALE`: the forms of `--rationale` it knows; all of them when it says nothing,
- `DEFAULT`: the form it takes when nobody says; else the task decides,
- `SNIPPET`: the trainer's own lines that load it, for the README beside the data, which sets
  `files` before them: `{"train": "train.jsonl", …}`, the splits that there are,
- `IMAGES`: the same lines for a set with images; a format without it cannot hold them,
- `beside(options, methods)`: JSON files that go beside the data, by name; `methods` counts the
  answers by how their soft labels were come by.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, get_args

from distillgen.errors import UserError
from distillgen.records import JSON, Answer

Rationale = Literal["first", "after", "think", "field", "none"]
"""Where the rationale goes: before or behind the answer, into `<think>` tags before it, into a
field of its own, or nowhere."""
Layout = Literal["rows", "flat"]
"""`step-by-step`: a row a task, or one row a record."""
Preset = Literal["paper", "google"]
"""`step-by-step`: the prefixes `[label] ` and `[rationale] `, or `predict: ` and `explain: `."""


@dataclass(frozen=True)
class Options:
    """What a format is told; each takes from it what it knows."""

    rationale: Rationale = "after"
    layout: Layout = "rows"
    preset: Preset = "paper"
    label_weight: float = 0.5
    """`step-by-step`: alpha, the label's share of the loss, 0 to 1; the rationale has the rest."""
    images: bool = False
    """Images belong to some answers of the set: then each row has the same columns for them."""
    soft_temperature: float = 1.0
    """`soft-labels`: temperature of the probabilities, above 0; 1 leaves them as they were."""
    hard_weight: float = 0.5
    """`soft-labels`: the hard label's share of the loss, 0 to 1; the soft label has the rest."""
    labels: tuple[str, ...] = ()
    """`soft-labels`: the labels in the order of all rows, which is that of the first soft label."""


class LeftOut(Exception):
    """Raised by `rows` for an answer that the format cannot hold; says why in one word."""


@dataclass(frozen=True)
class Format:
    """A format as `load` found it."""

    name: str
    """As on the command line, with dashes."""
    help: str
    """First line of the module's docstring."""
    rows: Callable[[Answer, Options], Iterator[dict[str, JSON]]]
    """The rows of one answer, in file order; raises LeftOut."""
    rationales: frozenset[Rationale]
    """The forms it knows; empty when the rationale has its fixed place in the format."""
    default: Rationale | None
    """The form it takes when nobody says; None leaves that to the task."""
    snippet: str
    """Python that loads `files` with the trainer; may be empty."""
    images: str
    """The same for a set with images; empty where the format cannot hold them."""
    beside: Callable[[Options, Mapping[str, int]], dict[str, JSON]]
    """JSON files beside the data, by name, of answers counted by the method of their soft label."""


def names() -> list[str]:
    """The formats that come with distillgen, sorted."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))


def load(name: str) -> Format:
    """The format of that name; one with a dot is a module of the user's own.

    Raises:
        UserError: there is none, or it has no `rows`.
    """
    module = _module(name)
    rows = getattr(module, "rows", None)
    if not callable(rows):
        raise UserError(f"{name} is no format: the module has no `rows(answer, options)`")
    return Format(
        name=name,
        help=(module.__doc__ or "").partition("\n")[0],
        rows=rows,
        rationales=getattr(module, "RATIONALE", frozenset(get_args(Rationale))),
        default=getattr(module, "DEFAULT", None),
        snippet=getattr(module, "SNIPPET", ""),
        images=getattr(module, "IMAGES", ""),
        beside=getattr(module, "beside", lambda options, methods: {}),
    )


def _module(name: str) -> ModuleType:
    if name in names():
        return import_module(f"{__name__}.{name.replace('-', '_')}")
    if "." in name and all(part.isidentifier() for part in name.split(".")):
        try:
            return import_module(name)
        except ImportError as error:
            raise UserError(
                f"format {name}: {error}; a format of your own must be installed or on PYTHONPATH"
            ) from error
    near = get_close_matches(name, names(), 1)
    there = f"there are {', '.join(names())}, or my_package.my_format"
    raise UserError(f"no format {name}; {f'did you mean {near[0]}? ' if near else ''}{there}")


def prompt(answer: Answer) -> str:
    """What the user says: the context, a blank line, the question; what is missing is left out.

    >>> prompt(Answer(question="Buy gold?", user_context="I am 40", id="1", teacher="", request=""))
    'I am 40\\n\\nBuy gold?'
    """
    context, question = answer.user_context.strip(), answer.question.strip()
    return f"{context}\n\n{question}" if context and question else context or question


def target(answer: Answer) -> str:
    """What the student learns to say: the label of a closed task, else the answer."""
    return (answer.label or answer.answer).strip()


def reply(answer: Answer, form: Rationale) -> str:
    """The target with its rationale in that form; the target alone where there is no rationale.

    In `think` and `field` a tag that stands in the teacher's own words loses its angle brackets:
    readers cut at the first or the last `</think>` that they meet.
    """
    said, why = target(answer), answer.rationale.strip()
    if form in ("think", "field"):
        said, why = untagged(said), untagged(why)
    if not why or form in ("none", "field"):
        return said
    if form == "think":
        return f"<think>\n{why}\n</think>\n\n{said}"
    return f"{why}\n\n{said}" if form == "first" else f"{said}\n\n{why}"


Turn = dict[str, JSON]


def turns(answer: Answer, form: Rationale) -> tuple[Turn, Turn]:
    """The user's turn and the assistant's, both as texts; for images see `parted`.

    In the form `field` every assistant has `reasoning_content`, empty where there is no
    rationale: a key that only some rows have becomes null when the file is loaded. Chat templates
    read empty and missing alike.
    """
    assistant: Turn = {"role": "assistant", "content": reply(answer, form)}
    if form == "field":
        assistant["reasoning_content"] = untagged(answer.rationale.strip())
    return {"role": "user", "content": prompt(answer)}, assistant


def parted(answer: Answer, turns: tuple[Turn, Turn]) -> tuple[Turn, Turn]:
    """The turns as parts, a mark for each image before the user's text: for a set with images."""
    user, assistant = ({**t, "content": [{"type": "text", "text": t["content"]}]} for t in turns)
    user["content"] = [{"type": "image"}] * len(answer.images) + user["content"]
    return user, assistant


def untagged(text: str) -> str:
    """The text with `(think)` and `(/think)` in place of the tags."""
    return text.replace("<think>", "(think)").replace("</think>", "(/think)")
