"""Fill splits with whole groups of records: sizes as asked, strata as far as groups allow."""

from array import array
from collections.abc import Mapping, Sequence

from distillgen.groups import NOWHERE, Groups
from distillgen.records import SPLITS, Split
from distillgen.sorting import in_order


def main_split(shares: Mapping[Split, float]) -> int:
    """The split that takes what no other does, by its place in `SPLITS` from 1: `train`, or the
    largest one where nothing goes there."""
    main = "train" if shares.get("train") else max(shares, key=shares.__getitem__)
    return SPLITS.index(main) + 1


def targets(records: int, shares: Mapping[Split, float]) -> dict[int, int]:
    """How many records each split should have; what rounding leaves is the main split's.

    >>> targets(12, {"train": 0.9, "validation": 0.05, "test": 0.05})
    {2: 1, 3: 1, 1: 10}
    >>> targets(9, {"train": 0.9, "validation": 0.05, "test": 0.05})
    {2: 0, 3: 0, 1: 9}
    """
    main = main_split(shares)
    places = {SPLITS.index(split) + 1: share for split, share in shares.items()}
    found = {place: _rounded(records * s) for place, s in places.items() if place != main}
    return found | {main: records - sum(found.values())}


def _rounded(number: float) -> int:
    return int(number + 0.5)


def fill(
    groups: Groups,
    dice: "array[int]",
    strata: Sequence[int],
    names: Sequence[str],
    shares: Mapping[Split, float],
) -> bytearray:
    """The split of each record, by its place in `SPLITS` from 1; 0 for those left out.

    `dice` is a number for each record that is as good as drawn; the lowest of a group says when its
    turn comes, and that record's stratum is the group's. `strata` are places in `names`. Groups
    that are bound to a split are there; of the others, one that is larger than the smallest split
    goes to the main one.
    """
    first, size = _groups(groups, dice)
    firsts = in_order(dice, (first[head] for head in range(len(size)) if size[head]))
    heads = array("I", map(groups.find, firsts))
    wanted = targets(sum(size), shares)
    smallest = min((n for n in wanted.values() if n), default=0)
    quotas = _Quotas(wanted, main_split(shares), len(names))
    for head in heads:
        quotas.count(strata[first[head]], size[head])
    quotas.part(sorted(range(len(names)), key=names.__getitem__), shares)
    placed = bytearray(len(size))
    for head in heads:
        if split := groups.split(head):
            placed[head] = split
            quotas.take(split, strata[first[head]], size[head])
    for strict in (True, False):
        for head in heads:
            if not placed[head] and size[head] <= smallest:
                placed[head] = quotas.find(strata[first[head]], size[head], strict=strict)
    for head in heads:
        placed[head] = placed[head] or quotas.main
    return bytearray(
        NOWHERE if n in groups.out else placed[groups.find(n)] for n in range(len(size))
    )


def _groups(groups: Groups, dice: Sequence[int]) -> tuple["array[int]", "array[int]"]:
    """For each group, by its head, the record with the lowest number, and how many there are."""
    first, size = array("I", range(len(groups))), array("I", bytes(4 * len(groups)))
    for n in range(len(groups)):
        if n not in groups.out:
            head = groups.find(n)
            if not size[head] or dice[n] < dice[first[head]]:
                first[head] = n
            size[head] += 1
    return first, size


class _Quotas:
    """How much room there is in the splits that are not the main one, and of it in each stratum."""

    def __init__(self, wanted: Mapping[int, int], main: int, strata: int) -> None:
        self.main = main
        self._left = {split: n for split, n in wanted.items() if split != main}
        self._records = array("q", bytes(8 * strata))
        self._quotas = {split: array("q", bytes(8 * strata)) for split in self._left}

    def count(self, stratum: int, size: int) -> None:
        """A group of this stratum is to be placed."""
        self._records[stratum] += size

    def part(self, order: Sequence[int], shares: Mapping[Split, float]) -> None:
        """Give each stratum its share of each split, rounded so that all make the whole."""
        for split, quotas in self._quotas.items():
            share, seen, given = shares[SPLITS[split - 1]], 0, 0
            for stratum in order:
                seen += self._records[stratum]
                quotas[stratum] = _rounded(seen * share) - given
                given += quotas[stratum]

    def take(self, split: int, stratum: int, size: int) -> None:
        """A group is in a split."""
        if split != self.main:
            self._left[split] -= size
            self._quotas[split][stratum] -= size

    def find(self, stratum: int, size: int, *, strict: bool) -> int:
        """The split with room for a group, with `strict` in its stratum; `NOWHERE` if none has."""
        for split, left in self._left.items():
            if size <= left and (not strict or size <= self._quotas[split][stratum]):
                self.take(split, stratum, size)
                return split
        return NOWHERE
