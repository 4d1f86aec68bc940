"""Put the records into the order in which people look at them, so that it tells of the whole.

`mixed` goes three ways at once: half of it are the records with the lowest agreement or judge's
score, where mistakes are likeliest; a third is drawn from all labels or topics in turn; a fifth is
drawn uniformly. These shares make 31 thirtieths; they are taken as 15, 10 and 6 of 31, and every
beginning of the order has them, to within one record.
"""

import math
import random
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Literal

from distillgen.dice import shuffled
from distillgen.review.pile import Pile

Name = Literal["mixed", "plain", "failed"]
Arm = Literal["lowest", "stratified", "uniform", "given"]
"""Why a record comes where it does; `given` are those of an order that draws nothing."""
ARMS: tuple[Arm, ...] = ("lowest", "stratified", "uniform", "given")
DRAWN = ("stratified", "uniform")
SHARES: dict[Arm, int] = {"lowest": 15, "stratified": 10, "uniform": 6}
"""Of 31: a half, a third and a fifth, made 1."""


@dataclass(frozen=True)
class Order:
    """Places of a pile in the order of work."""

    name: Name
    places: "array[int]"
    arms: bytes
    """By position, which of `ARMS` brought it."""
    strata: Sequence[str]
    """By place, what `stratified` goes by; all the same where there is nothing to go by."""
    ranked: Sequence[int] = ()
    """The places that `lowest` takes, in its order."""

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def positions(self) -> "array[int]":
        """By place where it stands in the order; the length of the order where it does not."""
        found = array("L", [len(self.places)]) * len(self.strata)
        for position, place in enumerate(self.places):
            found[place] = position
        return found

    @cached_property
    def sizes(self) -> Counter[str]:
        """Records of each stratum."""
        return Counter(self.strata)

    def arm(self, position: int) -> Arm:
        """Why the record at this position is there."""
        return ARMS[self.arms[position]]


def order(pile: Pile, name: Name = "mixed", random_seed: int = 0) -> Order:
    """The records in their order; the same for the same records and seed.

    `plain` is the order of the file, `failed` the same of those that failed a check.
    """
    strata = _strata(pile)
    if name == "mixed":
        return _mixed(pile, strata, random_seed)
    places = array("L", (p for p in range(len(pile)) if name == "plain" or pile.failed[p]))
    return Order(name, places, bytes([ARMS.index("given")]) * len(places), strata)


def _mixed(pile: Pile, strata: Sequence[str], random_seed: int) -> Order:
    """Each time the arm that is furthest behind its share."""
    dice = random.Random(random_seed)
    uniform = shuffled(range(len(pile)), dice)
    in_turn = shuffled(range(len(pile)), dice)
    # Equal scores stand by a draw of their own: by that of `uniform`, the ranked ones would swallow
    # its records, and what it draws from the rest would not be as the rest is.
    told = [p for p in shuffled(range(len(pile)), dice) if not math.isnan(pile.confidence[p])]
    ranked = array("L", sorted(told, key=pile.confidence.__getitem__))
    taken, places, arms = bytearray(len(pile)), array("L"), bytearray()
    ways: dict[Arm, Iterator[int]] = {
        "lowest": iter(ranked),
        "stratified": _in_turn(in_turn, strata, taken),
        "uniform": iter(uniform),
    }
    if not told:
        del ways["lowest"]
    while ways:
        for arm in _turns(tuple(ways)):
            for place in ways[arm]:
                if not taken[place]:
                    taken[place] = 1
                    places.append(place)
                    arms.append(ARMS.index(arm))
                    break
            else:
                del ways[arm]
                break
    return Order("mixed", places, bytes(arms), strata, ranked)


@cache
def _turns(arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """One round, in which each arm has its share and none falls behind by more than a record."""
    turns: list[Arm] = []
    for _ in range(sum(SHARES[arm] for arm in arms)):
        turns.append(min(arms, key=lambda arm: (turns.count(arm) + 1) / SHARES[arm]))
    return tuple(turns)


def _in_turn(places: Sequence[int], strata: Sequence[str], taken: Sequence[int]) -> Iterator[int]:
    """One of each stratum after the other, in each as they come; of those not taken elsewhere."""
    by_name: dict[str, list[int]] = {}
    for place in reversed(places):
        by_name.setdefault(strata[place], []).append(place)
    left = [by_name[name] for name in sorted(by_name)]
    while left:
        for one in left:
            while one and taken[one[-1]]:
                one.pop()
            if one:
                yield one.pop()
        left = [one for one in left if one]


MOST_STRATA = 50
"""A third of a few hundred reviews cannot tell of more; then a coarser column is gone by."""


def _strata(pile: Pile) -> Sequence[str]:
    """The first that parts the records into a few: labels, topics from the top, strategies."""
    depth = max(map(len, pile.topic), default=0)
    topics = ([t[level] if level < len(t) else "" for t in pile.topic] for level in range(depth))
    for one in (pile.label, *topics, pile.strategy):
        if 2 <= len(set(one)) <= MOST_STRATA:
            return one
    return [""] * len(pile)


def is_double(id: str, share: float, random_seed: int = 0) -> bool:
    """Whether a record goes to two reviewers: so many of all, and always the same."""
    drawn = sha256(f"{random_seed}:{id}".encode(errors="replace")).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64
