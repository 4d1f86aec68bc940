"""A record under review as one flat row of texts, and a row that came back as a decision.

Every file that goes out and comes back is made of these rows. The five texts stand as the person
wants them: who changes a cell has edited the record.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from distillgen.records import JSON, Decision, Review, Reviewable
from distillgen.review import texts
from distillgen.review.cells import named, whole
from distillgen.review.desk import Desk
from distillgen.review.pile import Shown
from distillgen.review.respelled import respelled
from distillgen.review.store import Stale
from distillgen.tables import kind_of

COLUMNS = (
    "id", "reviewer", "decision", *texts.FIELDS, "reason", "note", "candidate", "settles",
    "was", "failed", "judge", "candidates", "teacher", "version",
)  # fmt: skip
"""`was` (the teacher's texts where a person's stand), `failed`, `judge`, `candidates` and `teacher`
are there to be read; what becomes of them does not matter."""
TAKEN = ("id", "reviewer", "decision", *texts.FIELDS, "reason", "note", "candidate", "settles",
        "version")  # fmt: skip
"""Columns whose cells are taken in."""
DECIDES = ("accept", "edit", "reject")
YES = "yes"
SHOWN = 60
"""Characters of a text that a message quotes."""
Row = dict[str, str]


def flat(desk: Desk, reviewer: str = "") -> Iterator[Row]:
    """The records in the order of work: one row for each decision that counts, else one."""
    for row, said in records(desk, reviewer):
        yield from ({**row, **one} for one in said or [{"reviewer": reviewer}])


def records(desk: Desk, reviewer: str = "") -> Iterator[tuple[Row, list[Row]]]:
    """The records in the order of work, with the teacher's texts; and what each decision that
    counts puts in their place, of one reviewer or of all."""
    for place in desk.order.places:
        shown = desk.shown(place)
        row = _record(desk, shown)
        decisions = desk.decisions
        standing = decisions.standing(shown.record.id, shown.of)
        said = [decisions.read(mark) for mark in standing.said.values()]
        said += [decisions.read(standing.settled)] if standing.settled else []
        yield row, [_decided(one) for one in said if reviewer in ("", one.reviewer)]


def _record(desk: Desk, shown: Shown) -> Row:
    record = shown.record
    judged = [one for one in shown.judged if one.candidate is None]
    candidates = [one.label or one.answer or one.problem for one in record.candidates]
    return {
        **dict.fromkeys(COLUMNS, ""),
        **{str(name): text for name, text in texts.taught(record).items()},
        "id": record.id,
        "failed": ", ".join(name for name, one in shown.checks.items() if not one.passed),
        "judge": "; ".join(f"{k} {n}" for one in judged for k, n in one.scores.items()),
        "candidates": "\n".join(f"{n}: {text}" for n, text in enumerate(candidates)),
        "teacher": record.teacher,
        "version": desk.version(shown.place),
    }


def _decided(review: Review) -> Row:
    candidate = "" if review.candidate is None else str(review.candidate)
    return {
        "reviewer": review.reviewer, "decision": review.decision,
        **{str(name): text for name, text in review.fields.items()},
        "reason": review.reason, "note": review.note, "candidate": candidate,
        "settles": YES if review.settles else "",
        "was": "\n".join(f"{name}: {text}" for name, text in review.was.items()),
    }  # fmt: skip


@dataclass
class Imported:
    """What came of a file: rows = taken + there + left + open + problems."""

    rows: int = 0
    taken: int = 0
    there: int = 0
    """Decisions that were brought in or made before."""
    left: int = 0
    """Rows in which nothing is decided, about what their reviewer decided before: that holds."""
    open: int = 0
    """Rows in which nothing is decided."""
    problems: list[str] = field(default_factory=list)
    """Of each row that was not taken: where and why."""
    columns: set[str] = field(default_factory=set)
    """Names of all columns that were met."""
    written: dict[tuple[str, str, str, bool], str] = field(default_factory=dict)
    """By id, texts, reviewer and `settles` of what was taken: the version since."""

    @property
    def warnings(self) -> list[str]:
        """What is odd about the file as a whole."""
        near = {name: get_close_matches(name, TAKEN, 1, 0.75) for name in sorted(self.columns)}
        found = [
            f"column `{name}` is not read; is `{one[0]}` meant?"
            for name, one in near.items()
            if one and name not in COLUMNS
        ]
        if self.rows and not self.columns & {"decision", "candidate", *texts.FIELDS}:
            found.append("no column `decision` nor one of a text: this file cannot decide anything")
        elif self.rows and self.rows == self.left + self.open:
            found.append(
                f"nothing is decided in it: write {', '.join(DECIDES)} into `decision`, or change a"
                " text"
            )
        return found

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of it."""
        return {
            "given": self.rows, "taken": self.taken, "there": self.there, "left": self.left,
            "open": self.open, "refused": len(self.problems), "warnings": list(self.warnings),
        }  # fmt: skip


class Odd(ValueError):
    """A row cannot be taken; says why."""


