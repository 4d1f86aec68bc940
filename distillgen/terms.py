"""Know which terms restrict training on what a model wrote, as far as they could be read.

It is no legal advice and no complete list: terms change, and an agreement of one's own may say
something else. What could not be read in the terms themselves, or found quoted word for word by
several others, is not here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from distillgen.catalogue import CATALOGUE


@dataclass(frozen=True)
class Restriction:
    """What the terms of some models say of training with their output."""

    names: re.Pattern[str]
    """Found in the names of these models, as teachers are called, and of their licences."""
    says: str
    """In a few words, behind a colon."""
    source: str
    """Where it stands."""
    date: str
    """Of the version that was read."""

    def __str__(self) -> str:
        return f"{self.says} ({self.date}; {self.source})"


def _names(pattern: str) -> re.Pattern[str]:
    """Names that begin with it, or have it behind the provider's or the owner's."""
    return re.compile(rf"(?:^|[:/ -])(?:{pattern})", re.IGNORECASE)


_LLAMA = r"(?:meta[-.])?llama-?v?"
_MINOR = r"[._p-][1-9](?![\db])"
"""Of `llama3.1`, `llama-v3p1` and `llama3-1-8b`; not of `llama3-8b`."""

RESTRICTIONS = (
    Restriction(
        _names(r"gpt-?[345]|chatgpt|o[134](?:-|$)"),
        "OpenAI's terms forbid using output to develop models that compete with OpenAI",
        "https://openai.com/policies/row-terms-of-use/",
        "1 January 2026",
    ),
    Restriction(
        _names(r"anthropic|claude"),
        "Anthropic's commercial terms forbid using the service to build a competing product, or to"
        " train competing models, unless Anthropic approves",
        "https://www.anthropic.com/legal/commercial-terms, D.4",
        "17 June 2025",
    ),
    Restriction(
        _names(r"gemini"),
        "Google's terms for the Gemini API forbid using it to develop models that compete with the"
        " service",
        "https://ai.google.dev/gemini-api/terms",
        "23 March 2026",
    ),
    Restriction(
        _names(r"grok-?2"),
        "xAI's community licence forbids training general-purpose models, but for Grok 2 itself,"
        " with its output",
        "https://huggingface.co/xai-org/grok-2/blob/main/LICENSE, 2b",
        "4 November 2025",
    ),
    Restriction(
        _names(rf"{_LLAMA}2(?![.\d])|codellama"),
        "the Llama 2 licence forbids improving other large language models with its output",
        "https://ai.meta.com/llama/license/, 1.b.v",
        "18 July 2023",
    ),
    Restriction(
        _names(rf"{_LLAMA}3(?![.\w]|{_MINOR})"),
        "the Llama 3 licence forbids improving other large language models with its output",
        "https://llama.meta.com/llama3/license/, 1.b.v",
        "18 April 2024",
    ),
    Restriction(
        _names(rf"{_LLAMA}(?:3{_MINOR}|4(?![.\w]))"),
        "by the Llama licence a model that was trained with its output, and is passed on, must have"
        " a name that begins with Llama, and show 'Built with Llama'",
        "https://www.llama.com/llama3_1/license/, 1.b.i",
        "23 July 2024 for Llama 3.1",
    ),
    Restriction(
        _names(r"(?:code)?gemma(?:$|:|-?[123](?!\d)|-?7b)"),
        "by the Gemma terms a model that was trained with its output to perform like Gemma counts"
        " as a derivative, to which the same terms and uses that they prohibit apply",
        "https://ai.google.dev/gemma/terms, 1.1(e)",
        "1 April 2024",
    ),
    Restriction(
        re.compile(r"^cc[ -]by[ -](?:\w\w[ -])?n[cd]\b", re.IGNORECASE),
        "licences of this family do not allow commercial use (NC), or passing on what was adapted"
        " (ND)",
        "https://creativecommons.org/share-your-work/cclicenses/",
        "version 4.0",
    ),
)
"""The first whose names fit is told."""


def of_weights(teacher: str) -> str:
    """The licence of an embedded teacher that comes by name; empty for all others."""
    provider, _, name = teacher.partition(":")
    return CATALOGUE[name].licence if provider == "local" and name in CATALOGUE else ""


def restriction(name: str) -> Restriction | None:
    """What is known of a teacher, or of a licence; most often nothing.

    >>> str(restriction("groq:llama3-70b-8192"))[:50]
    'the Llama 3 licence forbids improving other large '
    >>> restriction("vllm:openai/gpt-oss-120b")
    """
    return next((one for one in RESTRICTIONS if one.names.search(name)), None)


def warnings(teachers: Iterable[str], declared: str | None) -> Iterator[str]:
    """What to read before training with what these teachers wrote, a line each."""
    named = [name for name in teachers if name]
    for name in (*named, *([declared] if declared else [])):
        if found := restriction(name):
            yield f"{name}: {found}"
    silent = [name for name in named if not of_weights(name) and not restriction(name)]
    if silent and not declared:
        yield (
            f"{', '.join(silent)}: nobody has stated under which licence or terms these answers may"
            " be trained with; --license TEXT puts it into the card"
        )
