"""Pair a better and a worse answer to each question, for preference training (DPO and its kin).

What is known for certain goes first: what a person wrote in place of the teacher's answer, then a
right answer against a wrong one, by what people decided, else by the right answer of the file.
Where that is not known, a judge's scores tell, then a comparison that came out the same in both
orders. Of several pairs that are equally good the one is taken whose answers are nearest in length:
DPO learns length before quality (Park et al. 2024, "Disentangling Length from Quality").
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby, permutations
from pathlib import Path
from statistics import StatisticsError, correlation, fmean
from typing import NamedTuple

from distillgen import sidecars
from distillgen.contenders import Contender, Item, Items
from distillgen.files import Whole
from distillgen.records import JSON, Exclusion, ExclusionReason, Preference, PreferenceReason, Side
from distillgen.review.reviewed import SAID, SOMEBODY, Reviewed, taught

FILES = PAIRS, UNPAIRED = "pairs.jsonl", "unpaired.jsonl"


class Known(NamedTuple):
    """What judges said, by the digests of what they judged."""

    scores: Mapping[str, Mapping[str, float]]
    better: Mapping[frozenset[str], str]
    """Of each two the better one."""
    reviewed: Reviewed
    """What people decided."""

    @classmethod
    def beside(cls, run: Path) -> "Known":
        """That of a run folder."""
        return cls(sidecars.scored(run), sidecars.preferred(run), Reviewed.beside(run))


class Entrant(NamedTuple):
    """One of the answers to a question."""

    item: Item
    said: Contender
    right: bool | None
    """Whether it is right; None where that is not known."""

    @property
    def digest(self) -> str:
        """By which judges know it."""
        return self.item.digest(self.said)

    def side(self) -> Side:
        """As it is written."""
        said = self.said
        return Side(
            rationale=said.rationale, answer=said.answer, teacher=said.teacher,
            candidate=said.place, id=self.item.id, request=said.request,
        )  # fmt: skip


def entrants(items: Iterable[Item], reviewed: Reviewed) -> list[Entrant]:
    """The different answers to one question: of each record the answer, then the candidates."""
    found: dict[tuple[str, str], Entrant] = {}
    for item in items:
        for said in item.all:
            decided = reviewed.right_item(item, said)
            right = item.right(said) if decided is None else decided
            found.setdefault((said.rationale, said.answer), Entrant(item, said, right))
    return list(found.values())


def mended(items: Iterable[Item], reviewed: Reviewed) -> Preference | None:
    """What a person wrote in place of the teacher's answer, against that answer."""
    for item in items:
        outcome = reviewed.of_item(item)
        fields = outcome.fields if outcome else {}
        review = outcome.review if outcome else None
        if review is None or not any(name in fields for name in SAID):
            continue
        before = taught(item)
        now = {name: fields.get(name, before[name]) for name in before}
        worse = Side(
            rationale=before["rationale"], answer=before["label"] or before["answer"],
            teacher=item.answer.teacher, id=item.id, request=item.answer.request,
        )  # fmt: skip
        better = Side(
            rationale=now["rationale"], answer=now["label"] or now["answer"], id=item.id,
            candidate=review.candidate, edited_by=review.reviewer or SOMEBODY,
        )  # fmt: skip
        return Preference(
            question=now["question"], user_context=now["user_context"], images=item.images,
            **_told(item), chosen=better, rejected=worse, reason="edited", line=item.line,
        )  # fmt: skip
    return None


