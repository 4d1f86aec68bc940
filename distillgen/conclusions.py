"""Find what a text comes to: what its marker names, or the quantities in which it concludes."""

import re

from distillgen.quantities import Quantity, read

BRIEF = 4
"""Words of a sentence such as "It is not.", which only affirms or denies."""
_MARKERS = (
    re.compile(r"####[ \t]*(?P<said>[^\n]+)"),
    re.compile(r"\\boxed\{(?P<said>(?:[^{}]|\{[^{}]*\})+)\}"),
    re.compile(
        r"(?i)\b(?:answer|result|solution)\**\s*(?:is|are|would be|was|=|:)\**\s*:?\s*"
        r"(?P<said>(?:[^\n.!?]|[.!?](?=\S))+)"
    ),
)
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}")
_COMMAND = re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}|\\[,;!() ]|\\(?=[$%])")
_OPTION = re.compile(
    r"^\W*(?:option\s+)?(?:\(([A-Ha-h])\)|([A-Ha-h])[).:]|([A-Ha-h])(?=\W*$))\s*(.*)$", re.S
)
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z(\[*$\d-])|\n+|(?<=[,;])\s+(?=(?:so|thus|hence|therefore)\b)"
)
_CONCLUDES = re.compile(
    r"(?i)^\W*(?:so|thus|hence|therefore|overall|in conclusion|in summary|consequently|finally"
    r"|this (?:means|gives|results|is)|which)\b|\b(?:therefore|thus|hence)\b"
)
_CLAUSE = re.compile(
    r"(?i)[;,(](?!\d)|\b(?:while|whereas|compared (?:to|with)|versus|vs\.?|but|and)\b"
)
_YEAR = re.compile(r"(?i)(?<![\d,.$])(?:FY\s?)?'?((?:19|20)\d\d)(?![\d,.]*\d)|\bFY\s?'?(\d\d)\b")
_OTHER = re.compile(
    r"(?i)\b(?:(?:compared (?:to|with)|versus|vs\.?|prior year|previous year)\b[^.;\d]{0,40}"
    r"|(?:up|down|out|and|range[sd]?)? ?\b(?:from|out of)\s*)$"
)
_OPERATOR = re.compile(
    r"^\s*(?:[a-zA-Z]+\s){0,3}?\s*(?:[-+−–*×÷/]|x|divided by|times|plus|minus)\s*[($]*\s*\d"
)
_LAST_OPERAND = re.compile(r"(?:[-+−*×÷/]|\bx|\bdivided by|\btimes|\bplus|\bminus)\s*\(?$")
_YES = re.compile(
    r"(?i)^\W*(?:(yes|true|correct)|(no|false|incorrect))\b(?!\s+(?:one|other|of)\b|\.\s?\d)"
)
_YES_SOMEWHERE = re.compile(r"(?:^|[.:,!?]\s+|\n\s*)(?:\*\*)?(?:([Yy]es)|([Nn]o))\b[,.:!*\n]")
_DENIES = re.compile(r"(?i)\b(?:not|no|never|cannot|neither|nor|without|lacks?)\b|n't\b")
_WORD = re.compile(r"[a-z]{4,}")


def marked(text: str) -> str:
    """What a text names as its answer: behind "####", in "\\boxed{}", after "the answer is".

    >>> marked("He has 3 + 4 = 7. The answer is 7.")
    '7'
    """
    for marker in _MARKERS:
        if found := [match["said"] for match in marker.finditer(text)]:
            said = _unset(found[-1]).strip().strip("*").rstrip(".").strip()
            return said.strip("$") if said.endswith("$") else said
    return ""


def _unset(text: str) -> str:
    """LaTeX as it reads: "\\frac{1}{2}" is 1/2."""
    text = _FRACTION.sub(r"\1/\2", text) if "\\" in text else text
    return _COMMAND.sub(r"\1", text) if "\\" in text else text


def option(text: str) -> tuple[str, str] | None:
    """The letter, in lower case, and the words of a chosen option, such as "(d) math problem"."""
    match = _OPTION.match(text.strip())
    if not match:
        return None
    return (match[1] or match[2] or match[3]).lower(), match[4].strip()


def said_yes(text: str, question: str = "") -> bool | None:
    """Whether a text says yes or no; with the question also where it only affirms or denies it."""
    for found in (_YES.match(marked(text)), _YES.match(text), _YES_SOMEWHERE.search(text)):
        if found:
            return bool(found[1])
    if not question:
        return None
    asked = set(_WORD.findall(question.lower()))
    for sentence in _SENTENCE.split(text):
        shared = asked & set(_WORD.findall(sentence.lower()))
        if len(sentence.split()) <= BRIEF or len(shared) * 2 >= min(len(asked), 4):
            return not _DENIES.search(sentence)
    return None


def concluded(text: str, question: str = "", years: bool = False) -> list[Quantity]:
    """The quantities that may be the answer: of what is marked, else of the first sentence, of
    those that conclude, and of the last with a quantity.

    What the question states, the operands of calculations, and what is said of another year than
    the question's are left out, where anything else is there; years unless `years`.
    """
    said = text if not (found := marked(text)) or not read(found) else found
    sentences = [one for one in _SENTENCE.split(said) if one.strip()]
    counting = [n for n, one in enumerate(sentences) if read(one)]
    chosen = [
        sentences[n] for n in counting
        if n == counting[-1] or _CONCLUDES.search(sentences[n])
        or (n == 0 and sentences[n][-1] not in ",;")
    ]  # fmt: skip
    known = {one.value for one in read(question)}
    asked = years_of(question)
    all = [(one, q) for one in chosen for q in read(one) if years or not q.year]
    rest = [(one, q) for one, q in all if not _operand(one, q)] or all
    rest = [(one, q) for one, q in rest if q.value not in known] or rest
    rest = [(one, q) for one, q in rest if not _of_other_year(one, q, asked)] or rest
    return [q for one, q in rest if not _OTHER.search(one[: q.start])] or [q for _, q in rest]


def concludes(sentence: str) -> bool:
    """Whether a sentence draws a conclusion: "so", "therefore" …"""
    return bool(_CONCLUDES.search(sentence))


def last_sentence(text: str) -> str:
    """The last sentence that states a quantity; empty where none does."""
    return next((one for one in reversed(_SENTENCE.split(text)) if read(one)), "")


def years_of(text: str) -> set[int]:
    """The years that a text speaks of; "FY22" is 2022.

    >>> sorted(years_of("from FY2021 to FY22"))
    [2021, 2022]
    """
    return {int(match[1] or f"20{match[2]}") for match in _YEAR.finditer(text)}


def _operand(sentence: str, quantity: Quantity) -> bool:
    """It stands in a calculation, before its result."""
    before, after = sentence[: quantity.start], sentence[quantity.end :]
    return bool(_OPERATOR.match(after)) or bool(
        _LAST_OPERAND.search(before) and re.match(r"[^.;=]{0,40}=", after)
    )


def _of_other_year(sentence: str, quantity: Quantity, asked: set[int]) -> bool:
    """Its own part of the sentence names years, and none that is asked for."""
    if not asked:
        return False
    starts = [match.end() for match in _CLAUSE.finditer(sentence, 0, quantity.start)]
    ends = _CLAUSE.search(sentence, quantity.end)
    clause = sentence[starts[-1] if starts else 0 : ends.start() if ends else len(sentence)]
    named = years_of(clause)
    return bool(named) and not named & asked
