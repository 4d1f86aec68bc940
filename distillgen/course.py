"""The way of one input to its answer: what is asked first, and what follows from what came.

A course is a generator. It yields the steps that it needs next, is sent what came of each, and
returns the records in the end. It knows neither journal nor order: whoever drives it may stop at
any step and begin anew, and comes by the same way to the same end.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from distillgen import checks, soft, styles
from distillgen.asking import Asked, Reading, Result, Step
from distillgen.combine import Combine, choose, divided, key, standing
from distillgen.errors import ParseError
from distillgen.mending import rationalized, refined
from distillgen.outcomes import Failed
from distillgen.records import Answer, Candidate, Example, Failure, Rejection

Record = Answer | Failure | Rejection
Course = Generator[list[Step], list[Result], list[Record]]
Soft = Literal["logprobs", "votes", "verbal"]


@dataclass(frozen=True)
class Setting:
    """What all answers of one run share."""

    teachers: tuple[Asked, ...]
    """All answer every input."""
    escalate: Asked | None = None
    """Asked where the others are divided."""
    resample: int = 1
    samples: int = 1
    """Draws of each teacher."""
    combine: Combine = "vote"
    styles: Mapping[str, str] = field(default_factory=dict)
    """The manners of answering that are taken in turn, and what the teacher is told."""
    best: Mapping[str, str] | None = None
    """The style of each group of inputs, once they have been tried."""
    soft: Soft | None = None
    smooth: float | None = None
    """Share of the hard label in a soft one; the rest goes evenly to the others."""
    trial: bool = False
    """Every input is answered once in each style."""
    rationalize: bool = False
    refine: int = 0
    """So many times at most an answer is criticised and written anew."""
    known: checks.Setting = field(default_factory=checks.Setting)
    """What checks know of the run."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of a closed task."""
        return tuple(self.teachers[0].task.labels)

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Everybody who may be asked, by number."""
        return self.teachers + ((self.escalate,) if self.escalate else ())

    @property
    def several(self) -> bool:
        """More than one request is made for an input."""
        return self.samples + len(self.teachers) > 2 or self.trial or self.soft is not None

    @property
    def rounds(self) -> int:
        """How often what came may lead to further requests, the first included, at most."""
        follows = self.rationalize + 2 * self.refine
        answers = len(self.teachers) * self.samples if self.combine == "union" else 1
        return 1 + bool(self.escalate) + follows * answers

    def drawn(self, example: Example) -> list[tuple[int, str]]:
        """The draws of each teacher for an input: their numbers and styles."""
        names = [*self.styles]
        if self.trial:
            return [(0, name) for name in names]
        if self.best is not None:
            names = [self.best[styles.group(example)]]
        turns = styles.order(names, example) or [""]
        return [(n, turns[n % len(turns)]) for n in range(self.samples)]


def course(example: Example, setting: Setting) -> Course:
    """From the draws to the record, or to several where every answer is kept."""
    if setting.smooth and (label := _known(example, setting)):
        return [_smoothed(_without_teacher(example, label), setting)]
    draws = [
        (asked, sample, style)
        for asked in setting.teachers
        for sample, style in setting.drawn(example)
    ]
    steps = [
        asked.draw(example, sample, setting.styles.get(style, "")) for asked, sample, style in draws
    ]
    softly = _soft_steps(example, setting)  # first, as a teacher that cannot is to be found out
    came = yield softly + steps
    told, results = came[: len(softly)], came[len(softly) :]
    candidates = [
        _candidate(asked, sample, style, step, result)
        for (asked, sample, style), step, result in zip(draws, steps, results, strict=True)
    ]
    good = [candidate for candidate in candidates if not candidate.problem]
    if not good:
        return [_failure(example, steps[0], results[0])]
    choices = choose(setting.combine, good, example.gold, lambda one: _rate(example, one, setting))
    escalated = False
    if setting.escalate and divided(good):
        further = yield from _escalated(example, setting.escalate)
        candidates.append(further)
        if escalated := not further.problem:
            choices = [further]
    if setting.combine == "agree" and not escalated and divided(good):
        return [_rejection(example, good)]
    records: list[Record] = []
    for n, choice in enumerate(choices, 1):
        found = _answer(example, choice, n)
        if escalated:
            found = found.flagged("escalated")
        if setting.rationalize:
            found = yield from rationalized(example, found, setting.teachers[0])
        for turn in range(setting.refine):
            asked = next(one for one in setting.asked if one.name == found.teacher)
            mended = yield from refined(example, found, asked, turn)
            if mended is None:
                break
            found = mended
        records.append(_softened(_among(found, candidates), good, setting, told))
    return records


# -- the draws ------------------------------------------------------------------------------


def _candidate(asked: Asked, sample: int, style: str, step: Step, result: Result) -> Candidate:
    lineage = {
        "teacher": asked.name, "sample": sample, "style": style, "request": step.request.key,
    }  # fmt: skip
    if isinstance(result, Failed):
        return Candidate(**lineage, problem=f"{result.kind}: {result.detail}")
    assert isinstance(result, Reading)
    return Candidate(
        **lineage, rationale=result.rationale, answer=result.answer, label=result.label,
        rationale_source=result.source, flags=result.flags,
    )  # fmt: skip


def _escalated(example: Example, asked: Asked) -> Generator[list[Step], list[Result], Candidate]:
    step = asked.draw(example)
    [result] = yield [step]
    return _candidate(asked, 0, "", step, result)


def _failure(example: Example, step: Step, result: Result) -> Failure:
    assert isinstance(result, Failed)
    return Failure(
        stage="answer", kind=result.kind, detail=result.detail, id=example.id,
        question=example.question, request=step.request.key,
    )  # fmt: skip


def _rejection(example: Example, good: Sequence[Candidate]) -> Rejection:
    said = "; ".join(f"{one.teacher}: {(one.label or one.answer)[:60]}" for one in good)
    return Rejection(
        stage="answer", reason="divided", detail=said, question=example.question,
        user_context=example.user_context, id=example.id, request=good[0].request,
        candidates=tuple(good),
    )  # fmt: skip


def _rate(example: Example, candidate: Candidate, setting: Setting) -> float:
    """The share of the checks that apply and are passed; gold is none of them."""
    answer = _answer(example, candidate)
    names = [name for name in checks.names() if name != "gold"]
    verdicts = checks.of(answer, names, setting.known).values()
    return sum(verdict.passed for verdict in verdicts) / max(1, len(verdicts))


def _answer(example: Example, one: Candidate, n: int = 1) -> Answer:
    """The record of a candidate; `n` numbers those of one input."""
    return Answer(
        question=example.question, user_context=example.user_context,
        rationale=one.rationale, answer=one.answer, label=one.label,
        rationale_source=one.rationale_source, style=one.style,
        flags=one.flags, images=example.images, meta=example.meta, gold=example.gold,
        id=example.id if n == 1 else f"{example.id}.{n}", strategy=example.strategy,
        operation=example.operation, generation=example.generation, persona=example.persona,
        topic=example.topic, attributes=example.attributes, parents=example.parents,
        family=example.family, teacher=one.teacher, request=one.request,
    )  # fmt: skip


def _among(answer: Answer, candidates: Sequence[Candidate]) -> Answer:
    """The record with all that it was chosen from, and how it stands among these."""
    if len(candidates) == 1:
        return answer
    good = [candidate for candidate in candidates if not candidate.problem]
    stands = standing(key(bare(answer)), good)
    agreement = None if stands.agreement is None else round(stands.agreement, 4)
    return answer.model_copy(
        update={"candidates": tuple(candidates), "votes": stands.votes,
                "vote_share": round(stands.share, 4), "agreement": agreement}
    )  # fmt: skip


def bare(answer: Answer) -> Candidate:
    """The one candidate of an answer that stores none, as there was one draw."""
    return Candidate(
        teacher=answer.teacher, style=answer.style, rationale=answer.rationale,
        answer=answer.answer, label=answer.label, rationale_source=answer.rationale_source,
        flags=answer.flags, request=answer.request,
    )  # fmt: skip


# -- soft labels ----------------------------------------------------------------------------


def _soft_steps(example: Example, setting: Setting) -> list[Step]:
    """The requests for a soft label, which no answer waits for."""
    first = setting.teachers[0]
    if setting.soft == "logprobs":
        return [first.soft(example, letters) for letters in soft.rotations(setting.labels)]
    return [first.verbal(example)] if setting.soft == "verbal" else []


def _softened(
    answer: Answer, good: Sequence[Candidate], setting: Setting, results: Sequence[Result]
) -> Answer:
    """The answer with its soft label, or with the flag that says why it has none."""
    if setting.smooth:
        return _smoothed(answer, setting)
    if setting.soft is None:
        return answer
    if any(isinstance(result, Failed) for result in results):
        return answer.flagged("soft_failed")
    try:
        return _with_soft(answer, _collected(good, setting, results))
    except soft.Uncovered as why:
        refused = {"soft_method": setting.soft, "covered_mass": round(why.covered, 6)}
        return answer.model_copy(update=refused).flagged("soft_refused")
    except ParseError:
        return answer.flagged("soft_failed")


def _collected(good: Sequence[Candidate], setting: Setting, results: Sequence[Result]) -> soft.Soft:
    labels = setting.labels
    match setting.soft:
        case "logprobs":
            tops = cast("Sequence[Mapping[str, float]]", results)
            return soft.of_logprobs(tops, soft.rotations(labels))
        case "verbal":
            return soft.of_verbal(cast("Mapping[str, float]", results[0]), labels)
    return soft.of_votes([one.label or "" for one in good], labels)


def _with_soft(answer: Answer, found: soft.Soft) -> Answer:
    covered = None if found.covered is None else round(found.covered, 6)
    return answer.model_copy(
        update={"soft_label": soft.rounded(found.probabilities), "soft_method": found.method,
                "covered_mass": covered}
    )  # fmt: skip


def _smoothed(answer: Answer, setting: Setting) -> Answer:
    assert setting.smooth
    assert answer.label
    return _with_soft(answer, soft.smoothed(answer.label, setting.labels, setting.smooth))


def _known(example: Example, setting: Setting) -> str:
    """The gold label as the task spells it; empty where it is none of its labels."""
    gold = example.gold.strip().casefold()
    return next((label for label in setting.labels if label.casefold() == gold), "")


def _without_teacher(example: Example, label: str) -> Answer:
    return _answer(example, Candidate(teacher="", label=label, request=""))
