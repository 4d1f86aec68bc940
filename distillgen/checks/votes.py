"""Most of the draws came to this answer."""

from distillgen.checks import Setting
from distillgen.records import Answer, Verdict

MORE_THAN = 0.5
"""Of the answers to GSM8K that 2 of 4 draws gave, 51 % were right; 84 % of 3, 96 % of 4."""


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: their share, 0 to 1. With one draw it does not apply."""
    if answer.vote_share is None:
        return None
    return Verdict(passed=answer.vote_share > MORE_THAN, value=answer.vote_share)
