"""Tell near duplicates: the rule, and an index that applies it to one text after the other.

A text is a record's fields, such as `(user_context, question)`. It repeats an earlier one if both
hold the same numbers (as a multiset, over all fields) and each field that either of them has is
above ROUGE-L F1 0.7 to the same field of the other; so a field that only one of them has tells
them apart. Without the numbers, the rule would take "I am 35 …" and "I am 62 …" for one.

What is near its parent on purpose (`equal=True`: other numbers or names, an idle clause) is judged
by equality alone: it repeats any text with the same tokens, and no other, and may differ in its
numbers alone from as many as there are.

Tokens are words and numbers in lower case; blanks and punctuation do not count, so texts that
differ in these alone are equal. In scripts without blanks (Chinese, Japanese, Thai …) a character
is a token. A number is a token with a digit in it; the English words from two to twelve stand for
their digits ("one" does not: it mostly is no number).
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import Indel
from rensa import RMinHash, RMinHashLSH

NEAR = 0.7
"""ROUGE-L F1 above which a field repeats another (Self-Instruct, Wang et al. 2022, section 2.2)."""
SAME_TEMPLATE = 3
"""How many accepted texts may be equal but for their numbers."""
ALL = 128
"""Of texts with equal numbers, up to so many are all compared; of more, those MinHash finds."""
BANDS, ROWS = 48, 5
"""MinHash finds texts that share one of the bands: at a Jaccard similarity of 0.6, 98 % of them,
and of strangers at 0.1 one in two thousand."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai and Lao, Burmese, Khmer, Kana, Han."""
_INDIC = "\u0900-\u0dff"
"""Devanagari to Sinhala: their vowel signs are parts of words, but no letters to `re`."""
_TOKEN = re.compile(rf"\d+(?:[.,]\d+)+|(?:[^\W_{_UNSPACED}]|[{_INDIC}])+|[{_UNSPACED}]")
_ASCII_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[a-z0-9]+")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
_DIGIT = re.compile(r"\d")
_ANY_NUMBER = "\0"
"""The code of all numbers in a template, and of no token."""
_WORDS = "two three four five six seven eight nine ten eleven twelve"
_DIGITS = {word: str(n) for n, word in enumerate(_WORDS.split(" "), 2)}


class Verdict(NamedTuple):
    """Why a text is not accepted."""

    reason: Literal["near_duplicate", "template"]
    """It repeats an earlier text, or is one too many that differ in their numbers alone."""
    of: str
    """Id of the earlier text that is most like it; for a template, of the first one."""
    similarity: float
    """ROUGE-L F1 with that text, the lowest over the fields, 0 to 1, rounded to 4 digits."""


def tokens(text: str) -> list[str]:
    """What counts of a text; of one that holds neither letter nor digit, its signs.

    >>> tokens("Two of my 1,000 shares fell by 3.5%!")
    ['2', 'of', 'my', '1000', 'shares', 'fell', 'by', '3.5']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.lower()
    if "," in text:
        text = _THOUSANDS.sub("", text)
    found = (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)
    if not found:
        return [sign for sign in text if not sign.isspace()]
    if _DIGITS.keys().isdisjoint(found):
        return found
    return [_DIGITS.get(token, token) for token in found]


def alike(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether each field is above `NEAR` to the same field of the other, whatever the numbers."""
    pairs = zip(map(tokens, one), map(tokens, other), strict=True)
    return all(Indel.normalized_similarity(these, those) > NEAR for these, those in pairs)


def is_number(token: str) -> bool:
    """Whether a token has a digit in it."""
    return _DIGIT.search(token) is not None


def nearest(texts: Iterable[Sequence[str]], others: Sequence[Sequence[str]]) -> list[float]:
    """The highest ROUGE-L F1 of each text to any of the others, 0 to 1; all as their tokens.

    >>> nearest([["buy", "gold", "now"]], [["buy", "gold"], ["sell"]])
    [0.8]
    """
    return [
        found[1] if (found := process.extractOne(text, others, scorer=_rouge_l)) else 0.0
        for text in texts
    ]


def closer(text: str, others: Sequence[str], than: float) -> dict[int, float]:
    """The places of those whose ROUGE-L F1 to a text is above a figure; all with a character for
    each token, which is quickest."""
    found = process.extract(text, others, scorer=_rouge_l, score_cutoff=than, limit=None)
    return {place: score for _, score, place in found if score > than}


_rouge_l = Indel.normalized_similarity


def minhash(fields: Iterable[Iterable[str]], values: int, seed: int = 0) -> list[int]:
    """A MinHash sketch of all fields together, each given as its tokens: so many values of 32 bits.
    A value of two texts is equal with a probability that is their Jaccard similarity."""
    digest: list[int] = _sketch(fields, values, seed).digest()
    return digest


@dataclass(frozen=True)
class _Text:
    """A text as the index compares it."""

    tokens: tuple[list[str], ...]
    codes: tuple[str, ...]
    """A character for each token: what rapidfuzz compares fastest, and what needs least room."""
    group: str
    """The codes of its numbers, sorted, and what keeps it apart: only texts of one are compared."""
    template: int | None
    """Hash of the codes with all numbers made equal, and of what keeps it apart; None without
    numbers."""

    @cached_property
    def sketch(self) -> RMinHash:
        return _sketch(self.tokens)


