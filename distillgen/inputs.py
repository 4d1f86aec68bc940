"""Read what people bring, seeds and questions, and check every line before anything is asked."""

import json
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from distillgen.errors import UserError
from distillgen.files import sha256_of
from distillgen.records import JSON, Example, Rejection, Seed, content_id
from distillgen.tables import Row, kind_of, rows_of

SHOWN = 20
"""Bad lines are all counted, and so many shown."""
SEED_FIELDS = (
    "question", "user_context", "answer", "rationale", "label", "tags", "images", "meta", "gold",
    "family", "id",
)  # fmt: skip
INPUT_FIELDS = (
    "question", "user_context", "images", "meta", "gold", "id", "strategy", "operation",
    "generation", "persona", "topic", "attributes", "parents", "family", "request",
)  # fmt: skip
READ_FIELDS = (
    "question", "user_context", "answer", "rationale", "label", "tags", "images", "gold", "id",
    "strategy", "operation", "topic", "attributes", "parents", "family", "request", "teacher",
    "rationale_source",
)  # fmt: skip
"""What is read of records, whoever wrote them."""
MATTER = ("question", "user_context", "id")
"""Fields that must not be lost unseen when a column is misspelt in `--field`."""


def read_seeds(
    path: Path, fields: Mapping[str, str] | None = None, *, bare: bool = False
) -> list[Seed]:
    """The seeds of a file, or of stdin for `-`; `fields` maps our names to those of the file.

    `bare` takes seeds without a context too.

    Raises:
        UserError: the file cannot be read, or lines are wrong: all of them are named.
    """
    needed = ("question",) if bare else ("user_context", "question")
    seeds: list[Seed] = []
    ids = set[str]()
    with _seekable(path) as file:
        rows = _Rows(path, file, fields or {}, SEED_FIELDS, needed)
        for row, known in rows.known():
            if "id" in known and known["id"] in ids:
                rows.note(row.line, f"`{rows.fields.get('id', 'id')}` {known['id']} stands twice")
                continue
            seeds.append(Seed.model_validate(known))
            ids.add(seeds[-1].id)
    rows.refuse()
    return seeds


class Inputs:
    """The examples of a file, checked, and read again each time they are walked.

    While they are checked, a set holds the hash of each id, about 70 MB for a million rows; then
    only what equal and wrong rows need.
    """

    def __init__(self, path: Path, fields: Mapping[str, str], skip_invalid: bool) -> None:
        self.path = path
        closing = ExitStack()
        weakref.finalize(self, closing.close)
        self._file = closing.enter_context(_seekable(path))
        self._fields = fields
        self.count = 0
        """Rows that can be used."""
        self.with_images = 0
        self._again: dict[int, int] = {}
        """Line of a row that has no id and equals earlier ones: the how manieth it is."""
        rows = self._rows(sys.maxsize if skip_invalid else SHOWN)
        self._check(rows)
        if not skip_invalid or not self.count:
            rows.refuse("" if skip_invalid else "--skip-invalid leaves them out and lists them.")
        self._left_out = {line for line, _ in rows.problems}
        self.invalid = [
            Rejection(stage="answer", reason="invalid", detail=problem, line=line)
            for line, problem in rows.problems
        ]
        """Rows that cannot be used, in order; there are none without `skip_invalid`."""
        self.sha256 = sha256_of(self._file)
        """Digest of the file as it is brought, so also of the packed one."""
        self._state = _state(self._file)

    def __iter__(self) -> Iterator[Example]:
        if _state(self._file) != self._state:
            raise _changed(self.path)
        for row, known in self._rows().known():
            if row.line in self._left_out:
                continue
            if "id" not in known:
                number = self._again.get(row.line)
                known["id"] = _content_id(known) + (f"-{number}" if number else "")
            yield Example.model_validate(known)

    def _rows(self, most: int = 0) -> "_Rows":
        return _Rows(self.path, self._file, self._fields, INPUT_FIELDS, ("question",), most)

    def _check(self, rows: "_Rows") -> None:
        seen: set[int] = set()
        equal: dict[str, int] = {}
        for row, known in rows.known():
            id = known.get("id") or _content_id(known)
            if hash(id) in seen and "id" in known:
                rows.note(row.line, f"`{self._fields.get('id', 'id')}` {id} stands twice")
                continue
            if hash(id) in seen:
                number = equal.get(id, 1) + 1
                while hash(f"{id}-{number}") in seen:
                    number += 1
                equal[id] = self._again[row.line] = number
                id = f"{id}-{number}"
            seen.add(hash(id))
            self.count += 1
            self.with_images += "images" in known


def open_inputs(
    path: Path, fields: Mapping[str, str] | None = None, skip_invalid: bool = False
) -> Inputs:
    """The questions of a file, or of stdin for `-` (JSON lines), all checked before any is used.

    Raises:
        UserError: the file cannot be read, or lines are wrong and `skip_invalid` is not set.
    """
    return Inputs(path, fields or {}, skip_invalid)


