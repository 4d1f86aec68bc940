"""Keep every attempt and every reply of a run in one SQLite file that survives power cuts.

Told apart are what is asked (`asked`, one row a key and wave), what was sent (`attempt`), the raw
bodies (`body`) and the places of expand's sequence (`place`). Bodies and request texts stand in
tables of their own so that sums over attempts stay quick.

`commits.py` says how rows get there.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from distillgen.commits import (
    KEPT,
    Commits,
    Done,
    Value,
    reserve_of,
    set_aside,
    translated,
)
from distillgen.errors import STORAGE, FailureKind, UserError
from distillgen.records import Request, Usage

VERSION = 1
NO_USAGE = Usage()
CHUNK = 32
"""So many requests are looked up at once; a reply may be long, and all of them are in memory."""

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

OUTCOMES = """
SELECT key, state, raw, failure, detail FROM asked LEFT JOIN body ON body.attempt = asked.attempt
WHERE key IN ({}) ORDER BY key, wave
"""

ASKED = "INSERT OR IGNORE INTO asked (key, wave, state) VALUES (?, ?, 'open')"
ASKED_WHAT = """
INSERT OR IGNORE INTO request SELECT id, ?3 FROM asked WHERE key = ?1 AND wave = ?2
"""
SENT = """
INSERT INTO attempt (id, asked, state, teacher, url, form, sent, worst)
SELECT ?3, id, 'in_flight', ?4, ?5, ?6, ?7, ?8 FROM asked WHERE key = ?1 AND wave = ?2
"""
TAKEN = """
INSERT INTO attempt (id, asked, state, cost, teacher, url, form, sent, ended, status, input,
    cached, output, model)
SELECT ?3, id, 'answered', 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
FROM asked WHERE key = ?1 AND wave = ?2
"""
BOUND = """
INSERT OR IGNORE INTO place SELECT ?3, ?4, id, ?5 FROM asked WHERE key = ?1 AND wave = ?2
"""
ENDED = """
UPDATE attempt SET state = ?2, ended = ?3, status = ?4, cost = ?5, input = ?6, cached = ?7,
    output = ?8, model = ?9, problem = ?10, url = COALESCE(?11, url) WHERE id = ?1
