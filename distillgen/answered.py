"""Walk over the answers of a run once: counts, lengths, verdicts, and records to read.

What is kept does not grow with their number.
"""

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from distillgen import answers, files, finals, sidecars, stats
from distillgen.calibration import Calibration
from distillgen.checked import TRUTH, Outcome
from distillgen.checks import said
from distillgen.records import JSON, Answer, Verdict
from distillgen.reliability import Reliability
from distillgen.review.reviewed import Reviewed
from distillgen.sidecars import CHECKS, SCORES
from distillgen.stats import Drawn

TEXTS = ("question", "user_context", "rationale", "answer")
SHOWN = 4
"""Records of each kind to read."""
RANDOM = 6
"""Records drawn at random to read."""
COMPARED = 2000
"""Open answers that are held against the right one where `check` did not: it takes a millisecond
or two for each."""
PER_DOUBLING = 4
"""Bins of a text's length, while it doubles."""


@dataclass(frozen=True)
class Aspect:
    """What a judge said of one aspect of the answers."""

    name: str
    counts: Mapping[int, int]
    """Answers by score, 1 to 5."""

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(n * score for score, n in self.counts.items()) / sum(self.counts.values())

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        given = sum(self.counts.values())
        squares = sum(n * (score - self.mean) ** 2 for score, n in self.counts.items())
        return math.sqrt(squares) / given


@dataclass(frozen=True)
class Lengths:
    """How long the texts of one field are, in characters."""

    count: int
    """Texts that are not empty."""
    longest: int
    bins: Mapping[int, int]
    """Texts by `k`: from 2^(k/4) characters on, to less than 2^((k+1)/4)."""

    @staticmethod
    def edge(k: int) -> int:
        """The shortest text of a bin."""
        return math.ceil(2 ** (k / PER_DOUBLING))

    @property
    def median(self) -> int:
        """About so long is the text in the middle: the middle of its bin."""
        left = self.count / 2
        for k, n in sorted(self.bins.items()):
            left -= n
            if left <= 0:
                return min(self.longest, round(2 ** ((k + 0.5) / PER_DOUBLING)))
        return 0


@dataclass(frozen=True)
class Sample:
    """A record to read, with all that was said of it."""

    record: Answer
    """An input that is not answered yet has no teacher."""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    analysis: str = ""
    """What the judge wrote."""
    right: bool | None = None
    """Whether the answer is right, where that is known."""
    value: float = 0.0
    """The figure for which it was chosen."""
    repeats: str = ""
    """The seed that it is near to."""


class _Beside:
    """The lines of a file that says something of the records of another, in the same order.

    Where these are walked in a file that leaves some of them out, `whole` is the one that was
    spoken of: its lines count.
    """

    def __init__(self, path: Path, whole: Path | None = None) -> None:
        self._rows = files.rows_of(path)
        self._next = next(self._rows, None)
        ids = (record.id for record in answers.read(whole)) if whole else None
        self._ids = enumerate(ids, 1) if ids else None

    def of(self, line: int, id: str) -> list[dict[str, JSON]]:
        """What is said of the record in that line; of later ones, nothing is passed over."""
        if self._ids is not None:
            line = next((n for n, other in self._ids if other == id), 0)
        found = []
        while (row := self._next) and (row["line"] < line or row["id"] == id):
            if row["id"] == id:
                found.append(row)
            self._next = next(self._rows, None)
        return found


