"""Choose answers: the best that are not too near to each other, and a reason for each other one.

Score first, diversity-aware, as DEITA (Liu et al. 2024): from the best down, an answer is taken
unless it is too near to one that was taken. Near goes by words, as in Self-Instruct: ROUGE-L F1
above 0.7 of context and question both, numbers being words. What was passed over so fills the
budget if nothing else is left. Equal scores go by id, so that the order of the file means nothing.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from distillgen import sidecars
from distillgen.contenders import Item, Items
from distillgen.dedupe import Index, Verdict, tokens
from distillgen.dice import shuffled
from distillgen.diversity import compression, distinct
from distillgen.errors import UserError
from distillgen.files import Whole
from distillgen.records import JSON, Exclusion, ExclusionReason
from distillgen.review.reviewed import Outcome, Reviewed, changes, outdated

FILES = SELECTED, EXCLUDED = "selected.jsonl", "excluded.jsonl"
SAMPLE = 200
"""Texts that the figures on variety are of: they depend on the number."""
ALL = ""
"""Stands for every aspect in the lowest scores."""
Scores = Mapping[str, float]


class Worth(NamedTuple):
    """What is known of an answer."""

    scores: Scores
    """A judge's, by aspect."""
    checks: Mapping[str, bool]
    """Whether it passed, by check; one that does not apply says nothing."""
    vote_share: float | None
    right: bool | None
    reviewed: Outcome | None = None
    """What people decided; it goes before all else."""

    @property
    def score(self) -> float | None:
        """The mean of what there is, each 0 to 1: the judge's mean score, the share of checks that
        passed, the share of votes. 1 for what people took; None if there is nothing."""
        if self.reviewed:
            return 1.0
        parts = []
        if self.scores:
            parts.append((fmean(self.scores.values()) - 1) / 4)
        if self.checks:
            parts.append(fmean(self.checks.values()))
        if self.vote_share is not None:
            parts.append(self.vote_share)
        return fmean(parts) if parts else None


@dataclass(frozen=True)
class Wanted:
    """What the user asks for."""

    budget: int | None = None
    """So many; None for all that are good enough."""
    least: Mapping[str, float] = field(default_factory=dict)
    """Lowest score by aspect, `ALL` for every one."""
    required: tuple[str, ...] = ()
    """Checks that must have passed."""
    random_seed: int = 0


class Out(NamedTuple):
    """Why an answer is out."""

    reason: ExclusionReason
    detail: str = ""
    of: str = ""
    similarity: float | None = None


class Fit(NamedTuple):
    """An answer that is good enough."""

    score: float
    id: str
    place: int
    """From 0, in the file."""
    texts: tuple[str, str]
    """Context and question; empty where all are taken anyway."""