"""
BODY = "INSERT OR REPLACE INTO body VALUES (?, ?)"
ANSWERED = "UPDATE asked SET state = 'answered', attempt = ?3 WHERE key = ?1 AND wave = ?2"
FAILED = "UPDATE asked SET state = 'failed', failure = ?3, detail = ?4 WHERE key = ?1 AND wave = ?2"
STATEMENTS = [ASKED, ASKED_WHAT, SENT, TAKEN, BOUND, ENDED, BODY, ANSWERED, FAILED]
"""What is written, in the order in which it happens to a request."""

AttemptState = Literal["in_flight", "answered", "unpaid", "unknown"]
"""How a send ended; `unknown` may have been billed though nothing usable came back."""


class Outcome(NamedTuple):
    """The final state of one draw (wave) of a request: answered, or failed."""

    body: bytes | None = None
    """The raw body of an answered request."""
    failure: FailureKind | None = None
    """The kind of a failed one."""
    detail: str = ""
    """What was said about the failure, without time, port or provider id."""


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

    key: bytes
    wave: int
    attempt: int


class Ended(NamedTuple):
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
        self.left_in_flight = 0
        """Attempts that a dead process left in flight: now of unknown outcome."""
        self.taken = 0
        """Requests whose replies came from the journals of `reuse`."""
        self._others: list[Journal] = []
        self._taken: dict[str, list[Outcome | None]] = {}
        self._commits: Commits | None = None
        self._noted = bytearray()
        """Of a journal that began empty: which beginnings of keys were noted since, by 22 bits."""
        with translated(path):
            if writable:
                self._open()
            else:
                self._open_to_read()

    # -- reading ---------------------------------------------------------------------------

    def look(self, key: str) -> list[Outcome | None]:
        """The outcomes of a request by wave; None where that wave is open."""
        return self.outcomes([key])[0]

    def outcomes(self, keys: Sequence[str]) -> list[list[Outcome | None]]:
        """The same of up to `CHUNK` requests at once, in their order.

        One that nothing came of yet is looked for in the journals of `reuse`.
        """
        if not keys:
            return []
        wanted = [bytes.fromhex(key) for key in keys]
        if not (self._others or any(map(self._may_hold, wanted))):
            return [[] for _ in keys]
        padded = wanted + wanted[-1:] * (CHUNK - len(wanted) if len(wanted) > 1 else 0)
        found: dict[bytes, list[Outcome | None]] = {key: [] for key in wanted}
        sql = OUTCOMES.format(", ".join("?" * len(padded)))
        for key, state, raw, failure, detail in self._rows(sql, tuple(padded)):
            found[key].append(None if state == "open" else Outcome(raw, failure, detail or ""))
        if self._others:
            for key, there in zip(keys, wanted, strict=True):
                if not any(found[there]):
                    found[there] = self._taken.get(key) or self._take(key) or found[there]
        return [found[key] for key in wanted]

    def at(self, sequence: str, i: int) -> tuple[Request, str] | None:
        """What place `i` of a sequence asked, as it was then, and its lineage; None if never."""
        rows = self._rows(
            "SELECT json, lineage FROM place JOIN request USING (asked)"
            " WHERE sequence = ? AND i = ?",
            (bytes.fromhex(sequence), i),
        )
        return (Request.parse(rows[0][0]), rows[0][1]) if rows else None

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
        return Request.parse(rows[0][0]) if rows else None

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
        if self._writing.full:
            raise UserError(f"{self.path}: the disk is full. {KEPT}", STORAGE)
        key = bytes.fromhex(request.key)
        if self._noted:
            self._noted[int.from_bytes(key[:3]) >> 2] = True
        ticket = Ticket(key, wave, self._next_attempt())
        add = self._writing.add
        add(ASKED, (key, wave))
        add(ASKED_WHAT, (key, wave, request.spelled))
        add(SENT, (*ticket, request.terms.teacher, url, form, time.time(), worst))
        if place:
            add(BOUND, (key, wave, bytes.fromhex(place.sequence), place.i, place.lineage))
        if done:
            self._writing.then(done)
        return ticket

    def end(self, ticket: Ticket, ended: Ended, done: Done | None = None) -> None:
        """Write how a send ended; `answered` gives the request its outcome in the same commit."""
        add, used, attempt = self._writing.add, ended.usage, ticket.attempt
        add(ENDED, (
            attempt, ended.state, time.time(), ended.status, ended.cost, used.input_tokens,
            used.cached_tokens, used.output_tokens, ended.model, ended.problem, ended.url or None,
        ))  # fmt: skip
        if ended.body is not None:
            add(BODY, (attempt, ended.body))
        if ended.state == "answered":
            add(ANSWERED, ticket)
        if done:
            self._writing.then(done, at_leisure=True)

    def fail(self, ticket: Ticket, kind: FailureKind, detail: str) -> None:
        """Give a request the final state *failed*."""
        self._writing.add(FAILED, (ticket.key, ticket.wave, kind, detail))

    def bind(self, place: Place, key: str) -> None:
        """Bind a place to a request that was asked before, in another sequence."""
        values = (bytes.fromhex(key), 0, bytes.fromhex(place.sequence), place.i, place.lineage)
        self._writing.add(BOUND, values)

    def reuse(self, path: Path) -> None:
        """Take replies from another run's journal, when they are wanted and are not here.

        They cost nothing here. What failed there may be asked here.
        """
        self._others.append(Journal(path, writable=False))

    def _take(self, key: str) -> list[Outcome | None]:
        """Copy the replies to a request from the first other journal that has any."""
        there = bytes.fromhex(key)
        rows = next(filter(None, (other._rows(REPLIES, (there,)) for other in self._others)), [])
        if not rows:
            return []
        for wave, (text, raw, *attempt) in enumerate(rows):
            ticket, add = Ticket(there, wave, self._next_attempt()), self._writing.add
            add(ASKED, (there, wave))
            add(ASKED_WHAT, (there, wave, text))
            add(TAKEN, (*ticket, *attempt))
            add(BODY, (ticket.attempt, raw))
            add(ANSWERED, ticket)
        self.taken += 1
        self._taken[key] = [Outcome(row[1]) for row in rows]

        def landed(_: BaseException | None) -> None:
            del self._taken[key]

        self._writing.then(landed, at_leisure=True)
        return self._taken[key]

    def reopen(self, keys: Iterable[str]) -> None:
        """Open requests again: a failed wave as it is, a useless reply by one more wave.

        Useful while nothing is in flight; it is durable on return.
        """

        def write(connection: sqlite3.Connection) -> None:
            for key in map(bytes.fromhex, keys):
                failed = connection.execute(
                    "UPDATE asked SET state = 'open', failure = NULL, detail = NULL"
                    " WHERE key = ? AND state = 'failed'",
                    (key,),
                )
                if failed.rowcount == 0:
                    connection.execute(
                        "INSERT INTO asked (key, wave, state) SELECT key, MAX(wave) + 1, 'open'"
                        " FROM asked WHERE key = ? HAVING SUM(state = 'open') = 0",
                        (key,),
                    )
            connection.execute(
                "INSERT INTO request SELECT new.id, json FROM asked new JOIN asked old"
                " ON old.key = new.key AND old.wave = 0 JOIN request ON request.asked = old.id"
                " WHERE new.id NOT IN (SELECT asked FROM request)"
            )

        self._writing.alone(write)

    def serve(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Commit from now on as the work in this loop needs it; with None, what is added waits."""
        self._writing.serve(loop)

    def then(self, done: Done) -> None:
        """Call `done` when everything that was written before is durable."""
        self._writing.then(done)

    def flush(self) -> None:
        """Return when everything that was written before is durable.

        Raises:
            UserError: it could not be written.
        """
        self._writing.flush()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        if self._commits:
            self._commits.close()
            self._commits.connection.close()
        self._read.close()
        for other in self._others:
            other.close()

    # -- inside ----------------------------------------------------------------------------

    @property
    def _writing(self) -> Commits:
        assert self._commits, f"{self.path} is open to read"
        return self._commits

    def _open_to_read(self) -> None:
        if not self.path.exists():
            raise UserError(f"{self.path}: no journal; has this run asked anything yet?")
        # At rest there is no log, and nothing need be written to read, on a full disk neither.
        log = self.path.with_name(f"{self.path.name}-wal")
        at_rest = "" if log.exists() and log.stat().st_size else "&immutable=1"
        self._read = _connect(f"file:{quote(str(self.path.absolute()))}?mode=ro{at_rest}")
        self._check_version()

    def _open(self) -> None:
        fresh = not self.path.exists()
        set_aside(reserve_of(self.path))
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        uri = f"file:{quote(str(self.path.absolute()))}"
        write, shared = _connect_to_write(uri)
        try:
            self._read = _connect(uri) if shared else write
            if fresh or not write.execute("SELECT 1 FROM sqlite_master").fetchone():
                write.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
            self._check_version()
            done = write.execute(
                "UPDATE attempt SET state = 'unknown', cost = worst, problem = 'the process ended'"
                " WHERE state = 'in_flight'"
            )
            self.left_in_flight = done.rowcount
            self._attempt = int(
                write.execute("SELECT COALESCE(MAX(id), 0) FROM attempt").fetchone()[0]
            )
            if not write.execute("SELECT 1 FROM asked LIMIT 1").fetchone():
                self._noted = bytearray(1 << 22)  # pages that are not written take no memory
            self._commits = Commits(self.path, write, STATEMENTS)
        except BaseException:
            write.close()
            raise

    def _check_version(self) -> None:
        version = self._read.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise UserError(
                f"{self.path}: a journal of version {version}, this distillgen reads {VERSION}."
                " Nothing was changed; use the distillgen that wrote it, or -o for another folder",
                STORAGE,
            )

    def _may_hold(self, key: bytes) -> bool:
        return not self._noted or bool(self._noted[int.from_bytes(key[:3]) >> 2])

    def _next_attempt(self) -> int:
        self._attempt += 1
        return self._attempt

    def _rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with translated(self.path):
            if self._commits and self._read is self._commits.connection:
                with self._commits.lock:  # what is not committed is not there
                    return self._read.execute(sql, values).fetchall()
            return self._read.execute(sql, values).fetchall()


def _connect(uri: str, *, alone: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    if alone:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _connect_to_write(uri: str) -> tuple[sqlite3.Connection, bool]:
    """A connection with write-ahead logging, and whether others may be opened beside it.

    Network file systems have no shared memory for the log's index; whoever has the file to itself
    needs none.
    """
    connection = _connect(uri)
    try:
        if _wal(connection):
            return connection, True
    except sqlite3.OperationalError:
        pass
    connection.close()
    connection = _connect(uri, alone=True)
    if not _wal(connection):
        connection.close()
        raise UserError(
            "this file system cannot hold a journal (SQLite's write-ahead log); name a folder on"
            " another disk with -o",
            STORAGE,
        )
    return connection, False


def _wal(connection: sqlite3.Connection) -> bool:
    mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # needs the log's index
    return mode == "wal"
