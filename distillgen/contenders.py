"""Read answered records, ours or any with a question and an answer, with what else was drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from distillgen import finals, inputs, sidecars
from distillgen.inputs import Line, Records
from distillgen.records import JSON, Candidate, content_id

FIELDS = (
    "question", "user_context", "rationale", "answer", "label", "gold", "images", "teacher",
    "request", "id",
)  # fmt: skip


class Contender(NamedTuple):
    """An answer with its rationale."""

    rationale: str
    answer: str
    """The answer, or the label."""
    teacher: str = ""
    request: str = ""
    place: int | None = None
    """Among the candidates, from 0; None for the answer of the record itself."""
    closed: bool = False
    """The answer is a label."""

    @property
    def length(self) -> int:
        """Characters of all that is said."""
        return len(self.rationale) + len(self.answer)


@dataclass(frozen=True)
class Item:
    """A record that has an answer."""

    line: int
    """Line or row of the file, from 1."""
    id: str
    """Its own, else a digest of its content."""
    question: str
    user_context: str
    gold: str
    """The right answer; empty where it is not known."""
    answer: Contender
    candidates: tuple[Contender, ...]
    """Every draw that has an answer."""
    columns: Mapping[str, JSON]
    """The whole row."""
    images: tuple[str, ...] = ()
    """Paths of images that belong to the question."""

    @property
    def all(self) -> tuple[Contender, ...]:
        """The answer, then the candidates that say something else."""
        found: dict[tuple[str, str], Contender] = {}
        for one in (self.answer, *self.candidates):
            found.setdefault((one.rationale, one.answer), one)
        return tuple(found.values())

    def digest(self, one: Contender) -> str:
        """Of the texts that a judge is shown, 16 hexadecimal digits."""
        return sidecars.of(self.user_context, self.question, one.rationale, one.answer)

    def right(self, one: Contender) -> bool | None:
        """Whether it comes to the right answer; None where that is not known."""
        return finals.right(one.answer, self.gold, self.question, closed=one.closed)


class Items:
    """The answered records of a file, to be walked as often as needed; the first `limit`."""

    def __init__(
        self, path: Path, fields: Mapping[str, str] | None = None, limit: int | None = None
    ) -> None:
        """Checks the whole file.

        Raises:
            UserError: it cannot be read, or lines are wrong: all of them are named.
        """
        self.path, self._limit = path, limit
        self.fields: Mapping[str, str] = fields or {}
        self._records = Records(path, fields, FIELDS, strict=True)
        self.given = 0
        """Records of the whole file."""
        problems: list[str] = []
        wrong = 0
        for row in self._records:
            self.given += 1
            try:
                _item(row)
            except ValueError as error:
                wrong += 1
                problems += [f"{path}:{row.line}: {error}"] if wrong <= inputs.SHOWN else []
        inputs.refuse(problems, wrong, self.given)

    def __iter__(self) -> Iterator[Item]:
        return map(_item, islice(self._records, self._limit))

    def __len__(self) -> int:
        return min(self.given, self._limit or self.given)


def _item(row: Line) -> Item:
    """A row as a record that has an answer; ValueError says what is wrong with it."""
    known = row.known
    said = known.get("label") or known.get("answer")
    if not said:
        raise ValueError("no `answer`, and no `label`")
    answer = Contender(
        known.get("rationale", ""), said, known.get("teacher", ""), known.get("request", ""),
        closed="label" in known,
    )  # fmt: skip
    id = row.id or content_id(row.user_context, row.question, known.get("images", ()))
    return Item(
        row.line, id, row.question, row.user_context, known.get("gold", ""), answer,
        tuple(_candidates(row.columns.get("candidates"))), row.columns,
        tuple(known.get("images", ())),
    )  # fmt: skip


def _candidates(given: JSON) -> Iterator[Contender]:
    """Those of ours; a column of that name that holds something else is another's."""
    ours = isinstance(given, list | tuple) and all(isinstance(row, dict) for row in given)
    for place, row in enumerate(given if ours else ()):
        try:
            # Tables spell what is missing as null.
            one = Candidate.model_validate({k: v for k, v in row.items() if v is not None})
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, ("candidates", place, *fault["loc"])))
            raise ValueError(f"`{where}`: {fault['msg'].lower()}") from error
        if said := one.label or one.answer:
            yield Contender(
                one.rationale, said, one.teacher, one.request, place, closed=bool(one.label)
            )
