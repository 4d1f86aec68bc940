"""Estimate how much of the whole is wrong, from the part that people looked at.

A record is wrong if a person would reject or change it, one that reviewers differ about too. The
most doubtful ones, down to where all were looked at, say nothing of the others: they count for
themselves alone, whatever brought them. Of the rest, those that were drawn at random speak for all.
Where each stratum has been drawn from twice, both random ways are used, each stratum weighted by
its size (post-stratification); before that, the uniform one alone. What was skipped is open.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from distillgen.review.order import ARMS, DRAWN, SHARES, Order

TAIL = 0.025
"""What an interval of 95 % leaves out at each end."""
GOAL = 0.05
"""Half the width of the interval that is worked for: five points."""
LEAST_OF_A_STRATUM = 2
CHANCE = sum(SHARES[arm] for arm in ("stratified", "uniform")) / sum(SHARES.values())
"""Share of the mixed order that is drawn at random, where there are scores to go by."""
UNIFORM, RANDOM = ARMS.index("uniform"), frozenset(map(ARMS.index, DRAWN))

Seen = Literal["right", "wrong", "skipped"]
"""What became of a record that somebody looked at."""


class Estimate(NamedTuple):
    """How much is wrong: of all records as the teacher left them, and of those that are kept."""

    error: float | None
    """The estimated share of wrong ones among all, as the teacher left them, 0 to 1; None where
    nothing was drawn at random yet and more than ± 5 points are possible."""
    low: float
    high: float
    """Its interval of 95 %: never less than was found, nor more than is still open beside it."""
    reviewed: int
    """Records that were decided about."""
    drawn: int
    """Those of them that were drawn at random and speak for others."""
    more: int
    """Reviews to come, in the mixed order, until the interval of `left` is ± 5 points, or all are
    reviewed; 0 only where it is. At an error of a half as long as nothing is known."""
    left: float | None
    """The same share among those that are kept, which `export` would take as things stand: what
    was rejected or is in conflict is out, what was changed is right. None with `error`."""
    left_low: float
    left_high: float
    """Its interval of 95 %."""
    records: int
    """All."""
    kept: int
    """Those that are kept; nobody looked at some of them."""
    wrong: int
    """Those that people found wrong."""

    @property
    def words(self) -> str:
        """As people read it."""
        if not self.kept:
            return "no record is kept" if self.records else "there are no records"
        if self.left is None:
            return (
                "not enough is reviewed to say how much is wrong;"
                f" {_count(self.more, 'more review')} for ± 5"
            )
        found = f"estimated error of the kept set {self.left:.0%}"
        found += f" [{self.left_low:.0%}, {self.left_high:.0%}]"
        return f"{found}, {_count(self.more, 'more review')} for ± 5" if self.more else found

    @property
    def meaning(self) -> str:
        """The same for who has never heard of an interval, and what the teacher got wrong."""
        if self.reviewed == self.records:
            return self._all_known
        goal = (
            f" After {_count(self.more, 'more review')} that is known to within 5 of 100, up or"
            " down."
        )  # fmt: skip
        if self.left is None or self.error is None:
            return f"Not enough is reviewed to say how many records are wrong.{goal}"
        many, wrong = _of(self.left, self.kept)
        least, most = (_of(bound, self.kept)[1] for bound in (self.left_low, self.left_high))
        found = (
            f"About {wrong} of {many} records that are kept {_is(wrong)} wrong: a person would"
            f" change or reject {'it' if wrong == 1 else 'them'}. What is reviewed so far leaves"
            f" {least} to {most} possible (95 % sure).{goal if self.more else ''}"
        )
        many, wrong = _of(self.error, self.records)
        least, most = (_of(bound, self.records)[1] for bound in (self.low, self.high))
        return (
            f"{found} Of all records, as the teacher left them, about {wrong} of {many}"
            f" {_is(wrong, past=True)} wrong ({least} to {most}). This is reckoned from records"
            " that were drawn at random; the doubtful ones that come in between count for"
            " themselves alone."
        )

    @property
    def _all_known(self) -> str:
        if not self.records:
            return "There are no records."
        found = f"{self.wrong:,} of the {self.records:,} records {_is(self.wrong, past=True)} wrong"
        if not self.wrong:
            found = f"None of the {self.records:,} records was wrong"
        if self.records == 1:
            found = f"The record was {'wrong' if self.wrong else 'right'}"
        did = ": a person changed or rejected " + ("it" if self.wrong == 1 else "them")
        kept = f" Nothing wrong is left in the {_count(self.kept, 'record')} kept."
        return f"All is reviewed. {found}{did * bool(self.wrong)}.{kept if self.kept else ''}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _is(n: int, past: bool = False) -> str:
    return ("was" if n == 1 else "were") if past else ("is" if n == 1 else "are")


def _of(share: float, n: int) -> tuple[str, int]:
    """A share as so many of a hundred, of fewer records as so many of them all."""
    return (f"the {n}", round(share * n)) if n < 100 else ("100", round(100 * share))


class Part(NamedTuple):
    """Records of which some were drawn at random."""

    size: int
    seen: int
    wrong: int


def effective(parts: Sequence[Part]) -> float:
    """The size of a simple sample of the same records that tells as much (Kish 1965).

    All samples are drawn without putting back, so that a part that was seen whole leaves nothing
    open: the factor 1 - seen / size (Cochran 1977, section 5.3).
    """
    whole = sum(part.size for part in parts)
    variance = sum(
        (part.size / whole) ** 2 * (1 - part.seen / part.size) / part.seen for part in parts
    )
    return 1 / (variance + 1 / whole)


def bounds(size: int, sample: float, share: float) -> tuple[int, int]:
    """The fewest and the most wrong ones among `size` records, 95 % sure, when of a simple sample
    without putting back such a share is wrong.

    The tests of the hypergeometric distribution turned round (Buonaccorsi 1987; Wright 1991): exact
    at any size, never below what was seen nor above what is left. A sample that is not simple
    counts for as many as it is worth (as Korn and Graubard 1998 do with the binomial); parts of a
    record are given up, each to the side that makes the interval wider.
    """
    seen = math.floor(sample + 1e-9)
    if not seen:
        return 0, size
    wrong, right = (math.floor(one * seen + 1e-9) for one in (share, 1 - share))
    return _fewest(size, seen, wrong), size - _fewest(size, seen, right)


def _fewest(size: int, seen: int, wrong: int) -> int:
    """The fewest that so many wrong ones of the seen are compatible with."""
    fewest, most = wrong, min(size - seen + wrong, -(-wrong * size // seen))
    while fewest < most:
        middle = (fewest + most) // 2
        if _likely(size, middle, seen, wrong):
            most = middle
        else:
            fewest = middle + 1
    return fewest


def _likely(size: int, bad: int, seen: int, wrong: int) -> bool:
    """Whether of the seen at least so many are wrong with a chance above `TAIL`, if of all so many
    are bad."""
    good = size - bad
    if wrong <= max(0, seen - good):
        return True
    chance = math.exp(_ways(bad, wrong) + _ways(good, seen - wrong) - _ways(size, seen))
    total = 0.0
    while total <= TAIL and chance > TAIL * 1e-12:
        total += chance
        chance *= (bad - wrong) * (seen - wrong) / ((wrong + 1) * (good - seen + wrong + 1))
        wrong += 1
    return total > TAIL


def _ways(n: int, k: int) -> float:
    """The logarithm of the number of ways to draw k of n."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def estimate(order: Order, fate: Mapping[int, Seen], left_out: int = 0) -> Estimate:
    """The estimate, from what became of the places that somebody looked at; so many of the records
    are left out.

    What was drawn at random counts as such up to the first record of the order that nobody looked
    at. What a person picked beyond is known, and says nothing of others: it only narrows what is
    possible. A skipped record may be right or wrong, whatever the others are.
    """
    total, kept = len(order.strata), len(order.strata) - left_out
    decided = {place: one for place, one in fate.items() if one != "skipped"}
    found = sum(one == "wrong" for one in decided.values())
    skipped, unseen = len(fate) - len(decided), total - len(decided)
    parts, known = _parts(order, fate, decided)
    known_wrong = sum(decided[place] == "wrong" for place in known)
    rest, drawn = sum(part.size for part in parts), sum(part.seen for part in parts)
    share, n, low, high = 0.5, 0.0, 0, rest
    if drawn:
        share = sum(part.size / rest * part.wrong / part.seen for part in parts)
        n = effective(parts)
        low, high = bounds(rest, n, share)

    def possible(wrong: float) -> float:
        return min(max(wrong, found), found + unseen)

    low, high = (int(possible(known_wrong + one)) for one in (low, high + skipped))
    more = 0
    if _is_wide(high - low, kept):
        chance = CHANCE if order.ranked else 1.0
        spread = (1 / n - 1 / rest) / (1 / drawn - 1 / rest) if 0 < drawn < rest else 1.0
        more = _more(share, spread, kept, (rest, drawn), chance, unseen)
    error = left = None
    if drawn or not more:
        wrong = possible(known_wrong + (rest + skipped) * share) if drawn else (low + high) / 2
        error = wrong / total if total else 0.0
        left = (wrong - found) / kept if kept else None
    return Estimate(
        error, low / (total or 1), high / (total or 1), len(decided), drawn, more,
        left, (low - found) / (kept or 1), (high - found) / (kept or 1), total, kept, found,
    )  # fmt: skip


