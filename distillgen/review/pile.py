"""Open the records of a run at any place: an index of offsets, and what people filter by.

One walk over the answers and what lies beside them keeps some 400 bytes a record; the texts stay on
disk. A record that is shown is read from its offset, with the verdicts and scores on it.
"""

import gc
import math
import warnings
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from distillgen import answers, files, sidecars
from distillgen.errors import UserError
from distillgen.files import NotJSON, TornFile
from distillgen.records import JSON, Answer, Verdict, content_id
from distillgen.review import texts
from distillgen.review.search import lines_with
from distillgen.sidecars import CHECKS, COMPARISONS, SCORES

NOWHERE = 2**64 - 1


@dataclass(frozen=True)
class Filter:
    """Which records a person wants to see; what is empty asks for nothing."""

    failed: str = ""
    """The name of a check that it failed; `any` for one at least."""
    below: float | None = None
    """The teachers' agreement or the judge's score, 0 to 1, is lower."""
    topic: str = ""
    """Its topic, or one above it."""
    label: str = ""
    text: str = ""
    """A text that stands in one of its texts; upper and lower case are the same."""


@dataclass(frozen=True)
class Said:
    """What the judge said of the answer or of a candidate."""

    scores: Mapping[str, float]
    analysis: str
    judge: str
    candidate: int | None = None


@dataclass(frozen=True)
class Shown:
    """A record with all that was said of it."""

    place: int
    """From 0, in the file."""
    record: Answer
    of: str
    """Digest of its texts: what a decision is about."""
    checks: Mapping[str, Verdict] = field(default_factory=dict)
    judged: tuple[Said, ...] = ()
    """Of these texts alone."""
    better: tuple[tuple[int, int, int | None], ...] = ()
    """Two candidates that were compared, and which is better; None where that went by the order."""


