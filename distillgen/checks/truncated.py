"""The text is not cut off: where it is long, its last sentence ends."""

import re

from distillgen.checks import Setting
from distillgen.records import Answer, Verdict

LONG = 20
"""Words; what is shorter may be a label, a number, a name or a line without a full stop."""
CUT = frozenset({"length", "max_tokens", "MAX_TOKENS", "truncated"})
"""What servers call the reason that a text ended for."""
_ENDS = re.compile(
    r"""(?x) (?: [.!?…:;。！？।؟] | \d | [%$€£°] | ``` | \|  | </\w+> | [\U0001F300-\U0001FAFF] )
    [\s"'”’»)\]}*_]* $ """
)
_LIST = re.compile(r"(?m)^\s*(?:[-*•]|\d+[.)])\s+\S[^\n]*\Z")
"""The last of several points."""


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the last words of what is cut off; the reason to end, where the file states it."""
    stated = answer.meta.get("finish_reason")
    if stated in CUT or "truncated" in answer.flags:
        return Verdict(passed=False, value=stated or "truncated")
    for text in map(str.strip, (answer.answer, answer.rationale)):
        if len(text.split()) >= LONG and not _ends(text):
            return Verdict(passed=False, value=" ".join(text.split()[-6:]))
    return Verdict(passed=True)


def _ends(text: str) -> bool:
    """Whether the last line ends as a sentence does, or is one of several that do not."""
    *others, last = [line for line in text.splitlines() if line.strip()]
    unpointed = any(len(line.split()) > 3 and not _ENDS.search(line) for line in others)
    return bool(_ENDS.search(last) or _LIST.search(text) or unpointed)
