"""Check every answer of a file, write the verdicts, and count what each check is worth there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from distillgen import answers, checks, sidecars
from distillgen.checks import Setting
from distillgen.errors import UserError
from distillgen.files import Whole
from distillgen.inputs import Records
from distillgen.records import JSON, Answer, Checked, Verdict
from distillgen.review.reviewed import Reviewed
from distillgen.sidecars import CHECKS

TRUTH = "gold"
"""The check that tells whether an answer is right, where no person did."""
ENOUGH = 30
"""Answers known to be right or wrong, below which a check cannot be judged by them."""


@dataclass
class Counts:
    """What one check said, and how that goes with what is right."""

    passed: int = 0
    failed: int = 0
    not_applicable: int = 0
    truth: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    """Of answers known to be right or wrong: how many of (passed, right)."""
    first: tuple[Answer, Verdict] | None = None
    """The first answer that failed."""

    def as_json(self) -> dict[str, JSON]:
        """The counts; and of "passed" as a sign of what is right, precision and recall."""
        told: dict[str, JSON] = {
            "passed": self.passed, "failed": self.failed, "not_applicable": self.not_applicable,
        }  # fmt: skip
        if known := self.truth.total():
            passed, right = (self.truth[True, True] + self.truth[True, False],
                             self.truth[True, True] + self.truth[False, True])  # fmt: skip
            told |= {
                "known": known,
                "precision": share(self.truth[True, True], passed),
                "recall": share(self.truth[True, True], right),
                "right_if_failed": share(self.truth[False, True], known - passed),
            }
        return told


@dataclass
class Outcome:
    """What came of checking a file: given = passed + failed."""

    names: Sequence[str]
    given: int = 0
    passed: int = 0
    """Answers that fail no check."""
    counts: dict[str, Counts] = field(default_factory=dict)
    overlap: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Answers that fail both of two checks."""
    kept: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    """Of answers known to be right or wrong: how many of (fails no check, right); gold is none of
    the checks here."""
    reviewed: int = 0
    """Answers that a person judged."""

    def __post_init__(self) -> None:
        self.counts = {name: Counts() for name in self.names}

    def add(self, answer: Answer, verdicts: Mapping[str, Verdict], right: bool | None) -> None:
        """Count one answer."""
        failed = [name for name, verdict in verdicts.items() if not verdict.passed]
        self.given += 1
        self.passed += not failed
        self.overlap.update(combinations(sorted(failed), 2))
        for name, counts in self.counts.items():
            verdict = verdicts.get(name)
            counts.passed += verdict is not None and verdict.passed
            counts.failed += verdict is not None and not verdict.passed
            counts.not_applicable += verdict is None
            if verdict and right is not None and name != TRUTH:
                counts.truth[verdict.passed, right] += 1
            if verdict and not verdict.passed and counts.first is None:
                counts.first = answer, verdict
        if right is not None:
            self.kept[not set(failed) - {TRUTH}, right] += 1

    @property
    def known(self) -> int:
        """Answers known to be right or wrong."""
        return self.kept.total()

    def selection(self) -> dict[str, JSON]:
        """What is left without the answers that fail a check, gold aside, and how much of it is
        right."""
        right = self.kept[True, True] + self.kept[False, True]
        kept = self.kept[True, True] + self.kept[True, False]
        keeps_right = share(self.kept[True, True], right)
        keeps_wrong = share(self.kept[True, False], self.known - right)
        p_star = None
        if keeps_right and keeps_wrong is not None:
            p_star = round(1 / (1 + keeps_wrong / keeps_right), 4)
        return {
            "known": self.known, "reviewed": self.reviewed, "right": share(right, self.known),
            "kept": share(kept, self.known), "right_of_kept": share(self.kept[True, True], kept),
            "keeps_right": keeps_right, "keeps_wrong": keeps_wrong, "p_star": p_star,
        }  # fmt: skip


def share(part: int, whole: int) -> float | None:
    """A share of 0 to 1; None of nothing."""
    return round(part / whole, 4) if whole else None


def check(
    records: Records, names: Iterable[str], setting: Setting, folder: Path, outcome: Outcome
) -> None:
    """Write the verdicts on every answer of a file into a folder.

    Raises:
        UserError: the file cannot be read, or no row has an answer.
    """
    asked, decisions = list(names), Reviewed.beside(folder)
    answered = False
    with Whole(folder / CHECKS) as out:
        for line in records:
            answer = answers.of_line(line)
            said = checks.said(answer)
            answered |= bool(said)
            verdicts = checks.of(answer, asked, setting)
            of = sidecars.of(answer.user_context, answer.question, answer.rationale, said)
            out.write(
                Checked(
                    question=answer.question, checks=verdicts, of=of, line=line.line, id=answer.id
                ).row()
            )
            right = decisions.right(answer)
            outcome.reviewed += right is not None
            if right is None:
                gold = verdicts.get(TRUTH) or checks.of(answer, [TRUTH], setting).get(TRUTH)
                right = gold.passed if gold else None
            outcome.add(answer, verdicts, right)
        if not answered:
            raise UserError(f"{records.path}: no row has an answer; --field answer=COLUMN names it")