class Pile:
    """The records of a file of answers, by their place from 0."""

    def __init__(self, path: Path, run: Path, most: float = math.inf) -> None:
        """Walks the file once, and what lies beside it in the run folder; with `most` only the
        records that begin in so many bytes.

        Raises:
            UserError: a line cannot be read.
        """
        self.path, self.run = path, run
        self._stamp = _stamp(path)
        self.partial = self._stamp[1] > most
        """Whether there are more records than these."""
        self._most = most
        self.ids: list[str] = []
        self.confidence = array("f")
        """The lowest of agreement, share of votes, and the judge's mean score; 0 to 1, else NaN."""
        self.label: list[str] = []
        self.topic: list[tuple[str, ...]] = []
        self.strategy: list[str] = []
        self.failed: list[tuple[str, ...]] = []
        """The checks that it failed."""
        self._starts = array("Q")
        self._places: dict[JSON, int | list[int]] = {}
        self._same: dict[Any, Any] = {}  # of every type that is kept
        with _no_collection():
            self._walk()
        self._beside = {name: array("Q", [NOWHERE]) * len(self.ids)
                        for name in (CHECKS, SCORES, COMPARISONS)}  # fmt: skip
        for name in self._beside:
            with _no_collection():
                self._join(name)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def changed(self) -> bool:
        """Whether another file stands there now: open it anew."""
        return _stamp(self.path) != self._stamp

    # -- opening: all of it is done 100,000 times before the first record is shown ------------

    def _walk(self) -> None:
        start = 0
        starts, ids = self._starts, self.ids
        with self.path.open("rb") as file:
            for n, raw in enumerate(file, 1):
                if start >= self._most:
                    return
                try:
                    row = orjson.loads(raw)
                except ValueError:  # more than orjson reads, blank, torn or broken
                    row = None
                if row.__class__ is not dict:
                    row = self._mended(raw, n)
                if row is not None:
                    found = row.get("id") or _content_id(row)
                    id = found if isinstance(found, str) else str(found)
                    if (before := self._places.setdefault(id, len(ids))) != len(ids):
                        same = before if isinstance(before, list) else [before]
                        self._places[id] = [*same, len(ids)]
                    ids.append(id)
                    starts.append(start)
                    self._take(row)
                start += len(raw)

    def _mended(self, raw: bytes, n: int) -> dict[str, JSON] | None:
        """The row of a line that is not as usual; None where it holds none."""
        line = raw.strip(b"\0\r\n\t ")
        try:
            return files.row(line) if line else None
        except ValueError as error:
            if isinstance(error, NotJSON) and not raw.endswith(b"\n"):
                said = f"{self.path}: the last line is cut off, and left out"
                warnings.warn(said, TornFile, stacklevel=2)
                return None
            raise UserError(f"{self.path}:{n}: {error}; mend or remove it") from error

    def _take(self, row: dict[str, JSON]) -> None:
        """What people filter by; equal values are one object."""
        once = self._same.setdefault
        lowest = math.nan
        for one in (row.get("agreement"), row.get("vote_share")):
            if isinstance(one, int | float) and not one >= lowest:
                lowest = one
        scores = row.get("scores")
        if isinstance(scores, dict) and scores and not (share := _share(scores)) >= lowest:
            lowest = share
        self.confidence.append(lowest)
        label, strategy = str(row.get("label") or ""), str(row.get("strategy") or "")
        topic = tuple(map(str, found)) if isinstance(found := row.get("topic"), list) else ()
        self.label.append(once(label, label))
        self.topic.append(once(topic, topic))
        self.strategy.append(once(strategy, strategy))
        checks = row.get("checks")
        self.failed.append(self._failing(checks) if checks else ())

    def _failing(self, checks: JSON) -> tuple[str, ...]:
        told = checks.items() if isinstance(checks, dict) else ()
        names = [name for name, one in told if isinstance(one, dict) and one.get("passed") is False]
        return self._same.setdefault(tuple(names), tuple(names)) if names else ()

    def _join(self, name: str) -> None:
        """Where each record's lines begin in a file beside, and what they say for filters."""
        path, starts = self.run / name, self._beside[name]
        if not path.exists():
            return
        start = 0
        with path.open("rb") as file:
            for n, raw in enumerate(file):
                if name == CHECKS and _passed(raw, self.ids, n):
                    starts[n] = start
                    start += len(raw)
                    continue
                try:
                    row = orjson.loads(raw)
                    place = self._places.get(row["id"])
                    if place.__class__ is not int:
                        place = self.place(str(row["id"]), row["line"])
                except (ValueError, KeyError, TypeError):
                    place = None  # `check` and `judge` write it anew
                if place is None and self.partial:
                    return  # the lines follow the order of the records
                if place is not None:
                    starts[place] = min(starts[place], start)
                    self._learn(name, place, row)
                start += len(raw)

    def _learn(self, name: str, place: int, row: dict[str, JSON]) -> None:
        if name == CHECKS:
            self.failed[place] = self._failing(row.get("checks"))
        elif name == SCORES and row.get("candidate") is None and row["scores"]:
            share = _share(row["scores"])
            if not share >= self.confidence[place]:
                self.confidence[place] = share

    # -- finding -----------------------------------------------------------------------------

    def place(self, id: str, line: int = 0) -> int | None:
        """Where a record stands; of several with this id the one in that line, from 1, or none."""
        found = self._places.get(id)
        if isinstance(found, list):
            return line - 1 if line - 1 in found else None if line else found[0]
        return found

    def places(self, id: str) -> list[int]:
        """Where all records with this id stand."""
        found = self._places.get(id, [])
        return found if isinstance(found, list) else [found]

    def matches(self, place: int, wanted: Filter) -> bool:
        """Whether a record is wanted, but for its texts."""
        failed, topic = self.failed[place], wanted.topic
        return (
            (not wanted.failed or (bool(failed) if wanted.failed == "any"
                                   else wanted.failed in failed))
            and (wanted.below is None or self.confidence[place] < wanted.below)
            and (not topic or topic in self.topic[place])
            and (not wanted.label or self.label[place] == wanted.label)
        )  # fmt: skip

    def search(self, text: str) -> Iterator[int]:
        """The places of records in whose texts this stands, in the order of the file."""
        wanted = text.casefold()
        for start, line in lines_with(self.path, text):
            row = files.row(line)
            if any(wanted in str(row.get(name) or "").casefold() for name in texts.FIELDS):
                yield bisect_left(self._starts, start)

    def counts(self) -> dict[str, Counter[str]]:
        """What there is to filter by: records by label, topic, and failed check."""
        return {
            "label": Counter(filter(None, self.label)),
            "topic": Counter(name for topic in self.topic for name in topic),
            "failed": Counter(name for failed in self.failed for name in failed),
        }

    # -- reading -----------------------------------------------------------------------------

    def record(self, place: int) -> Answer:
        """The record alone.

        Raises:
            UserError: the line is no answer.
        """
        with self.path.open("rb") as file:
            file.seek(self._starts[place])
            try:
                return answers.of_bytes(file.readline().strip(b"\0\r\n\t "))
            except ValueError as error:
                raise UserError(f"{self.path}: record {self.ids[place]}: {error}") from error

    def of(self, places: Iterable[int]) -> Iterator[str]:
        """Digests of the texts as the teacher left them, sooner than by `record`."""
        with self.path.open("rb") as file:
            for place in places:
                file.seek(self._starts[place])
                raw = file.readline()
                try:
                    row = orjson.loads(raw)
                except ValueError:
                    row = files.row(raw.strip(b"\0\r\n\t "))
                now = {name: row.get(name) or "" for name in texts.FIELDS}
                yield texts.of(now | (row.get("edited_from") or {}))

    def shown(self, place: int) -> Shown:
        """The record with what the checks and the judge said of it."""
        record = self.record(place)
        digests = _judged_texts(record)
        checks = {
            name: Verdict(**verdict)
            for row in self._rows(CHECKS, place)
            if sidecars.stands(row, digests[None])
            for name, verdict in row["checks"].items()
        }
        judged = tuple(
            Said(row["scores"], str(row.get("analysis", "")), str(row.get("judge", "")),
                 row.get("candidate"))
            for row in self._rows(SCORES, place)
            if row.get("of") == digests.get(row.get("candidate"))
        )  # fmt: skip
        better = tuple(
            (row["first"], row["second"], row.get("better"))
            for row in self._rows(COMPARISONS, place)
        )
        of = texts.of(texts.taught(record))
        return Shown(place, record, of, checks or record.checks, judged, better)

    def _rows(self, name: str, place: int) -> Iterator[dict[str, JSON]]:
        """The lines of a file beside that are about a record: they follow each other."""
        start, id = self._beside[name][place], self.ids[place]
        if start == NOWHERE:
            return
        with (self.run / name).open("rb") as file:
            file.seek(start)
            for raw in file:
                try:
                    row = files.row(raw.strip())
                except ValueError:
                    return
                if str(row.get("id")) != id or self.place(id, row.get("line", 0)) != place:
                    return
                yield row


