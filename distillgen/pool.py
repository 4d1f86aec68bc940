"""Hold the inputs of a walk in little room, and know how many were made of each."""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import overload

import orjson

from distillgen.records import Example


class Pool(Sequence[Example]):
    """Examples that take a quarter of their room: as JSON in a row, unpacked one at a time."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ends = array("Q", [0])
        self._children: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        self._length: int | None = None
        self._asked: Mapping[str, int] = {}

    def append(self, example: Example, parent: str = "") -> None:
        """Put one behind the others; `parent` is the id of the one whose children are counted."""
        if parent:
            self._children[parent].append(len(self))
        self._data += orjson.dumps(example.row())
        self._ends.append(len(self._data))

    def first(self, length: int, asked: Mapping[str, int]) -> "Pool":
        """The first so many, without a copy; it does not grow with the others.

        `asked` says how many children of which example were asked for beyond these.
        """
        view = Pool()
        view._data, view._ends, view._length = self._data, self._ends, length
        view._children, view._asked = self._children, asked
        return view

    def children(self, id: str) -> int:
        """How many of these were made of that one and counted, and how many more are asked for."""
        kept = bisect_left(self._children[id], len(self)) if id in self._children else 0
        return kept + self._asked.get(id, 0)

    def __len__(self) -> int:
        return len(self._ends) - 1 if self._length is None else self._length

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        places = range(len(self))[place]
        if isinstance(places, int):
            start, end = self._ends[places : places + 2]
            return Example.model_validate_json(self._data[start:end])
        return [self[i] for i in places]
