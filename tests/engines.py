"""What the tests of the engine share: an engine on a real journal, and the smallest stage."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from distillgen import replies
from distillgen.asking import answer_schema as schema
from distillgen.budget import Money, Purse
from distillgen.engine import Engine, Stop
from distillgen.journal import Journal
from distillgen.outcomes import Failed, settle
from distillgen.pacing import Pace
from distillgen.prices import Price
from distillgen.providers import Endpoint
from distillgen.records import Completion, Message, Request, Terms
from distillgen.sending import Ask
from distillgen.teachers.openai_chat import OpenAIChat

PRICE = Price(Decimal(1), Decimal(1), Decimal(4))
"""Dollars per million tokens."""


def question(i: int, **more: Any) -> Request:
    """Request number `i`, in the words of the answer prompt."""
    words = f'Question {i}? Reply with {{"rationale": "…", "answer": "…"}}'
    given = {"sampling": {"temperature": 0.3, "max_tokens": 100}, "json_schema": schema([]), **more}
    return Request(Terms("openai:teacher-1", **given), (Message("user", words),))


def questions(n: int, start: int = 0) -> list[Request]:
    return [question(i) for i in range(start, start + n)]


def read(_: Ask, completion: Completion) -> dict[str, str]:
    return replies.fields(completion, ("answer",), ("rationale",))


class Bench:
    """An engine at work in a folder; a new one in the same folder is the next process."""

    def __init__(
        self, folder: Path, url: str, *, concurrency: int = 8, resample: int = 1,
        price: Price | None = None, limit: int | None = None, deadline_s: float = 30.0,
        model: str = "teacher-1", say: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.journal = Journal(folder / "journal.sqlite")
        self.said: list[str] = []
        self.resample = resample
        endpoint = Endpoint(url, "sk-test", "OPENAI_API_KEY", own_server=True)
        self.engine = Engine(
            OpenAIChat("openai:teacher-1", model, endpoint, deadline_s),
            self.journal,
            purse=Purse(price, Money(limit, self.journal.spent().cost)),
            pace=Pace(concurrency),
            say=say or self.said.append,
            resample=resample,
        )

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()
        self.journal.close()

    def settled(self, request: Request) -> dict[str, str] | Failed | None:
        return settle(self.journal.look(request.key), partial(read, request), self.resample)

    def open_ones(self, requests: list[Request]) -> Iterator[Ask]:
        """What a stage does: ask for whatever has no outcome."""
        for request in requests:
            if self.settled(request) is None:
                yield Ask(request)

    def fill(self, requests: list[Request]) -> Stop | None:
        return self.engine.fill(self.open_ones(requests), read)

    def came(self, requests: list[Request]) -> list[str]:
        """What came of each request: `answer`, a kind of failure, or `open`."""
        found = [self.settled(request) for request in requests]
        return [
            "open" if one is None else one.kind if isinstance(one, Failed) else "answer"
            for one in found
        ]
