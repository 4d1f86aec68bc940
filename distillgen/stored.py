"""Read what a journal holds: outcomes, places, attempts, and the sums over them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from distillgen.commits import Value, translated
from distillgen.errors import STORAGE, FailureKind, UserError
from distillgen.records import Request, Usage

VERSION = 1
CHUNK = 32
"""So many requests are looked up at once; a reply may be long, and all of them are in memory."""


OUTCOMES = """
SELECT key, state, raw, failure, detail FROM asked LEFT JOIN body ON body.attempt = asked.attempt
WHERE key IN ({}) ORDER BY key, wave
"""

REPLIES = """
SELECT json, raw, teacher, url, form, sent, ended, status, input, cached, output, model
FROM asked JOIN request ON request.asked = asked.id JOIN attempt ON attempt.id = asked.attempt
    JOIN body ON body.attempt = attempt.id
WHERE key = ? AND asked.state = 'answered' ORDER BY wave
"""


class Outcome(NamedTuple):
    """The final state of one draw (wave) of a request: answered, or failed."""

    body: bytes | None = None
    """The raw body of an answered request."""
    failure: FailureKind | None = None
    """The kind of a failed one."""
    detail: str = ""
    """What was said about the failure, without time, port or provider id."""


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


class Used(NamedTuple):
    """What one teacher was asked, and what it took."""

    teacher: str
    """`provider:model`, as in requests."""
    model: str
    """A model that answered, as the API resolved the name."""
    answered: int
    """Attempts that brought a reply."""
    failed: int
    """Attempts that brought none."""
    usage: Usage
    cost: int | None
    """Nanodollars; None where a price is not known."""
    first: float
    """When the first request was sent, in seconds since 1970."""
    last: float
    """When the last reply came."""
    wait_s: float
    """Mean time to a reply."""


class Stored:
    """The journal of a run, open to read; any process may, while another writes.

    Raises:
        UserError: there is none, or it is damaged or of another version (exit code 5).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: AbstractContextManager[object] = nullcontext()
        """Held while it is read: by whoever reads through the connection that writes."""
        with translated(path):
            self._read = self._opened()

    def look(self, key: str) -> list[Outcome | None]:
        """The outcomes of a request by wave; None where that wave is open."""
        return self.outcomes([key])[0]

    def outcomes(self, keys: Sequence[str]) -> list[list[Outcome | None]]:
        """The same of up to `CHUNK` requests at once, in their order."""
        wanted = [bytes.fromhex(key) for key in keys]
        padded = wanted + wanted[-1:] * (CHUNK - len(wanted) if len(wanted) > 1 else 0)
        found: dict[bytes, list[Outcome | None]] = {key: [] for key in wanted}
        sql = OUTCOMES.format(", ".join("?" * len(padded)))
        for key, state, raw, failure, detail in self._rows(sql, tuple(padded)):
            found[key].append(None if state == "open" else Outcome(raw, failure, detail or ""))
        return [found[key] for key in wanted]

    def replies(self, key: str) -> list[tuple]:  # type: ignore[type-arg]
        """Every reply to a request, by wave, with its attempt: as `TAKEN` writes them."""
        return self._rows(REPLIES, (bytes.fromhex(key),))

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

    def lineages(self, key: str) -> Iterator[tuple[str, str]]:
        """Key and lineage of every place, in order, of the newest sequence that asked a request."""
        found = self._rows(
            "SELECT sequence FROM place WHERE sequence IN"
            " (SELECT sequence FROM place JOIN asked ON asked.id = place.asked WHERE key = ?)"
            " GROUP BY sequence ORDER BY MAX(asked) DESC LIMIT 1",
            (bytes.fromhex(key),),
        )
        last, rows = -1, found
        while found and rows:
            rows = self._rows(
                "SELECT i, key, lineage FROM place JOIN asked ON asked.id = place.asked"
                " WHERE sequence = ? AND i > ? ORDER BY i LIMIT 1000",
                (found[0][0], last),
            )
            for _, asked, lineage in rows:
                yield asked.hex(), lineage
            last = rows[-1][0] if rows else last

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

    def used(self) -> list[Used]:
        """What each teacher was asked, in the order of their first requests."""
        rows = self._rows(
            "SELECT teacher, MAX(model), COUNT(*) FILTER (WHERE state = 'answered'),"
            " COUNT(*) FILTER (WHERE state NOT IN ('answered', 'in_flight')),"
            " COALESCE(SUM(input), 0), COALESCE(SUM(cached), 0), COALESCE(SUM(output), 0),"
            " CASE WHEN COUNT(*) FILTER (WHERE state = 'answered' AND cost IS NULL) THEN NULL"
            " ELSE COALESCE(SUM(cost), 0) END,"
            " MIN(sent), COALESCE(MAX(ended), MAX(sent)),"
            " COALESCE(AVG(ended - sent) FILTER (WHERE state = 'answered'), 0)"
            " FROM attempt GROUP BY teacher ORDER BY MIN(id)",
        )
        return [
            Used(
                teacher=row[0], model=row[1] or "", answered=row[2], failed=row[3],
                usage=Usage(input_tokens=row[4], cached_tokens=row[5], output_tokens=row[6]),
                cost=row[7], first=row[8], last=row[9], wait_s=row[10],
            )
            for row in rows
        ]  # fmt: skip

    def states(self) -> dict[str, int]:
        """Requests by state, `answered`, `failed` and `open`; each wave counts."""
        rows = self._rows("SELECT state, COUNT(*) FROM asked GROUP BY state")
        return {"answered": 0, "failed": 0, "open": 0} | {state: int(n) for state, n in rows}

    def means(self, lineage: str | None) -> tuple[float, float] | None:
        """Mean tokens in and out of the answered attempts at places whose lineage begins so.

        With None of those that have no place.
        """
        places = "SELECT asked FROM place"
        which = f"NOT IN ({places})" if lineage is None else f"IN ({places} WHERE lineage LIKE ?)"
        row = self._rows(
            "SELECT AVG(input + cached), AVG(output) FROM attempt WHERE state = 'answered'"
            f" AND asked {which}",
            () if lineage is None else (f"{lineage}%",),
        )[0]
        return (float(row[0]), float(row[1])) if row[0] else None

    def any(self) -> bool:
        """Whether anything was ever asked."""
        return bool(self._rows("SELECT 1 FROM attempt LIMIT 1"))

    def in_flight(self) -> int:
        """Attempts under way: of the process that holds the run, seen from any other."""
        return int(self._rows("SELECT COUNT(*) FROM attempt WHERE state = 'in_flight'")[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._read.close()

    # -- inside ----------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise UserError(f"{self.path}: no journal; has this run asked anything yet?")
        # At rest there is no log, and nothing need be written to read, on a full disk neither.
        log = self.path.with_name(f"{self.path.name}-wal")
        at_rest = "" if log.exists() and log.stat().st_size else "&immutable=1"
        read = connect(f"file:{quote(str(self.path.absolute()))}?mode=ro{at_rest}")
        check_version(self.path, read)
        return read

    def _rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with translated(self.path), self._lock:
            return self._read.execute(sql, values).fetchall()


def connect(uri: str, *, alone: bool = False) -> sqlite3.Connection:
    """A connection without Python's own transactions; `alone` keeps every other process out."""
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    if alone:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def check_version(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a journal that another version of distillgen wrote.

    Raises:
        UserError: it is one.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise UserError(
            f"{path}: a journal of version {version}, this distillgen reads {VERSION}."
            " Nothing was changed; use the distillgen that wrote it, or -o for another folder",
            STORAGE,
        )
