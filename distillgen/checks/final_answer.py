"""A short answer can be found: a marked one, a number, an option, a label, or a few words."""

from distillgen import finals
from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the short answer. An open question needs none: then it does not apply."""
    found = finals.final(said(answer))
    asked_for = bool(setting.labels or (answer.gold and finals.comparable(answer.gold)))
    if not found and said(answer) and not asked_for:
        return None
    return Verdict(passed=bool(found), value=found)
