"""Keep people's decisions in `reviews.jsonl`: durable before they are confirmed, never changed.

A decision is one line, appended in one write and fsynced under a lock, so that a page, an import
and a second page do not interleave. What stands in the file already is never written over: the
latest decision of each reviewer counts, the others are history.
"""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, get_args

from pydantic import ValidationError

from distillgen import files
from distillgen.errors import STORAGE, UserError
from distillgen.files import TornFile, translated
from distillgen.records import JSON, Decision, Review, digest

DECISIONS = frozenset(get_args(Decision))
NEW = "0"
"""The state of a record that nobody decided about."""


class Stale(Exception):
    """A decision was made on what is no longer so: read the record again, then decide."""

    def __init__(self, message: str, since: list[Review]) -> None:
        super().__init__(message)
        self.since = since
        """What was decided about the record in the meantime."""


class Mark(NamedTuple):
    """A line of the file, but for its texts."""

    reviewer: str
    decision: Decision
    settles: bool
    of: str
    """Digest of the texts that it is about; empty: of any."""
    state: str
    """Digest of this line and all before it about the same id."""
    fields: str
    """Digest of the texts that it brings; empty where there are none."""
    start: int
    """Where it begins in the file, in bytes."""
    size: int


class Standing(NamedTuple):
    """What counts of the decisions about a record."""

    said: dict[str, Mark]
    """By reviewer the latest `accept`, `edit` or `reject`."""
    settled: Mark | None
    """What holds where they differed; None once anybody decided after it."""
    skipped: frozenset[str]
    """Reviewers who passed it over and said nothing else."""

    @property
    def differ(self) -> bool:
        """Whether the reviewers' decisions are not the same, their texts included."""
        return len({(mark.decision, mark.fields) for mark in self.said.values()}) > 1


