"""The answer is the right one: by its number in any unit and scale, option, label, yes or no."""

from distillgen import finals
from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the right answer. Of a long text nobody can say without understanding it."""
    right = finals.right(said(answer), answer.gold, answer.question, closed=bool(answer.label))
    return None if right is None else Verdict(passed=right, value=answer.gold.strip())
