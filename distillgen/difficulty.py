"""Say how hard a record is, to bring a student from easy ones to hard ones.

There is no measure that always helps: which order is best, and whether any is, depends on the model
and the task (arXiv:2510.19099), and length tells little of it (Liu et al. 2024,
DEITA, table 2). So the hard-won measures go first: how often the teacher's draws are right, how far
they agree, how sure the teacher is of the label; length is the last resort.
"""

import hashlib
import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from distillgen import finals
from distillgen.records import Answer

Measure = Callable[[Answer], float | None]


def wrong_draws(answer: Answer) -> float | None:
    """Share of the draws that are not right, 0 to 1; None with fewer than two to tell by."""
    gold = answer.gold
    closed = answer.label is not None
    rights = [
        finals.right(one.label or one.answer, gold, answer.question, closed=closed)
        for one in answer.candidates
        if gold and (one.label or one.answer)
    ]
    told = [right for right in rights if right is not None]
    return 1 - sum(told) / len(told) if len(told) > 1 else None


def divided_draws(answer: Answer) -> float | None:
    """Share of the draws that came to another answer, 0 to 1; None where there was one."""
    return None if answer.vote_share is None else 1 - answer.vote_share


def doubt(answer: Answer) -> float | None:
    """Entropy of the soft label, 0 for sure to 1 for all labels alike; None without one."""
    shares = [share for share in answer.soft_label.values() if share > 0]
    if len(answer.soft_label) < 2:
        return None
    return -sum(share * math.log(share) for share in shares) / math.log(len(answer.soft_label))


def length(answer: Answer) -> float:
    """Words of the rationale and the answer."""
    return float(len(answer.rationale.split()) + len(answer.answer.split()))


MEASURES: Mapping[str, Measure] = {
    "wrong_draws": wrong_draws, "divided_draws": divided_draws, "doubt": doubt, "length": length,
}  # fmt: skip
"""From the one that says most to the one that every record has."""
SHOWN = {
    "wrong_draws": "the share of the teacher's draws that are wrong",
    "divided_draws": "the share of the teacher's draws that say something else",
    "doubt": "the teacher's doubt between the labels",
    "length": "the length of rationale and answer, which tells little",
}


@dataclass(frozen=True)
class Curriculum:
    """Where records belong between easy and hard."""

    measure: str
    """One of `MEASURES`."""
    cuts: tuple[tuple[float, int], ...]
    """The last key of each stage but the hardest."""

    def stage(self, answer: Answer) -> int:
        """From 1, the easiest."""
        key = MEASURES[self.measure](answer) or 0.0, _tie(answer)
        return bisect_left(self.cuts, key) + 1


def curriculum(answers: Iterable[Answer], stages: int) -> Curriculum:
    """Part records into stages of equal size; of equally hard ones a hash of the id decides.

    Takes 40 bytes a record.
    """
    values = {name: array("d") for name in MEASURES}
    ties = array("Q")
    for answer in answers:
        ties.append(_tie(answer))
        for name, measure in MEASURES.items():
            if (value := measure(answer)) is not None:
                values[name].append(value)
    name = next(name for name in MEASURES if len(values[name]) == len(ties))
    keys = sorted(zip(values[name], ties, strict=True))
    ends = [len(keys) * stage // stages for stage in range(1, stages)]
    return Curriculum(name, tuple(keys[end - 1] for end in ends if end))


def _tie(answer: Answer) -> int:
    return int.from_bytes(hashlib.sha256(answer.id.encode(errors="replace")).digest()[:8])
