"""Measure a judge by answers whose truth is known: what each bar on its scores would let pass."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Literal, NamedTuple

from distillgen.records import JSON

FEW = 30
"""Of fewer known answers the figures say little: at 30, a share of 0.8 may as well be 0.6 or 0.9
(Wilson's interval, 95 %)."""
By = Literal["lowest", "mean"]
BARS: Mapping[By, tuple[float, ...]] = {
    "lowest": (2, 3, 4, 5),
    "mean": (2, 2.5, 3, 3.5, 4, 4.5, 5),
}
"""What the lowest score of an answer, or the mean of its scores, may have to reach."""


class Bar(NamedTuple):
    """What passes where the lowest score, or their mean, must reach a figure."""

    by: By
    at_least: float
    passed: int
    """Known answers that pass."""
    right: int
    """Those of them that are right."""
    precision: float | None
    """The share of right ones among those that pass; None if none does."""
    recall: float | None
    """The share that passes of all that are right; None if none is."""
    best: bool = False
    """It parts right from wrong best: see `Calibration.bars`."""


class Calibration:
    """Known answers, counted by their scores."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[bool, int, float]] = Counter()

    def add(self, right: bool, scores: Iterable[int]) -> None:
        """Count an answer whose truth is known."""
        given = list(scores)
        self._counts[right, min(given), sum(given) / len(given)] += 1

    @property
    def known(self) -> int:
        """Answers that were counted."""
        return self._counts.total()

    @property
    def right(self) -> int:
        """Those of them that are right."""
        return sum(n for (right, *_), n in self._counts.items() if right)

    def bars(self) -> list[Bar]:
        """Every bar; the best has the highest recall less the share of wrong ones that pass.

        That is Youden's J (1950): unlike F1, it gives nothing for letting all pass where most are
        right. No bar is the best where that may be chance: where it is below twice its standard
        error.
        """
        bars = [self._bar(by, at_least) for by, figures in BARS.items() for at_least in figures]
        if not 0 < self.right < self.known:
            return bars
        best = max(bars, key=self._gain)
        return [bar._replace(best=bar is best and self._tells(bar)) for bar in bars]

    def as_json(self) -> list[dict[str, JSON]]:
        """The bars for `--json`; empty where no truth is known."""
        return [bar._asdict() for bar in self.bars()] if self.known else []

    def _bar(self, by: By, at_least: float) -> Bar:
        passed, good = 0, 0
        for (right, lowest, mean), n in self._counts.items():
            if (lowest if by == "lowest" else mean) >= at_least:
                passed += n
                good += n * right
        return Bar(by, at_least, passed, good, _share(good, passed), _share(good, self.right))

    def _gain(self, bar: Bar) -> float:
        hits, alarms = self._shares(bar)
        return hits - alarms

    def _tells(self, bar: Bar) -> bool:
        hits, alarms = self._shares(bar)
        wrong = self.known - self.right
        error = sqrt(hits * (1 - hits) / self.right + alarms * (1 - alarms) / wrong)
        return hits - alarms > 2 * error

    def _shares(self, bar: Bar) -> tuple[float, float]:
        """Of the right and of the wrong ones the share that passes."""
        return bar.right / self.right, (bar.passed - bar.right) / (self.known - self.right)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
