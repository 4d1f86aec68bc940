"""Draw and shuffle so that the same seed gives the same in every version of Python."""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def sample(items: Sequence[T], k: int, dice: random.Random) -> list[T]:
    """At most `k` different items, drawn with `random()` alone: its stream is the only one that
    Python promises to keep. Takes no longer for more items."""
    taken: list[int] = []
    for drawn in range(min(k, len(items))):
        place = int(dice.random() * (len(items) - drawn))
        for before in sorted(taken):
            place += before <= place
        taken.append(place)
    return [items[place] for place in taken]


def shuffled(items: Iterable[T], dice: random.Random) -> list[T]:
    """All items in a random order, drawn with `random()` alone, too."""
    return sorted(items, key=lambda _: dice.random())
