"""Read the quantities that a text states: figure, scale, percent, sign, and how precise they are.

Years, dates, the numbers of lists, pages and notes, and what is part of a name ("FY2018", "3M",
"10-K", "5-year") are no quantities. The words are English.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from distillgen.equations import LONGEST, WORDS

SCALES = {
    "hundred": 10**2, "thousand": 10**3, "k": 10**3, "million": 10**6, "mn": 10**6, "mm": 10**6,
    "mio": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9, "b": 10**9, "trillion": 10**12,
    "tn": 10**12, "t": 10**12,
}  # fmt: skip
_SCALE = "|".join(sorted((name + "s?" * (len(name) > 3) for name in SCALES), key=len, reverse=True))
_MONEY = r"(?:(?:US|CA|AU|HK)?\$|[€£¥₹]|\b(?:USD|EUR|GBP|JPY|INR|CHF|Rs\.?)\s?)"
_FIGURE = r"(?:\d{1,3}(?:,\d{2,3})+|\d+)(?:\.\d+)?|\.\d+"
_WORD = "|".join(sorted(WORDS, key=len, reverse=True))
_QUANTITY = re.compile(
    rf"""(?ix) (?: (?P<outside> {_MONEY} ) (?= [(]) )? (?P<open> [(]\s? )?
    (?P<sign> (?<![\w.,%)$-])[-−–] | \b(?:minus|negative)\s )? \s?
    (?P<money> {_MONEY} )? (?P<late> (?<![\w.,%)-]) [-−–] (?=[\d.]) )? \s?
    (?: (?<![\w.,/:]) (?P<figure> {_FIGURE} )
        (?: (?P<mixed> [ ]\d+/\d+ ) | (?P<part> [ ]?/[ ]?\d+ (?! [\d.,]*[ ]?/ ) ) )?
      | \b(?P<word> {_WORD} )\b )
    (?: (?P<percent> \s?% | [\s-]?per[ ]?cent\b | [\s-]percentage[\s-]points?\b
          | \s?(?:pct|pp)\b )
      | (?P<basis> \s?bps\b | [ ]basis[ ]points?\b )
      | [\s-]{{0,2}} (?P<scale> {_SCALE} ) \b )?
    (?P<close> \s?[)] (?P<all_percent> % )? (?: [ ] (?P<behind> {_SCALE} ) \b )? )?
    (?: \s [(] in \s (?:USD\s)? (?P<all_in> {_SCALE} ) [)] )? """
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NOT_ONE = re.compile(
    rf"""(?ix) \b {_MONTH} \s \d{{1,2}} (?:st|nd|rd|th)? (?: ,?\s \d{{4}} )? \b
    | \b \d{{1,2}} (?:st|nd|rd|th)? \s {_MONTH} (?: ,?\s \d{{4}} )? \b
    | \b \d{{1,4}} ([/.-]) \d{{1,2}} \1 \d{{2,4}} \b
    | (?m: ^\s* (?: [*-]\s )? \d{{1,2}} [.)]\s )
    | \b (?: page | pages | note | item | step | table | figure | exhibit | form | section | part )
      \s \d+ (?:[-.]?\w+)* \b
    | \b \d+ (?:st|nd|rd|th) \b | \b \d+ - (?= [a-z] ) (?! per | basis | {_SCALE} )
    | \b (?: 19 | 20 ) \d\d \s?[-–/]\s? (?: 19 | 20 )? \d\d \b
    | \b \d{{1,2}} : \d\d \b """
)
_FALL = (
    r"(?:declin\w*|decreas\w*|drop\w*|fell|fall\w*|reduc\w*|shr[aiu]nk\w*|loss(?:es)?|lost|lower\w*"
    r"|down|negative|less|fewer|contract(?:ed|ion)|deficit|outflow|worsen\w*|deteriorat\w*|slid"
    r"|slipped|dipped|dip|narrow\w*)"
)
_RISE = (
    r"(?:increas\w*|ris[ei]\w*|rose|grow\w*|grew|gain\w*|higher|up|improv\w*|expan\w*|more|added"
    r"|profit|inflow|climb\w*|widen\w*)"
)
_BEFORE = re.compile(
    rf"(?i)\b(?!less|lower|fewer|higher|more)(?:(?P<fall>{_FALL})|{_RISE})\b"
    r"(?:[^.;:\d]{0,45}\b(?:by|of|was|is))?(?:\s(?:about|approximately|around|roughly|nearly|an?))?\W*$"
)
_AFTER = re.compile(rf"(?i)^[^.;,:\d]{{0,14}}\b(?:(?P<fall>{_FALL})|{_RISE})\b")
FALLS = re.compile(rf"(?i)\b{_FALL}\b")
"""Words of what becomes less."""


class Quantity(NamedTuple):
    """A quantity where it stands in a text."""

    start: int
    end: int
    figure: Fraction
    """The number as it stands there, without its sign: 1.577 of "-$1.577 billion"."""
    scale: int = 1
    """What the figure is in: 10**9; 1 where nothing is said."""
    percent: bool = False
    sign: int = 1
    """-1 for what is negative, 0 where a bracket may be one: "(3.7%)"."""
    way: int = 0
    """-1 or 1 where a word near it says that it is a fall or a rise."""
    places: int = 0
    """Decimal places that are not all zero in the figure."""
    money: bool = False

    @property
    def value(self) -> Fraction:
        """What it comes to, without its sign; 1/2 for 50 %."""
        return self.figure * self.scale / (100 if self.percent else 1)

    @property
    def last_place(self) -> Fraction:
        """One unit of the last place that is stated, in units of the figure."""
        return Fraction(1, 10**self.places)

    @property
    def plain(self) -> bool:
        """Nothing but a figure."""
        return self.scale == 1 and not self.percent and not self.money

    @property
    def year(self) -> bool:
        """It may be one."""
        return self.plain and not self.places and 1900 <= self.figure < 2100


@lru_cache(128)  # sentences are looked at several times
def read(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text in order; years are among them, dates are not.

    >>> [(float(q.value), q.sign) for q in read("Down from $1.5 billion by −3.7% to (20)")]
    [(1500000000.0, 1), (0.037, -1), (20.0, 0)]
    """
    for match in _NOT_ONE.finditer(text):
        text = text[: match.start()] + "\0" * len(match[0]) + text[match.end() :]
    return tuple(found for match in _QUANTITY.finditer(text) for found in _of(match, text))


