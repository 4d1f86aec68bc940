"""Every equation that rationale and answer state comes to what they say."""

from distillgen.calculations import stated
from distillgen.checks import Setting, whole
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: how many equations were worked out, and those that are wrong."""
    found = stated(whole(answer))
    if not found:
        return None
    wrong = [one.said for one in found if not one.right]
    return Verdict(passed=not wrong, value={"equations": len(found), "wrong": wrong})
