"""The rationale states what the answer comes to."""

from distillgen import finals
from distillgen.checks import Setting
from distillgen.quantities import read
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: what should be stated, a calculation as its result. A label need not be."""
    short = finals.final(answer.answer)
    if not answer.answer.strip() and not answer.label:
        return Verdict(passed=False)
    if not answer.rationale.strip() or not short:
        return None
    wanted = finals.amount(short)
    if wanted is None:
        return Verdict(passed=finals.says(answer.rationale, short), value=short)
    stated = {one.value for one in read(answer.rationale)}
    return Verdict(passed=wanted.value in stated, value=finals.key(short))
