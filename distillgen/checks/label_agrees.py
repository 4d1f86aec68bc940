"""The rationale does not conclude with another label."""

import re
from collections.abc import Iterable

from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_CONCLUDES = re.compile(
    r"(?i)\b(?:so|thus|hence|therefore|then|label|answer|conclude[sd]?|conclusion|category|class"
    r"|relation(?:ship)?|verdict)\b"
)
_DENIED = re.compile(
    r"(?i)(?:\b(?:not|no|never|nor|neither|without|cannot|than|instead of|isn['’]t|aren['’]t"
    r"|doesn['’]t|rules? out|ruled out|exclude[sd]?)\W+"
    r"(?:(?!but\b|rather\b|so\b)[\w'’-]+\W+){0,3}|\bnon-?)$"
)


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the label that the rationale names at its end; it does not apply where that names
    none.

    What is denied ("not neutral", "rather than neutral") is not named. A sentence that names
    several labels weighs them, and concludes with none.
    """
    label = said(answer)
    if not setting.labels or not label or not answer.rationale:
        return None
    sentences = [one for one in _SENTENCE.split(answer.rationale) if one.strip()]
    named = [(one, found) for one in sentences if (found := _named(one, setting.labels))]
    ends = [found for one, found in named if _CONCLUDES.search(one) or one is sentences[-1]]
    if not ends:
        return None
    last = ends[-1]
    if len(last) > 1:
        return Verdict(passed=True, value=label) if label.casefold() in last else None
    return Verdict(passed=label.casefold() in last, value=min(last))


def _named(sentence: str, labels: Iterable[str]) -> set[str]:
    """The labels that a sentence names and does not deny; of overlapping ones the longest."""
    found: set[str] = set()
    taken: list[range] = []
    for label in sorted(map(str.casefold, labels), key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(label)}(?!\w)", sentence.casefold()):
            if any(match.start() in span for span in taken):
                continue
            taken.append(range(match.start(), match.end()))
            if not _DENIED.search(sentence[: match.start()]):
                found.add(label)
    return found
