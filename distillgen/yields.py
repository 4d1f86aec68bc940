"""Count what the proposals of `expand` gave: by strategy, by the seed shown, and lately."""

import json
from collections import Counter, deque
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from distillgen import files
from distillgen.records import JSON
from distillgen.stored import Stored

LATELY = 200
"""The newest proposals; as many as `expand --patience` looks at."""
STEPS = 50
"""A curve has so many points at least, where there are as many proposals, and twice as many at
most: more than a chart of a phone's width can tell apart."""


class Yields(NamedTuple):
    """What the teacher proposed and how many of it was kept as new inputs; failed requests proposed
    nothing."""

    proposals: int
    kept: int
    lately: tuple[int, int]
    """The same of the last `LATELY`."""
    by_strategy: dict[str, tuple[int, int]]
    by_seed: dict[str, tuple[int, int]]
    """By id of each seed, of the requests that showed it; those that no request showed at 0, 0."""
    curve: tuple[tuple[int, int], ...] = ()
    """Proposals and kept inputs up to there, at even steps along the sequence."""


def of(run: Path, seeds: Collection[str]) -> Yields | None:
    """The yields of a run folder, given the ids of its seeds; reads only.

    None where they cannot be known: no journal, or inputs.jsonl is not what it tells of.
    """
    kept = _Requests(run / "inputs.jsonl")
    dropped = _Requests(run / "rejected.jsonl")
    if not kept.key or not (run / "journal.sqlite").exists():
        return None
    recent: deque[bool] = deque(maxlen=LATELY)
    strategies = {True: Counter[str](), False: Counter[str]()}
    shown = {True: Counter[str](), False: Counter[str]()}
    curve = Curve()
    journal = Stored(run / "journal.sqlite")
    for key, lineage in journal.lineages(kept.key):
        how = json.loads(lineage)
        strategy, parents = how["strategy"], [id for id in how["parents"] if id in seeds]
        for new, rows in ((True, kept), (False, dropped)):
            n = rows.take(key)
            recent.extend([new] * n)
            curve.add(n, new)
            strategies[new][strategy] += n
            for seed in parents:
                shown[new][seed] += n
    journal.close()
    if kept.key or dropped.key:
        return None
    return Yields(
        proposals=strategies[True].total() + strategies[False].total(),
        kept=strategies[True].total(),
        lately=(len(recent), sum(recent)),
        by_strategy={name: _pair(name, strategies) for name in strategies[True]},
        by_seed={seed: _pair(seed, shown) for seed in seeds},
        curve=tuple(curve.points()),
    )


def _pair(name: str, counts: dict[bool, Counter[str]]) -> tuple[int, int]:
    return counts[True][name] + counts[False][name], counts[True][name]


class Curve:
    """The sums along a sequence, in `STEPS` to twice as many steps of equal width."""

    def __init__(self) -> None:
        self.width = 1
        self._points: list[tuple[int, int]] = []
        self._now = (0, 0)

    def add(self, n: int, new: bool) -> None:
        """Take in `n` more proposals, kept or not."""
        for _ in range(n):
            self._now = self._now[0] + 1, self._now[1] + new
            if self._now[0] % self.width == 0:
                self._points.append(self._now)
            if len(self._points) == 2 * STEPS:
                self.width *= 2
                self._points = self._points[1::2]

    def points(self) -> list[tuple[int, int]]:
        """The points, the last proposal among them."""
        at_end = self._points[-1:] == [self._now]
        return self._points if at_end or not self._now[0] else [*self._points, self._now]


class _Requests:
    """The rows of a file that `expand` wrote, in the order of its places."""

    def __init__(self, path: Path) -> None:
        rows = (
            row
            for row in files.rows_of(path)
            if row.get("stage", "expand") == "expand" and row.get("request")
        )
        self._rows: Iterator[dict[str, JSON]] = chain(rows, [{}])
        self._next = next(self._rows)

    @property
    def key(self) -> str:
        """Request of the next row; empty at the end."""
        return str(self._next.get("request", ""))

    def take(self, key: str) -> int:
        """Pass over the next rows as long as this request brought them; how many there were."""
        n = 0
        while key and self.key == key:
            n += 1
            self._next = next(self._rows)
        return n
