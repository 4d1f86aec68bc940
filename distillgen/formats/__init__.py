"""The export formats, one file each: how an answer becomes the rows that a trainer reads.

A format is a module with `rows(answer, options)`, or with `pairs(preference, options)` where it is
made of a better and a worse answer; one with both takes the pairs in its layouts `PAIRED`. It may
also state

- `RATIONALE`: the forms of `--rationale` it knows; all of them when it says nothing,
- `DEFAULT`: the form it takes when nobody says; else the task decides,
- `SYSTEM`: False where it has no place for a system prompt,
- `LAYOUTS`: the values of `--layout` it knows, its own choice first,
- `SNIPPET`: the trainer's own lines that load it, for the README beside the data, which sets
  `files` before them: `{"train": "train.jsonl", …}`, the splits that there are; a dictionary by
  layout where the layouts are loaded in different ways,
- `LABELS`: True where it is of labels, also those of an open task, which are no answers,
- `IMAGES`: the same lines for a set with images; a format without it cannot hold them,
- `file(split, options)`: where the rows of a split go, `train.jsonl` unless it says otherwise; the
  ending decides how they are written (`sinks.py`),
- `schema(options)`: the columns of a Parquet file, see `tables.Columns`,
- `broken(row, options)`: the consumer's rule that a row breaks, in words; empty if it breaks none,
- `LIMITS`: what the consumer takes of a whole file; or a dictionary by layout,
- `beside(made)`: further files that go beside the data, by name: a text, or a value of JSON.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, get_args

from distillgen.errors import UserError
from distillgen.records import JSON, Answer, Preference, Side

Rationale = Literal["first", "after", "think", "field", "none"]
"""Where the rationale goes: before or behind the answer, into `<think>` tags before it, into a
field of its own, or nowhere."""
Preset = Literal["paper", "google"]
"""`step-by-step`: the prefixes `[label] ` and `[rationale] `, or `predict: ` and `explain: `."""


@dataclass(frozen=True)
class Options:
    """What a format is told; each takes from it what it knows."""

    rationale: Rationale = "after"
    layout: str = ""
    """One of the format's `LAYOUTS`; empty where it has none."""
    system: Mapping[str, str] = field(default_factory=dict)
    """The system prompt by the style that the teacher was asked for; that of the style "" goes for
    all others. Empty: rows have no system prompt."""
    own_system: bool = False
    """A record's own column `system` goes before these."""
    preset: Preset = "paper"
    label_weight: float = 0.5
    """`step-by-step`: alpha, the label's share of the loss, 0 to 1; the rationale has the rest."""
    images: bool = False
    """Images belong to some answers of the set: then each row has the same columns for them."""
    closed: bool = True
    """A record that has a label and an answer teaches the label; where False, the answer."""
    mixed: bool = False
    """Some records of the set teach a label, and some an answer."""
    soft_temperature: float = 1.0
    """`soft-labels`: temperature of the probabilities, above 0; 1 leaves them as they were."""
    hard_weight: float = 0.5
    """`soft-labels`: the hard label's share of the loss, 0 to 1; the soft label has the rest."""
    labels: tuple[str, ...] = ()
    """`soft-labels`: the labels in the order of all rows, which is that of the first soft label."""


@dataclass(frozen=True)
class Limits:
    """What the consumer takes of a file; 0 where it says nothing."""

    least: int = 0
    """Rows to train on, below which it refuses the file."""
    suggested: int = 0
    """Rows to train on that it advises."""
    most: int = 0
    """Rows of any file, above which it refuses it."""
    validation: int = 0
    """Rows of the validation file, above which it refuses it."""
    bytes: int = 0
    """Size of any file, above which it refuses it."""
    least_bytes: int = 0
    """Size of the file to train on, below which it refuses it."""
    needs: tuple[str, ...] = ()
    """Splits that must not be empty."""
    who: str = ""
    """Who says so, for messages."""


@dataclass(frozen=True)
class Made:
    """What was written of a format, for the files beside it."""

    options: Options
    name: str
    """Of the dataset: that of the run."""
    files: Mapping[str, str]
    """Path of each split that has rows, from the folder of the format."""
    methods: Mapping[str, int]
    """Answers by how their soft labels were come by."""


