"""Read what the journal holds of a request: a result, a failure, or still open. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from distillgen import bodies
from distillgen.errors import FailureKind, ParseError
from distillgen.records import Completion
from distillgen.stored import Outcome

T = TypeVar("T")


class Failed(NamedTuple):
    """A request without a result, for good."""

    kind: FailureKind
    detail: str


def settle(
    outcomes: Sequence[Outcome | None], parse: Callable[[Completion], T], resample: int
) -> T | Failed | None:
    """The result of the last wave that parses, else why there is none; None while it is open.

    `resample` limits asking, never reading: with a smaller figure than before, later waves that
    the journal holds still count.
    """
    problems: list[ParseError] = []
    for outcome in reversed(outcomes):
        if outcome is None:
            continue
        try:
            if outcome.failure:
                raise ParseError(outcome.failure, outcome.detail)
            return parse(bodies.completion(outcome.body or b""))
        except ParseError as error:
            problems.append(error)
    if not problems or None in outcomes:
        return None
    newest = problems[0]
    if newest.another_draw_may_help and len(outcomes) <= resample:
        return None
    return Failed(newest.kind, newest.detail)
