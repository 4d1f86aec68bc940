"""How inputs are made: each file here is a strategy, found by its name.

A strategy is a module with the name of its prompt, `PROMPT`, and two pure functions:

- `plan(turn, pool, setting)` says what one place of the sequence asks, and keeps as its lineage,
  a JSON object, what it must know of that when the reply comes;
- `parse(completion, lineage)` makes proposals of the reply, each with its origin.

A place that asks nothing, because the strategy needs no teacher for it, has no request; `parse` is
then given None. A strategy that works from a file which people edit has its name, `FILE`
(`topics.toml`: the option is `--topics`), `read(path)`, which makes a frozen dataclass of it, and
`text(draft)`, which spells what the teacher drafted as such a file, if it drafts any. One that
`SEES` shows images, and its `read(path, vision)` is told whether to.

A strategy that does one of several things to one example has their names, `OPERATIONS`, and those
that need no teacher, `NO_TEACHER`; what it makes says its `operation` and has one parent. With
`CAPPED` no more than `--per-parent` inputs are kept of one parent. `check(setting, alone=…)`, if
there is one, finds what cannot work with these seeds; `alone` where no other makes inputs.

Its first docstring line is its help. No strategy knows of another: places go to them in turn.
"""

import importlib
import pkgutil
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import count
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from distillgen.dedupe import alike
from distillgen.dice import sample
from distillgen.errors import UserError
from distillgen.pool import Pool as Pool
from distillgen.prompts import Prompt
from distillgen.records import JSON, Example, Message, Request, Seed, Terms
from distillgen.task import Task

E = TypeVar("E", bound=Seed | Example)


@dataclass(frozen=True)
class Setting:
    """What all places of one sequence share."""

    terms: Terms
    """The strategy adds the schema of its replies."""
    task: Task
    prompt: Prompt
    seeds: tuple[Seed, ...]
    per_call: int
    """Inputs asked for in one request."""
    shots: int
    """Examples shown in one request."""
    human_shots: int
    """So many of them are seeds, the rest earlier inputs."""
    steady: int
    """The shots change every so many places: an embedded teacher caches the common beginning."""
    short: bool
    """Of twice as many examples the shorter half is shown: small teachers write as much as they
    see, and get lost in much."""
    random_seed: int
    generations: int
    """An input is rewritten so many times at most, its ancestors' times included."""
    per_parent: int
    """So many inputs that were made of one example are kept at most, where they are counted."""
    operations: tuple[str, ...] = ()
    """Those of the strategy's operations that are used; none for all of them."""
    material: Any = None
    """What the strategy's file holds, as its `read` made it; None without one."""

    def messages(self, turn: "Turn", shots: Sequence[JSON], **more: JSON) -> tuple[Message, ...]:
        """The prompt of a place, with examples that have the fields of a shot; `more` are variables
        of this strategy."""
        common = {
            "expert": self.task.expert,
            "language": self.task.language,
            "labels": self.task.labels,
            "shots": shots,
            "per_call": self.per_call,
            "place": turn.place,
        }
        return self.prompt.render(**common | more)

    def request(
        self, turn: "Turn", messages: tuple[Message, ...], json_schema: dict[str, JSON]
    ) -> Request:
        """What a place asks, for a reply of this form."""
        return Request(replace(self.terms, json_schema=json_schema), messages, turn.place)


class Turn(NamedTuple):
    """A place in the sequence, and how many places the same strategy had before it."""

    place: int
    nth: int


Lineage = dict[str, JSON]
"""`parents`, the ids of the examples shown, and whatever else a strategy wants to know again; the
walk adds `strategy`."""


class Planned(NamedTuple):
    """What one place asks, and what its strategy wants to know when the reply comes."""

    request: Request | None
    """None where no teacher is needed."""
    lineage: Lineage


class Proposal(NamedTuple):
    """One input as the teacher proposed it; `problem` says why it cannot be used."""

    user_context: str
    question: str
    origin: Mapping[str, JSON]
    """Fields of `Example` that say how it was made."""
    problem: str = ""
    near: bool = False
    """It is meant to be near its parent: what equals it is a duplicate, and nothing else."""


def echoes(proposal: Proposal, shown: Sequence[str]) -> bool:
    """Whether a text of a proposal only repeats what the prompt shows in its place, as small
    teachers do.

    >>> echoes(Proposal("I am 40.", "One short question?", {}), ["one short question"])
    True
    """
    persona = str(proposal.origin.get("persona", ""))
    said = (proposal.user_context, proposal.question, persona)
    return any(text and alike([text], [one]) for text in said for one in shown)


@dataclass(frozen=True)
class Part:
    """A strategy with its share of the places."""

    strategy: ModuleType
    setting: Setting
    share: float

    @property
    def name(self) -> str:
        """As the records spell it: `few_shot`."""
        return self.strategy.__name__.rpartition(".")[2]

    @property
    def capped(self) -> bool:
        """Whether what it makes of one example is counted."""
        return hasattr(self.strategy, "CAPPED")