@dataclass
class Selection:
    """What came of it: given = kept + the reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    figures: dict[str, dict[str, JSON]] = field(default_factory=dict)
    """Of what was `selected`, of as many drawn at `random`, and of all that was `given`."""


def least(texts: Iterable[str]) -> dict[str, float]:
    """`correct=4` by its aspect, `4` by `ALL`.

    Raises:
        UserError: one is no score.
    """
    found = {}
    for text in texts:
        aspect, _, number = text.rpartition("=")
        try:
            found[aspect.strip()] = float(number)
        except ValueError as error:
            raise UserError(f"--min {text}: write ASPECT=SCORE, such as correct=4, or 4") from error
    return found


def shortfall(worth: Worth, wanted: Wanted) -> Out | None:
    """Why an answer is not good enough, whatever the others are; None if it is.

    A score or a verdict that is missing is none: it cannot have been good. What people took is
    good, whatever was said of the teacher's text.
    """
    if worth.reviewed:
        out = worth.reviewed.left_out
        return Out(out, worth.reviewed.why) if out else None
    for aspect, bar in wanted.least.items():
        scores = {a: s for a, s in worth.scores.items() if aspect in (ALL, a)}
        if not scores:
            return Out("not_judged", f"no score for {aspect}" if aspect else "no scores")
        lowest = min(scores, key=scores.__getitem__)
        if scores[lowest] < bar:
            return Out("below_min", f"{lowest} is {scores[lowest]:g}, below {bar:g}")
    for check in wanted.required:
        if check not in worth.checks:
            return Out("check_silent", f"{check} says nothing of it")
        if not worth.checks[check]:
            return Out("check_failed", f"{check} did not pass")
    return None


def chosen(fits: Iterable[Fit], budget: int) -> dict[int, Out | None]:
    """By place what becomes of each: None where it is taken."""
    index = Index(guard=False)
    verdicts: dict[int, Out | None] = {}
    passed_over: list[tuple[Fit, Verdict]] = []
    taken = 0
    for fit in sorted(fits, key=lambda fit: (-fit.score, fit.id, fit.place)):
        if taken == budget:
            verdicts[fit.place] = Out("over_budget", f"its score is {fit.score:.3f}")
        elif verdict := index.verdict(fit.texts):
            passed_over.append((fit, verdict))
        else:
            index.add(fit.id, fit.texts)
            verdicts[fit.place] = None
            taken += 1
    for fit, verdict in passed_over:
        fills = taken < budget
        out = Out("too_near", f"its score is {fit.score:.3f}", verdict.of, verdict.similarity)
        verdicts[fit.place] = None if fills else out
        taken += fills
    return verdicts


def select(items: Items, wanted: Wanted, run: Path) -> Selection:
    """Write what is chosen and what is not into a run folder, whose verdicts are gone by.

    Of each answer what is known of it is in memory, and with a budget its context and question.

    Raises:
        UserError: an aspect or a check that is asked for was never looked at.
    """
    known = _Known(run)
    worths, verdicts = _verdicts(items, wanted, known)
    taken = [place for place, out in verdicts.items() if out is None]
    drawn = shuffled(range(len(worths)), random.Random(wanted.random_seed))[: len(taken)]
    groups = {"selected": taken, "random": drawn, "given": range(len(worths))}
    samples = {name: set(_sample(places, len(taken), wanted)) for name, places in groups.items()}
    texts: dict[str, list[str]] = {name: [] for name in groups}
    selection = Selection(Counter(given=len(worths)))
    with Whole(run / SELECTED) as good, Whole(run / EXCLUDED) as bad:
        for place, item in enumerate(items):
            for name, sample in samples.items():
                if place in sample:
                    texts[name].append(f"{item.user_context}\n{item.question}".strip())
            out = verdicts[place]
            if out:
                bad.write(_exclusion(item, out).row())
            else:
                good.write(known.row(item, items.fields))
            selection.counts[out.reason if out else "kept"] += 1
    for name, places in groups.items():
        selection.figures[name] = _held([worths[place] for place in places], texts[name])
    return selection


def _verdicts(
    items: Items, wanted: Wanted, known: "_Known"
) -> tuple[list[Worth], dict[int, Out | None]]:
    """What is known of each answer, and by its place what becomes of it."""
    worths: list[Worth] = []
    verdicts: dict[int, Out | None] = {}
    fits: list[Fit] = []
    for place, item in enumerate(items):
        worths.append(worth := known.worth(item))
        verdicts[place] = shortfall(worth, wanted)
        if verdicts[place] is None and wanted.budget is not None:
            fits.append(Fit(worth.score or 0, item.id, place, (item.user_context, item.question)))
    _refuse_unknown(wanted, worths)
    if wanted.budget is not None:
        verdicts |= chosen(fits, wanted.budget)
    return worths, verdicts


class _Known:
    """What was said of answers: beside them in the run folder, else in their own rows."""

    def __init__(self, run: Path) -> None:
        self._scores, self._checks = sidecars.scored(run), sidecars.checked(run)
        self._reviewed = Reviewed.beside(run)

    def of(self, item: Item) -> dict[str, JSON]:
        """As fields of the row; without those of which there is nothing."""
        of = item.digest(item.answer)
        found = {
            "scores": self._scores.get(of) or item.columns.get("scores"),
            "checks": self._checks.get((item.id, of))
            or self._checks.get((item.id, item.line))
            or self._checks.get((item.id, sidecars.ANYWHERE))
            or item.columns.get("checks"),
        }
        return {name: said for name, said in found.items() if said and isinstance(said, Mapping)}

    def row(self, item: Item, fields: Mapping[str, str]) -> dict[str, JSON]:
        """The record as it is written, with a person's texts in place of the teacher's."""
        found = self._reviewed.of_item(item)
        if not (edits := changes(item, found)):
            return {**item.columns, **self.of(item)}
        gone = set(outdated(edits["edited_from"]))
        kept = {name: value for name, value in item.columns.items() if name not in gone}
        return {**kept, **{fields.get(name, name): value for name, value in edits.items()}}

    def worth(self, item: Item) -> Worth:
        found = self.of(item)
        checks = {name: bool(said["passed"]) for name, said in found.get("checks", {}).items()}
        share = item.columns.get("vote_share")
        return Worth(
            found.get("scores", {}), checks, share if isinstance(share, float | int) else None,
            item.right(item.answer), self._reviewed.of_item(item),
        )  # fmt: skip


def _exclusion(item: Item, out: Out) -> Exclusion:
    return Exclusion(
        question=item.question, user_context=item.user_context, line=item.line, id=item.id,
        **out._asdict(),
    )  # fmt: skip


def _sample(places: Sequence[int], size: int, wanted: Wanted) -> list[int]:
    """As many of these as are compared: no more than were chosen."""
    return shuffled(places, random.Random(wanted.random_seed))[: min(size, SAMPLE)]


def _refuse_unknown(wanted: Wanted, worths: Iterable[Worth]) -> None:
    aspects, checks = set[str](), set[str]()
    for worth in worths:
        aspects |= worth.scores.keys()
        checks |= worth.checks.keys()
    for option, asked, there, how in (
        ("--min", wanted.least, aspects, "judge"), ("--require", wanted.required, checks, "check")
    ):  # fmt: skip
        for name in asked:
            if not there:
                raise UserError(f"{option}: nothing to go by yet; distillgen {how} comes before")
            if name != ALL and name not in there:
                raise UserError(f"{option} {name}: there is {', '.join(sorted(there))}")


def _held(worths: Sequence[Worth], texts: Sequence[str]) -> dict[str, JSON]:
    """What a set of answers holds; null where nothing is known."""
    scores, checks = dict[str, list[float]](), dict[str, list[float]]()
    for worth in worths:
        for found, said in ((scores, worth.scores), (checks, worth.checks)):
            for name, value in said.items():
                found.setdefault(name, []).append(value)
    right = [worth.right for worth in worths if worth.right is not None]
    means = [score for worth in worths if (score := worth.score) is not None]
    words = [one for text in texts if (one := tokens(text))]
    return {
        "records": len(worths),
        "score": _mean(means),
        "scores": {name: _mean(values) for name, values in sorted(scores.items())},
        "checks": {name: _mean(values) for name, values in sorted(checks.items())},
        "known": len(right),
        "right": _mean(right),
        "distinct_2": round(distinct(words, 2), 4) if words else None,
        "compression_ratio": round(compression(texts), 4) if texts else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 4) if values else None
