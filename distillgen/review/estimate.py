"""Estimate how much of the whole is wrong, from the part that people looked at; and Cohen's kappa.

A record is wrong if a person would reject or change it, one that reviewers differ about too. The
most doubtful ones, down to where all were looked at, say nothing of the others: they count for
themselves alone, whatever brought them. Of the rest, those that were drawn at random speak for all.
Where each stratum has been drawn from twice, both random ways are used, each stratum weighted by
its size (post-stratification); before that, the uniform one alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from distillgen.review.order import DRAWN, SHARES, Order

Z = 1.959963984540054
"""Of the normal distribution, for 95 %."""
GOAL = 0.05
"""Half the width of the interval that is worked for: five points."""
LEAST_OF_A_STRATUM = 2
CHANCE = sum(SHARES[arm] for arm in ("stratified", "uniform")) / sum(SHARES.values())
"""Share of the mixed order that is drawn at random."""

Seen = Literal["right", "wrong", "skipped"] | None
"""What became of a record: None if nobody looked at it."""


class Estimate(NamedTuple):
    """How much of the records, as the teacher left them, is wrong."""

    error: float | None
    """The estimated share, 0 to 1; None where nothing was drawn at random yet."""
    low: float
    high: float
    """The interval of 95 %."""
    reviewed: int
    """Records that were decided about."""
    drawn: int
    """Those of them that were drawn at random and speak for others."""
    more: int
    """Reviews to come until the interval is ± 5 points, or all are reviewed; at an error of a half
    as long as nothing is known."""
    left: float | None
    """The estimated share of wrong ones among those that are taken: what was rejected is out, what
    was changed is right."""

    @property
    def _more(self) -> str:
        return f"{self.more:,} more review{'s' * (self.more != 1)}"

    @property
    def words(self) -> str:
        """As people read it."""
        if self.error is None:
            return f"no estimate yet of the error of the kept set, {self.more:,} reviews for ± 5"
        found = (
            f"estimated error of the kept set {self.error:.0%} [{self.low:.0%}, {self.high:.0%}]"
        )
        return f"{found}, {self._more} for ± 5" if self.more else found

    @property
    def meaning(self) -> str:
        """The same for who has never heard of an interval."""
        goal = f" After {self._more} that is known to within 5, up or down."
        if self.error is None:
            return f"How many of 100 records are wrong cannot be told yet.{goal}"
        wrong, least, most = (round(100 * one) for one in (self.error, self.low, self.high))
        found = f"About {wrong} of 100 records are wrong: a person would change or reject them."
        if self.low == self.high:
            return f"{wrong} of 100 records were wrong: a person changed or rejected them."
        sure = f" What is reviewed so far leaves {least} to {most} possible (95 % sure)."
        how = (
            " This is reckoned from records that were drawn at random; the doubtful ones that come"
            " in between count for themselves alone."
        )
        return f"{found}{sure}{goal if self.more else ''}{how}"


class Part(NamedTuple):
    """Records of which some were drawn at random."""

    size: int
    seen: int
    wrong: int


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's score interval of 95 % for a share that was seen in a sample of n (Wilson 1927).

    n need not be whole: a sample that is not simple counts for as many as its variance is worth
    (Kish 1965, the effective sample size).
    """
    if n <= 0:
        return 0.0, 1.0
    if math.isinf(n):
        return share, share
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def effective(parts: Sequence[Part]) -> float:
    """The simple sample from an endless population that these are worth.

    The parts' samples are drawn without putting back, so that a part that was seen whole leaves
    nothing open: the factor 1 - seen / size (Cochran 1977, section 5.3).
    """
    whole = sum(part.size for part in parts)
    if not whole:
        return math.inf
    variance = sum(
        (part.size / whole) ** 2 * (1 - part.seen / part.size) / part.seen
        for part in parts
        if part.size
    )
    return 1 / variance if variance else math.inf