class Walk:
    """What one walk over the records keeps of them."""

    def __init__(
        self, run: Path, checks: Sequence[str], wholes: Mapping[str, Path] = MappingProxyType({})
    ) -> None:
        """`wholes` names the file that a command looked at, where it is another than this one."""
        self.drawn = Drawn[Sample]()
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("teacher", "strategy", "label", "flag", "judge", "soft")
        }
        self.right = Counter[bool]()
        self.outcome = Outcome(checks) if checks and (run / CHECKS).exists() else None
        self.calibration = Calibration()
        self.soft = Reliability()
        self._scores: dict[str, Counter[int]] = {}
        self._bins = {name: Counter[int]() for name in TEXTS}
        self._longest = Counter[str]()
        self._checked, self._scored = (
            _Beside(run / name, wholes.get(by))
            for by, name in (("check", CHECKS), ("judge", SCORES))
        )
        self._decided = Reviewed.beside(run)
        self._worst: dict[str, list[tuple[float, int, Sample]]] = {}
        self._compared = 0
        self._line = 0
        self.outdated = 0
        """Records whose verdicts are about other texts, and count for nothing."""

    def add(self, record: Answer) -> None:
        """Take in the next record."""
        self._line += 1
        one = self._sample(record)
        self._count(record)
        self._measure(record)
        if one.right is not None:
            self.right[one.right] += 1
        if self.outcome and self._has_verdicts:
            self.outcome.add(record, one.verdicts, one.right)
        self._judged(one)
        if record.soft_label:
            self.soft.add(record.soft_label, _right_label(record))
        self.drawn.add(one)
        self._rank(one)

    def _sample(self, record: Answer) -> Sample:
        of = sidecars.of(record.user_context, record.question, record.rationale, said(record))
        rows = self._checked.of(self._line, record.id)
        checked = [row for row in rows if sidecars.stands(row, of)]
        self._has_verdicts = bool(checked)
        self.outdated += bool(rows) and not checked
        verdicts = {
            name: Verdict(**verdict) for row in checked for name, verdict in row["checks"].items()
        } or record.checks
        scored = [
            row for row in self._scored.of(self._line, record.id) if row.get("candidate") is None
        ]
        score = next((row for row in scored if row["of"] == of), None)
        right = self._right(record, verdicts.get(TRUTH))
        if score is None:
            return Sample(record, verdicts, right=right)
        self.counts["judge"][score["judge"]] += 1
        return Sample(record, verdicts, score["scores"], score["analysis"], right)

    def _right(self, record: Answer, gold: Verdict | None) -> bool | None:
        """As a person decided, else as the check says, else as `COMPARED` answers compare."""
        if (decided := self._decided.right(record)) is not None:
            return decided
        if gold:
            return gold.passed
        answer, closed = said(record), bool(record.label)
        if not (answer and record.gold) or (self._compared >= COMPARED and not closed):
            return None
        self._compared += not closed
        return finals.right(answer, record.gold, record.question, closed=closed)

    def _count(self, record: Answer) -> None:
        for name, value in (
            ("teacher", record.teacher or None), ("strategy", record.strategy),
            ("label", record.label), ("soft", record.soft_method),
        ):  # fmt: skip
            if value is not None and len(self.counts[name]) <= stats.MOST_GROUPS:
                self.counts[name][value] += 1
        self.counts["flag"].update(record.flags)

    def _measure(self, record: Answer) -> None:
        for name, bins in self._bins.items():
            if length := len(getattr(record, name)):
                bins[int(PER_DOUBLING * math.log2(length))] += 1
                self._longest[name] = max(self._longest[name], length)

    def _judged(self, one: Sample) -> None:
        for name, score in one.scores.items():
            self._scores.setdefault(name, Counter())[score] += 1
        if one.scores and one.right is not None:
            self.calibration.add(one.right, one.scores.values())

    def _rank(self, one: Sample) -> None:
        """Keep it if it is one of the worst of a kind; of equal ones the first."""
        record, verdicts = one.record, one.verdicts
        failed = sum(not verdict.passed for verdict in verdicts.values())
        context = verdicts.get("context_used")
        figures = {
            "judge": sum(one.scores.values()) / len(one.scores) if one.scores else None,
            "checks": -failed or None,
            "context": len(context.value or ()) if context else None,
            "soft": max(record.soft_label.values()) if record.soft_label else None,
        }
        for kind, figure in figures.items():
            if figure is not None:
                worst = self._worst.setdefault(kind, [])
                keep = heapq.heappush if len(worst) < SHOWN else heapq.heappushpop
                keep(worst, (-figure, -self._line, one))

    def lengths(self) -> dict[str, Lengths]:
        """By field, those that any record has."""
        return {
            name: Lengths(bins.total(), self._longest[name], dict(sorted(bins.items())))
            for name, bins in self._bins.items()
            if bins
        }

    def aspects(self) -> tuple[Aspect, ...]:
        """What the judge said, by aspect."""
        return tuple(
            Aspect(name, {score: counts[score] for score in range(1, 6)})
            for name, counts in self._scores.items()
        )

    def samples(self, near: Sequence[tuple[Sample, float, str]]) -> dict[str, tuple[Sample, ...]]:
        """Records to read, by why; `near` are those of the sample with their nearest seeds."""
        found = {"random": tuple(self.drawn.sample[:RANDOM])}
        for kind, worst in self._worst.items():
            found[kind] = tuple(
                replace(one, value=abs(figure)) for figure, _, one in sorted(worst, reverse=True)
            )
        by_seed = sorted(near, key=lambda one: -one[1])[:SHOWN]
        if by_seed:
            found["seed"] = tuple(
                replace(one, value=score, repeats=seed) for one, score, seed in by_seed
            )
        return found


def _right_label(record: Answer) -> str | None:
    """The label that is right, as the soft label spells it."""
    gold = record.gold.strip()
    same = (label for label in record.soft_label if label.casefold() == gold.casefold())
    return next(same, gold or None)
