"""The teacher answers, and does not decline."""

import re

from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict

FIRST = 300
"""Characters in which a refusal shows; what comes later is advice."""
_PHRASES = (
    r"i(?:['’]m| am) (?:really |very |truly |so )?sorry\b(?! (?:to hear|for|about|that you))",
    r"^\W*sorry\b",
    r"\b(?:i|we) (?:can(?:['’]?t|not| not)|won['’]t)\b(?! (?:say|stress|recommend|wait)\b)",
    r"\b(?:i am|i['’]m|we are) (?:unable|not (?:able|allowed|permitted)) to\b",
    r"\bi (?:must|have to|will|would have to) (?:decline|refuse)\b",
    r"\bi (?:do not|don['’]t) (?:know|have (?:access|enough|sufficient|any information))\b",
    r"\bas an? (?:ai|(?:large )?language model|artificial intelligence)\b",
    r"\b(?:it is|it['’]s) (?:not possible|impossible) to (?:answer|determine|say|tell|calculate)\b",
    r"\b(?:cannot|can not|can['’]t|could not) be (?:determined|answered|calculated|found)\b",
    r"\b(?:there is no|not enough|insufficient) (?:\w+ )?(?:information|context|data)\b",
    r"\b(?:context|text|passage|documents?|information)(?: \w+)? (?:does|do) ?(?:not|n['’]t)"
    r" (?:contain|include|provide|mention|give|state|specify)\b",
)
_REFUSES = re.compile("|".join(_PHRASES), re.I)


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the words of the refusal. The phrases are English."""
    found = _REFUSES.search(said(answer)[:FIRST])
    return Verdict(passed=not found, value=found[0] if found else None)
