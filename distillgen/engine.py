"""Fill a journal: ask the teacher for every request it does not hold yet."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import tenacity

from distillgen.budget import Purse
from distillgen.errors import BUDGET, PROVIDER, STORAGE, ParseError, UserError
from distillgen.journal import Journal, Ticket
from distillgen.outcomes import settle
from distillgen.pacing import Pace
from distillgen.prices import dollars
from distillgen.records import Completion, Request
from distillgen.sending import Ask, Sender, awaited
from distillgen.signals import Signals
from distillgen.stored import Outcome
from distillgen.triage import Verdict
from distillgen.wire import Teacher

SENT_AGAIN = ("unpaid", "unknown")
"""Verdicts after which another send may bring an outcome."""
UNPAID_SENDS, UNKNOWN_SENDS = 8, 2
"""Sends of one request in one process: surely unpaid ones, and those that may have been billed."""
FIRST_CONTACT_SENDS = 3
"""Tries to reach a server that has never answered."""
PROBES = 3
"""So many first requests may come back useless or refused before the run stops."""
OUTAGE = 10
"""So many give-ups in a row, without an answer between them, are an outage."""
PROBE_EVERY_S, OUTAGE_S = 30.0, 900.0


class Stop(NamedTuple):
    """Why the engine stopped before the end of the stream; what is not answered stays open."""

    reason: str
    """`budget`, `signal`, `provider` or `storage`."""
    message: str
    """What happened and what to do."""
    code: int
    """Exit code."""


Read = Callable[[Ask, Completion], object]
"""A stage's own reader; raises ParseError when the completion is of no use to it."""
Fill = Callable[[Iterable[Ask | None], Read], Stop | None]
"""What a stage is handed: `Engine.fill`."""


class _Again(Exception):
    """One send did not bring an outcome; another may."""


class _Left(Exception):
    """The run stops, or is about to; this request stays open."""


@dataclass
class _GivenUp:
    """A request that will have failed, unless this turns out to be an outage."""

    ask: Ask
    ticket: Ticket
    verdict: Verdict


