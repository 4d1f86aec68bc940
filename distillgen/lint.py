"""Tell the damage that synthetic sets are known for, one rule each: verdicts, never a deletion.

The rules on wording read English; the others read every language.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

Texts = Mapping[str, str]
"""The texts of a record by field: `question`, `user_context`, `answer`, `rationale`, `label`."""


class Rule(NamedTuple):
    """One kind of damage."""

    name: str
    explains: str
    """What it looks for, in a line."""
    hits: Callable[[Texts], bool]


def check(texts: Texts) -> Iterator[str]:
    """The names of the rules that a record breaks.

    >>> list(check({"question": "Buy gold?", "answer": "As an AI, I cannot say."}))
    ['as_an_ai']
    """
    return (rule.name for rule in RULES if rule.hits(texts))


# -- several items in one -------------------------------------------------------------------

_LABEL = re.compile(
    r"""(?mix) ^[\s*#]* (?: user[_ ]context | context | question | q ) [\s*]* \d* [\s*]* [:=]
    | "(?: user_context | question )" \s* : """
)
_NUMBERED = re.compile(r"(?m)^\s*\d+\s*[.)]\s.*\?\s*$")


def _merged_items(texts: Texts) -> bool:
    """A label within a text begins a next item; so do numbered lines that each ask something."""
    return any(
        any(found.start() > 0 for found in _LABEL.finditer(text))
        or (name == "question" and len(_NUMBERED.findall(text)) > 1)
        for name, text in texts.items()
    )


# -- the teacher speaks of itself -----------------------------------------------------------

_AS_AN_AI = re.compile(
    r"""(?ix) \b (?: as | i[ ]am | i['’]m | i[ ]was | being ) [ ] (?: just[ ] | only[ ] )?
    an? [ ] (?:
        (?: large[ ] | ai[ ] )* language [ ] model
        | (?: ai | artificial [ ] intelligence )
          (?: [ ] (?: model | assistant | chatbot | system ) \b (?! [ ] \w+er\b )
            | \s* [,.;:!)] | [ ] (?: and | so | i ) \b | \s* $ )
    ) """
)


_AI = (" ai", " artificial intelligence", "language model")
"""One of these is in it; to look for them first takes a tenth of the time."""


def _as_an_ai(texts: Texts) -> bool:
    lower = ((text, text.lower()) for text in texts.values())
    return any(_AS_AN_AI.search(text) for text, low in lower if any(words in low for words in _AI))


# -- what is referred to is not there -------------------------------------------------------

_THING = (
    r"(?:text|passage|article|paragraph|sentence|sentences|document|table|chart|graph|image|picture"
    r"|figure|diagram|photo|email|letter|list|code|snippet|data|dataset|statement|story|report)"
)
_REFERS = re.compile(
    rf"""(?ix) \b (?: the | this | these ) [ ] (?: following | above | below | given | provided
        | attached | aforementioned ) (?: [ ] [\w-]+ ){{0,2}}? [ ] {_THING} \b
    | \b (?: the | this ) [ ] {_THING} [ ] (?: above | below | provided | attached ) \b
    | \b (?: see | shown | mentioned | described | listed ) [ ] (?: above | below ) \b """
)
ENOUGH = 8
"""So many words below the reference may be what is referred to."""


def _missing_context(texts: Texts) -> bool:
    """The question points at a text, there is no context, and it does not hold that text itself."""
    question = texts.get("question", "")
    found = _REFERS.search(question)
    if not found or texts.get("user_context", "").strip():
        return False
    _, colon, behind = question[found.end() :].partition(":")
    _, newline, below = question[found.end() :].partition("\n")
    inside = behind if colon else below if newline else ""
    return not inside.strip() or (not colon and len(inside.split()) < ENOUGH)


# -- the rest -------------------------------------------------------------------------------

_URL = re.compile(r"\bhttps?://\w|\bwww\.\w")


def _url(texts: Texts) -> bool:
    lower = (text.lower() for text in texts.values())
    return any(_URL.search(text) for text in lower if "://" in text or "www." in text)


_SIGNS = r"[\s!-/:-@\[-`{-~–—…·•]*"
_NOTHING = re.compile(
    rf"(?i){_SIGNS}(n/?a|null|nil|nan|undefined|tbd|todo|not applicable)?{_SIGNS}"
)
_NO_CONTEXT = re.compile(
    rf"(?i){_SIGNS}(none|unknown|no context|not (given|provided|specified)){_SIGNS}"
)


def _empty(texts: Texts) -> bool:
    """A field that says nothing; "none" may be a good answer, and is no context."""
    return any(_NOTHING.fullmatch(text) for text in texts.values()) or any(
        _NO_CONTEXT.fullmatch(texts.get(name, "")) for name in ("question", "user_context")
    )


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd\ufeff]")


def _control_characters(texts: Texts) -> bool:
    return any(_CONTROL.search(text) for text in texts.values())


RULES = (
    Rule("merged_items", "a text goes on with another question or example", _merged_items),
    Rule("as_an_ai", "the teacher speaks of itself", _as_an_ai),
    Rule("missing_context", "the question points at a text that is not there", _missing_context),
    Rule("url", "a URL, which the model cannot see", _url),
    Rule("empty", "a field is empty, N/A or nothing but signs", _empty),
    Rule("control_characters", "control characters, or signs lost to a wrong encoding",
         _control_characters),
)  # fmt: skip
"""Every rule; `stats` prints them in this order."""
