"""The answer or its rationale takes something of the context up: a number, a name, a term."""

import re

from distillgen.checks import Setting, whole
from distillgen.equations import numbers
from distillgen.records import Answer, Verdict

_WORD = re.compile(r"[^\W\d_]+")
_USUAL = frozenset({
    "about", "after", "also", "among", "another", "around", "because", "been", "before", "being",
    "between", "both", "could", "does", "doing", "down", "each", "even", "every", "from", "have",
    "having", "here", "into", "just", "know", "like", "live", "lives", "living", "looking", "make",
    "many", "more", "most", "much", "need", "needs", "only", "other", "over", "same", "should",
    "since", "some", "such", "than", "that", "their", "them", "then", "there", "these", "they",
    "this", "those", "through", "time", "under", "until", "very", "want", "wants", "what", "when",
    "where", "which", "while", "will", "with", "without", "would", "year", "years", "your",
})  # fmt: skip
"""English words of four letters or more that tell nothing of anybody."""
SHORTEST = 4
"""Letters of a term; shorter words count where they are names, in capitals within a sentence."""
STEM = 6
"""Letters by which two forms of a word are the same: "invested" and "investing"."""


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: what was taken up, in the order of the context; what the question says too is no
    sign of it."""
    context = answer.user_context.strip()
    if not context:
        return None
    asked, used = _terms(answer.question), _terms(whole(answer))
    own = {key: said for key, said in _terms(context).items() if key not in asked}
    shared = [said for key, said in own.items() if key in used]
    return Verdict(passed=bool(shared), value=shared) if own else None


def _terms(text: str) -> dict[str, str]:
    """Numbers, names and terms of a text as they are compared, and as they stand there."""
    found = {str(one.value): one.spelled for one in numbers(text) if one.spelled.lower() != "one"}
    for match in _WORD.finditer(text):
        word, low = match[0], match[0].lower()
        name = word[0].isupper() and len(word) > 1 and match.start() > 0
        if (len(low) >= SHORTEST or name) and low not in _USUAL:
            found.setdefault(low[:STEM], word)
    return found
