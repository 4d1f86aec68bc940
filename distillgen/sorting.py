"""Sort the places of many numbers, and find the equal ones, in little memory.

Sorting makes a Python object, some 80 bytes, of each number and place. So many places are dealt out
by the first bits of their numbers, in 4 bytes each, and one part after the other is looked at.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator

MANY = 1 << 17
"""Numbers above which they are looked at in parts."""
PARTS = 5
"""The first bits of a number that tell its part."""


def in_order(keys: "array[int]", places: Iterable[int]) -> Iterator[int]:
    """The places by their keys of 64 bits; those of equal keys as they came.

    >>> list(in_order(array("Q", [7, 9, 7]), range(3)))
    [0, 2, 1]
    """
    for part in _parts(keys, places):
        yield from sorted(part, key=keys.__getitem__)


def equal(keys: "array[int]", places: Iterable[int]) -> Iterator[list[int]]:
    """The places of each key that stands at several, by the keys; those of one as they came.

    >>> list(equal(array("Q", [7, 9, 7]), range(3)))
    [[0, 2]]
    """
    for part in _parts(keys, places):
        first: dict[int, int] = {}
        firsts = map(first.setdefault, map(keys.__getitem__, part), part)
        found: dict[int, list[int]] = {}
        for place, before in zip(part, firsts, strict=True):
            if before != place:
                found.setdefault(before, [before]).append(place)
        for before in sorted(found, key=keys.__getitem__):
            yield found[before]


def _parts(keys: "array[int]", places: Iterable[int]) -> Iterator["array[int]"]:
    """The places by the first bits of their keys, part by part."""
    if len(keys) < MANY:
        yield array("I", places)
        return
    parts = defaultdict[int, "array[int]"](lambda: array("I"))
    for place in places:
        parts[keys[place] >> 64 - PARTS].append(place)
    for part in sorted(parts):
        yield parts.pop(part)
