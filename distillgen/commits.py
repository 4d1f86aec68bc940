"""Write rows to a SQLite file that survives power cuts, many in one commit.

Rows are collected while the commit before them is on its way to the disk (group commit), so that
`synchronous=FULL` costs one flush for many rows. The statements run in the thread that adds the
rows; a second thread does nothing but wait for the disk. Were the statements run there, it would
fight for the interpreter's lock at each row.
"""

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from distillgen.errors import STORAGE, UserError
from distillgen.files import REASONS, private

RESERVE = 1 << 20
"""Bytes set aside on disk, freed when it is full, so that what is in flight still lands."""
KEPT = "Nothing stored is lost; make room or mend the disk, then run the same command again"
MOST_WAITING = 512
"""Rows that may wait while nobody asks for them to be written."""

SWITCH_S = 0.0005
"""Seconds for which one thread may keep the interpreter while another waits for it. Python's own
5 ms would make each commit of a busy loop take 10 ms, most of it not for the disk."""

LEISURE_S = 0.005
"""What nobody waits for, such as a reply, waits so long for what somebody does: the note of the
request that follows it. One commit then does for both."""

Value = bytes | str | int | float | None
Done = Callable[[BaseException | None], None]
"""Called when what was added is durable, or cannot be."""


class _Batch:
    """Rows of one commit, and who waits for them."""

    def __init__(self, statements: Iterable[str]) -> None:
        self.rows: dict[str, list[tuple[Value, ...]]] = {text: [] for text in statements}
        self.count = 0
        self.dones: list[Done] = []
        self.wanted = False
        """Somebody waits for it."""


class Commits:
    """The one writer of a file whose reserve is set aside; commits come in the order of the calls.

    Within one commit the statements run in the order in which they were declared.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, statements: list[str]) -> None:
        self.path, self.connection = path, connection
        self.full = False
        """The disk ran full: the reserve is freed for what is in flight."""
        self.lock = threading.Lock()
        """Held while rows are written that are not committed yet."""
        self._statements = statements
        self._waiting = _Batch(statements)
        self._broken: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._disk = ThreadPoolExecutor(1, "journal")
        self._switch_s = sys.getswitchinterval()
        self._inode = path.stat().st_ino
        self._reserve = reserve_of(path)

    def serve(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Commit from now on whatever this loop's thread adds.

        With None it waits for `flush`.
        """
        sys.setswitchinterval(SWITCH_S if loop else self._switch_s)
        self._at_ease()
        self._loop = loop
        with self.lock:  # what is on its way to the disk arrives first
            self._busy = False
        self._wake()

    def add(self, statement: str, values: tuple[Value, ...]) -> None:
        """Have a row written with the next commit."""
        self._waiting.rows[statement].append(values)
        self._waiting.count += 1
        if self._loop:
            self._wake()
        elif self._waiting.count > MOST_WAITING:
            self.flush()

    def then(self, done: Done, *, at_leisure: bool = False) -> None:
        """Call `done` when all that was added before is durable, or cannot be.

        The commit begins as soon as the disk is free for it, `at_leisure` a little later.
        """
        self._waiting.dones.append(done)
        self._waiting.wanted |= not at_leisure
        self._wake()

    def flush(self) -> None:
        """Commit what waits, and return when it is durable.

        Raises:
            UserError: it could not be written.
        """
        self.lock.acquire()
        batch, self._waiting = self._waiting, _Batch(self._statements)
        error = self._land(batch, self._written(batch))
        for done in batch.dones:
            done(error)
        if error:
            raise error

    def alone(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Run statements in a commit of their own, after what waits."""
        self.flush()
        with self.lock, translated(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                write(self.connection)
                self.connection.execute("COMMIT")
            finally:
                self._roll_back()

    def close(self) -> None:
        """Commit what waits, and let the reserve go."""
        self.serve(None)
        self._disk.shutdown()
        with suppress(Exception):  # whoever waited for it was told
            self.flush()
        self._reserve.unlink(missing_ok=True)

    # -- one commit ------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._loop or self._busy or not (self._waiting.count or self._waiting.dones):
            return
        if self._waiting.wanted:
            self._busy = True
            self._loop.call_soon(self._begin)
        elif not self._timer:
            self._timer = self._loop.call_later(LEISURE_S, self._due)

    def _due(self) -> None:
        self._timer = None
        self._waiting.wanted = True
        self._wake()

    def _at_ease(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._at_ease()
        self.lock.acquire()
        batch, self._waiting = self._waiting, _Batch(self._statements)
        failed = self._written(batch)
        self._disk.submit(self._landed, batch, failed)

    def _landed(self, batch: _Batch, failed: BaseException | None) -> None:
        error = self._land(batch, failed)

        def over() -> None:
            self._busy = False
            for done in batch.dones:
                done(error)
            self._wake()

        if loop := self._loop:
            loop.call_soon_threadsafe(over)
        else:
            over()

    def _written(self, batch: _Batch) -> BaseException | None:
        """Run the statements of a commit; what went wrong, if anything."""
        if self._broken or not batch.count:
            return self._broken
        try:
            with translated(self.path):
                try:
                    there = os.stat(self.path).st_ino == self._inode
                except FileNotFoundError:
                    there = False
                if not there:
                    raise UserError(f"{self.path}: the journal was removed during the run", STORAGE)
            self._run(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it
            return error
        return None

    def _run(self, batch: _Batch) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for statement, rows in batch.rows.items():
            if rows:
                self.connection.executemany(statement, rows)

    def _land(self, batch: _Batch, failed: BaseException | None) -> BaseException | None:
        """Commit what was written; when the disk is full, once more in the room of the reserve."""
        try:
            with translated(self.path):
                try:
                    if failed:
                        raise failed
                    if batch.count:
                        self.connection.execute("COMMIT")
                except sqlite3.OperationalError as error:
                    self._roll_back()
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL or self.full:
                        raise
                    self.full = True
                    self._reserve.unlink(missing_ok=True)
                    self._run(batch)
                    self.connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001
            self._broken = error
        finally:
            self._roll_back()
            self.lock.release()
        return self._broken

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")


def reserve_of(path: Path) -> Path:
    """Where the reserve of a file stands."""
    return path.with_suffix(".reserve")


def set_aside(path: Path) -> None:
    """Take the reserve's room on disk; on a disk without it leave nothing behind."""
    try:
        with open(path, "wb", opener=private) as file:
            file.write(bytes(RESERVE))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


class translated:
    """SQLite's and the system's errors as what the user can do about them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = REASONS.get(error.errno or 0, error.strerror or str(error))
            raise UserError(f"{self.path}: {reason}. {KEPT}", STORAGE) from error
        if isinstance(error, sqlite3.OperationalError):
            raise UserError(f"{self.path}: {error}. {KEPT}", STORAGE) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise UserError(
                f"{self.path}: damaged ({error}). Nothing was changed; put a copy back, or keep"
                " the file aside and start anew with -o",
                STORAGE,
            ) from error
