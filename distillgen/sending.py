"""Send one request once: noted before, committed after, in the form that the server takes."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from distillgen import triage
from distillgen.budget import Purse
from distillgen.commits import Done
from distillgen.errors import UserError
from distillgen.journal import AttemptState, Ended, Journal, Place, Ticket
from distillgen.pacing import Pace
from distillgen.records import Request, Usage
from distillgen.triage import Verdict
from distillgen.wire import Form, Lost, Reply, Teacher

AT_ONCE = 4
"""Replies that are read in one round of the event loop."""


class Ask(NamedTuple):
    """A request that a stage wants to see answered, and the place in its sequence, if any."""

    request: Request
    place: Place | None = None


@dataclass
class Tally:
    """What a screen shows while the engine works; of this process alone."""

    answered: int = 0
    failed: int = 0
    sends: int = 0
    repeated: int = 0
    """Sends beyond the first of a request."""
    useless: int = 0
    """Replies that the stage could not read."""
    in_flight: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    models: set[str] = field(default_factory=set)
    state: str = ""
    """What the engine waits for, in words; empty when it simply works."""


class Sent(NamedTuple):
    """One send, and what it brought."""

    ticket: Ticket
    verdict: Verdict
    form: Form
    """The wire form that was sent."""
    landed: "asyncio.Future[None]"
    """Done when the end of the send is durable."""


class Turns:
    """Lets a few replies through in each round of the event loop.

    Replies come in bursts. Were a whole burst read before anything else is done, the requests that
    follow them would all leave late, and at once, and so make the next burst.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._left = AT_ONCE

    async def wait(self) -> None:
        """Return when it is this one's turn; at once when cancelled, as what came is paid for."""
        if not self._left:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            with suppress(asyncio.CancelledError):
                await turn
            return
        if self._left == AT_ONCE:
            asyncio.get_running_loop().call_soon(self._next)
        self._left -= 1

    def _next(self) -> None:
        self._left = AT_ONCE
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._left < AT_ONCE:
            asyncio.get_running_loop().call_soon(self._next)


class Sender:
    """A teacher, with the journal that its replies go to and the purse that pays for them."""

    def __init__(self, teacher: Teacher, journal: Journal, purse: Purse, pace: Pace) -> None:
        self.teacher, self.journal, self.purse, self.pace = teacher, journal, purse, pace
        self.tally = Tally()
        newest = journal.newest(teacher.name)
        self.form = self._first_form = Form.parse(newest[0]) if newest else Form()
        self._started = False
        self._turns = Turns()

    async def close(self) -> None:
        """Let go of the teacher, if it was ever started."""
        if self._started:
            await self.teacher.close()

    async def once(self, ask: Ask, wave: int, stopping: asyncio.Event) -> Sent | None:
        """Note an attempt, send it, hand what came to the journal; None if the run stops before.

        Raises:
            UserError: the teacher cannot be started, the attempt cannot be noted, or an image
                cannot be sent.
        """
        request, form = ask.request, self.form
        if not self._started:
            await self.teacher.start()
            self._started = True
        await self.pace.gate(request, stopping)
        if stopping.is_set():
            return None
        noted, done = awaited()
        worst = self.purse.worst(request)
        ticket = self.journal.note(
            request, wave, url=self.teacher.url, form=str(form), worst=worst,
            place=ask.place, done=done,
        )  # fmt: skip
        await noted
        await self.pace.opened(stopping)  # a 429 may have come while the attempt was noted
        if stopping.is_set():
            self.journal.end(ticket, Ended("unpaid", cost=0, problem="not sent: the run stopped"))
            return None
        reply: Reply | None = None
        self.tally.sends += 1
        self.tally.in_flight += 1
        try:
            reply = await self.teacher.send(request, request.seed(wave), form)
            await self._turns.wait()
            verdict = triage.of_reply(reply, request.length)
            self.pace.hear(reply.headers)
        except Lost as lost:
            verdict = triage.of_lost(lost)
        except UserError as error:
            self.journal.end(ticket, Ended("unpaid", cost=0, problem=str(error)))
            raise
        finally:
            self.tally.in_flight -= 1
        landed, done = awaited()
        self.journal.end(ticket, self._ended(verdict, reply, worst), done)
        return Sent(ticket, verdict, form, landed)

    def weaken(self, sent: Form, request: Request, verdict: Verdict, *, proven: bool) -> bool:
        """Change the wire form after a 400 that may be about it; True when it changed.

        Where no form helps, the form was not at fault: the next first request tries them anew.
        """
        if sent != self.form:
            return True
        weaker = self.form.weaker(request, verdict.detail, named_only=proven)
        self.form = weaker or (self.form if proven else self._first_form)
        return weaker is not None

    def _ended(self, verdict: Verdict, reply: Reply | None, worst: int | None) -> Ended:
        """How a send ended, its cost settled."""
        cost: int | None = 0
        usage, model = Usage(), ""
        state: AttemptState = "unpaid"
        if verdict.completion:
            usage, model = verdict.completion.usage, verdict.completion.model
            cost, state = self.purse.cost(usage), "answered"
            self.tally.input_tokens += usage.input_tokens
            self.tally.cached_tokens += usage.cached_tokens
            self.tally.output_tokens += usage.output_tokens
            self.tally.models.add(model)
        elif verdict.state == "unknown" or (verdict.state == "refused" and not reply):
            cost, state = worst, "unknown"
        self.purse.settle(cost)
        return Ended(
            state, reply.status if reply else None, reply.body if reply else None,
            cost, usage, model, verdict.detail, reply.url if reply else "",
        )  # fmt: skip


def awaited() -> tuple["asyncio.Future[None]", Done]:
    """A future, and the call that ends it."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(error: BaseException | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)

    return future, done