class LeftOut(Exception):
    """Raised by `rows` for an answer that the format cannot hold; says why in one word."""


class Broken(Exception):
    """Raised by `rows` for an answer of which no row can be made; says in words what is wrong."""


@dataclass(frozen=True)
class Format:
    """A format as `load` found it."""

    name: str
    """As on the command line, with dashes."""
    help: str
    """First line of the module's docstring."""
    rows: Callable[[Answer, Options], Iterator[dict[str, JSON]]] | None
    """The rows of one answer, in file order; raises LeftOut."""
    pairs: Callable[[Preference, Options], Iterator[dict[str, JSON]]] | None
    """The rows of one preference pair."""
    paired: frozenset[str]
    """The layouts that take pairs, where others take answers."""
    rationales: frozenset[Rationale]
    """The forms it knows; empty when the rationale has its fixed place in the format."""
    default: Rationale | None
    """The form it takes when nobody says; None leaves that to the task."""
    system: bool
    """It has a place for a system prompt."""
    labels: bool
    """It is of labels, also those of an open task."""
    layouts: tuple[str, ...]
    """The values of `--layout` that it knows."""
    snippets: Mapping[str, str]
    """Python that loads `files` with the trainer, by layout; "" goes for all others."""
    images: str
    """The same for a set with images; empty where the format cannot hold them."""
    file: Callable[[str, Options], str]
    """Where the rows of a split go, from the folder of the format."""
    schema: Callable[[Options], Mapping[str, JSON]]
    """Columns of a Parquet file: see `tables.Columns`."""
    broken: Callable[[dict[str, JSON], Options], str]
    """The consumer's rule that a row breaks; empty if none."""
    limits: Mapping[str, Limits]
    """What the consumer takes of a file, by layout; "" goes for all others."""
    beside: Callable[[Made], Mapping[str, JSON]]
    """Further files by name."""

    def of_pairs(self, options: Options) -> bool:
        """Whether it is made of preference pairs."""
        return self.rows is None or options.layout in self.paired

    def limit(self, options: Options) -> Limits:
        """What the consumer takes of a file."""
        return self.limits.get(options.layout, self.limits.get("", Limits()))

    def snippet(self, options: Options) -> str:
        """Python that loads `files`; may be empty."""
        if options.images and self.images:
            return self.images
        return self.snippets.get(options.layout, self.snippets.get("", ""))