class Decisions:
    """The decisions of a run. About 500 bytes of memory for each; their texts stay on disk."""

    def __init__(self, path: Path) -> None:
        """Reads the file; a missing one holds none.

        Raises:
            UserError: a line cannot be read.
        """
        self.path = path
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        self._marks: dict[str, list[Mark]] = {}
        self.log: list[str] = []
        """The record's id of each line; another list once the file is another."""
        self._end = self._line = 0
        self._inode: int | None = None
        self._names: dict[str, str] = {}

    # -- reading -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Take in what others appended; cheap where nothing is new."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._forget()
            return
        if (found.st_ino, found.st_size) == (self._inode, self._end):
            return
        with self._open(fcntl.LOCK_SH) as file:
            self._catch_up(file)

    def ids(self) -> Iterator[str]:
        """Of every record that anything was said of."""
        return iter(self._marks)

    def __contains__(self, id: object) -> bool:
        """Whether there is a line about a record with this id."""
        return id in self._marks

    def __len__(self) -> int:
        """Lines, of all decisions."""
        return len(self.log)

    def reviewers(self) -> list[str]:
        """Everybody who decided anything, by name."""
        return sorted(self._names)

    def history(self, id: str) -> list[Review]:
        """All lines about a record, in their order, those taken back too."""
        return [self.read(mark) for mark in self._marks.get(id, ())]

    def standing(self, id: str, of: str = "") -> Standing:
        """What counts of the decisions about a record with these texts (`texts.of`).

        Decisions about other texts under the same id do not; without `of`, all do. What was settled
        holds until somebody decides again.
        """
        live: list[Mark] = []
        for mark in self._marks.get(id, ()):
            if of and mark.of not in ("", of):
                continue
            if mark.decision != "undo":
                live.append(mark)
            elif (place := _last(live, mark.reviewer)) is not None:
                del live[place]
        decided = [m for m in live if m.decision != "skip"]
        said = {m.reviewer: m for m in decided if not m.settles}
        settled = decided[-1] if decided and decided[-1].settles else None
        skipped = {m.reviewer for m in live if m.decision == "skip"} - said.keys()
        return Standing(said, settled, frozenset(skipped))

    def latest(self, id: str, of: str = "") -> dict[str, Review]:
        """By reviewer the decision that counts; see `standing`."""
        return {name: self.read(mark) for name, mark in self.standing(id, of).said.items()}

    def read(self, mark: Mark) -> Review:
        """The whole line."""
        with self.path.open("rb") as file:
            file.seek(mark.start)
            found = _parse(file.read(mark.size))
        assert found is not None
        return found

    def last(self, id: str) -> Mark | None:
        """The last line about a record, whatever it says."""
        marks = self._marks.get(id)
        return marks[-1] if marks else None

    def version(self, id: str, of: str) -> str:
        """What is shown with a record, and comes back with the decision that is made on it."""
        marks = self._marks.get(id)
        return f"{of}.{marks[-1].state if marks else NEW}"

    # -- writing -----------------------------------------------------------------------------

    def decide(self, review: Review, of: str, *, alone: bool = False, sync: bool = True) -> Review:
        """Append a decision about a record whose texts are `of` now; on disk when this returns, or
        without `sync` after the next `sync()`.

        `review.version` says what it was made on; an empty one is taken as it is. The same decision
        sent twice is written once. `alone`: the reviewer is not to know what others say, so that
        only the reviewer's own lines since then make it stale; those that settle a conflict and
        those that do not are nothing to each other.

        Raises:
            Stale: the texts changed, somebody decided since, or there is nothing to take back.
            UserError: the disk is full or fails; nothing was written.
        """
        with self._open(fcntl.LOCK_EX) as file:
            self._mend(file)
            self._catch_up(file)
            if found := self._repeated(review):
                return found
            self._refuse_stale(review, of, alone)
            if review.decision == "undo" and not self._has_live(review, of):
                raise Stale("there is nothing of yours to take back", [])
            version = review.version or self.version(review.id, of)
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            done = review.model_copy(update={"version": version, "at": now})
            self._append(file, files.dumps(done.row()) + b"\n", sync)
            self._catch_up(file)
        return done

    def sync(self) -> None:
        """Have everything on the disk that was decided without it."""
        if self.path.exists():
            with self._open(fcntl.LOCK_EX) as file, translated(self.path):
                os.fsync(file)

    def _repeated(self, review: Review) -> Review | None:
        """The same decision, if it is the reviewer's last about the record, made on the same."""
        marks = [m for m in self._marks.get(review.id, ()) if m.reviewer == review.reviewer]
        if not marks or not review.version:
            return None
        last = self.read(marks[-1])
        return last if last == review.model_copy(update={"at": last.at}) else None

    def _refuse_stale(self, review: Review, of: str, alone: bool) -> None:
        if not review.version:
            return
        about, _, state = review.version.partition(".")
        if about != of:
            raise Stale("the record is no longer as it was shown", [])
        since = self.since(review.id, state)
        others = [mark for mark in since if not alone or _meets(mark, review)]
        if others:
            who = others[-1].reviewer or "somebody"
            lines = [self.read(mark) for mark in others]
            raise Stale(f"{who} decided about it in the meantime", lines)

    def since(self, id: str, state: str) -> list[Mark]:
        """The lines about a record after this state; all, if it was never in it here."""
        marks = self._marks.get(id, [])
        places = [n for n, mark in enumerate(marks) if mark.state == state]
        return marks[places[0] + 1 :] if places else marks

    def _has_live(self, review: Review, of: str) -> bool:
        standing = self.standing(review.id, of)
        settled = standing.settled is not None and standing.settled.reviewer == review.reviewer
        return settled or review.reviewer in standing.said or review.reviewer in standing.skipped

    # -- the file ----------------------------------------------------------------------------

    @contextmanager
    def _open(self, lock: int) -> Iterator[int]:
        """The file, locked; it is the one that stands there once the lock is ours."""
        while True:
            with translated(self.path):
                is_new = not self.path.exists()
                if lock == fcntl.LOCK_EX:
                    file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
                else:
                    file = os.open(self.path, os.O_RDONLY)
                if is_new:
                    _sync_folder(self.path.parent)
            try:
                fcntl.flock(file, lock)
                if self.path.exists() and os.path.samestat(os.fstat(file), self.path.stat()):
                    yield file
                    return
            finally:
                os.close(file)

    def _catch_up(self, file: int) -> None:
        """Take in the lines from where we are to the end."""
        found = os.fstat(file)
        if found.st_ino != self._inode or found.st_size < self._end:
            self._forget()
            self._inode = found.st_ino
        with os.fdopen(os.dup(file), "rb") as lines:
            lines.seek(self._end)
            for raw in lines:
                if not self._take(raw):
                    break

    def _take(self, raw: bytes) -> bool:
        """Count a line; False if it is the last and cut off."""
        line = raw.strip(b"\0\r\n\t ")
        try:
            review = _parse(line) if line else None
        except files.NotJSON as error:
            if not raw.endswith(b"\n"):
                warnings.warn(
                    f"{self.path}: the last line is cut off, and left out: a decision that was not"
                    " yet confirmed",
                    TornFile,
                    stacklevel=2,
                )
                return False
            raise self._wrong(f"not JSON ({error})") from error
        except ValueError as error:
            raise self._wrong(str(error)) from error
        if review:
            self._count(review, line, self._end + raw.index(line))
        self._end += len(raw)
        self._line += raw.endswith(b"\n")
        return True

    def _wrong(self, what: str) -> UserError:
        return UserError(f"{self.path}:{self._line + 1}: {what}; mend or remove it")

    def _count(self, review: Review, line: bytes, start: int) -> None:
        marks = self._marks.setdefault(review.id, [])
        self.log.append(review.id)
        before = marks[-1].state if marks else NEW
        name = self._names.setdefault(review.reviewer, review.reviewer)
        state = sha256(before.encode() + line).hexdigest()[:12]
        about = review.version.partition(".")[0]
        fields = digest(review.fields)[:12] if review.fields else ""
        marks.append(
            Mark(name, review.decision, review.settles, about, state, fields, start, len(line))
        )

    def _mend(self, file: int) -> None:
        """End the file with a whole line: a torn one is moved to `reviews.torn`, not lost."""
        size = os.fstat(file).st_size
        start, tail = _tail(file, size)
        if not tail:
            return
        line = tail.strip(b"\0\r\n\t ")
        try:
            if line:
                files.row(line)
            whole = bool(line)
        except ValueError:
            whole = False
        with translated(self.path):
            if whole:
                os.write(file, b"\n")
                return
            torn = os.open(self.path.with_suffix(".torn"), os.O_WRONLY | os.O_APPEND | os.O_CREAT,
                           0o600)  # fmt: skip
            try:
                os.write(torn, tail + b"\n")
                os.fsync(torn)
            finally:
                os.close(torn)
            os.ftruncate(file, start)

    def _append(self, file: int, line: bytes, sync: bool) -> None:
        """Write a line and have it on the disk, or leave the file as it was."""
        before = os.fstat(file).st_size
        with translated(self.path):
            try:
                if os.write(file, line) < len(line):
                    raise UserError(f"{self.path}: cannot be written: the disk is full", STORAGE)
                if sync:
                    os.fsync(file)
            except (OSError, UserError):
                os.ftruncate(file, before)
                raise