class Line(NamedTuple):
    """A row of a file that has a question."""

    line: int
    """Line of a text file, row of a table, from 1."""
    known: dict[str, JSON]
    """Our fields of it, those that are not empty."""
    columns: dict[str, JSON]
    """All that stands in it."""

    @property
    def id(self) -> str:
        """The row's own id; empty if it has none."""
        return str(self.known.get("id", ""))

    @property
    def question(self) -> str:
        """What is asked; empty only where such rows are let pass."""
        return str(self.known.get("question", ""))

    @property
    def user_context(self) -> str:
        """Who asks; may be empty."""
        return str(self.known.get("user_context", ""))


def refuse(problems: Sequence[str], wrong: int, total: int, remedy: str = "") -> None:
    """Name rows that are wrong, at least the first of them.

    Raises:
        UserError: there are any.
    """
    if not wrong:
        return
    more = [f"… {wrong - len(problems):,} more"] if wrong > len(problems) else []
    rows = "row is" if total == 1 else "rows are"
    said = f"{wrong:,} of {total:,} {rows} wrong. Nothing was asked, nothing was paid."
    raise UserError("\n".join([*problems, *more, f"{said} {remedy}".strip()]))


def refuse_unseen(unseen: Mapping[str, str], where: object) -> None:
    """Name a mapped field that is nowhere: it may be misspelt.

    Raises:
        UserError: there is one.
    """
    for ours, theirs in unseen.items():
        raise UserError(
            f"{where}: no row has a field `{theirs}`, from which {ours} was to come;"
            f" --field {ours}={ours} does without"
        )


class Records:
    """The records of a file, ours or any with a question, to be walked as often as needed."""

    def __init__(
        self,
        path: Path,
        fields: Mapping[str, str] | None = None,
        names: tuple[str, ...] = READ_FIELDS,
        *,
        strict: bool = False,
        alone: bool = True,
        blank: bool = False,
    ) -> None:
        """`names` are the fields that are read; `strict` refuses a file with any wrong row, else
        one with nothing but such; `alone`: no other file may have the fields that are mapped;
        `blank`: rows whose question is empty pass, if there are others."""
        self.path = path
        self.fields: Mapping[str, str] = fields or {}
        self._names = names
        self._strict, self._alone, self._blank = strict, alone, blank
        self._state: tuple[int, int] | None = None
        self.wrong: list[int] = []
        """Lines of the rows without a usable question, once they are walked; `SHOWN` at most."""
        self.wrong_count = 0
        self.unseen: Mapping[str, str] = {}
        """After a walk, what is mapped and not in this file."""

    def __iter__(self) -> Iterator[Line]:
        """Each row that can be used.

        Raises:
            UserError: the file cannot be read, has wrong rows, or is not as it was when it was
                walked before.
        """
        with _seekable(self.path) as file:
            rows = _Rows(self.path, file, self.fields, self._names, ("question",))
            rows.alone, rows.blank = self._alone, self._blank
            asked = False
            for row, known in rows.known():
                asked |= "question" in known
                yield Line(row.line, known, row.columns)
            if file == self.path:
                before, self._state = self._state, _state(file)
                if before not in (None, self._state):
                    raise _changed(file)
        if self._strict or rows.wrong == rows.total:
            rows.refuse()
        if not asked:
            raise UserError(f"{self.path}: no row has a word in its question")
        self.wrong, self.wrong_count = [line for line, _ in rows.problems], rows.wrong
        self.unseen = rows.unseen