def _is_wide(width: int, kept: int) -> bool:
    return width > 2 * GOAL * kept + 1e-9


def _parts(
    order: Order, fate: Mapping[int, Seen], decided: Mapping[int, Seen]
) -> tuple[list[Part], list[int]]:
    """The random samples, and the places that count for themselves."""
    walked = next((n for n, place in enumerate(order.places) if place not in fate), len(order))
    depth = next((n for n, place in enumerate(order.ranked) if place not in fate), None)
    doubtful = set(order.ranked[:depth])
    drawn = {
        place: arm
        for place, arm in zip(order.places[:walked], order.arms, strict=False)
        if arm in RANDOM and place not in doubtful and place in decided
    }
    known = [place for place in doubtful if place in decided]
    strata, sizes = order.strata, order.sizes.copy()
    sizes.subtract(strata[place] for place in known)
    sizes.subtract(strata[place] for place, one in fate.items() if one == "skipped")
    seen = Counter(strata[place] for place in drawn)
    if all(seen[name] >= min(LEAST_OF_A_STRATUM, size) for name, size in sizes.items()):
        wrong = Counter(strata[place] for place in drawn if decided[place] == "wrong")
        return [Part(size, seen[name], wrong[name]) for name, size in sizes.items() if size], known
    known += (place for place, arm in drawn.items() if arm != UNIFORM)
    alike = [decided[place] == "wrong" for place, arm in drawn.items() if arm == UNIFORM]
    size = sizes.total() - (len(drawn) - len(alike))
    return [Part(size, len(alike), sum(alike))] if size else [], known


def _more(
    share: float, spread: float, kept: int, now: tuple[int, int], chance: float, most: int
) -> int:
    """Reviews to come, at least one, until half the interval is `GOAL`, if they find such a share
    wrong and go on as the mixed order does.

    `spread` is how many times more the samples vary than a simple one of their size, `now` the
    size of the rest and of what was drawn from it, `chance` how much of what comes is drawn.
    """

    def wide(more: int) -> bool:
        left, sample = round(now[0] - more * (1 - chance)), now[1] + more * chance
        if left <= sample or more >= most:
            return False
        low, high = bounds(left, 1 / (spread * (1 / sample - 1 / left) + 1 / left), share)
        return _is_wide(min(high - low, most - more), kept)

    last = 1
    while wide(last):
        last *= 2
    first, last = last // 2 + 1, min(last, most)
    while first < last:
        middle = (first + last) // 2
        first, last = (middle + 1, last) if wide(middle) else (first, middle)
    return last