def turns(shares: Sequence[float]) -> Iterator[tuple[int, int]]:
    """For each place the part whose turn it is, and how many it had before.

    The one that lags most behind its share comes next, so each beginning is mixed as asked.

    >>> [part for _, (part, _) in zip(range(8), turns([0.5, 0.25, 0.25]))]
    [0, 1, 2, 0, 0, 1, 2, 0]
    """
    had = [0] * len(shares)
    for place in count(1):
        part = max(range(len(shares)), key=lambda k: (shares[k] * place - had[k], -k))
        yield part, had[part]
        had[part] += 1


def names() -> list[str]:
    """The strategies there are, as the command line spells them."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """The strategy of that name.

    Raises:
        UserError: there is none.
    """
    there = names()
    if name.replace("_", "-") not in there:
        near = get_close_matches(name, there, n=1)
        hint = f"do you mean {near[0]}?" if near else f"there are: {', '.join(there)}"
        raise UserError(f"no strategy {name}; {hint}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def shares(text: str) -> dict[str, float]:
    """The strategies that are named, and the share of the places that each has.

    >>> shares("few_shot=0.6,evolve=0.4")
    {'few-shot': 0.6, 'evolve': 0.4}
    >>> shares("evolve")
    {'evolve': 1.0}

    Raises:
        UserError: a share cannot be read, or they do not make 1.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, given, number = (piece.strip() for piece in part.partition("="))
        name = name.replace("_", "-")
        if name in found:
            raise UserError(f"--strategy {text}: {name} stands twice")
        try:
            found[name] = float(number) if given else 1.0
        except ValueError as error:
            raise UserError(
                f"--strategy: `{part.strip()}` needs a number, as in few-shot=0.6,evolve=0.4"
            ) from error
    if not (all(share > 0 for share in found.values()) and abs(sum(found.values()) - 1) < 1e-6):
        raise UserError(
            f"--strategy: the shares make {sum(found.values()):g}; each is above 0, together they"
            " make 1, as in few-shot=0.6,evolve=0.4"
        )
    return found


class Used(NamedTuple):
    """A strategy as the command line asks for it."""

    strategy: ModuleType
    share: float
    operations: tuple[str, ...]
    """Those of its operations that are named, in its own order; none for all of them."""


def used(text: str, operations: str | None) -> list[Used]:
    """The strategies that are named, with their shares and what each is to do.

    Raises:
        UserError: there is no such strategy, or none of them has such an operation.
    """
    found = [(load(name), share) for name, share in shares(text).items()]
    named = [name.strip().replace("-", "_") for name in (operations or "").split(",")]
    there = [getattr(strategy, "OPERATIONS", ()) for strategy, _ in found]
    known = [name for names in there for name in names]
    for name in named if operations else ():
        if name not in known:
            listed = ", ".join(known) or f"none for {text}"
            raise UserError(f"--operations: no operation `{name}`; there are: {listed}")
    return [
        Used(strategy, share, tuple(name for name in names if name in named))
        for (strategy, share), names in zip(found, there, strict=True)
    ]


def asks(strategy: ModuleType, operations: tuple[str, ...]) -> bool:
    """Whether a strategy needs a teacher for these operations, none for all."""
    free = set[str](getattr(strategy, "NO_TEACHER", ()))
    return not free or not set(operations or strategy.OPERATIONS) <= free


LOOKED_AT = 100
"""Of so many examples, drawn at random, those with the fewest children are the first to be used."""


def may_have_a_child(examples: Sequence[E], pool: Pool, setting: Setting) -> list[E]:
    """Those of which another input may be made, those with the fewest first.

    None with images is among them: what is made of it would speak of what is not there.
    """
    counted = [(pool.children(one.id), one) for one in examples if not one.images]
    free = [(n, one) for n, one in counted if n < setting.per_parent]
    return [one for _, one in sorted(free, key=lambda pair: pair[0])]


def draw(turn: Turn, pool: Sequence[Example], setting: Setting) -> list[Seed | Example]:
    """The examples to show, in a random order that depends on the place alone."""
    place = turn.place // setting.steady * setting.steady
    dice = random.Random(f"{setting.random_seed} {place}")
    made = _pick(pool, setting.shots - setting.human_shots, setting.short, dice)
    made = [one for one in made if not one.images]  # nobody would see them
    human = _pick(setting.seeds, setting.shots - len(made), setting.short, dice)
    return sample([*human, *made], setting.shots, dice)


def _pick(items: Sequence[E], k: int, short: bool, dice: random.Random) -> list[E]:
    """`k` of the items, `short` the shorter half of twice as many."""
    if not short:
        return sample(items, k, dice)
    drawn = sample(items, 2 * k, dice)
    return sorted(drawn, key=lambda item: len(f"{item.user_context}{item.question}"))[:k]
