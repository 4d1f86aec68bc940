"""Measure what leaks from one split into another.

It looks at nothing but the records and their splits, and finds what is near with a sketch of its
own: what was wrong in making the splits would show here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean

from distillgen import clusters
from distillgen.clusters import ROWS, Bands, Prompts
from distillgen.dedupe import minhash, nearest
from distillgen.groups import NOWHERE
from distillgen.lineage import Lineage
from distillgen.records import JSON, SPLITS, Split
from distillgen.sorting import equal

SAMPLE, AGAINST = 100, 10_000
"""Records whose nearest is looked for, and of the other split those it is looked for among."""
BANDS = 20
SEED = 1
"""The sketches of `clusters` have 0."""
COMPARED = 64
"""Of a split, so many in one band."""


@dataclass(frozen=True)
class Leak:
    """What the smaller of two splits has in common with the larger one."""

    smaller: Split
    larger: Split
    records: int
    """Of the smaller."""
    equal: int
    """Records whose prompt stands in the larger one too: user context and question as one text,
    punctuation aside, and the images."""
    near: int
    """Records with a near duplicate there, the equal ones among them."""
    kin: int
    """Records with a parent, a child, a sibling or the same first ancestor there."""
    nearest_highest: float
    """ROUGE-L F1 of the question with the most like question there: the highest of a sample."""
    nearest_mean: float
    """The mean of it."""
    sampled: int
    """Records of that sample, at most 100; looked for among at most 10,000."""


@dataclass(frozen=True)
class Leakage:
    """A `Leak` for each two splits that both have records."""

    leaks: tuple[Leak, ...] = ()

    def rows(self) -> list[list[str]]:
        """The table, its heading first."""
        return [
            list(_HEADING),
            *(
                [f"{one.smaller} / {one.larger}", f"{one.records:,}", f"{one.equal:,}",
                 f"{one.near:,}", f"{one.kin:,}", f"{one.nearest_highest:.2f}",
                 f"{one.nearest_mean:.2f}"]
                for one in self.leaks
            ),
        ]  # fmt: skip

    def as_json(self) -> list[dict[str, JSON]]:
        """For reports."""
        return [asdict(one) for one in self.leaks]


_HEADING = "of / in", "records", "equal", "near", "kin", "most alike", "mean"


def lines(table: Leakage) -> list[str]:
    """The table for the terminal; none where there are no two splits."""
    if not table.leaks:
        return []
    rows = table.rows()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])])
        for first, *others in rows
    ]


def markdown(table: Leakage) -> str:
    """The table for a page; empty where there are no two splits."""
    if not table.leaks:
        return ""
    head, *rows = (f"| {' | '.join(row)} |" for row in table.rows())
    return "\n".join([head, "|---|" + "---:|" * (len(_HEADING) - 1), *rows])


def notes(table: Leakage) -> list[str]:
    """What to say where something of one split stands in `train`, or the other way round."""
    return [
        f"{one.smaller} leaks into {one.larger}: of {one.records:,} records {one.equal:,} have the"
        f" same prompt there, {one.near:,} a near duplicate, {one.kin:,} a relative; the lines of"
        " splits.jsonl say where each is"
        for one in table.leaks
        if "train" in (one.smaller, one.larger) and (one.equal or one.near or one.kin)
    ]


def leakage(prompts: Prompts, lineage: Lineage, splits: Sequence[int]) -> Leakage:
    """The table; `splits` holds 1 to 3 for each record's place in `SPLITS`, 0 for none.

    Only records of the smaller split are looked up, and each only until one is found.
    """
    sizes = {split: splits.count(split) for split in (1, 2, 3)}
    given = [split for split in sizes if sizes[split]]
    pairs = [
        (min(pair, key=lambda s: (sizes[s], -s)), max(pair, key=lambda s: (sizes[s], -s)))
        for pair in combinations(given, 2)
    ]
    if not pairs:
        return Leakage()
    order = prompts.by_content()
    alike, kin, near = (_Found(pairs, splits) for _ in range(3))
    for same in prompts.equal():
        alike.share(same)
    for run in lineage.runs():
        kin.share(run)
    near.take(alike)
    _find_near(prompts, order, splits, near)
    leaks = []
    for smaller, larger in pairs:
        scores = _nearest(prompts, order, splits, smaller, larger)
        leaks.append(
            Leak(
                SPLITS[smaller - 1], SPLITS[larger - 1], sizes[smaller],
                alike.count(smaller, larger), near.count(smaller, larger),
                kin.count(smaller, larger), round(max(scores), 4), round(fmean(scores), 4),
                len(scores),
            )
        )  # fmt: skip
    return Leakage(tuple(leaks))


class _Found:
    """For each pair of splits the records of the smaller that have something in the larger."""

    def __init__(self, pairs: Iterable[tuple[int, int]], splits: Sequence[int]) -> None:
        self._found: dict[tuple[int, int], set[int]] = {pair: set() for pair in pairs}
        self._splits = splits

    def share(self, run: Sequence[int]) -> None:
        """All of these have the same in common."""
        there = {self._splits[n] for n in run}
        for (smaller, larger), found in self._found.items():
            if smaller in there and larger in there:
                found.update(n for n in run if self._splits[n] == smaller)

    def take(self, other: "_Found") -> None:
        """What another has found is found here."""
        for pair, found in other._found.items():
            self._found[pair] |= found

    def wanted(self, n: int) -> list[tuple[set[int], int]]:
        """Where nothing was found of a record yet: what it is to be added to, and the split."""
        return [
            (found, larger)
            for (smaller, larger), found in self._found.items()
            if smaller == self._splits[n] and n not in found
        ]

    def count(self, smaller: int, larger: int) -> int:
        return len(self._found[smaller, larger])


def _find_near(prompts: Prompts, order: Sequence[int], splits: Sequence[int], near: _Found) -> None:
    """Band by band, each record that is looked up beside those of other splits in its bucket."""
    bands = Bands(BANDS)
    for n in range(len(order)):
        bands.add(minhash(prompts.sketched(n), BANDS * ROWS, SEED))
    looked_up = [n for n in order if near.wanted(n)]
    for band in range(BANDS):
        keys = bands.keys(band)
        there = {keys[n] for n in looked_up}
        for bucket in equal(keys, (n for n in order if keys[n] in there)):
            if len({splits[n] for n in bucket} - {NOWHERE}) > 1:
                _look(bucket, prompts, splits, near)
    bands.close()


def _look(bucket: Sequence[int], prompts: Prompts, splits: Sequence[int], near: _Found) -> None:
    there = {
        split: [prompts.text(n) for n in [n for n in bucket if splits[n] == split][:COMPARED]]
        for split in (1, 2, 3)
    }
    for n in bucket:
        for found, larger in near.wanted(n):
            others = [text[0] for text in there[larger]], [text[1] for text in there[larger]]
            if others[0] and clusters.near(prompts.text(n), others):
                found.add(n)


def _nearest(
    prompts: Prompts, order: Sequence[int], splits: Sequence[int], smaller: int, larger: int
) -> list[float]:
    """ROUGE-L F1 of questions of the smaller split to the most like one of the larger.

    The records are those whose digests come first, which is as good as drawn at random.
    """
    few = [prompts.text(n)[0] for n in _first(order, splits, smaller, SAMPLE)]
    many = [prompts.text(n)[0] for n in _first(order, splits, larger, AGAINST)]
    return nearest(few, many)


def _first(order: Iterable[int], splits: Sequence[int], split: int, count: int) -> list[int]:
    found: list[int] = []
    for n in order:
        if splits[n] == split:
            found.append(n)
            if len(found) == count:
                break
    return found