def take(
    desk: Desk, row: Mapping[str, JSON], reviewer: str, imported: Imported, typeless: bool = False
) -> None:
    """Write what a row decides, unless that was done before.

    `reviewer` is who decided where the row does not say. Of several rows of one reviewer about a
    record all are written, and the last counts. `typeless`: of a .csv, in which a spreadsheet
    respells numbers and dates.

    Raises:
        Odd: the record is unknown or has changed, the reviewer decided anew, or the row makes no
            sense. Nothing was written.
        UserError: the disk is full or fails.
    """
    imported.columns.update(named(str(name)) for name in row)
    cells = _cells(row)
    cells["reviewer"] = cells.get("reviewer", "").strip() or whole(reviewer)
    place = _place(desk, cells)
    id, of = desk.pile.ids[place], desk.of(place)
    standing, settles = desk.decisions.standing(id, of), named(cells.get("settles", "")) == YES
    mark = standing.settled if settles else standing.said.get(cells["reviewer"])
    stands = desk.decisions.read(mark) if mark else None
    made = _decision(desk, place, cells, settles, stands, typeless)
    if made is None:
        imported.left += stands is not None
        imported.open += stands is None
        return
    key = id, of, made.reviewer, settles
    since = imported.written.get(key)
    if (stands and _same(stands, made)) or (since is None and _was_taken(desk, made)):
        imported.there += 1
        return
    if made.version and since:
        made = made.model_copy(update={"version": since})
    try:
        desk.decisions.decide(made, of, alone=True, sync=False)
    except Stale as error:
        hint = "" if made.reviewer else "; give each person's file with --reviewer NAME"
        raise Odd(f"record {id}: {error}; nothing was taken{hint}") from error
    imported.written[key] = desk.version(place)
    imported.taken += 1


def _cells(row: Mapping[str, JSON]) -> Row:
    """The texts of the columns that are taken in; null says nothing."""
    cells: Row = {}
    names = [named(str(name)) for name in row]
    for name, value in zip(names, row.values(), strict=True):
        if name in TAKEN and names.count(name) > 1:
            raise Odd(f"column `{name}` stands twice")
        if name in TAKEN and value is not None:
            if isinstance(value, bool | list | dict):
                many = f" of {len(value)}" if isinstance(value, list) else ""
                raise Odd(f"{name}: is {kind_of(value)}{many}, not a text")
            cells[name] = whole(str(value))
    return cells


def _place(desk: Desk, cells: Row) -> int:
    id, about = cells.get("id", ""), cells.get("version", "").partition(".")[0]
    if not id:
        raise Odd("no id")
    place = desk.find(id, about)
    if place is None:
        raise Odd(f"unknown id {id}")
    if about and about != desk.of(place):
        raise Odd(f"record {id} has changed since the file was written; nothing was taken")
    return place


def _was_taken(desk: Desk, made: Review) -> bool:
    """Whether the reviewer said so already on what this is made on, and took nothing back since."""
    state = made.version.partition(".")[2]
    since = desk.decisions.since(made.id, state) if state else []
    own = [mark for mark in since if mark.reviewer == made.reviewer]
    return not any(mark.decision == "undo" for mark in own) and any(
        _same(desk.decisions.read(mark), made) for mark in own
    )


def _decision(
    desk: Desk, place: int, cells: Row, settles: bool, stands: Review | None, typeless: bool
) -> Review | None:
    """What a row decides; None if it is left open."""
    record = desk.pile.record(place)
    before, said = texts.taught(record), named(cells.get("decision", ""))
    wanted: dict[Reviewable, str] = {
        name: cells[name]
        for name in texts.FIELDS
        if name in cells and _lines(cells[name]) != _lines(before[name])
    }
    try:
        if said and said not in DECIDES:
            raise Odd(f"decision {_short(said)}; write {', '.join(DECIDES)} or nothing")
        for name in _untouched(before, wanted, said, stands) if typeless else ():
            del wanted[name]
        candidate = _candidate(cells.get("candidate", ""))
        if not said and not wanted:
            return None
        if said == "reject" and wanted:
            raise Odd(f"rejected, and {', '.join(wanted)} changed; do one of both")
        if said == "edit" and not wanted and candidate is None:
            raise Odd("decision edit, and no text differs from the teacher's")
        decision: Decision = "reject" if said == "reject" else "edit"
        if candidate is not None and wanted:  # then the texts of the row are meant as they stand
            wanted = before | wanted
        made = texts.decision(
            record, decision, wanted, candidate, reviewer=cells["reviewer"],
            reason=cells.get("reason", ""), note=cells.get("note", ""), settles=settles,
            version=cells.get("version", ""),
        )  # fmt: skip
        desk.check_label(made)
    except ValueError as error:
        raise Odd(f"record {record.id}: {error}") from error
    return made


def _untouched(
    before: Mapping[Reviewable, str], wanted: Mapping[Reviewable, str], said: str,
    stands: Review | None,
) -> list[Reviewable]:  # fmt: skip
    """Of the texts that are wanted, those that a spreadsheet respelled.

    Raises:
        Odd: nobody can tell whether a person wanted them.
    """
    edited = stands.fields if stands and stands.decision == "edit" else None
    if said == "edit" and edited is None:
        return []
    shown = {**before, **(edited or {})}
    found = [n for n, text in wanted.items() if text != shown[n] and respelled(shown[n], text)]
    if found and said != "reject":
        name = found[0]
        way = "change it on the page" if said == "edit" else "write edit into decision"
        raise Odd(
            f"{name}: {_short(wanted[name])} stands where {_short(shown[name])} was, which is what"
            f" spreadsheets make of it; {way} if it is meant"
        )
    return found


def _candidate(cell: str) -> int | None:
    """The number of a candidate; a spreadsheet may have made 1.0 of it."""
    if not cell.strip():
        return None
    found = re.fullmatch(r"(\d{1,9})(?:[.,]0+)?", cell.strip())
    if found is None:
        raise Odd(f"candidate {_short(cell)} is not the number of one")
    return int(found[1])


def _short(text: str) -> str:
    """A text for a message of one line."""
    text = " ".join(text.split())
    return f"`{text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}`"


def _same(there: Review, made: Review) -> bool:
    names = ("decision", "fields", "candidate", "reason", "note", "settles")
    return all(getattr(there, name) == getattr(made, name) for name in names)


def _lines(text: str) -> str:
    """Spreadsheets and browsers write line ends in their own way; that is no change."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text.strip() else ""