def _meets(mark: Mark, review: Review) -> bool:
    """Whether a line is one that this decision would go before."""
    same = mark.settles == review.settles or mark.decision == "undo"
    return same and mark.reviewer == review.reviewer


def _last(live: list[Mark], reviewer: str) -> int | None:
    """The place of a reviewer's last line."""
    return max((n for n, mark in enumerate(live) if mark.reviewer == reviewer), default=None)


def _parse(line: bytes) -> Review | None:
    """A line, ours or written by hand; None if it holds no decision.

    Raises:
        ValueError: it cannot be read; `NotJSON` if it is no JSON at all.
    """
    with suppress(ValidationError):
        return Review.model_validate_json(line)  # ours; a third of the time of what follows
    row: dict[str, JSON] = files.row(line)
    if str(row.get("decision")) not in DECISIONS or row.get("id") is None:
        return None
    known = {name: row[name] for name in Review.model_fields if row.get(name) is not None}
    try:
        return Review.model_validate({**known, "id": str(row["id"])})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ValueError(f"`{where}`: {fault['msg'].lower()}") from error


def _tail(file: int, size: int) -> tuple[int, bytes]:
    """Where the last line begins, and what stands of it, if it has no end."""
    start, found = size, b""
    while start and b"\n" not in found:
        step = min(start, 1 << 16)
        start -= step
        found = os.pread(file, step, start) + found
    cut = found.rfind(b"\n") + 1
    return start + cut, found[cut:]


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
