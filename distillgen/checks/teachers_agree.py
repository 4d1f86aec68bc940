"""All teachers came to this answer."""

from distillgen.checks import Setting
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the share that did, 0 to 1. With one teacher it does not apply."""
    if answer.agreement is None:
        return None
    return Verdict(passed=answer.agreement == 1, value=answer.agreement)
