"""What can be said of an answer without a teacher, one check a file: a verdict, never a deletion.

A check is a module with `check(answer, setting)`, a pure function that gives a verdict with what it
found, or None where it does not apply.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from distillgen.errors import UserError
from distillgen.records import Answer, Seed, Verdict


@dataclass(frozen=True)
class Setting:
    """What checks may know besides the answer."""

    labels: tuple[str, ...] = ()
    """The labels of a closed task."""
    language: str | None = None
    """The language that answers should have, as the task calls it: `en`, `German`; None for that of
    their question."""
    detect: Callable[[str], str] | None = None
    """Tells the language of a text, `?` where it is not sure; None where that is not installed."""
    shots: tuple[Seed, ...] = ()
    """What the teacher was shown as models."""


@dataclass(frozen=True)
class Check:
    """A check as `load` found it."""

    name: str
    """As in files, with underscores."""
    help: str
    """First line of the module's docstring."""
    check: Callable[[Answer, Setting], Verdict | None]
    """The verdict on one answer; None where it does not apply."""


@cache
def names() -> list[str]:
    """The checks that come with distillgen, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


@cache
def load(name: str) -> Check:
    """The check of that name, with dashes or underscores; one with a dot is the user's own.

    Raises:
        UserError: there is none, or it has no `check`.
    """
    ours = name.replace("-", "_")
    if ours not in names() and "." not in name:
        near = get_close_matches(ours, names(), 1)
        there = f"there are {', '.join(names())}, or my_package.my_check"
        raise UserError(f"no check {name}; {f'did you mean {near[0]}? ' if near else ''}{there}")
    try:
        module = import_module(f"{__name__}.{ours}" if ours in names() else name)
    except ImportError as error:
        raise UserError(
            f"check {name}: {error}; a check of your own must be installed or on PYTHONPATH"
        ) from error
    check = getattr(module, "check", None)
    if not callable(check):
        raise UserError(f"{name} is no check: the module has no `check(answer, setting)`")
    known = ours if ours in names() else name
    return Check(known, (module.__doc__ or "").partition("\n")[0], check)


def of(answer: Answer, names: Iterable[str], setting: Setting) -> dict[str, Verdict]:
    """The verdicts of those checks that apply to an answer, by name."""
    checks = (load(name) for name in names)
    found = ((one.name, one.check(answer, setting)) for one in checks)
    return {name: verdict for name, verdict in found if verdict}


def said(answer: Answer) -> str:
    """What the teacher came to: the label of a closed task, else the answer."""
    return (answer.label or answer.answer).strip()


def whole(answer: Answer) -> str:
    """Rationale and answer, a line each."""
    return "\n".join(text for text in (answer.rationale, answer.answer) if text)
