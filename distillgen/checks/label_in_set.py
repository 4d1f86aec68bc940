"""The label is one of the task's."""

from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the label. Without a set of labels it does not apply."""
    if not setting.labels:
        return None
    label = said(answer)
    return Verdict(passed=label in setting.labels, value=label)
