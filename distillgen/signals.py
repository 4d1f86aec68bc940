"""Stop a run on Ctrl-C, SIGTERM or SIGHUP: once lets what is in flight land, twice does not."""

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

from distillgen.errors import INTERRUPTED, TERMINATED

if TYPE_CHECKING:
    from distillgen.engine import Engine

DRAIN_S = 20.0
"""What is in flight may take so long; Slurm and Kubernetes kill 30 s after SIGTERM."""
HANDLED = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED, signal.SIGHUP: TERMINATED}


class Signals:
    """A context in which signals stop an engine; elsewhere they keep their usual meaning."""

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: "Engine") -> None:
        self._loop, self._engine = loop, engine
        self._twice = asyncio.Event()
        self._main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Signals":
        for number in HANDLED if self._main else ():
            self._loop.add_signal_handler(number, self._came, number)
        return self

    def __exit__(self, *error: object) -> None:
        for number in HANDLED if self._main else ():
            self._loop.remove_signal_handler(number)

    def _came(self, number: signal.Signals) -> None:
        if self._engine.stopped:
            self._twice.set()
            return
        in_flight = self._engine.tally.in_flight
        name = "Ctrl-C" if number == signal.SIGINT else number.name
        self._engine.halt("signal", f"by {name}", HANDLED[number])
        self._engine.say(
            f"stopping: {in_flight} under way and perhaps paid for; waiting for them, at most"
            f" {DRAIN_S:.0f} s. Ctrl-C again: stop now; they may be billed and asked again."
        )

    async def drain(self, tasks: "set[asyncio.Task[None]]", stopping: bool) -> None:
        """Wait for what is under way: to its end, or when the run stops for 20 s at most."""
        deadline = self._loop.time() + DRAIN_S
        while tasks and not self._twice.is_set():
            stopping = stopping or self._engine.stopped
            left = deadline - self._loop.time() if stopping else None
            if left is not None and left <= 0:
                break
            twice = asyncio.ensure_future(self._twice.wait())
            await asyncio.wait({*tasks, twice}, timeout=left, return_when="FIRST_COMPLETED")
            twice.cancel()
        for task in tuple(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tuple(tasks))
