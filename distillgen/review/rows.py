"""A record under review as one flat row of texts, and a row that came back as a decision.

Every file that goes out and comes back is made of these rows. The five texts stand as the person
wants them: who changes a cell has edited the record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from distillgen.records import JSON, Decision, Review, Reviewable
from distillgen.review import texts
from distillgen.review.desk import Desk
from distillgen.review.pile import Shown
from distillgen.review.store import Stale

COLUMNS = (
    "id", "reviewer", "decision", *texts.FIELDS, "reason", "note", "candidate", "settles",
    "was", "failed", "judge", "candidates", "teacher", "version",
)  # fmt: skip
"""`was` (the teacher's texts where a person's stand), `failed`, `judge`, `candidates` and `teacher`
are there to be read; what becomes of them does not matter."""
DECIDES = ("accept", "edit", "reject")
YES = "yes"
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
    """What came of a file: rows = taken + there + open + problems."""

    rows: int = 0
    taken: int = 0
    there: int = 0
    """Decisions that count already."""
    open: int = 0
    """Rows in which nothing was decided."""
    problems: list[str] = field(default_factory=list)
    """Of each row that was not taken: where and why."""

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of it."""
        return {
            "given": self.rows, "taken": self.taken, "there": self.there, "open": self.open,
            "refused": len(self.problems),
        }  # fmt: skip


class Odd(ValueError):
    """A row cannot be taken; says why."""


def take(desk: Desk, row: Mapping[str, JSON], reviewer: str, imported: Imported) -> None:
    """Write what a row decides, unless it counts already.

    `reviewer` is who decided where the row does not say.

    Raises:
        Odd: the record is unknown or has changed, the reviewer decided anew, or the row makes no
            sense. Nothing was written.
        UserError: the disk is full or fails.
    """
    cells = {str(name): _text(value) for name, value in row.items()}
    id, version = cells.get("id", ""), cells.get("version", "")
    if not id:
        raise Odd("no id")
    about = version.partition(".")[0]
    place = desk.find(id, about)
    if place is None:
        raise Odd(f"unknown id {id}")
    if about and about != desk.of(place):
        raise Odd(f"record {id} has changed since the file was written; nothing was taken")
    made = _decision(desk, place, cells, reviewer)
    if made is None:
        imported.open += 1
        return
    standing = desk.decisions.standing(id, desk.of(place))
    mark = standing.settled if made.settles else standing.said.get(made.reviewer)
    if mark and _same(desk.decisions.read(mark), made):
        imported.there += 1
        return
    try:
        desk.decisions.decide(made, desk.of(place), alone=True, sync=False)
    except Stale as error:
        raise Odd(f"record {id}: {error}; nothing was taken") from error
    imported.taken += 1


def _decision(desk: Desk, place: int, cells: Row, reviewer: str) -> Review | None:
    """What a row decides; None if it is left open."""
    record = desk.pile.record(place)
    before = texts.taught(record)
    wanted: dict[Reviewable, str] = {
        name: cells[name]
        for name in texts.FIELDS
        if name in cells and _lines(cells[name]) != _lines(before[name])
    }
    said = cells.get("decision", "").strip().casefold()
    if said and said not in DECIDES:
        raise Odd(f"record {record.id}: decision {said!r}; write {', '.join(DECIDES)} or nothing")
    if not said and not wanted:
        return None
    candidate = _candidate(record.id, cells.get("candidate", ""))
    if said == "reject" and wanted:
        raise Odd(f"record {record.id}: rejected, and {', '.join(wanted)} changed; do one of both")
    if said == "edit" and not wanted and candidate is None:
        raise Odd(f"record {record.id}: decision edit, and no text differs from the teacher's")
    decision: Decision = "reject" if said == "reject" else "edit"
    if candidate is not None and wanted:  # then the texts of the row are meant as they stand
        wanted = before | wanted
    try:
        return texts.decision(
            record, decision, wanted, candidate,
            reviewer=cells.get("reviewer", "").strip() or reviewer,
            reason=cells.get("reason", ""), note=cells.get("note", ""),
            settles=cells.get("settles", "").strip().casefold() == YES,
            version=cells.get("version", ""),
        )  # fmt: skip
    except ValueError as error:
        raise Odd(f"record {record.id}: {error}") from error


def _candidate(id: str, cell: str) -> int | None:
    if not cell.strip():
        return None
    try:
        return int(float(cell))  # a spreadsheet may have made 1.0 of it
    except ValueError as error:
        raise Odd(f"record {id}: candidate {cell!r} is no number") from error


def _same(there: Review, made: Review) -> bool:
    names = ("decision", "fields", "candidate", "reason", "note", "settles")
    return all(getattr(there, name) == getattr(made, name) for name in names)


def _lines(text: str) -> str:
    """Spreadsheets and browsers write line ends in their own way; that is no change."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text.strip() else ""


def _text(value: JSON) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)