@dataclass
class _Rows:
    """The rows of a file as the fields that we know, and what is wrong with the others."""

    path: Path
    """As the user calls it."""
    file: Path
    fields: Mapping[str, str]
    names: tuple[str, ...]
    needed: tuple[str, ...]
    most: int = SHOWN
    """Faults that are kept; all are counted."""
    alone: bool = True
    """No other file may have the fields that are mapped."""
    blank: bool = False
    """What is needed may be empty, but not missing."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """After a walk, what is mapped and no row has."""
    total: int = 0
    wrong: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Line and fault."""

    def known(self) -> Iterator[tuple[Row, dict[str, JSON]]]:
        """Each row that can be used, and its fields."""
        unseen = self._mapped()
        for row in rows_of(self.file, self.path):
            self.total += 1
            if unseen:
                unseen = {o: t for o, t in unseen.items() if not {o, t} & row.columns.keys()}
            known, problem = ({}, row.problem) if row.problem else self._read(row.columns)
            if problem:
                self.note(row.line, problem)
            else:
                yield row, known
        self.unseen = unseen if self.total > self.wrong else {}
        if self.alone:
            refuse_unseen(self.unseen, self.path)

    def _mapped(self) -> dict[str, str]:
        """What may be misspelt unnoticed.

        Raises:
            UserError: a field that there is not is mapped.
        """
        for ours, theirs in self.fields.items():
            if ours not in SEED_FIELDS + INPUT_FIELDS:
                there = _listed({*SEED_FIELDS, *INPUT_FIELDS})
                raise UserError(f"--field {ours}={theirs}: no field of ours; there is {there}")
        return {o: t for o, t in self.fields.items() if o in self.names and o in MATTER and o != t}

    def note(self, line: int, problem: str) -> None:
        """Count a wrong row."""
        self.wrong += 1
        if len(self.problems) < self.most:
            self.problems.append((line, problem))

    def refuse(self, remedy: str = "") -> None:
        """Name the wrong rows.

        Raises:
            UserError: there are any.
        """
        problems = [f"{self.path}:{line}: {problem}" for line, problem in self.problems]
        refuse(problems[:SHOWN], self.wrong, self.total, remedy)

    def _column(self, ours: str, columns: Mapping[str, JSON]) -> str:
        """What a field that `fields` names is called in a row: as it says, else as we call it."""
        theirs = self.fields[ours]
        return theirs if theirs in columns or ours not in columns else ours

    def _read(self, columns: dict[str, JSON]) -> tuple[dict[str, JSON], str]:
        """The fields that we know, where their type fits, and all others as `meta`; else why the
        row cannot be used."""
        found: dict[str, JSON] = {}
        others = dict(columns)
        for ours in self.names:
            name = self._column(ours, columns) if ours in self.fields else ours
            if name not in columns:
                if ours in self.needed:
                    return {}, self._missing(ours, name, columns)
                continue
            value = columns[name]
            if _is_blank(value):
                if ours in self.needed and not self.blank:
                    return {}, f"`{name}` is empty"
                continue
            if wanted := _wanted(ours, value):
                return {}, f"`{name}` is {kind_of(value)}; write {wanted}"
            fitting = _fitting(ours, value)
            if fitting is not None:
                found[ours] = fitting
                del others[name]
        others = {name: value for name, value in others.items() if not _is_blank(value)}
        if others:
            found["meta"] = found.get("meta", {}) | others
        return found, ""

    def _missing(self, ours: str, name: str, columns: Mapping[str, JSON]) -> str:
        small = {column.casefold(): column for column in columns}
        near = get_close_matches(name.casefold(), small, n=1)
        if near:
            there = small[near[0]]
            return f"no field `{name}`, but `{there}`: call it `{ours}`, or --field {ours}={there}"
        return (
            f"no field `{name}`; there is {_listed(columns) or 'nothing'}. Needed:"
            f" {_listed(self.needed)}; --field {ours}=COLUMN takes another column for it"
        )


def _is_blank(value: JSON) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _wanted(ours: str, value: JSON) -> str:
    """What a field should hold; empty when the value will do, or may travel in `meta`."""
    if value is None or isinstance(value, str):
        return ""
    if ours in ("question", "user_context", "rationale"):
        return "a text"
    if ours in ("answer", "label") and isinstance(value, list | dict):
        return "a text"
    if ours == "tags" and not _texts(value):
        return "a list of texts"
    if ours == "id" and (isinstance(value, bool) or not isinstance(value, int)):
        return "a text or an integer"
    return ""


def _fitting(ours: str, value: JSON) -> JSON:
    """A value as the field wants it; None when it does not fit."""
    if ours in ("tags", "images") and isinstance(value, str):
        return tuple(part.strip() for part in value.split(";") if part.strip())
    if ours in ("tags", "images", "parents", "topic"):
        return tuple(value) if _texts(value) else None
    if ours == "attributes":
        return value if isinstance(value, dict) and _texts(list(value.values())) else None
    if ours == "generation":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if ours == "meta":
        return value if isinstance(value, dict) else None
    if ours in ("answer", "label", "gold") and isinstance(value, bool | int | float):
        return json.dumps(value)
    if ours == "id":
        return str(value)
    if not isinstance(value, str):
        return None
    return value.strip() if ours in ("question", "user_context") else value


def _texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _content_id(known: Mapping[str, JSON]) -> str:
    return content_id(known.get("user_context", ""), known["question"], known.get("images", ()))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)[:12])


def _changed(path: Path) -> UserError:
    return UserError(f"{path}: changed while it was in use; run the same command again")


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


@contextmanager
def _seekable(path: Path) -> Iterator[Path]:
    """The file itself; for `-`, stdin in a temporary one, as it is read more than once."""
    if str(path) != "-":
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="distillgen-") as spooled:
        shutil.copyfileobj(sys.stdin.buffer, spooled)
        spooled.flush()
        yield Path(spooled.name)