class Index:
    """Texts to compare others with, in the order in which they were added.

    The verdicts are those of comparing each text with every earlier one, as long as at most `ALL`
    have the same numbers; above, about one near duplicate in a thousand is missed. The same calls
    in the same order always give the same verdicts.

    A text takes 0.1 ms and 1 KB where numbers part the texts into small groups. Without any numbers
    it takes up to 6 KB (6 GB a million) and, per 100,000 texts that there are, 0.04 ms more
    (benchmarks/dedupe.py).
    """

    def __init__(self, *, sketched: bool = True, guard: bool = True) -> None:
        """Without `sketched` all texts with equal numbers are compared. Without `guard` numbers are
        words, as Self-Instruct has it."""
        self._sketched, self._guard = sketched, guard
        self._ids: list[str] = []
        self._columns: list[list[str]] = []
        """For each field, the codes of all texts."""
        self._vocabulary = {"": _ANY_NUMBER}
        self._numbers: set[str] = set()
        self._alike: dict[str, list[int]] = {}
        self._lsh: dict[str, RMinHashLSH] = {}
        self._templates: dict[int | None, list[int]] = {}
        self._last: tuple[tuple[str, ...], str, _Text] | None = None

    def verdict(
        self, fields: tuple[str, ...], apart: str = "", *, equal: bool = False
    ) -> Verdict | None:
        """Why the text is not to be accepted after those that were added; None if it is new.

        It cannot repeat a text that was added with another `apart`. With `equal` only texts with
        the same tokens count.
        """
        text = self._read(fields, apart)
        similarity = self._near(text)
        if equal:
            similarity = {place: score for place, score in similarity.items() if score == 1}
        if similarity:
            place = max(similarity, key=lambda p: (similarity[p], -p))
            return Verdict("near_duplicate", self._ids[place], round(similarity[place], 4))
        return None if equal else self._template(text)

    def template(self, fields: tuple[str, ...], apart: str = "") -> Verdict | None:
        """Whether the text is one too many of those that differ in their numbers alone."""
        return self._template(self._read(fields, apart))

    def _template(self, text: "_Text") -> Verdict | None:
        accepted = self._templates.get(text.template, [])
        if len(accepted) < SAME_TEMPLATE:
            return None
        first = accepted[0]
        pairs = zip(text.codes, self._columns, strict=True)
        lowest = min(Indel.normalized_similarity(code, column[first]) for code, column in pairs)
        return Verdict("template", self._ids[first], round(lowest, 4))

    def add(self, id: str, fields: tuple[str, ...], apart: str = "", *, seed: bool = False) -> None:
        """Compare later texts with this one, whatever its own verdict.

        Seeds do not count among the accepted texts of a template.
        """
        text = self._read(fields, apart)
        place = len(self._ids)
        self._ids.append(id)
        self._columns = self._columns or [[] for _ in fields]
        for column, code in zip(self._columns, text.codes, strict=True):
            column.append(code)
        if text.template is not None and not seed:
            self._templates.setdefault(text.template, []).append(place)
        alike = self._alike.setdefault(text.group, [])
        alike.append(place)
        if lsh := self._lsh.get(text.group):
            lsh.insert(place, text.sketch)
        elif self._sketched and len(alike) > ALL:
            self._lsh[text.group] = self._hashed(alike)

    def _read(self, fields: tuple[str, ...], apart: str) -> _Text:
        if self._last and self._last[:2] == (fields, apart):
            return self._last[2]
        found = tuple(map(tokens, fields))
        codes = tuple(map(self._coded, found))
        numbers = ""
        template = None
        if self._guard and not all(map(self._numbers.isdisjoint, codes)):
            numbers = "".join(sorted(filter(self._numbers.__contains__, "".join(codes))))
            any_number = str.maketrans(dict.fromkeys(numbers, _ANY_NUMBER))
            template = hash((apart, *(code.translate(any_number) for code in codes)))
        group = f"{numbers}{_ANY_NUMBER}{apart}" if apart else numbers
        text = _Text(found, codes, group, template)
        self._last = fields, apart, text
        return text

    def _coded(self, found: list[str]) -> str:
        try:
            return "".join(map(self._vocabulary.__getitem__, found))
        except KeyError:
            return "".join([self._vocabulary.get(t) or self._learn(t) for t in found])

    def _learn(self, token: str) -> str:
        code = chr(len(self._vocabulary) % (sys.maxunicode + 1))
        self._vocabulary[token] = code
        if is_number(token):
            self._numbers.add(code)
        return code

    def _near(self, text: _Text) -> dict[int, float]:
        """Places of all texts that this one repeats, and the lowest ROUGE-L over the fields."""
        lsh = self._lsh.get(text.group)
        places = lsh.query(text.sketch) if lsh else self._alike.get(text.group, [])
        near = dict.fromkeys(places, 1.0)
        for code, column in zip(text.codes, self._columns, strict=False):
            if not near:
                break
            left = list(near)
            found = closer(code, [column[place] for place in left], NEAR)
            near = {left[i]: min(near[left[i]], score) for i, score in found.items()}
        return near

    def _hashed(self, places: list[int]) -> RMinHashLSH:
        lsh = RMinHashLSH(0.5, BANDS * ROWS, BANDS)
        names = list(self._vocabulary)
        for place in places:
            codes = (column[place] for column in self._columns)
            lsh.insert(place, _sketch([names[ord(c)] for c in code] for code in codes))
        return lsh


def _sketch(tokens: Iterable[Iterable[str]], values: int = BANDS * ROWS, seed: int = 0) -> RMinHash:
    sketch = RMinHash(values, seed)
    for mark, each in zip("abcdefgh", tokens, strict=False):
        sketch.update([mark + token for token in each])
    return sketch
