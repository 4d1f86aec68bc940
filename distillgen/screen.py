"""Say on the terminal what happens, in one grammar for all commands; words go to stderr.

What will happen → live, at most three lines → the ledger → money → two results to read → files →
the next command. Plain lines take the place of the live area when stderr is no terminal.
"""

import os
import re
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from distillgen import show

if TYPE_CHECKING:
    from distillgen.records import Answer
    from distillgen.sending import Tally

WIDTH = 80
GAP = re.compile(r"\s{2,}")
"""What parts two figures of the live area."""
PLAIN_EVERY_S = 30.0
"""Pause between two lines of progress where nobody watches them move."""
SIGN_OF_LIFE_S = 2.0
"""The same in `demo`, which must never look dead."""


class Screen:
    """The user's terminal; `quiet` leaves errors only."""

    def __init__(self, *, quiet: bool = False, plain_every_s: float = PLAIN_EVERY_S) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, width=_width())
        self.plain_every_s = plain_every_s
        self._words: Callable[[], str] | None = None
        self._fetching = ""

    def say(self, line: str = "") -> None:
        """A line, or several; never taken for markup, nor broken where it would not paste."""
        self.console.print(Text(show.visible(line)), soft_wrap=True)

    def hang(self, line: str) -> None:
        """A line of words, broken at the width, with its first column left free."""
        width = min(WIDTH, self.console.width)
        self.say(textwrap.fill(line, width, subsequent_indent=" " * 9, break_on_hyphens=False))

    def error(self, message: str) -> None:
        """What went wrong; shown even when quiet."""
        print(show.visible(message), file=sys.stderr)

    @contextmanager
    def live(
        self, stage: str, total: int, tally: "Tally", done: Callable[[], int]
    ) -> Iterator[None]:
        """Show how a stage gets on, while the context lasts."""
        started, first = time.monotonic(), done()
        before = (tally.sends, tally.failed)

        def words() -> str:
            if self._fetching and not tally.sends:
                return self._fetching
            n, seconds = done(), time.monotonic() - started
            line = f"{stage:<8} {n:,} of {total:,}   {tally.sends - before[0]:,} requests"
            line += f"   {tally.in_flight} in flight   {_clock(seconds)}"
            if n > first and n < total:
                line += f", {_clock(seconds / (n - first) * (total - n))} left"
            tokens = tally.input_tokens + tally.cached_tokens, tally.output_tokens
            line += f"\n         {short(tokens[0])} tokens in, {short(tokens[1])} out"
            if tally.failed > before[1]:
                line += f"   {tally.failed - before[1]} failed"
            return line + (f"\n         {tally.state}" if tally.state else "")

        with self._moving(words):
            yield

    @contextmanager
    def counting(self, stage: str, done: Callable[[], int]) -> Iterator[None]:
        """Show how many records a stage without a teacher has gone through."""
        started = time.monotonic()
        with self._moving(
            lambda: f"{stage}   {done():,} records   {_clock(time.monotonic() - started)}"
        ):
            yield

    def weights(self, done: int, total: int, words: str) -> None:
        """How far the weights of the embedded teacher are here."""
        if done >= total or total == 0:
            self._fetching = f"loading the embedded teacher ({words})"
        else:
            bar = "━" * round(20 * done / total)
            self._fetching = (
                f"fetching its weights once   {bar:╌<20} {done / total:.0%}"
                f"   {done / 1e6:,.0f} of {total / 1e6:,.0f} MB\n         {words}"
            )

    def first_pair(self, pair: "Answer") -> None:
        """The first pair, before the rest is asked for."""
        self.say("\n  the first pair:")
        self.pairs([pair], lines=3)

    def pairs(self, records: Iterable["Answer"], lines: int | None = None) -> None:
        """Records to read, set in from the left."""
        for block in show.blocks(records, WIDTH - 4, lines):
            self.say("\n".join(f"    {line}" for line in block.splitlines()) + "\n")

    @contextmanager
    def _moving(self, words: Callable[[], str]) -> Iterator[None]:
        """Rewritten lines on a terminal; a plain line now and then elsewhere."""
        if self.console.is_terminal and not self.console.quiet:
            with Live(
                get_renderable=lambda: Text(words(), no_wrap=True, overflow="ellipsis"),
                console=self.console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            ):
                yield
            return
        over = threading.Event()
        plain = threading.Thread(target=self._plain, args=(words, over), daemon=True)
        plain.start()
        try:
            yield
        finally:
            over.set()
            plain.join()

    def _plain(self, words: Callable[[], str], over: threading.Event) -> None:
        while not over.wait(self.plain_every_s):
            at = time.strftime("%H:%M:%S")
            self.say(f"{at}  {re.sub(GAP, ' · ', words())}")


def short(n: int) -> str:
    """1234567 as people say it.

    >>> short(950), short(12_345), short(3_400_000)
    ('950', '12.3 k', '3.40 M')
    """
    if n < 1000:
        return str(n)
    return f"{n / 1000:.1f} k" if n < 1_000_000 else f"{n / 1e6:.2f} M"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _width() -> int | None:
    return None if sys.stderr.isatty() and "COLUMNS" not in os.environ else WIDTH