class Engine:
    """One per process: the first lone request, the pace and the budget are shared by all stages."""

    def __init__(
        self,
        teacher: Teacher,
        journal: Journal,
        *,
        purse: Purse,
        pace: Pace,
        say: Callable[[str], None],
        resample: int = 1,
    ) -> None:
        """`say` takes lines for the user; `resample` is the number of further draws of a request
        whose reply cannot be read."""
        self.teacher, self.journal, self.purse, self.pace = teacher, journal, purse, pace
        self.say, self.resample = say, resample
        self._sender = Sender(teacher, journal, purse, pace)
        self.tally = self._sender.tally
        self._stop: Stop | None = None
        self._proven = False
        self._useless = 0
        self._paused = False
        self._runner: asyncio.Runner | None = None

    def fill(self, asks: Iterable[Ask | None], read: Read) -> Stop | None:
        """Ask for every request of the stream that the journal holds no outcome of.

        `None` in the stream means: nothing more until another outcome is committed. Returns None
        at the end of the stream, or why it stopped before. What the stream raises is raised here
        after what is in flight has landed.

        Raises:
            RuntimeError: the stream says `None` though nothing is under way.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        if not self._stop:
            self._runner.run(self._fill(iter(asks), read))
        return self._stop

    def close(self) -> None:
        """Let go of the teacher; the journal stays open."""
        if self._runner:
            self._runner.run(self._sender.close())
            self._runner.close()
            self._runner = None

    @property
    def stopped(self) -> bool:
        """Nothing more will be sent."""
        return self._stop is not None

    def halt(self, reason: str, message: str, code: int) -> None:
        """Send nothing more; what is in flight still lands."""
        self._stop = self._stop or Stop(reason, message, code)
        self._stopping.set()
        self._wake.set()

    # -- the loop --------------------------------------------------------------------------

    async def _fill(self, asks: Iterator[Ask | None], read: Read) -> None:
        self._read = read
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        self._given_up: list[_GivenUp] = []
        self._again: deque[Ask] = deque()
        self._crash: BaseException | None = None
        self._wake, self._stopping = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        self.journal.serve(loop)
        with Signals(loop, self) as signals:
            try:
                await self._pump(asks)
            finally:
                await self._land(signals)
        if self._crash:
            raise self._crash

    async def _land(self, signals: Signals) -> None:
        """See what is under way to its end, and all of it onto the disk."""
        try:
            await signals.drain(self._tasks, self._stop is not None)
            if not self._stop or self._stop.reason == "budget":
                await self._fail_given_up()
            await self._flushed()
        finally:
            self.journal.serve(None)

    async def _pump(self, asks: Iterator[Ask | None]) -> None:
        """Start a task for each request that may be under way, until the stream ends."""
        held: Ask | None = None
        ended = False
        while not self._stop:
            blocked = False
            while not blocked and self._room():
                if held is None:
                    held, ended, blocked = self._next(asks, ended)
                if held and self._begin(held):
                    held = None
                else:
                    blocked = True
            if len(self._given_up) >= OUTAGE:
                await self._sit_out()
            elif self._tasks:
                await self._wake.wait()
                self._wake.clear()
            elif held or self._again:
                continue
            elif self._given_up and not self._proven:
                await self._refused_for_all(self._given_up[-1].verdict)
            elif self._given_up:
                await self._fail_given_up()
            elif ended:
                return
            else:
                raise RuntimeError("the stage waits for an outcome, and nothing is under way")

    def _next(self, asks: Iterator[Ask | None], ended: bool) -> tuple[Ask | None, bool, bool]:
        """The next request to begin, whether the stream has ended, whether it waits."""
        if self._again:
            return self._again.popleft(), ended, False
        for ask in () if ended else asks:
            if ask is None:
                return None, False, True
            if ask.request.key not in self._busy:
                return ask, False, False
        return None, True, True

    def _room(self) -> bool:
        if self._stop or len(self._given_up) >= OUTAGE:
            return False
        if not self._proven:
            return not self._tasks
        return len(self._tasks) < 4 * self.pace.most and self.pace.has_room()

    def _begin(self, ask: Ask) -> bool:
        """Start the task of one request; False when the budget must first settle, or is out."""
        if not self.purse.reserve(ask.request):
            if not self._tasks:
                self._out_of_budget(ask.request)
            return False
        self.pace.take()
        self._busy.add(ask.request.key)
        task = asyncio.get_running_loop().create_task(self._one(ask))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return True

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._wake.set()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, UserError):
            self.halt("storage" if error.code == STORAGE else "provider", str(error), error.code)
        else:
            self._crash = error
            self.halt("bug", repr(error), STORAGE)

    def _out_of_budget(self, request: Request) -> None:
        limit, worst = self.purse.money.limit or 0, self.purse.worst(request) or 0
        self.halt(
            "budget",
            f"the limit of {dollars(limit)} would be passed by the next request"
            f" (up to {dollars(worst)}; {dollars(self.purse.money.spent)} spent)",
            BUDGET,
        )

    async def _sit_out(self) -> None:
        """An outage: give-ups go back to open; wait, try one request, go on when it is answered."""
        while self._tasks:
            await self._wake.wait()
            self._wake.clear()
        if not self._given_up:
            return
        self._paused = True
        loop = asyncio.get_running_loop()
        over_at = loop.time() + OUTAGE_S
        detail = self._given_up[-1].verdict.detail
        self.say(f"no answer {OUTAGE} times in a row ({detail}): paused, one try every 30 s")
        while len(self._given_up) and not self._stop:
            self._again.extend(g.ask for g in self._given_up)
            self._given_up.clear()
            if loop.time() > over_at:
                self.halt("provider", f"no answer for 15 minutes ({detail})", PROVIDER)
                break
            self.tally.state = "paused until the teacher answers again"
            await self._sleep(PROBE_EVERY_S, raising=False)
            if not self._stop and self._begin(self._again.popleft()):
                await asyncio.wait(set(self._tasks))
        self._paused, self.tally.state = False, ""

    # -- one request -----------------------------------------------------------------------

    async def _one(self, ask: Ask) -> None:
        """See one request through its sends and waves to an outcome."""
        key = ask.request.key
        try:
            outcomes = self.journal.look(key)
            if outcomes and self._settled(ask, outcomes):
                return  # while it waited for its turn, an equal request was answered
            wave = outcomes.index(None) if None in outcomes else len(outcomes)
            while (completion := await self._answered(ask, wave)) is not None:
                if not self._wants_another(ask, completion, wave) or self._stop:
                    return
                wave += 1
                await self._berth(ask)
        except _Left:
            return
        finally:
            self._busy.discard(key)

    def _settled(self, ask: Ask, outcomes: Sequence[Outcome | None]) -> bool:
        def read(completion: Completion) -> object:
            return self._read(ask, completion)

        return settle(outcomes, read, self.resample) is not None

    def _wants_another(self, ask: Ask, completion: Completion, wave: int) -> bool:
        """Read a reply as the stage will; True when it is useless and another may be drawn."""
        try:
            self._read(ask, completion)
        except ParseError as error:
            self.tally.useless += 1
            if not self._proven:
                self._useless += 1
                if self._useless >= PROBES:
                    self._halt_useless(error, completion)
            return error.another_draw_may_help and wave < self.resample
        self._proven = True
        return False

    def _halt_useless(self, error: ParseError, completion: Completion) -> None:
        said = " ".join(completion.text.split())[:80]
        self.halt(
            "provider",
            f"the first {PROBES} replies are of no use ({error.detail}); the last one begins"
            f" {said!r}. Mend the prompt, raise --max-tokens or take another teacher;"
            " --dry-run shows the prompts",
            PROVIDER,
        )

    async def _answered(self, ask: Ask, wave: int) -> Completion | None:
        """Send until there is an outcome. None: failed, or left open."""
        ticket, verdict = await self._send(ask, wave)
        if verdict.state in SENT_AGAIN:
            ticket, verdict = await self._repeated(ask, wave, (ticket, verdict))
        if verdict.completion is not None:
            self.tally.answered += 1
            await self._fail_given_up()
            return verdict.completion
        if verdict.state == "fatal":
            return None
        given_up = _GivenUp(ask, ticket, verdict)
        if verdict.state == "refused":
            await self._fail(given_up)
        else:
            await self._give_up(given_up)
        return None

    async def _repeated(
        self, ask: Ask, wave: int, first: tuple[Ticket, Verdict]
    ) -> tuple[Ticket, Verdict]:
        """Send again until there is an outcome, or enough: the one retry loop.

        Takes what the first send brought, and returns what the last one did.
        """
        sends = [first]
        counts: Counter[str] = Counter()
        with suppress(_Again):
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(_Again),
                stop=lambda _: self._enough(sends[-1][1], counts),
                wait=lambda state: self._wait_s(state, sends[-1][1]),
                sleep=self._sleep,
                reraise=True,
            ):
                with attempt:
                    if counts:
                        await self._berth(ask)
                        self.tally.repeated += 1
                        sends.append(await self._send(ask, wave))
                    if (state := sends[-1][1].state) in SENT_AGAIN:
                        counts[state] += 1
                        raise _Again
        return sends[-1]

    async def _send(self, ask: Ask, wave: int) -> tuple[Ticket, Verdict]:
        """Note one attempt, send it, commit what came. A berth is held on entry, and given back.

        A refused wire form is changed, and the request sent again. What is fatal stops the run
        before the berth is free for another request.
        """
        while True:
            try:
                sent = await self._sender.once(ask, wave, self._stopping)
                if sent is None:
                    raise _Left
                verdict = sent.verdict
                if verdict.state == "fatal":
                    await self._refused_for_all(verdict)
            finally:
                self.purse.release(ask.request)
                self.pace.free()
                self._wake.set()
            await sent.landed
            if verdict.state == "form" and self._sender.weaken(
                sent.form, ask.request, verdict, proven=self._proven
            ):
                await self._berth(ask)
                continue
            if verdict.slow_down and self.pace.slow_down(verdict.wait_s):
                self.say(
                    f"the teacher asks to slow down ({verdict.detail}): "
                    f"{int(self.pace.limit)} in flight. Nothing is lost."
                )
            elif verdict.state == "answered":
                self.pace.went_well()
            return sent.ticket, verdict

    async def _berth(self, ask: Ask) -> None:
        """Wait for a slot and set the money aside; without money the request waits its turn."""
        if self._stop:
            raise _Left
        await self.pace.wait_for_slot()
        if self._stop or not self.purse.reserve(ask.request):
            self.pace.free()
            self._again.append(ask)
            raise _Left

    # -- giving up -------------------------------------------------------------------------

    def _enough(self, verdict: Verdict, counts: Mapping[str, int]) -> bool:
        first_contact = not self._proven and verdict.failure == "connection"
        return (
            verdict.final
            or self._paused
            or counts["unknown"] >= UNKNOWN_SENDS
            or counts["unpaid"] >= (FIRST_CONTACT_SENDS if first_contact else UNPAID_SENDS)
        )

    def _wait_s(self, state: tenacity.RetryCallState, verdict: Verdict) -> float:
        """Full jitter from 1 s to 60 s, never before the server's own Retry-After."""
        reaching = verdict.failure == "connection" and not self._proven
        jitter = tenacity.wait_random_exponential(multiplier=1, max=1 if reaching else 60)
        return max(verdict.wait_s, jitter(state))

    async def _sleep(self, seconds: float, raising: bool = True) -> None:
        """Wait, unless the run stops before."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        if raising:
            raise _Left

    async def _give_up(self, given_up: _GivenUp) -> None:
        """Remember a request that will have failed once another is answered."""
        self._given_up.append(given_up)
        verdict = given_up.verdict
        if self._proven:
            return
        if verdict.failure == "connection" or len(self._given_up) >= PROBES:
            await self._refused_for_all(verdict)

    async def _refused_for_all(self, verdict: Verdict) -> None:
        """Stop the run for a cause that is the same for every request.

        Nothing is sent any more while the teacher is asked for an explanation.
        """
        if not self._stop:
            self.halt("provider", verdict.detail, PROVIDER)
            message = await self.teacher.explain(verdict.status, verdict.detail)
            self._stop = Stop("provider", message, PROVIDER)

    async def _fail_given_up(self) -> None:
        given_up, self._given_up = self._given_up, []
        await self._fail(*given_up)

    async def _fail(self, *given_up: _GivenUp) -> None:
        """Give requests the final state *failed*, and wait until that is durable."""
        self.tally.failed += len(given_up)
        for one in given_up:
            self.journal.fail(one.ticket, one.verdict.failure, one.verdict.detail)
        if given_up:
            await self._flushed()

    async def _flushed(self) -> None:
        flushed, done = awaited()
        self.journal.then(done)
        try:
            await flushed
        except UserError as error:
            self.halt("storage", str(error), error.code)
