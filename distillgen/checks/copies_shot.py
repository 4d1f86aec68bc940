"""The answer does not repeat one that the teacher was shown as a model."""

import re
from functools import lru_cache

from distillgen.checks import Setting, whole
from distillgen.records import Answer, Verdict

N, MOST = 8, 0.5
"""Words of a phrase, and the share of an answer's words in phrases of a model, above which it is a
copy: the rule of Tulu 3 for test items (Lambert et al. 2024), turned round."""
_WORD = re.compile(r"\w+")


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the highest share over the models, 0 to 1."""
    words = _words(whole(answer))
    if not setting.shots or len(words) < N:
        return None
    phrases = [tuple(words[n : n + N]) for n in range(len(words) - N + 1)]
    models = (f"{shot.rationale or ''} {shot.answer or ''}" for shot in setting.shots)
    most = max(_covered(phrases, _phrases(model)) for model in models)
    return Verdict(passed=most <= MOST, value=round(most, 4))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


@lru_cache(256)
def _phrases(shot: str) -> frozenset[tuple[str, ...]]:
    words = _words(shot)
    return frozenset(tuple(words[n : n + N]) for n in range(len(words) - N + 1))


def _covered(phrases: list[tuple[str, ...]], there: frozenset[tuple[str, ...]]) -> float:
    covered = [False] * (len(phrases) + N - 1)
    for n, phrase in enumerate(phrases):
        if phrase in there:
            covered[n : n + N] = [True] * N
    return sum(covered) / len(covered)
