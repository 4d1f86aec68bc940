"""Keep every attempt and every reply of a run in one SQLite file that survives power cuts.

Told apart are what is asked (`asked`, one row a key and wave), what was sent (`attempt`), the raw
bodies (`body`) and the places of expand's sequence (`place`). Bodies and request texts stand in
tables of their own so that sums over attempts stay quick.

One thread writes. It commits everything that waits together (group commit), so `synchronous=FULL`
costs one flush for many rows; the order of the commits is the order of the calls.
"""

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from distillgen.errors import STORAGE, FailureKind, UserError
from distillgen.files import REASONS, private
from distillgen.records import Outcome, Request, Usage

VERSION = 1
NO_USAGE = Usage()
RESERVE = 1 << 20
"""Bytes set aside on disk, freed when it is full, so that what is in flight still lands."""
KEPT = "Nothing stored is lost; make room or mend the disk, then run the same command again"

SCHEMA = """
CREATE TABLE asked (id INTEGER PRIMARY KEY, key BLOB NOT NULL, wave INTEGER NOT NULL,
    state TEXT NOT NULL, attempt INTEGER, failure TEXT, detail TEXT, UNIQUE (key, wave));
CREATE TABLE request (asked INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE attempt (id INTEGER PRIMARY KEY, asked INTEGER NOT NULL, state TEXT NOT NULL,
    teacher TEXT NOT NULL, url TEXT NOT NULL, form TEXT NOT NULL, sent REAL NOT NULL, ended REAL,
    status INTEGER, worst INTEGER, cost INTEGER, input INTEGER, cached INTEGER, output INTEGER,
    model TEXT, problem TEXT);
CREATE TABLE body (attempt INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE place (sequence BLOB NOT NULL, i INTEGER NOT NULL, asked INTEGER NOT NULL,
    lineage TEXT NOT NULL, PRIMARY KEY (sequence, i)) WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (state) WHERE state = 'in_flight';
"""

REPLIES = """
SELECT json, raw, teacher, url, form, sent, ended, status, input, cached, output, model
FROM asked JOIN request ON request.asked = asked.id JOIN attempt ON attempt.id = asked.attempt
    JOIN body ON body.attempt = attempt.id
WHERE key = ? AND asked.state = 'answered' ORDER BY wave
"""

AttemptState = Literal["in_flight", "answered", "unpaid", "unknown"]
"""How a send ended; `unknown` may have been billed though nothing usable came back."""
Done = Callable[[BaseException | None], None]


class Place(NamedTuple):
    """A place in a sequence of requests, and how its request was drawn."""

    sequence: str
    """Digest of all that fixes the sequence, 64 hexadecimal digits."""
    i: int
    """Number of the place, from 0."""
    lineage: str
    """JSON that the strategy wrote: ids of the shown examples and the like."""


class Ticket(NamedTuple):
    """One noted attempt: the rows that its end will be written to."""

    asked: int
    attempt: int


@dataclass(frozen=True)
class Ended:
    """How one send ended."""

    state: AttemptState
    status: int | None = None
    """HTTP status, if any came."""
    body: bytes | None = None
    """The raw body, whatever it holds."""
    cost: int | None = None
    """Nanodollars; for `unknown` the worst case; None when the price is unknown."""
    usage: Usage = NO_USAGE
    model: str = ""
    problem: str = ""
    """What went wrong, in words."""
    url: str = ""
    """Which server it came from, if that was open when the attempt was noted."""


@dataclass(frozen=True)
class Spent:
    """What a run folder has cost so far, by the attempts in its journal."""

    cost: int
    """Nanodollars, attempts of unknown outcome at their worst case included."""
    maybe: int
    """The part of `cost` that stands for attempts of unknown outcome."""
    unknown: int
    """Number of attempts of unknown outcome: possibly paid twice."""
    unpriced: int
    """Number of answered attempts without a known price."""
    answered: int
    usage: Usage


