"""Read how people write calculations in a text: "3 bags x $4 = $12", "20% of 50", "2 1/2 ÷ 5".

What has a variable, a power or anything else in it is no calculation here. The words are English.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from distillgen.equations import Equation
from distillgen.equations import read as equation

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_RUN = re.compile(rf"(?:{_NUMBER}|[-+*/()%=~@ ])+")
"""Numbers and signs; "~" is an equality in words, "@" is "of"."""
_OF = r" of (?:the |his |her |their |its |those )?(?=\$?[\d.(])"
_SPELLINGS = (
    (re.compile(r"[×·]|\\times\b|\\cdot\b|(?<![A-Za-z])[xX](?=\s?[$(.\d])"), "*"),
    (re.compile(r"÷|\\div\b|\bdivided by\b"), "/"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"(?<=\d) (?=\d{3}(?![\d,]))"), ","),
    (re.compile(r"(?<=[-+*/=] )\. (?=\d)"), " ."),
    (re.compile(r"(?<=\d) and (?=\d+/\d+\b)"), " "),
    (re.compile(r"\bper ?cent\b"), "%"),
    (re.compile(rf"(?:(?<=%)|(?<=\d/\d)|(?<=\d/\d\d)){_OF}"), "@"),
    (re.compile(r"(?<=[\d)%]) (?:is|are|equals|gives|makes) (?=[$-]?[\d.])"), "~"),
    (re.compile(r"[$€£]"), " "),
)
_WORDS = r"(?:(?!x\b)[A-Za-z'’]+[ ]?){1,6}"
_UNIT = re.compile(
    rf"(?<=[\d)%])(?:[ -]?(?!of\b){_WORDS})?(?: ?(?:/|\bper\b) ?{_WORDS})?"
    r"(?=\s*(?:[-+*=~)]|/(?! ?[A-Za-z]))(?!(?<=[a-z]/)\d))"
)
_NO_UNIT = frozenset({
    "all", "already", "and", "as", "at", "because", "but", "by", "every", "from", "had", "has",
    "have", "he", "i", "if", "it", "now", "only", "or", "she", "since", "so", "that", "then",
    "there", "they", "this", "to", "was", "we", "were", "when", "which", "who", "will", "with",
    "would", "you",
})  # fmt: skip
"""Words that part a number from what follows; up to six others behind it may be its unit."""
_NOT_ALONE = re.compile(r"(?:[\w^√!|\\{}]|\d[:,.])\Z")
_NAMED = re.compile(r"(?i)(?:\b(?:day|week|month|year|grade|level|step|room|number)s?|\d,)\Z")
_GOES_ON = re.compile(r"[A-Za-z](?![A-Za-z])|[\^!\\{]|:\d")
_PROPORTION = re.compile(r"[A-Za-z ]{0,24}/ ?[A-Za-z]\b")
"""What is stated is divided by a variable: "3 / 15 = 8 bags / Y"."""
_LIST = re.compile(r"^ *- +")

_GAP = re.compile(r"(?<=[\d%)]) +(?=[\d.(])")
_MIXED = re.compile(r"(?<![\d./])(\d+) +(\d+)/(\d+)(?![\d./])")
_PERCENT = re.compile(r"([\d.]+)\s*%")
_PARTED = re.compile(r"(?<=[\d)])(?=\()")
_SIGNED = re.compile(r"^-(?=[\d.])|(?<=[(*/])-(?=[\d.])")
_POINT = re.compile(r"(?<!\d)\.(?=\d)")
_TRAIL = re.compile(r"\s-$|@.*")
AFTER = 16
"""Characters behind an equation in which the unit of its result stands."""


class Stretch(NamedTuple):
    """A stretch of a text in which an equation stands."""

    sides: tuple[str, ...]
    """What stands left and right of each "="; empty where it cannot be read."""
    start: int
    end: int
    in_words: bool
    """Equality is said in words: "7 * 36 is 252"."""


def stretches(text: str) -> Iterator[Stretch]:
    """The equations of a text, with units left out and signs as programs write them."""
    read = text
    for pattern, sign in _SPELLINGS:
        read = pattern.sub(partial(_padded, sign), read)
    read = _UNIT.sub(_without_unit, read)
    for run in _RUN.finditer(read):
        sides = re.split(r"[=~]", run[0])
        if len(sides) > 1:
            before = read[max(0, run.start() - 8) : run.start()]
            if (_NOT_ALONE if run[0][0] != " " else _NAMED).search(before):
                sides[0] = ""
            in_list = before[-1:] in ("", "\n")
            sides[0] = _LIST.sub("" if in_list else "+", sides[0])  # a variable stands before "+"
            attached = run[0][-1] != " " and _GOES_ON.match(read, run.end())
            if attached or _PROPORTION.match(read, run.end()):
                sides[-1] = ""
            yield Stretch(tuple(sides), run.start(), run.end(), "~" in run[0])


def _padded(sign: str, match: re.Match[str]) -> str:
    """The sign, as long as what it stands for, so that every place stays what it is."""
    return sign.rjust(len(match[0]) // 2 + 1).ljust(len(match[0]))


def _without_unit(match: re.Match[str]) -> str:
    words = re.split(r"[\s/-]+", match[0].lower().strip())
    parts = any(word in _NO_UNIT or len(word) == 1 for word in words)
    return match[0] if parts else " " * len(match[0])


def left(side: str) -> Equation | None:
    """The calculation that ends at the "="."""
    return equation(written(_balanced(_GAP.split(_plain(side))[-1])))


def right(side: str) -> Equation | None:
    """The calculation, mostly a number, that begins at the "="."""
    said = _TRAIL.sub("", _GAP.split(_plain(side))[0].strip())
    return equation(written(_closed(said)))


def written(side: str) -> str:
    """A side as an equation is written."""
    side = _PERCENT.sub(r"(\1/100)", side.replace("@", "*").strip())
    return _SIGNED.sub("0-", _PARTED.sub("*", _POINT.sub("0.", side)))


def _plain(side: str) -> str:
    """Without commas, and with mixed numbers as sums."""
    return _MIXED.sub(_sum, side.replace(",", "").strip())


def _sum(match: re.Match[str]) -> str:
    whole, top, bottom = match.groups()
    return f"({whole}+{top}/{bottom})" if int(top) < int(bottom) else match[0]


def _balanced(said: str) -> str:
    """What stands behind the bracket that is open at the "=": in "10% x (3 + 4 = 7)"; nothing where
    one was opened before."""
    open_: list[int] = []
    for place, sign in enumerate(said):
        if sign == "(":
            open_.append(place)
        elif sign == ")":
            if not open_:
                return ""
            open_.pop()
    return said[open_[-1] + 1 :].strip() if open_ else said


def _closed(said: str) -> str:
    """What stands before the bracket that closes, or that stays open."""
    level, opened = 0, 0
    for place, sign in enumerate(said):
        opened = place if sign == "(" and not level else opened
        level += (sign == "(") - (sign == ")")
        if level < 0:
            return said[:place].strip()
    return said[:opened].strip() if level else said
