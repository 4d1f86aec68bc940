"""The answer is in the language of the task, or of its question."""

from distillgen.checks import Setting
from distillgen.language import code
from distillgen.records import Answer, Verdict

LETTERS = 40
"""A shorter text, or one with fewer letters, tells no language."""


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the language that was told. It does not apply where that is unsure, or cannot be
    told for want of distillgen[language]."""
    text = max(answer.answer, answer.rationale, key=len)
    if setting.detect is None or sum(map(str.isalpha, text)) < LETTERS:
        return None
    wanted = code(setting.language or "")
    if not setting.language:
        wanted = setting.detect(f"{answer.question} {answer.user_context}")
    found = setting.detect(text)
    if not wanted or "?" in (wanted, found):
        return None
    return Verdict(passed=found == wanted, value=found)
