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
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from distillgen.commits import KEPT, Commits, Done, reserve_of, set_aside
from distillgen.errors import STORAGE, FailureKind, UserError
from distillgen.records import Request, Usage
from distillgen.stored import VERSION, Outcome, Stored, check_version, connect

NO_USAGE = Usage()
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


class Journal(Stored):
    """The journal of one run folder, made if it is not there; one process writes it (`folder.py`).

    Raises:
        UserError: the file is damaged, of another version, or cannot be written (exit code 5).
    """

    def __init__(self, path: Path) -> None:
        self.left_in_flight = 0
        """Attempts that a dead process left in flight: now of unknown outcome."""
        self.taken = 0
        """Requests whose replies came from the journals of `reuse`."""
        self._others: list[Stored] = []
        self._taken: dict[str, list[Outcome | None]] = {}
        self._noted = bytearray()
        """Of a journal that began empty: which beginnings of keys were noted since, by 22 bits."""
        super().__init__(path)

    def outcomes(self, keys: Sequence[str]) -> list[list[Outcome | None]]:
        """As `Stored`; what nothing came of yet is looked for in the journals of `reuse`."""
        if not (self._others or any(map(self._may_hold, keys))):
            return [[] for _ in keys]
        found = super().outcomes(keys)
        if self._others:
            for n, (key, outcomes) in enumerate(zip(keys, found, strict=True)):
                if not any(outcomes):
                    found[n] = self._taken.get(key) or self._take(key) or outcomes
        return found

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
        self._others.append(Stored(path))

    def _take(self, key: str) -> list[Outcome | None]:
        """Copy the replies to a request from the first other journal that has any."""
        there = bytes.fromhex(key)
        rows = next(filter(None, (other.replies(key) for other in self._others)), [])
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
        self._writing.close()
        self._writing.connection.close()
        super().close()
        for other in self._others:
            other.close()

    # -- inside ----------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        fresh = not self.path.exists()
        set_aside(reserve_of(self.path))
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        uri = f"file:{quote(str(self.path.absolute()))}"
        write, shared = _connect_to_write(uri)
        try:
            if fresh or not write.execute("SELECT 1 FROM sqlite_master").fetchone():
                write.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
            check_version(self.path, write)
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
            self._writing = Commits(self.path, write, STATEMENTS)
            if shared:
                return connect(uri)
            self._lock = self._writing.lock  # what is not committed is not there
            return write
        except BaseException:
            write.close()
            raise

    def _may_hold(self, key: str) -> bool:
        return not self._noted or bool(self._noted[int(key[:6], 16) >> 2])

    def _next_attempt(self) -> int:
        self._attempt += 1
        return self._attempt


def _connect_to_write(uri: str) -> tuple[sqlite3.Connection, bool]:
    """A connection with write-ahead logging, and whether others may be opened beside it.

    Network file systems have no shared memory for the log's index; whoever has the file to itself
    needs none.
    """
    connection = connect(uri)
    try:
        if _wal(connection):
            return connection, True
    except sqlite3.OperationalError:
        pass
    connection.close()
    connection = connect(uri, alone=True)
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