def paired(all: list[Entrant], known: Known, margin: float) -> Preference | ExclusionReason:
    """The pair of a question, or why there is none."""
    if len({one.said.answer for one in all}) < 2:
        return "single"
    truths = {one.right for one in all}
    if truths >= {True, False}:
        better = [pair for pair in permutations(all, 2) if pair[0].right and pair[1].right is False]
        return _preference(min(better, key=_apart), "right_wrong")
    if None not in truths:
        return "all_right" if True in truths else "all_wrong"
    means = {one.digest: fmean(scores.values())
             for one in all if (scores := known.scores.get(one.digest))}  # fmt: skip
    told = [
        (gap, pair)
        for pair in permutations([one for one in all if one.digest in means], 2)
        if _may_be(pair) and (gap := means[pair[0].digest] - means[pair[1].digest]) >= margin
    ]
    if told:
        gap, pair = min(told, key=lambda one: (-one[0], _apart(one[1])))
        return _preference(pair, "judge_margin", round(gap, 4))
    named = [
        (one, other)
        for one, other in permutations(all, 2)
        if _may_be((one, other))
        and known.better.get(frozenset((one.digest, other.digest))) == one.digest
    ]
    return _preference(min(named, key=_apart), "compared") if named else "undecided"


def _may_be(pair: tuple[Entrant, Entrant]) -> bool:
    """Whether what a judge said of two goes with what is known for certain of one of them."""
    return pair[0].right is not False and pair[1].right is not True


def _preference(
    pair: tuple[Entrant, Entrant], reason: PreferenceReason, margin: float | None = None
) -> Preference:
    better, worse = pair
    item = better.item
    return Preference(
        question=item.question, user_context=item.user_context, images=item.images,
        **_told(item, better.said.place), chosen=better.side(), rejected=worse.side(),
        reason=reason, margin=margin, line=min(item.line, worse.item.line),
    )  # fmt: skip


def _told(item: Item, candidate: int | None = None) -> dict[str, str]:
    """What the student may be told before the question: the record's own words, and the style."""
    row, meta = item.columns, item.columns.get("meta")
    own = row.get("system") or (meta.get("system") if isinstance(meta, dict) else "")
    drawn = row if candidate is None else row["candidates"][candidate]
    found = {"system": own, "style": drawn.get("style")}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _apart(pair: tuple[Entrant, Entrant]) -> int:
    """By how many characters two answers differ in length."""
    return abs(pair[0].said.length - pair[1].said.length)


@dataclass
class Paired:
    """What came of it: given = kept + the reasons, in questions."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """How the better one is known, by pairs."""
    lengths: list[tuple[int, int]] = field(default_factory=list)
    """Characters of the better and of the worse answer, with their rationales."""

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of it; figures of length are null without pairs."""
        gaps = [better - worse for better, worse in self.lengths]
        n = len(gaps)
        return {
            "reasons": dict(sorted(self.reasons.items())),
            "length": {
                "chosen_longer": round(sum(gap > 0 for gap in gaps) / n, 4) if n else None,
                "rejected_longer": round(sum(gap < 0 for gap in gaps) / n, 4) if n else None,
                "mean_difference": round(fmean(gaps), 1) if n else None,
                "correlation": self._correlation(),
            },
        }

    def _correlation(self) -> float | None:
        """Pearson's, of the length of an answer with its being the better one; -1 to 1."""
        flat = [length for pair in self.lengths for length in pair]
        try:
            return round(correlation(flat, [1, 0] * len(self.lengths)), 4)
        except StatisticsError:  # no pairs, or all of one length
            return None


def pairs(items: Items, margin: float, run: Path) -> Paired:
    """Write the pairs, and the questions without one, into a run folder whose verdicts are gone by.

    Records of one question follow each other in the file, as those of several teachers do.
    """
    known, done = Known.beside(run), Paired()
    with Whole(run / PAIRS) as good, Whole(run / UNPAIRED) as bad:
        for _, same in groupby(items, lambda item: (item.user_context, item.question)):
            asked = list(same)
            answers = entrants(asked, known.reviewed)
            result = mended(asked, known.reviewed) or paired(answers, known, margin)
            done.counts["given"] += 1
            if isinstance(result, Preference):
                good.write(result.row())
                done.counts["kept"] += 1
                done.reasons[result.reason] += 1
                done.lengths.append((result.chosen.length, result.rejected.length))
                continue
            done.counts[result] += 1
            item = answers[0].item
            out = Exclusion(
                question=item.question, user_context=item.user_context, reason=result,
                line=item.line, id=item.id,
            )  # fmt: skip
            bad.write(out.row())
    return done
