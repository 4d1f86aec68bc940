"""Let a person begin at once: of a large file the first records, while all others are read."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from distillgen.errors import UserError
from distillgen.review.desk import Desk

FIRST = 2 << 20
"""Bytes of answers that are read before the page is there: some 30 ms, and an hour's work."""


class Opening:
    """A desk, for one at a time; what was opened in part is opened whole meanwhile."""

    def __init__(self, desk: Desk, when_broken: Callable[[], None]) -> None:
        """`when_broken` is told, in another thread, if the rest cannot be read."""
        self._desk, self._when_broken = desk, when_broken
        self._lock = threading.Lock()
        self._all = Future[Desk]()
        if desk.pile.partial:
            threading.Thread(target=self._read, daemon=True).start()
        else:
            self._all.set_result(desk)

    def _read(self) -> None:
        try:
            desk = Desk(self._desk.path, self._desk.setting)
            desk.decisions.refresh()
            desk.fates()  # half of 100,000 decided take a second
            self._all.set_result(desk)
        except UserError as error:
            self._all.set_exception(error)
            self._when_broken()

    @contextmanager
    def first(self) -> Iterator[Desk]:
        """The desk as it is now: with the first records, or with all.

        Raises:
            UserError: the answers cannot be read, or not any more.
        """
        with self._lock:
            if self._all.done():
                self._desk = self._all.result()
            if self._desk.stale:
                self._desk.open()
            yield self._desk

    @contextmanager
    def whole(self) -> Iterator[Desk]:
        """The desk with all records, as soon as they are read.

        Raises:
            UserError: they cannot be read.
        """
        self._all.result()
        with self.first() as desk:
            yield desk

    def check(self) -> None:
        """Say what is wrong with the answers, as far as they are read.

        Raises:
            UserError: they cannot be read.
        """
        if self._all.done():
            self._all.result()
