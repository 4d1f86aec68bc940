"""Decide how many requests may be under way, and when the next may be sent."""

import asyncio
import re
import resource
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from aiolimiter import AsyncLimiter

from distillgen.records import Request

SHARE = 0.98
"""So much of a limit is used: clocks differ, and requests do not arrive as evenly as they leave."""
OTHER_FILES = 40
"""Files that a process may have open beside its connections: the journal, what it writes, pipes."""
RARE, REMEMBERED = 0.1, 200
"""Once the rate was cut, 429s cut it again only if they are at least a tenth of the last 100 to 200
outcomes. A server that sends fewer does not mind the rate, and would cut it down to nothing."""
COOL_DOWN_S = 15.0
"""After a 429 the number in flight does not grow for this long, or for Retry-After."""


class Pace:
    """Slots for what is in flight, and gates for when it may be sent.

    Where a server states limits (or the user gives them), sends are spread evenly over the
    minute. For servers that state nothing: additive increase, multiplicative decrease (x0.8 on a
    429, +5 % a round), the rule that TCP uses (Chiu and Jain 1989).
    """

    def __init__(
        self, concurrency: int, rpm: float | None = None, tpm: float | None = None
    ) -> None:
        self.most = concurrency
        """Never more than this in flight."""
        self.limit = float(concurrency)
        """How many may be in flight now."""
        self.used = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.closed_until = 0.0
        """Monotonic time before which nothing is sent."""
        self._grow_from = 0.0
        self._answers = self._slow_downs = 0.0
        self._since_growth = 0
        self._requests = _limiter(rpm)
        self._tokens = _limiter(tpm)
        self._given = (rpm is not None, tpm is not None)
        self._stated: dict[str, float] = {}

    def has_room(self) -> bool:
        """A slot is free and nobody waits for it."""
        return not self.waiting and self.used < max(1, int(self.limit))

    def take(self) -> None:
        """Take a slot at once."""
        self.used += 1

    async def wait_for_slot(self) -> None:
        """Take a slot when one is free, in turn."""
        if self.has_room():
            self.take()
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        await turn

    def free(self) -> None:
        """Give a slot back."""
        self.used -= 1
        while self.waiting and self.used < max(1, int(self.limit)):
            turn = self.waiting.popleft()
            if not turn.done():
                self.used += 1
                turn.set_result(None)

    async def gate(self, request: Request, stopping: asyncio.Event) -> None:
        """Wait until the limits let a request be sent, or the run stops."""
        if self._requests:
            await self._requests.acquire()
        left = self._tokens and float(estimated_tokens(request))
        while self._tokens and left:
            piece = min(left, self._tokens.max_rate)
            await self._tokens.acquire(piece)
            left -= piece
        await self.opened(stopping)

    async def opened(self, stopping: asyncio.Event) -> None:
        """Wait until the last Retry-After is over, or the run stops."""
        while (wait_s := self.closed_until - time.monotonic()) > 0 and not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), wait_s)

    def slow_down(self, wait_s: float) -> bool:
        """A 429 came; True when it begins a new episode, and the rate was cut."""
        now = time.monotonic()
        self.closed_until = max(self.closed_until, now + wait_s)
        self._count(slow_downs=1)
        rare = self._slow_downs < RARE * (self._slow_downs + self._answers)
        if now < self._grow_from or (rare and self._grow_from):
            return False
        self._grow_from = now + max(wait_s, COOL_DOWN_S)
        self.limit = max(1.0, min(self.limit, self.used) * 0.8)
        return True

    def went_well(self) -> None:
        """A request was answered: grow by 5 % a round once the cool-down is over."""
        self._count(answers=1)
        if self.limit >= self.most or time.monotonic() < self._grow_from:
            return
        self._since_growth += 1
        if self._since_growth >= self.limit:
            self._since_growth = 0
            self.limit = min(float(self.most), max(self.limit * 1.05, self.limit + 1))

    def _count(self, answers: int = 0, slow_downs: int = 0) -> None:
        self._answers += answers
        self._slow_downs += slow_downs
        if self._answers + self._slow_downs > REMEMBERED:
            self._answers, self._slow_downs = self._answers / 2, self._slow_downs / 2

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take up the limits that a reply states, unless the user gave their own."""
        for name, given in (("requests", self._given[0]), ("tokens", self._given[1])):
            text = headers.get(f"x-ratelimit-limit-{name}", "")
            if not text or given or not re.fullmatch(r"\d{1,12}(\.\d+)?", text) or float(text) <= 0:
                continue
            if self._stated.get(name) != float(text):
                self._stated[name] = float(text)
                setattr(self, f"_{name}", _limiter(float(text)))


def estimated_tokens(request: Request) -> int:
    """Tokens that a provider counts against its limit: prompt and the most it may answer."""
    return request.tokens + int(request.terms.sampling.get("max_tokens", 0))


def within_open_files(concurrency: int) -> int:
    """How many of so many connections this process may open.

    The limit of open files is raised as far as it goes without the system's permission.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = concurrency + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return concurrency
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return min(concurrency, max(1, most - OTHER_FILES))


def _limiter(per_minute: float | None) -> AsyncLimiter | None:
    """Even spread: at most a tenth of a second's worth at once, so that a bucket that the server
    fills as evenly never runs dry."""
    if per_minute is None:
        return None
    per_burst = SHARE * per_minute / 600
    return AsyncLimiter(per_burst, 0.1) if per_burst >= 1 else AsyncLimiter(1, 0.1 / per_burst)
