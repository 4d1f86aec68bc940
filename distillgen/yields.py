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
    journal = Stored(run / "journal.sqlite")
    for key, lineage in journal.lineages(kept.key):
        how = json.loads(lineage)
        strategy, parents = how["strategy"], [id for id in how["parents"] if id in seeds]
        for new, rows in ((True, kept), (False, dropped)):
            n = rows.take(key)
            recent.extend([new] * n)
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
    )


def _pair(name: str, counts: dict[bool, Counter[str]]) -> tuple[int, int]:
    return counts[True][name] + counts[False][name], counts[True][name]


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
