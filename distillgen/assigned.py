"""Read back which split each record is assigned to, in few bytes a record."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from distillgen import files
from distillgen.clusters import digest
from distillgen.errors import UserError
from distillgen.groups import NOWHERE, Firm
from distillgen.records import JSON, SPLITS, Assignment, Split
from distillgen.sorting import in_order


class Assigned:
    """The split of each record, by its id; 8 bytes a record."""

    def __init__(self, path: Path) -> None:
        """Reads `splits.jsonl`.

        Raises:
            UserError: a line is no assignment.
        """
        self._path = path
        known = array("Q", map(_packed, _read(path)))
        self._known = array("Q", map(known.__getitem__, in_order(known, range(len(known)))))

    def split(self, id: str) -> Split | None:
        """The split of a record; None where it is left out, since it belongs with two.

        Ids go by 62 bits of a digest: the odds that two of a million share one are 1 in 9 million.

        Raises:
            UserError: the record was never assigned.
        """
        place = self._place(id)
        if place is None:
            raise UserError(
                f"{self._path}: says nothing of the record {id}; the answers changed meanwhile:"
                " run the command again"
            )
        code = self._known[place] & 3
        return SPLITS[code - 1] if code else None

    def find(self, id: str) -> Split | None:
        """The same; None for a record that was never assigned, too."""
        return None if self._place(id) is None else self.split(id)

    def _place(self, id: str) -> int | None:
        wanted = digest(id) & ~3
        place = bisect_left(self._known, wanted)
        found = place < len(self._known) and self._known[place] & ~3 == wanted
        return place if found else None


def _read(path: Path) -> Iterator[Assignment]:
    return files.read_lines(path, _parse)


def _parse(line: bytes) -> Assignment:
    """A line, also one that a person wrote: there an id may be an integer, as in any file."""
    with suppress(ValidationError):
        return Assignment.model_validate_json(line)
    row = files.row(line)
    if isinstance(row.get("id"), int):
        row["id"] = str(row["id"])
    try:
        return Assignment.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise ValueError(f"`{field}`: {fault['msg'].lower()}") from error


def _code(one: Assignment) -> int:
    """Place of the split in `SPLITS` from 1, 0 for none."""
    return SPLITS.index(one.split) + 1 if one.split else NOWHERE


def _packed(one: Assignment) -> int:
    """62 bits of an id, and 2 of its split."""
    return digest(one.id) & ~3 | _code(one)


class Stored:
    """What was assigned before; 26 bytes a record."""

    def __init__(self, path: Path, asked: Mapping[str, JSON]) -> None:
        """Reads `splits.jsonl`; what was made when something else was asked does not count.

        Raises:
            UserError: a line is no assignment.
        """
        self._path = path
        first = next(_read(path), None)
        self.anew = first is not None and bool(first.asked) and first.asked != asked
        """There is something, and it does not count."""
        ids, groups, contents, codes = array("Q"), array("Q"), array("Q"), bytearray()
        for one in self._lines():
            ids.append(digest(one.id))
            groups.append(int(one.group, 16) if one.group else digest(one.id))
            contents.append(int(one.content or "0", 16))
            codes.append(_code(one) | one.absent << 2)
        order = array("I", in_order(ids, range(len(ids))))
        self._ids = array("Q", map(ids.__getitem__, order))
        self._groups = array("Q", map(groups.__getitem__, order))
        self._contents = array("Q", map(contents.__getitem__, order))
        self._codes = bytes(map(codes.__getitem__, order))
        self._met = bytearray(len(order))

    def _lines(self) -> Iterator[Assignment]:
        return iter(()) if self.anew else _read(self._path)

    def get(self, id: int) -> tuple[int, int, Firm]:
        """Split, group and firmness of a record, by the digest of its id; `NOWHERE`, 0 and free if
        it is new, or was left out."""
        place = self._place(id)
        if place is not None:
            self._met[place] = True
        if place is None or not self._codes[place] & 3:
            return NOWHERE, 0, Firm.FREE
        code = self._codes[place]
        return code & 3, self._groups[place], Firm.WISHED if code & 4 else Firm.ASSIGNED

    def find(self, id: int) -> tuple[int, int]:
        """Split and group of a record that need not be among the answers; `NOWHERE` and 0 if it is
        new, or was left out."""
        place = self._place(id)
        code = 0 if place is None else self._codes[place] & 3
        return (code, self._groups[place]) if place is not None and code else (NOWHERE, 0)

    def changed(self, id: int, content: int) -> bool:
        """Whether the content of a record was another; where its line tells none, it was not."""
        place = self._place(id)
        return place is not None and self._contents[place] not in (0, content)

    def others(self) -> Iterator[Assignment]:
        """The assignments of records that nobody asked for."""
        for one in self._lines():
            place = self._place(digest(one.id))
            if place is not None and not self._met[place]:
                yield one.model_copy(update={"absent": True, "asked": {}})

    def _place(self, id: int) -> int | None:
        place = bisect_left(self._ids, id)
        return place if place < len(self._ids) and self._ids[place] == id else None
