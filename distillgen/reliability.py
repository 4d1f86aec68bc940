"""Hold soft labels against what is right: is a teacher that says 0.8 right in 80 % of the cases?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from distillgen.soft import tempered

BINS = 10
"""Bins of equal width, as usual (Guo et al. 2017, section 2)."""
TEMPERATURES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Those that are tried."""
LEAST = 1e-6
"""A label without a probability counts as this likely, so that one of them does not make the mean
log-likelihood infinite."""


class Bin(NamedTuple):
    """The soft labels whose likeliest label has a probability in one interval."""

    low: float
    high: float
    given: int
    confidence: float | None
    """Mean probability of the likeliest label; None of nothing."""
    known: int
    """Those whose right label is known."""
    right: float | None
    """Share of these whose likeliest label is the right one."""


@dataclass
class _Sums:
    count: int = 0
    confidence: float = 0.0
    known: int = 0
    known_confidence: float = 0.0
    right: int = 0


@dataclass
class Reliability:
    """Soft labels, counted by how sure they are, and how far that is borne out."""

    count: int = 0
    known: int = 0
    """Those whose right label is known."""
    _bins: list[_Sums] = field(default_factory=lambda: [_Sums() for _ in range(BINS)])
    _entropy: float = 0.0
    _brier: float = 0.0
    _losses: dict[float, float] = field(default_factory=lambda: dict.fromkeys(TEMPERATURES, 0.0))

    def add(self, probabilities: Mapping[str, float], right: str | None) -> None:
        """Count a soft label, and hold it against the right label if that is known."""
        likeliest = max(probabilities, key=lambda label: probabilities[label])
        sure = probabilities[likeliest]
        sums = self._bins[min(BINS - 1, int(sure * BINS))]
        self.count += 1
        self._entropy -= sum(p * math.log2(p) for p in probabilities.values() if p > 0)
        sums.count += 1
        sums.confidence += sure
        if right is None:
            return
        self.known += 1
        sums.known += 1
        sums.known_confidence += sure
        sums.right += likeliest == right
        self._brier += sum((p - (label == right)) ** 2 for label, p in probabilities.items())
        self._brier += right not in probabilities
        for temperature in TEMPERATURES:
            p = tempered(probabilities, temperature).get(right, 0.0)
            self._losses[temperature] -= math.log(max(p, LEAST))

    def bins(self) -> list[Bin]:
        """All intervals, from unsure to sure."""
        return [
            Bin(n / BINS, (n + 1) / BINS, one.count, _share(one.confidence, one.count), one.known,
                _share(one.right, one.known))
            for n, one in enumerate(self._bins)
        ]  # fmt: skip

    @property
    def entropy(self) -> float | None:
        """Mean entropy in bits: 0 where the teacher is always sure."""
        return _share(self._entropy, self.count)

    @property
    def accuracy(self) -> float | None:
        """Share of the known ones whose likeliest label is right."""
        return _share(sum(one.right for one in self._bins), self.known)

    @property
    def brier(self) -> float | None:
        """Mean squared distance to the right label, 0 to 2 (Brier 1950)."""
        return _share(self._brier, self.known)

    @property
    def nll(self) -> float | None:
        """Mean negative log-likelihood of the right label, in nats."""
        return _share(self._losses[1.0], self.known)

    @property
    def ece(self) -> float | None:
        """Expected calibration error: how far confidence and accuracy lie apart, bin by bin."""
        return _share(sum(abs(b.known_confidence - b.right) for b in self._bins), self.known)

    @property
    def best_temperature(self) -> float | None:
        """Of `TEMPERATURES` the one at which the right labels are the likeliest."""
        if not self.known:
            return None
        return min(TEMPERATURES, key=lambda t: (self._losses[t], abs(t - 1)))


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
