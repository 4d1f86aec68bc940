"""Make an answer better: towards the known one, or by the teacher's own criticism.

Both are parts of a course (see `course`): they yield the steps that they need and are sent what
came of them.
"""

from collections.abc import Generator

from distillgen import finals
from distillgen.asking import Asked, Critique, Reading, Result, Step, betrays
from distillgen.records import Answer, Example, Refinement


def rationalized(
    example: Example, answer: Answer, asked: Asked
) -> Generator[list[Step], list[Result], Answer]:
    """Where gold is missed, what a teacher says once it knows it, if that gets there.

    STaR (Zelikman et al. 2022): a rationale towards the known answer teaches too, if it holds no
    trace of the hint.
    """
    if right(answer, example.gold) is not False:
        return answer
    step = asked.draw(example, hint=example.gold)
    [result] = yield [step]
    if not isinstance(result, Reading) or betrays(result):
        return answer.flagged("not_rationalized")
    hinted = _rewritten(answer, result, step, "rationalized")
    if not right(hinted, example.gold):
        return answer.flagged("not_rationalized")
    return hinted.model_copy(update={"teacher": asked.name, "style": ""})


def right(answer: Answer, gold: str) -> bool | None:
    """Whether an answer comes to the gold one; None where that cannot be told."""
    said = answer.label or answer.answer
    return finals.right(said, gold, answer.question, closed=bool(answer.label))


def refined(
    example: Example, answer: Answer, asked: Asked, turn: int
) -> Generator[list[Step], list[Result], Answer | None]:
    """The answer written anew; None where nothing was found to mend, or no new one came.

    Self-Refine (Madaan et al. 2023): the teacher criticises its own answer and mends it.
    """
    first = asked.criticise(example, _read(answer), turn)
    [found] = yield [first]
    if not isinstance(found, Critique) or not found.mend:
        return None
    second = asked.mend(example, _read(answer), found.criticism, turn)
    [result] = yield [second]
    if not isinstance(result, Reading):
        return None
    before = Refinement(
        criticism=found.criticism, rationale=answer.rationale, answer=answer.label or answer.answer,
        requests=(first.request.key, second.request.key),
    )  # fmt: skip
    mended = _rewritten(answer, result, second, "refined")
    return mended.model_copy(update={"refinements": (*answer.refinements, before)})


def _read(answer: Answer) -> Reading:
    return Reading(
        answer.rationale, answer.answer, answer.label, answer.rationale_source, answer.flags
    )


def _rewritten(answer: Answer, found: Reading, step: Step, flag: str) -> Answer:
    """The record with another text."""
    return answer.model_copy(
        update={
            "rationale": found.rationale, "answer": found.answer, "label": found.label,
            "rationale_source": found.source, "request": step.request.key,
            "flags": tuple(dict.fromkeys((*answer.flags, *found.flags, flag))),
        }
    )  # fmt: skip
