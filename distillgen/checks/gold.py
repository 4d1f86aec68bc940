"""The answer is the right one: by its number in any unit and scale, option, label, yes or no."""

from distillgen import finals
from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the right answer. Of a long text nobody can say without understanding it."""
    gold = answer.gold.strip()
    if not gold or not finals.comparable(gold):
        return None
    return Verdict(passed=finals.same(said(answer), gold, answer.question), value=gold)
