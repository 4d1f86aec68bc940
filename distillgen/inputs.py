"""Read what people bring, seeds and questions, and check every line before anything is asked."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from distillgen.errors import UserError
from distillgen.files import sha256_of
from distillgen.records import JSON, Example, Rejection, Seed, content_id
from distillgen.tables import Row, kind_of, rows_of

SHOWN = 20
"""Bad lines are all counted, and so many shown."""
SEED_FIELDS = ("question", "user_context", "answer", "rationale", "label", "tags", "images", "meta")
INPUT_FIELDS = (
    "question", "user_context", "images", "meta", "id", "strategy", "parents", "request",
)  # fmt: skip
LISTS = ("tags", "images", "parents")


def read_seeds(path: Path, fields: Mapping[str, str] | None = None) -> list[Seed]:
    """The seeds of a file; `fields` maps our names to the columns of the file.

    Raises:
        UserError: the file cannot be read, or lines are wrong: all of them are named.
    """
    seeds: list[Seed] = []
    problems: list[tuple[int, str]] = []
    rows = 0
    for row in rows_of(path):
        rows += 1
        problem = row.problem or _problem(row.columns, fields or {}, ("user_context", "question"))
        if problem:
            problems.append((row.line, problem))
        else:
            seeds.append(Seed.model_validate(_known(row.columns, fields or {}, SEED_FIELDS)))
    _refuse(path, problems, rows, "")
    return seeds


class Inputs:
    """The examples of a file, checked, and read again each time they are walked.

    The check keeps 8 bytes and a set entry of each id, about 70 MB for a million rows.
    """

    def __init__(self, path: Path, fields: Mapping[str, str], skip_invalid: bool) -> None:
        self.path = path
        self._fields = fields
        self._spooled = _spool() if str(path) == "-" else None
        self._file = Path(self._spooled.name) if self._spooled else path
        self.count = 0
        """Rows that can be used."""
        self.invalid: list[Rejection] = []
        """Rows that cannot, in order."""
        problems: list[tuple[int, str]] = []
        seen: set[int] = set()
        rows = 0
        for row in self._raw():
            rows += 1
            problem = row.problem or _problem(row.columns, fields, ("question",))
            problem = problem or self._id_problem(row.columns, seen)
            if problem:
                problems.append((row.line, problem))
            else:
                self.count += 1
        if not skip_invalid:
            _refuse(path, problems, rows, "  --skip-invalid leaves them out and lists them.")
        elif not self.count:
            raise UserError(f"{path}: none of the {rows:,} rows can be used")
        self._skipped = {line for line, _ in problems}
        self.invalid = [
            Rejection(stage="answer", reason="invalid", detail=problem, line=line)
            for line, problem in problems
        ]
        self.sha256 = sha256_of(self._file)

    def __iter__(self) -> Iterator[Example]:
        again: dict[str, int] = {}
        seen: set[int] = set()
        for row in self._raw():
            if row.line in self._skipped:
                continue
            known = _known(row.columns, self._fields, INPUT_FIELDS)
            if "id" in known:
                known["id"] = str(known["id"])
            else:
                known["id"] = _unique(content_id(
                    known.get("user_context", ""), known["question"], known.get("images", ())
                ), seen, again)  # fmt: skip
            yield Example.model_validate(known)

    def _raw(self) -> Iterator[Row]:
        return rows_of(self._file, self.path)

    def _id_problem(self, columns: dict[str, JSON], seen: set[int]) -> str:
        """Own ids are texts or integers, and each stands once."""
        name = self._fields.get("id", "id")
        own = columns.get(name)
        if own is None or own == "":
            return ""
        if isinstance(own, bool) or not isinstance(own, str | int):
            return f"`{name}` is {kind_of(own)}; write a text or an integer"
        if hash(str(own)) in seen:
            return f"`{name}` {own} stands twice"
        seen.add(hash(str(own)))
        return ""


def open_inputs(
    path: Path, fields: Mapping[str, str] | None = None, skip_invalid: bool = False
) -> Inputs:
    """The questions of a file, or of stdin for `-` (JSON lines), all checked before any is used.

    Raises:
        UserError: the file cannot be read, or lines are wrong and `skip_invalid` is not set.
    """
    return Inputs(path, fields or {}, skip_invalid)


def _problem(columns: dict[str, JSON], fields: Mapping[str, str], required: tuple[str, ...]) -> str:
    """Why a row cannot be used; empty when it can."""
    for ours in ("question", "user_context"):
        name = fields.get(ours, ours)
        text = columns.get(name)
        if name not in columns and ours in required:
            return _missing(ours, name, columns, required)
        if text is not None and not isinstance(text, str):
            return f"`{name}` is {kind_of(text)}; write a text"
        if not (text or "").strip() and ours in required:
            return f"`{name}` is empty"
    return ""


def _missing(ours: str, name: str, columns: dict[str, JSON], required: tuple[str, ...]) -> str:
    near = get_close_matches(name.casefold(), [column.casefold() for column in columns], n=1)
    found = next((c for c in columns if near and c.casefold() == near[0]), None)
    if found:
        return f"no field `{name}`; there is `{found}`: --field {ours}={found}"
    there = ", ".join(list(columns)[:8]) or "nothing"
    needs = " and ".join(f"`{one}`" for one in required)
    return f"no field `{name}`; there is {there}. Needed: {needs}; or --field {ours}=COLUMN"


def _known(
    columns: dict[str, JSON], fields: Mapping[str, str], names: tuple[str, ...]
) -> dict[str, JSON]:
    """The fields that we know, where their type fits; everything else goes into `meta`."""
    found: dict[str, JSON] = {}
    taken = set()
    for ours in names:
        theirs = fields.get(ours, ours)
        value = _fitting(ours, columns.get(theirs))
        if value is not None:
            found[ours] = value
            taken.add(theirs)
    others = {
        _clean(name): _clean(value)
        for name, value in columns.items()
        if name not in taken and value not in (None, "") and name is not None
    }
    if others:
        found["meta"] = {**found.get("meta", {}), **others}
    return found


def _fitting(ours: str, value: JSON) -> JSON:
    """A value as the field wants it; None when it does not fit, or there is none."""
    if value in (None, "", []) or isinstance(value, bool):
        return None
    if ours == "meta":
        return _clean(value) if isinstance(value, dict) else None
    if ours in LISTS:
        parts = value.split(";") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            return None
        return tuple(_clean(part).strip() for part in parts if part.strip())
    if ours == "id":
        return value if isinstance(value, str | int) else None
    if isinstance(value, int | float) and ours in ("answer", "label", "rationale"):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return (_clean(value).strip() or None) if isinstance(value, str) else None


def _clean(value: JSON) -> JSON:
    """Lone surrogates replaced by U+FFFD, which no strict reader takes."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _unique(id: str, seen: set[int], again: dict[str, int]) -> str:
    """Equal rows get `-2`, `-3` behind the digest of their content."""
    if hash(id) not in seen:
        seen.add(hash(id))
        return id
    again[id] = again.get(id, 1) + 1
    return f"{id}-{again[id]}"


def _refuse(path: Path, problems: list[tuple[int, str]], rows: int, remedy: str) -> None:
    """Name all wrong lines at once.

    Raises:
        UserError: there are any.
    """
    if not problems:
        return
    lines = [f"{path}:{line}: {problem}" for line, problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"… {len(problems) - SHOWN:,} more")
    sum_of_all = f"{len(problems):,} of {rows:,} rows are wrong"
    lines.append(f"{sum_of_all}. Nothing was asked, nothing was paid.{remedy}")
    raise UserError("\n".join(lines))


def _spool() -> "tempfile._TemporaryFileWrapper[bytes]":
    """stdin in a file, as it is read more than once; it goes with this process."""
    spooled = tempfile.NamedTemporaryFile(prefix="distillgen-")  # noqa: SIM115
    shutil.copyfileobj(sys.stdin.buffer, spooled)
    spooled.flush()
    return spooled