def estimate(order: Order, seen: Callable[[int], Seen], changed: int = 0) -> Estimate:
    """The estimate, from what became of each place; of these `changed` are mended or left out.

    What was drawn at random counts as such up to the first record of the order that nobody looked
    at: whatever a person picked beyond counts for itself alone.
    """
    total = len(order.strata)
    fate: dict[int, Seen] = {place: one for place in range(total) if (one := seen(place))}
    walked = next((n for n, place in enumerate(order.places) if place not in fate), len(order))
    drawn: dict[int, str] = {}
    for position in range(walked):
        if (arm := order.arm(position)) in DRAWN:
            drawn[order.places[position]] = arm
    for place in order.ranked:
        if place not in fate:
            break
        drawn.pop(place, None)
    decided = {place: one for place, one in fate.items() if one != "skipped"}
    parts, known = _parts(order, decided, drawn)
    rest = sum(part.size for part in parts)
    wrong_known = sum(decided[place] == "wrong" for place in known)
    spoken = sum(part.seen for part in parts)
    if rest and not spoken:
        more = _more(0.5, 0.0, total, len(decided), rest, 0)
        return Estimate(None, 0.0, 1.0, len(decided), 0, more, None)
    share = sum(p.size / rest * p.wrong / p.seen for p in parts if p.size) if rest else 0.0
    n = effective(parts)
    low, high = ((wrong_known + rest * bound) / total for bound in wilson(share, n))
    more = _more(share, n, total, len(decided), rest, spoken) if high - low > 2 * GOAL else 0
    error = (wrong_known + rest * share) / total
    wrong_now = sum(one == "wrong" for one in decided.values())
    open_ones = max(0.0, error * total - wrong_now)
    kept = total - changed
    return Estimate(error, low, high, len(decided), spoken, more,
                    min(1.0, open_ones / kept) if kept > 0 else None)  # fmt: skip


def _parts(
    order: Order, decided: Mapping[int, Seen], drawn: Mapping[int, str]
) -> tuple[list[Part], list[int]]:
    """The random samples, and the places that count for themselves."""
    by_stratum = {place: order.strata[place] for place in decided if place in drawn}
    counts = Counter(by_stratum.values())
    known = [place for place in decided if place not in drawn]
    sizes = Counter(order.strata)
    sizes.subtract(Counter(order.strata[place] for place in known))
    enough = all(counts[name] >= min(LEAST_OF_A_STRATUM, size) for name, size in sizes.items())
    if not enough:
        by_stratum = {place: "" for place in decided if drawn.get(place) == "uniform"}
        counts = Counter(by_stratum.values())
        known = [place for place in decided if place not in by_stratum]
        sizes = Counter({"": len(order.strata) - len(known)})
    wrong = Counter(name for place, name in by_stratum.items() if decided[place] == "wrong")
    parts = [Part(size, counts[name], wrong[name]) for name, size in sizes.items() if size]
    return parts, known


def _more(share: float, n: float, total: int, reviewed: int, rest: int, drawn: int) -> int:
    """Reviews to come until half the interval is `GOAL`, if they go on as the mixed order does."""
    worth = n * (1 - drawn / rest) / drawn if drawn and rest > drawn else 1.0

    def wide(more: int) -> bool:
        left = rest - more * (1 - CHANCE)
        sample = drawn + more * CHANCE
        if left <= sample:
            return False
        low, high = wilson(share, sample * worth / (1 - sample / left))
        return (high - low) * left / total > 2 * GOAL

    fewest, most = 0, total - reviewed
    while fewest < most:
        middle = (fewest + most) // 2
        fewest, most = (middle + 1, most) if wide(middle) else (fewest, middle)
    return fewest


class Kappa(NamedTuple):
    """How far two reviewers agree beyond chance: 1 wholly, 0 as if they drew lots."""

    reviewers: tuple[str, str]
    records: int
    """That both decided about."""
    agree: float | None
    """Share of them with the same decision."""
    kappa: float | None
    """None where both only ever gave one decision: chance would agree as well."""
    low: float | None = None
    high: float | None = None
    """The interval of 95 %."""


def kappa(reviewers: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> Kappa:
    """Cohen's kappa of the decisions of two (Cohen 1960).

    Its interval is of Fleiss, Cohen and Everitt (1969), for large samples: with fewer than 50
    records take it as a hint.
    """
    counts = Counter(pairs)
    n = counts.total()
    if not n:
        return Kappa(reviewers, 0, None, None)
    names = sorted({name for pair in counts for name in pair})
    one = {a: sum(counts[a, b] for b in names) / n for a in names}
    other = {b: sum(counts[a, b] for a in names) / n for b in names}
    same = sum(counts[a, a] for a in names) / n
    chance = sum(one[a] * other[a] for a in names)
    if chance >= 1:
        return Kappa(reviewers, n, same, None)
    found = (same - chance) / (1 - chance)
    on = sum(
        counts[a, a] / n * ((1 - chance) - (one[a] + other[a]) * (1 - same)) ** 2 for a in names
    )
    off = (1 - same) ** 2 * sum(
        counts[a, b] / n * (other[a] + one[b]) ** 2 for a in names for b in names if a != b
    )
    past = (same * chance - 2 * chance + same) ** 2
    error = math.sqrt(max(0.0, on + off - past) / n) / (1 - chance) ** 2
    return Kappa(reviewers, n, same, found, max(-1.0, found - Z * error),
                 min(1.0, found + Z * error))  # fmt: skip
