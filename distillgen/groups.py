"""Join records into groups that stay together, and never two groups of different splits.

A union-find over record numbers. A group may be bound to a split, by records that were assigned
before or that the user wants there. Where two records belong together but their groups are bound to
different splits, one of the two is left out: the one that was not assigned before.
"""

from array import array
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

NOWHERE = 0
"""The split of a group that is bound to none."""


class Firm(IntEnum):
    """How firmly a record is bound to its split."""

    FREE = 0
    WISHED = 1
    """It should be there, or was before it changed, but is rather left out than parted from
    others."""
    ASSIGNED = 2
    """It is there already, with all it was compared with."""


class Bridge(NamedTuple):
    """Why a record is left out: it belongs with records of two splits."""

    to: int
    """A record that it belongs with."""
    there: int
    """The split of that one's group."""
    of: int
    """A record that its own group is bound by."""
    here: int
    """The split of its own group."""


class Groups:
    """Records, numbered from 0, and which of them belong together; 14 bytes a record."""

    def __init__(self) -> None:
        self._parent = array("I")
        self.size = array("I")
        """Records of a group, by its head; those that are left out among them."""
        self._anchor = array("I")
        """A record that binds a group, by its head."""
        self._split = bytearray()
        """What a group is bound to, by its head."""
        self.firm = bytearray()
        """How firmly each record is bound, a `Firm`."""
        self.out: dict[int, Bridge] = {}
        """The records that are left out."""

    def __len__(self) -> int:
        return len(self._parent)

    def add(self, split: int = NOWHERE, firm: Firm = Firm.FREE) -> int:
        """One more record by itself, and its number."""
        n = len(self._parent)
        self._parent.append(n)
        self.size.append(1)
        self._anchor.append(n)
        self._split.append(split)
        self.firm.append(firm)
        return n

    def find(self, n: int) -> int:
        """The head of a record's group: one of them that stands for all."""
        parent = self._parent
        while parent[n] != n:
            parent[n] = n = parent[parent[n]]
        return n

    def split(self, n: int) -> int:
        """The split that the group of a record is bound to, or `NOWHERE`."""
        return self._split[self.find(n)]

    def join(self, one: int, other: int) -> None:
        """These two belong together: join their groups, or leave one of the two out.

        Nothing happens if one is left out already.
        """
        head, less = self.find(one), self.find(other)
        if head == less or (self.out and (one in self.out or other in self.out)):
            return
        if self.size[head] < self.size[less]:
            head, less = less, head
        here, there = self._split[head], self._split[less]
        if here and there and here != there:
            self._part(one, other)
            return
        self._parent[less] = head
        self.size[head] += self.size[less]
        if there and not here:
            self._split[head], self._anchor[head] = there, self._anchor[less]

    def _part(self, one: int, other: int) -> None:
        """Leave the looser of the two out, the other one if they are alike."""
        stays, goes = (one, other) if self.firm[one] >= self.firm[other] else (other, one)
        if self.firm[goes] == Firm.ASSIGNED:
            return
        group = self.find(goes)
        self.out[goes] = Bridge(stays, self.split(stays), self._anchor[group], self._split[group])

    def join_all(self, run: Iterable[int]) -> None:
        """All of these belong together.

        The firmest come first, and one that is left out is never the first of two: so each meets
        one of every group that stays.
        """
        heads: list[int] = []
        for n in sorted(run, key=self.firm.__getitem__, reverse=True):
            for head in heads:
                self.join(head, n)
            group = self.find(n)
            if n not in self.out and all(self.find(head) != group for head in heads):
                heads.append(n)