def names() -> list[str]:
    """The formats that come with distillgen, sorted."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))


def load(name: str) -> Format:
    """The format of that name; one with a dot is a module of the user's own.

    Raises:
        UserError: there is none, or it has neither `rows` nor `pairs`.
    """
    module = _module(name)
    rows, pairs = getattr(module, "rows", None), getattr(module, "pairs", None)
    if not (callable(rows) or callable(pairs)):
        raise UserError(f"{name} is no format: the module has no `rows(answer, options)`")
    snippet, limits = getattr(module, "SNIPPET", ""), getattr(module, "LIMITS", Limits())
    return Format(
        name=name,
        help=(module.__doc__ or "").partition("\n")[0],
        rows=rows,
        pairs=pairs,
        paired=frozenset(getattr(module, "PAIRED", ())),
        rationales=getattr(module, "RATIONALE", frozenset(get_args(Rationale))),
        default=getattr(module, "DEFAULT", None),
        system=getattr(module, "SYSTEM", True),
        labels=getattr(module, "LABELS", False),
        layouts=tuple(getattr(module, "LAYOUTS", ())),
        snippets={"": snippet} if isinstance(snippet, str) else snippet,
        images=getattr(module, "IMAGES", ""),
        file=getattr(module, "file", lambda split, options: f"{split}.jsonl"),
        schema=getattr(module, "schema", lambda options: {}),
        broken=getattr(module, "broken", lambda row, options: ""),
        limits={"": limits} if isinstance(limits, Limits) else limits,
        beside=getattr(module, "beside", lambda made: {}),
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


# -- what formats are made of ----------------------------------------------------------------


def prompt(of: Answer | Preference) -> str:
    """What the user says: the context, a blank line, the question; what is missing is left out.

    >>> prompt(Answer(question="Buy gold?", user_context="I am 40", id="1", teacher="", request=""))
    'I am 40\\n\\nBuy gold?'
    """
    context, question = of.user_context.strip(), of.question.strip()
    return f"{context}\n\n{question}" if context and question else context or question


def system(of: Answer | Preference, options: Options) -> str:
    """The system prompt of a record; empty where rows have none."""
    own = of.system if isinstance(of, Preference) else of.meta.get("system")
    if options.own_system and isinstance(own, str) and own.strip():
        return own.strip()
    return options.system.get(of.style, options.system.get("", "")).strip()


def target(said: Answer | Side) -> str:
    """What the student learns to say: the label of a closed task, else the answer."""
    label = said.label if isinstance(said, Answer) else None
    return (label or said.answer).strip()


def reply(said: Answer | Side, form: Rationale) -> str:
    """The target with its rationale in that form; the target alone where there is no rationale.

    In `think` and `field` a tag that stands in the teacher's own words loses its angle brackets:
    readers cut at the first or the last `</think>` that they meet.
    """
    wanted, why = target(said), said.rationale.strip()
    if form in ("think", "field"):
        wanted, why = untagged(wanted), untagged(why)
    if not why or form in ("none", "field"):
        return wanted
    if form == "think":
        return f"<think>\n{why}\n</think>\n\n{wanted}"
    return f"{why}\n\n{wanted}" if form == "first" else f"{wanted}\n\n{why}"


_THOUGHT = re.compile(r"\s*<think>(.*?)</think>\s*", re.S)

Turn = dict[str, JSON]


def asked(of: Answer | Preference, options: Options) -> list[Turn]:
    """The turns before the assistant's, as texts: the system's, if any, and the user's."""
    user: Turn = {"role": "user", "content": prompt(of)}
    told = system(of, options)
    return [{"role": "system", "content": told}, user] if told else [user]


def spoken(said: Answer | Side, form: Rationale) -> Turn:
    """The assistant's turn, as a text.

    In the form `field` every assistant has `reasoning_content`, empty where there is no
    rationale: a key that only some rows have becomes null when the file is loaded. Chat templates
    read empty and missing alike.
    """
    turn: Turn = {"role": "assistant", "content": reply(said, form)}
    if form == "field":
        turn["reasoning_content"] = untagged(said.rationale.strip())
    return turn


def turn_keys(options: Options) -> tuple[str, ...]:
    """All keys that a turn of `asked` or `spoken` may have."""
    keys = ("role", "content")
    return (*keys, "reasoning_content") if options.rationale == "field" else keys


def turns(answer: Answer, options: Options) -> list[Turn]:
    """The whole conversation, as texts; for images see `parted`."""
    return [*asked(answer, options), spoken(answer, options.rationale)]


def sides(of: Preference, form: Rationale) -> tuple[Turn, Turn]:
    """The assistant's better and worse turn, as texts.

    Raises:
        LeftOut: they are the same in this form, so that there is nothing to prefer.
    """
    better, worse = spoken(of.chosen, form), spoken(of.rejected, form)
    if better == worse:
        raise LeftOut("same_answer")
    return better, worse


def parted(of: Answer | Preference, turns: list[Turn]) -> list[Turn]:
    """The turns as parts, a mark for each image before the user's text: for a set with images."""
    shown: list[Turn] = [{"type": "image"}] * len(of.images)
    parts = []
    for turn in turns:
        said = {"type": "text", "text": turn["content"]}
        marks = shown if turn["role"] == "user" else []
        parts.append({**turn, "content": [*marks, said]})
    return parts


def thought_apart(said: Answer | Side) -> tuple[str, str]:
    """Rationale and answer; a `<think>` block that an answer begins with is its rationale.

    Raises:
        Broken: there is another rationale.
    """
    block = _THOUGHT.match(said.answer)
    if not block:
        return said.rationale, said.answer
    if said.rationale.strip():
        raise Broken("the answer begins with a `<think>` block, and there is a rationale, too")
    return block[1].strip(), said.answer[block.end() :]


def untagged(text: str) -> str:
    """The text with `(think)` and `(/think)` in place of the tags."""
    return text.replace("<think>", "(think)").replace("</think>", "(/think)")