def _of(match: re.Match[str], text: str) -> Iterator[Quantity]:
    said, word = match["figure"] or "", match["word"]
    if len(said) > LONGEST or not _whole(match, text):
        return
    figure = Fraction(said.replace(",", "")) if said else Fraction(WORDS[word.lower()])
    if piece := match["mixed"] or match["part"]:
        top, _, bottom = piece.replace(" ", "").partition("/")
        if not int(bottom):
            return
        figure = figure + Fraction(int(top), int(bottom)) if top else figure / int(bottom)
    if match["basis"]:
        figure /= 100
    sign = -1 if match["sign"] or match["late"] else 1
    if match["open"] and match["close"]:
        sign = min(sign, 0)
    places = len(said.partition(".")[2].rstrip("0")) + (2 if match["basis"] else 0)
    yield Quantity(
        match.start(), match.end(), figure, _scale_of(match),
        bool(match["percent"] or match["all_percent"] or match["basis"]),
        sign, _way(match, text), places, bool(match["money"] or match["outside"]),
    )  # fmt: skip


def _scale_of(match: re.Match[str]) -> int:
    name = (match["scale"] or match["behind"] or match["all_in"] or "").lower()
    if len(name) == 1 and not match["money"] and " " in match[0].strip():
        return 1  # 5 m are metres
    return SCALES.get(name, SCALES.get(name.removesuffix("s"), 1))


def _whole(match: re.Match[str], text: str) -> bool:
    """It is no part of a name: "10K" and "3M" are none of thousands and millions."""
    rest = text[match.end() : match.end() + 2]
    if match["word"]:
        return not rest.startswith("-")
    if re.match(r"(?![xX](?!\w))[A-Za-z_\0]", rest) or re.match(r"[.,/:]\d", rest):
        return False
    scale = match["scale"] or ""
    if len(scale) == 1 and not match["money"] and not text[match.end("figure")].isspace():
        return "." in match["figure"] or (len(match["figure"]) > 1 and scale not in "KT")
    return True


def _way(match: re.Match[str], text: str) -> int:
    before = _BEFORE.search(text[max(0, match.start() - 60) : match.start()])
    found = before or _AFTER.search(text[match.end() : match.end() + 40])
    return 0 if not found else -1 if found["fall"] else 1