@contextmanager
def _no_collection() -> Iterator[None]:
    """What is made here stays; looking for garbage among it takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no answers yet; distillgen answer comes before") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _content_id(row: dict[str, JSON]) -> str:
    context, question = str(row.get("user_context", "")), str(row.get("question", ""))
    images = row.get("images")
    return content_id(context, question, images if isinstance(images, list) else ())


def _passed(raw: bytes, ids: list[str], n: int) -> bool:
    """Whether a line of `checks.jsonl` is of the record at its place, and tells of no failure."""
    return (
        n < len(ids)
        and b'"passed":false' not in raw
        and raw.endswith(b'"id":"%b"}\n' % ids[n].encode(errors="replace"))
    )


def _share(scores: Mapping[str, float]) -> float:
    """The mean score, 1 to 5, as 0 to 1."""
    return (sum(scores.values()) / len(scores) - 1) / 4


def _judged_texts(record: Answer) -> dict[int | None, str]:
    """As `Score.of` names them: of the answer (None), and of each candidate by its place."""
    asked = record.user_context, record.question
    found: dict[int | None, str] = {
        None: sidecars.of(*asked, record.rationale, record.label or record.answer)
    }
    for place, one in enumerate(record.candidates):
        found[place] = sidecars.of(*asked, one.rationale, one.label or one.answer)
    return found
