"""Try every style on a few inputs of each group, and take the one whose answers pass most checks.

Orca 2 (Mitra et al. 2023, section 3) gives each kind of task the strategy that suits it; here the
checks decide, so that no one need guess.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from distillgen import checks, styles
from distillgen.course import Record, Setting, bare
from distillgen.records import Answer, Candidate, Example

TRIED = 6
"""Inputs of each group on which all styles are tried, the first that come."""
Rates = Mapping[tuple[str, str], Sequence[float]]
"""For a group and a style, the share of the checks that each answer passed; 0 where none came."""


def picked(examples: Iterable[Example]) -> tuple[list[Example], tuple[str, ...]]:
    """The inputs to try on, and all groups that there are."""
    found: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        some = found[styles.group(example)]
        if len(some) < TRIED:
            some.append(example)
    return [example for some in found.values() for example in some], tuple(found)


def trial(whole: Setting) -> Setting:
    """The setting of the trial: the first teacher, once in each style, and nothing that follows."""
    return replace(
        whole, teachers=whole.teachers[:1], escalate=None, samples=1, combine="vote", trial=True,
        soft=None, smooth=None, rationalize=False, refine=0,
    )  # fmt: skip


def rates(records: Iterable[Record], whole: Setting) -> Rates:
    """How the answers of the trial fared."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for answer in (record for record in records if isinstance(record, Answer)):
        example = Example(question=answer.question, id=answer.id, meta=answer.meta,
                          topic=answer.topic)  # fmt: skip
        for one in answer.candidates or (bare(answer),):
            rate = _rate(answer, one, whole)
            found[styles.group(example), one.style].append(rate)
    return found


def best(rates: Rates, groups: Sequence[str], whole: Setting) -> dict[str, str]:
    """The style of each group: the first in the file of those with the highest mean."""
    chosen = {}
    for group in groups:
        means = {style: _mean(rates.get((group, style), ())) for style in whole.styles}
        chosen[group] = max(means, key=lambda style: means[style])
    return chosen


def words(rates: Rates, best: Mapping[str, str]) -> list[str]:
    """What the trial showed, a line for each group."""
    lines = []
    for group, style in best.items():
        names = [name for known, name in rates if known == group]
        means = ", ".join(f"{name} {_mean(rates[group, name]):.2f}" for name in names)
        of = f" for {group}" if group else ""
        lines.append(f"style{of}: {style} (checks passed: {means})")
    return lines


def _rate(answer: Answer, one: Candidate, whole: Setting) -> float:
    if one.problem:
        return 0.0
    tried = answer.model_copy(
        update={"rationale": one.rationale, "answer": one.answer, "label": one.label,
                "votes": None, "vote_share": None, "candidates": ()}
    )  # fmt: skip
    verdicts = checks.of(tried, checks.names(), whole.known).values()
    return _mean([float(verdict.passed) for verdict in verdicts])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