class Journal:
    """The journal of one run folder; one process writes it (see `folder.py`), any may read.

    Raises:
        UserError: the file is damaged, of another version, or cannot be written (exit code 5).
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self.full = False
        """The disk ran full: the reserve is freed for what is in flight, nothing new is noted."""
        self.left_in_flight = 0
        """Attempts that a dead process left in flight: now of unknown outcome."""
        self.taken = 0
        """Requests whose replies came from the journals of `reuse`."""
        self._others: list[Journal] = []
        self._taken: dict[str, list[Outcome | None]] = {}
        self.notify: Callable[[list[tuple[Done, BaseException | None]]], None] = _call
        """Takes the finished calls of a commit; the engine moves them into its loop."""
        self._queue: queue.SimpleQueue[tuple[Callable[[], None], Done | None] | None]
        self._queue = queue.SimpleQueue()
        self._broken: BaseException | None = None
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        with _translated(path):
            self._open(writable)

    # -- reading ---------------------------------------------------------------------------

    def look(self, key: str) -> list[Outcome | None]:
        """The outcomes of a request by wave; None where that wave is open.

        One that nothing came of yet is looked for in the journals of `reuse`.
        """
        found = self._outcomes(key)
        if self._others and not any(found):
            return self._taken.get(key) or self._take(key) or found
        return found

    def _outcomes(self, key: str) -> list[Outcome | None]:
        rows = self._rows(
            "SELECT wave, state, raw, failure, detail FROM asked"
            " LEFT JOIN body ON body.attempt = asked.attempt WHERE key = ? ORDER BY wave",
            (bytes.fromhex(key),),
        )
        return [
            None
            if state == "open"
            else Outcome(wave=wave, body=raw, failure=failure, detail=detail or "")
            for wave, state, raw, failure, detail in rows
        ]

    def at(self, sequence: str, i: int) -> tuple[Request, str] | None:
        """What place `i` of a sequence asked, as it was then, and its lineage; None if never."""
        rows = self._rows(
            "SELECT json, lineage FROM place JOIN request USING (asked)"
            " WHERE sequence = ? AND i = ?",
            (bytes.fromhex(sequence), i),
        )
        return (Request.model_validate_json(rows[0][0]), rows[0][1]) if rows else None

    def places(self, sequence: str, start: int) -> int:
        """Number of places from `start` on that have an outcome."""
        rows = self._rows(
            "SELECT COUNT(*) FROM place JOIN asked ON asked.id = place.asked"
            " WHERE sequence = ? AND i >= ? AND state <> 'open'",
            (bytes.fromhex(sequence), start),
        )
        return int(rows[0][0])

    def asked(self, key: str) -> Request | None:
        """The request behind a key, or behind the first digits of one."""
        low, high = key.ljust(64, "0"), key.ljust(64, "f")
        rows = self._rows(
            "SELECT json FROM asked JOIN request ON request.asked = asked.id"
            " WHERE key BETWEEN ? AND ? LIMIT 1",
            (bytes.fromhex(low), bytes.fromhex(high)),
        )
        return Request.model_validate_json(rows[0][0]) if rows else None

    def attempts(self, key: str) -> list[dict[str, str | int | float | bytes | None]]:
        """Every send of a request, in order: for `trace`."""
        names = "wave, attempt.state, url, form, sent, ended, status, cost, model, problem, raw"
        rows = self._rows(
            f"SELECT {names} FROM asked JOIN attempt ON attempt.asked = asked.id"
            " LEFT JOIN body ON body.attempt = attempt.id WHERE key = ? ORDER BY attempt.id",
            (bytes.fromhex(key),),
        )
        return [
            dict(zip(names.replace("attempt.", "").split(", "), row, strict=True)) for row in rows
        ]

    def newest(self, teacher: str) -> tuple[str, str] | None:
        """Wire form and base URL of the newest answered attempt of a teacher."""
        rows = self._rows(
            "SELECT form, url FROM attempt WHERE state = 'answered' AND teacher = ?"
            " ORDER BY id DESC LIMIT 1",
            (teacher,),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def spent(self) -> Spent:
        """What the run folder has cost so far."""
        row = self._rows(
            "SELECT COALESCE(SUM(CASE state WHEN 'in_flight' THEN worst ELSE cost END), 0),"
            " COALESCE(SUM(cost) FILTER (WHERE state = 'unknown'), 0),"
            " COUNT(*) FILTER (WHERE state = 'unknown'),"
            " COUNT(*) FILTER (WHERE state = 'answered' AND cost IS NULL),"
            " COUNT(*) FILTER (WHERE state = 'answered'),"
            " COALESCE(SUM(input), 0), COALESCE(SUM(cached), 0), COALESCE(SUM(output), 0)"
            " FROM attempt",
        )[0]
        usage = Usage(input_tokens=row[5], cached_tokens=row[6], output_tokens=row[7])
        return Spent(row[0], row[1], row[2], row[3], row[4], usage)

    def states(self) -> dict[str, int]:
        """Requests by state, `answered`, `failed` and `open`; each wave counts."""
        rows = self._rows("SELECT state, COUNT(*) FROM asked GROUP BY state")
        return {"answered": 0, "failed": 0, "open": 0} | {state: int(n) for state, n in rows}

    def means(self, *, in_sequence: bool) -> tuple[float, float] | None:
        """Mean tokens in and out of the answered attempts; of expand's sequences, or of others."""
        which = "IN" if in_sequence else "NOT IN"
        row = self._rows(
            "SELECT AVG(input + cached), AVG(output) FROM attempt WHERE state = 'answered'"
            f" AND asked {which} (SELECT asked FROM place)"
        )[0]
        return (float(row[0]), float(row[1])) if row[0] else None

    def any(self) -> bool:
        """Whether anything was ever asked."""
        return bool(self._rows("SELECT 1 FROM attempt LIMIT 1"))

    def in_flight(self) -> int:
        """Attempts under way: of the process that holds the run, seen from any other."""
        return int(self._rows("SELECT COUNT(*) FROM attempt WHERE state = 'in_flight'")[0][0])

    # -- writing ---------------------------------------------------------------------------

    def note(
        self,
        request: Request,
        wave: int,
        *,
        url: str,
        form: str,
        worst: int | None,
        place: Place | None = None,
        done: Done | None = None,
    ) -> Ticket:
        """Note an attempt as in flight, before it is sent; `done` is called when that is durable.

        A place of a sequence, if given, is bound to the request in the same commit.

        Raises:
            UserError: the disk ran full; the room that is left is for what is in flight.
        """
        if self.full:
            raise UserError(f"{self.path}: the disk is full. {KEPT}", STORAGE)
        key = bytes.fromhex(request.key)
        known = self._noted.get((key, wave))  # looked at first: it goes when the row is there
        if known is None:
            rows = self._rows("SELECT id FROM asked WHERE key = ? AND wave = ?", (key, wave))
            known = rows[0][0] if rows else None
        if known is None:
            self._asked_id += 1
            self._noted[key, wave] = self._asked_id
        ticket = Ticket(known or self._asked_id, self._attempt_id)
        self._attempt_id += 1
        text = request.model_dump_json()

        def write() -> None:
            run = self._write.execute
            if known is None:
                run("INSERT INTO asked (id, key, wave, state) VALUES (?, ?, ?, 'open')",
                    (ticket.asked, key, wave))  # fmt: skip
                run("INSERT INTO request VALUES (?, ?)", (ticket.asked, text))
            run("INSERT INTO attempt (id, asked, state, teacher, url, form, sent, worst)"
                " VALUES (?, ?, 'in_flight', ?, ?, ?, ?, ?)",
                (ticket.attempt, ticket.asked, request.teacher, url, form, time.time(),
                 worst))  # fmt: skip
            if place:
                run("INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?)",
                    (bytes.fromhex(place.sequence), place.i, ticket.asked,
                     place.lineage))  # fmt: skip

        def noted(error: BaseException | None) -> None:
            self._noted.pop((key, wave), None)
            if done:
                done(error)

        self._queue.put((write, noted))
        return ticket

    def end(self, ticket: Ticket, ended: Ended, done: Done | None = None) -> None:
        """Write how a send ended; `answered` gives the request its outcome in the same commit."""

        def write() -> None:
            run, use = self._write.execute, ended.usage
            run("UPDATE attempt SET state = ?, ended = ?, status = ?, cost = ?, input = ?,"
                " cached = ?, output = ?, model = ?, problem = ?, url = COALESCE(?, url)"
                " WHERE id = ?",
                (ended.state, time.time(), ended.status, ended.cost, use.input_tokens,
                 use.cached_tokens, use.output_tokens, ended.model, ended.problem,
                 ended.url or None, ticket.attempt))  # fmt: skip
            if ended.body is not None:
                run("INSERT OR REPLACE INTO body VALUES (?, ?)", (ticket.attempt, ended.body))
            if ended.state == "answered":
                run("UPDATE asked SET state = 'answered', attempt = ? WHERE id = ?",
                    (ticket.attempt, ticket.asked))  # fmt: skip

        self._queue.put((write, done))

    def fail(
        self, ticket: Ticket, kind: FailureKind, detail: str, done: Done | None = None
    ) -> None:
        """Give a request the final state *failed*."""

        def write() -> None:
            self._write.execute(
                "UPDATE asked SET state = 'failed', failure = ?, detail = ? WHERE id = ?",
                (kind, detail, ticket.asked),
            )

        self._queue.put((write, done))

    def bind(self, place: Place, key: str) -> None:
        """Bind a place to a request that was asked before, in another sequence."""
        values = (bytes.fromhex(place.sequence), place.i, place.lineage, bytes.fromhex(key))

        def write() -> None:
            self._write.execute(
                "INSERT OR IGNORE INTO place SELECT ?1, ?2, id, ?3 FROM asked"
                " WHERE key = ?4 AND wave = 0",
                values,
            )

        self._queue.put((write, None))

    def reuse(self, path: Path) -> None:
        """Take replies from another run's journal, when they are wanted and are not here.

        They cost nothing here. What failed there may be asked here.
        """
        self._others.append(Journal(path, writable=False))

    def _take(self, key: str) -> list[Outcome | None]:
        """Copy the replies to a request from the first other journal that has any."""
        digest = bytes.fromhex(key)
        rows = next(filter(None, (other._rows(REPLIES, (digest,)) for other in self._others)), [])
        here = dict(self._rows("SELECT wave, id FROM asked WHERE key = ?", (digest,)))
        tickets = []
        for wave in range(len(rows)):
            if wave not in here:
                self._asked_id += 1
            tickets.append(Ticket(here.get(wave, self._asked_id), self._attempt_id))
            self._attempt_id += 1

        def write() -> None:
            run = self._write.execute
            for wave, (ticket, (text, raw, *attempt)) in enumerate(zip(tickets, rows, strict=True)):
                if wave not in here:
                    run("INSERT INTO asked (id, key, wave, state) VALUES (?, ?, ?, 'open')",
                        (ticket.asked, digest, wave))  # fmt: skip
                    run("INSERT INTO request VALUES (?, ?)", (ticket.asked, text))
                run("INSERT INTO attempt (id, asked, state, cost, teacher, url, form, sent, ended,"
                    " status, input, cached, output, model)"
                    " VALUES (?, ?, 'answered', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (ticket.attempt, ticket.asked, *attempt))  # fmt: skip
                run("INSERT INTO body VALUES (?, ?)", (ticket.attempt, raw))
                run("UPDATE asked SET state = 'answered', attempt = ? WHERE id = ?",
                    (ticket.attempt, ticket.asked))  # fmt: skip

        def written(_: BaseException | None) -> None:
            del self._taken[key]

        if rows:
            self.taken += 1
            self._taken[key] = [Outcome(wave=n, body=row[1]) for n, row in enumerate(rows)]
            self._queue.put((write, written))
        return self._taken.get(key, [])

    def reopen(self, keys: Iterable[str]) -> None:
        """Open requests again: a failed wave as it is, a useless reply by one more wave.

        Useful while nothing is in flight; waits until it is durable.
        """
        wanted = [bytes.fromhex(key) for key in keys]

        def write() -> None:
            for key in wanted:
                failed = self._write.execute(
                    "UPDATE asked SET state = 'open', failure = NULL, detail = NULL"
                    " WHERE key = ? AND state = 'failed'",
                    (key,),
                )
                if failed.rowcount == 0:
                    self._write.execute(
                        "INSERT INTO asked (key, wave, state) SELECT key, MAX(wave) + 1, 'open'"
                        " FROM asked WHERE key = ? HAVING SUM(state = 'open') = 0",
                        (key,),
                    )
            self._write.execute(
                "INSERT INTO request SELECT new.id, json FROM asked new JOIN asked old"
                " ON old.key = new.key AND old.wave = 0 JOIN request ON request.asked = old.id"
                " WHERE new.id NOT IN (SELECT asked FROM request)"
            )

        self._wait(write)
        self._asked_id = self._highest("asked")

    def barrier(self, done: Done) -> None:
        """Call `done` when everything that was written before is durable."""
        self._queue.put((lambda: None, done))

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        if self._writer:
            self._queue.put(None)
            self._writer.join()
            self._reserve.unlink(missing_ok=True)
        self._read.close()
        self._write.close()
        for other in self._others:
            other.close()

    # -- inside ----------------------------------------------------------------------------

    def _open(self, writable: bool) -> None:
        self._reserve = self.path.with_suffix(".reserve")
        if not writable:
            if not self.path.exists():
                raise UserError(f"{self.path}: no journal; has this run asked anything yet?")
            # At rest there is no log, and nothing need be written to read, on a full disk neither.
            log = self.path.with_name(f"{self.path.name}-wal")
            at_rest = "" if log.exists() and log.stat().st_size else "&immutable=1"
            self._read = self._write = _connect(f"file:{_quoted(self.path)}?mode=ro{at_rest}")
            self._check_version()
            return
        fresh = not self.path.exists()
        _set_aside(self._reserve)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._write = _connect(f"file:{_quoted(self.path)}")
        self._read = self._write
        if _wal(self._write):
            self._read = _connect(f"file:{_quoted(self.path)}")
        if fresh or not self._write.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._write.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        self._check_version()
        done = self._write.execute(
            "UPDATE attempt SET state = 'unknown', cost = worst, problem = 'the process ended'"
            " WHERE state = 'in_flight'"
        )
        self.left_in_flight = done.rowcount
        self._asked_id = self._highest("asked")
        self._attempt_id = self._highest("attempt") + 1
        self._noted: dict[tuple[bytes, int], int] = {}
        self._inode = self.path.stat().st_ino
        self._writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self._writer.start()

    def _check_version(self) -> None:
        version = self._read.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise UserError(
                f"{self.path}: a journal of version {version}, this distillgen reads {VERSION}."
                " Nothing was changed; use the distillgen that wrote it, or -o for another folder",
                STORAGE,
            )

    def _highest(self, table: str) -> int:
        return int(self._write.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()[0])

    def _rows(self, sql: str, values: tuple[bytes | int | str, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with _translated(self.path):
            if self._read is self._write:
                with self._lock:
                    return self._read.execute(sql, values).fetchall()
            return self._read.execute(sql, values).fetchall()

    def _wait(self, write: Callable[[], None]) -> None:
        over = threading.Event()
        errors: list[BaseException | None] = []

        def done(error: BaseException | None) -> None:
            errors.append(error)
            over.set()

        notify, self.notify = self.notify, _call
        self._queue.put((write, done))
        over.wait()
        self.notify = notify
        if errors[0]:
            raise errors[0]

    def _run(self) -> None:
        """The writer thread: commit whatever waits, together, until told to stop."""
        while (first := self._queue.get()) is not None:
            batch, stop = [first], False
            while not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    stop = True
                    break
                batch.append(item)
            error = self._commit([write for write, _ in batch])
            self.notify([(done, error) for _, done in batch if done])
            if stop:
                return

    def _commit(self, writes: list[Callable[[], None]]) -> BaseException | None:
        if self._broken:
            return self._broken
        try:
            with self._lock, _translated(self.path):
                if not self.path.exists() or self.path.stat().st_ino != self._inode:
                    raise UserError(f"{self.path}: the journal was removed during the run", STORAGE)
                try:
                    self._transaction(writes)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL or self.full:
                        raise
                    self.full = True
                    self._reserve.unlink(missing_ok=True)
                    self._transaction(writes)
        except UserError as error:
            self._broken = error
            return error
        return None

    def _transaction(self, writes: list[Callable[[], None]]) -> None:
        self._write.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                write()
            self._write.execute("COMMIT")
        except BaseException:
            if self._write.in_transaction:
                self._write.execute("ROLLBACK")
            raise


def _call(finished: list[tuple[Done, BaseException | None]]) -> None:
    for done, error in finished:
        done(error)


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _set_aside(path: Path) -> None:
    """Take the reserve's room on disk; on a disk without it leave nothing behind."""
    try:
        with open(path, "wb", opener=private) as file:
            file.write(bytes(RESERVE))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _wal(connection: sqlite3.Connection) -> bool:
    """Switch to write-ahead logging; False when this process must keep the file to itself.

    Network file systems have no shared memory for it; exclusive locking needs none.
    """
    try:
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
            return True
    except sqlite3.OperationalError:
        pass
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise UserError(
            f"this file system cannot hold a journal (SQLite's mode is `{mode}`);"
            " name a folder on another disk with -o",
            STORAGE,
        )
    return False


class _translated:
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
