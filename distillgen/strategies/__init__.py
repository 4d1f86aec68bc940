"""How inputs are made: each file here is a strategy, found by its name.

A strategy is a module with two pure functions, `plan` and `parse`; its first docstring line is
its help.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import NamedTuple

from distillgen.errors import UserError
from distillgen.prompts import Prompt
from distillgen.records import Example, Request, Seed, Terms
from distillgen.task import Task


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


class Planned(NamedTuple):
    """What one place asks, and the ids of the examples that it shows."""

    request: Request
    parents: tuple[str, ...]


class Proposal(NamedTuple):
    """One input as the teacher proposed it; `problem` says why it cannot be used."""

    user_context: str
    question: str
    problem: str = ""


Pool = Sequence[Example]
"""The inputs that a place may show: what the first half of the sequence before it brought."""


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
