"""Choose among the candidates for one answer: by vote, agreement, checks, or nearness to gold.

Candidates come to the same answer when their `finals.key`, or their labels, are equal; so texts
that argue freely each stand for themselves, and the first is taken.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from distillgen import finals
from distillgen.dedupe import nearest, tokens
from distillgen.records import Candidate

Combine = Literal["vote", "agree", "best", "union", "closest-gold"]
"""How one answer is made of several."""
Rate = Callable[[Candidate], float]
"""How good a candidate is by what can be checked, 0 to 1."""


class Standing(NamedTuple):
    """How an answer stands among all candidates that have one."""

    votes: int
    """Those that come to the same."""
    share: float
    agreement: float | None
    """Share of the teachers whose own majority it is; none where there is one teacher."""


def key(candidate: Candidate) -> str:
    """What candidates that come to the same answer have in common."""
    return candidate.label or finals.key(candidate.answer)


def choose(how: Combine, candidates: Sequence[Candidate], gold: str, rate: Rate) -> list[Candidate]:
    """The candidates that stand for the answer: one, but for `union` one of each answer.

    Ties go to the first. `agree` chooses as `vote` does; whether there is agreement is another
    question, see `divided`. `closest-gold` votes where no gold is known.

    Args:
        candidates: those with an answer, the first teacher's first; at least one.
    """
    keys = [key(candidate) for candidate in candidates]
    votes = Counter(keys)
    firsts = {found: n for n, found in reversed(list(enumerate(keys)))}
    ranked = sorted(firsts, key=lambda found: (-votes[found], firsts[found]))
    match how:
        case "union":
            return [candidates[firsts[found]] for found in ranked]
        case "best":
            rates = [rate(candidate) for candidate in candidates]
            order = range(len(candidates))
            return [candidates[max(order, key=lambda n: (rates[n], votes[keys[n]], -n))]]
        case "closest-gold" if gold:
            return [candidates[_closest(candidates, gold)]]
    return [candidates[firsts[ranked[0]]]]


def standing(found: str, candidates: Sequence[Candidate]) -> Standing:
    """How an answer, given by its key, stands among candidates that have one."""
    keys = [key(candidate) for candidate in candidates]
    votes = keys.count(found)
    agreeing = [one == found for one in _majorities(candidates, keys).values()]
    agreement = sum(agreeing) / len(agreeing) if len(agreeing) > 1 else None
    return Standing(votes, votes / len(keys), agreement)


def divided(candidates: Sequence[Candidate]) -> bool:
    """Whether teachers differ; with one teacher, whether no answer has more than half its draws."""
    majorities = _majorities(candidates, [key(candidate) for candidate in candidates])
    if len(majorities) > 1:
        return len(set(majorities.values())) > 1
    votes = Counter(map(key, candidates))
    return votes.most_common(1)[0][1] * 2 <= len(candidates) and len(candidates) > 1


def _majorities(candidates: Sequence[Candidate], keys: Sequence[str]) -> dict[str, str]:
    """What most draws of each teacher come to; of equally many the first."""
    drawn: dict[str, Counter[str]] = {}
    for candidate, found in zip(candidates, keys, strict=True):
        drawn.setdefault(candidate.teacher, Counter())[found] += 1
    return {teacher: votes.most_common(1)[0][0] for teacher, votes in drawn.items()}


def _closest(candidates: Sequence[Candidate], gold: str) -> int:
    """Place of the candidate that is nearest to the gold answer by ROUGE-L F1 (Kim and Rush 2016
    interpolate so, with BLEU)."""
    scores = nearest([tokens(c.label or c.answer) for c in candidates], [tokens(gold)])
    return max(range(len(candidates)), key=lambda n: (scores[n], -n))
