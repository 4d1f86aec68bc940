"""Tell which item of a test set a text gives away: the same, most of its words, or a paraphrase.

Texts are compared as the tokens of `dedupe.tokens`, so case, blanks, punctuation and the spelling
of small numbers do not count. Three tiers, the first that holds is the verdict:

- `exact`: the same tokens.
- `ngram`: 8-grams of the text cover more than half of the item's tokens (Lambert et al. 2024,
  Tülu 3).
- `paraphrase`: the cosine of their TF-IDF vectors is above what their numbers ask for; where there
  are none, above what tells the items of the set themselves apart. Without that, problems of one
  template, or short questions on one subject, are taken for each other (docs/benchmarks.md). Where
  there are embeddings, their cosine may speak for texts without numbers that share a few words.
"""

import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from distillgen.amounts import amounts
from distillgen.dedupe import is_number, tokens
from distillgen.dice import shuffled
from distillgen.records import Tier

GRAM = 8
"""Tokens of an n-gram (Tülu 3)."""
COVERED = 0.5
"""Share of an item's tokens above which the n-grams of one text give it away (Tülu 3)."""
NUMBERS = ((0.8, 0.25), (0.5, 0.5), (0.3, 0.6))
"""A paraphrase has at least this Jaccard similarity of the numbers, and a cosine above this."""
NO_NUMBERS = (0.4, 0.7)
"""The least and the most that the cosine has to be above where either text has no numbers."""
ALIKE = 0.01
"""Share of a test set's items that may then seem to paraphrase another one."""
FOLDS, SAMPLE = 10, 1000
"""Tenths of the set are compared with the rest until so many items were."""
SOME = 0.1
"""Texts whose TF-IDF vectors have a cosine above this share a few words."""
CLOSEST = 8
"""Of so many items, those with the most words in common, the meaning is looked at."""
STEM = 6
"""Letters that count of a word in the cosine: "socialize" and "socialization" are one."""
REST = 0.3
"""The commonest words of a text, up to this length of its vector, lead to no candidates.

No match is lost by it: what they add to a cosine is at most this."""


class Item(NamedTuple):
    """One item of a test set."""

    line: int
    """Line of the file, or row of the table, from 1."""
    id: str
    """The item's own id; empty if it has none."""
    question: str
    user_context: str


class Found(NamedTuple):
    """An item that a text gives away."""

    item: Item
    tier: Tier
    score: float
    """1 for `exact`, the covered share for `ngram`, the cosine for `paraphrase`; 0 to 1."""
    numbers: float | None
    """Jaccard similarity of the sets of numbers, 0 to 1; None where either text has none."""
    cosine: float | None = None
    """Of the embeddings, where these told it (`meaning.py`)."""


class _Text(NamedTuple):
    """A test item as the index compares it."""

    codes: str
    """A character for each token."""
    weights: dict[str, float]
    """TF-IDF by stem; the squares make 1."""
    numbers: frozenset[str]


class Index:
    """The items of one test set, to find what a text gives away.

    The verdicts are those of comparing a text with every item. What is found against one test set
    does not depend on others. An item of 50 words takes 15 KB.
    """

    def __init__(self, items: Iterable[Item], no_numbers: float | None = None) -> None:
        """`no_numbers` is what the cosine has to be above where there are none [measured]."""
        self.items = list(items)
        found = [tokens(text_of(item.user_context, item.question)) for item in self.items]
        vocabulary = sorted({token for each in found for token in each})
        self._codes = {token: chr(1 + n % sys.maxunicode) for n, token in enumerate(vocabulary)}
        self._df = Counter(word for each in found for word in set(_stems(each)))
        self._texts: list[_Text] = []
        self._same: dict[str, int] = {}
        self._grams: dict[str, list[int]] = {}
        self._words: dict[str, list[tuple[int, float]]] = {}
        self._numbered: dict[str, list[int]] = {}
        for place, each in enumerate(found):
            self._add(place, each)
        self._no_numbers = self._measured() if no_numbers is None else no_numbers

    def find(self, user_context: str, question: str) -> Found | None:
        """The item that a text gives away most; None if it gives none away."""
        given = tokens(text_of(user_context, question))
        codes, numbers = self._coded(given), amounts(given)
        if (same := self._same.get(codes)) is not None:
            return self._found(same, "exact", 1.0, numbers)
        if covered := self._covered(codes):
            score, place = max((score, -place) for place, score in covered.items())
            return self._found(-place, "ngram", score, numbers)
        if cosines := self._paraphrased(self._weights(given), numbers):
            score, place = max((score, -place) for place, score in cosines.items())
            return self._found(-place, "paraphrase", score, numbers)
        return None

    def alike(self, user_context: str, question: str) -> list[Found]:
        """The items of which the meaning may say more: they share a few words with the text, are
        not the same, and either has no numbers; the nearest first."""
        given = tokens(text_of(user_context, question))
        codes, weights, numbers = self._coded(given), self._weights(given), amounts(given)
        partly = self._partly(weights)
        found = []
        for place in sorted(partly, key=lambda place: (-partly[place], place))[: 4 * CLOSEST]:
            other = self._texts[place]
            if other.codes != codes and _jaccard(numbers, other.numbers) is None:
                found.append((-self._cosine(weights, place), place))
        near = sorted(pair for pair in found if -pair[0] > SOME)[:CLOSEST]
        return [self._found(place, "paraphrase", -cosine, numbers) for cosine, place in near]

    def _coded(self, given: list[str]) -> str:
        return "".join([self._codes.get(token, "\0") for token in given])

    def _found(self, place: int, tier: Tier, score: float, numbers: frozenset[str]) -> Found:
        alike = _jaccard(numbers, self._texts[place].numbers)
        rounded = None if alike is None else round(alike, 4)
        return Found(self.items[place], tier, round(score, 4), rounded)

    def _add(self, place: int, found: list[str]) -> None:
        codes = "".join([self._codes[token] for token in found])
        text = _Text(codes, self._weights(found), amounts(found))
        self._texts.append(text)
        self._same.setdefault(codes, place)
        for gram in _grams(codes):
            self._grams.setdefault(gram, []).append(place)
        for word in self._rare(text.weights):
            self._words.setdefault(word, []).append((place, text.weights[word]))
        for number in self._telling(text.numbers):
            self._numbered.setdefault(number, []).append(place)

    # -- n-grams ---------------------------------------------------------------------------

    def _covered(self, codes: str) -> dict[int, float]:
        """Share of the tokens of each item that is covered by more than `COVERED`."""
        grams = _grams(codes)
        near = {place for gram in grams & self._grams.keys() for place in self._grams[gram]}
        shares = {place: _share(self._texts[place].codes, grams) for place in near}
        return {place: share for place, share in shares.items() if share > COVERED}

    # -- paraphrases -----------------------------------------------------------------------

    def _paraphrased(self, weights: dict[str, float], numbers: frozenset[str]) -> dict[int, float]:
        """Cosine with each item that the text paraphrases."""
        near = self._near(weights)
        near.update(
            place for number in self._telling(numbers) for place in self._numbered.get(number, ())
        )
        cosines = {}
        for place in near:
            needed = self._needed(numbers, place)
            if needed < 1 and (cosine := self._cosine(weights, place)) > needed:
                cosines[place] = min(cosine, 1.0)
        return cosines

    def _cosine(self, weights: dict[str, float], place: int) -> float:
        others = self._texts[place].weights
        return sum(weights[word] * others[word] for word in weights if word in others)

    def _needed(self, numbers: frozenset[str], place: int) -> float:
        """Cosine above which a text with these numbers paraphrases an item; 1 or more for never."""
        return _needed(_jaccard(numbers, self._texts[place].numbers), self._no_numbers)

    def _measured(self) -> float:
        """The cosine that tells items without numbers apart, except `ALIKE` of them, or a pair.

        Those that repeat others do not count.
        """
        least, most = NO_NUMBERS
        items = shuffled(self.items, random.Random(0))  # neighbours are often alike
        cosines = []
        for fold in range(FOLDS):
            rest = Index((item for n, item in enumerate(items) if n % FOLDS != fold), least)
            for item in items[fold::FOLDS]:
                found = rest.find(item.user_context, item.question)
                if found and found.tier == "paraphrase" and found.numbers is None:
                    cosines.append(found.score)
                else:
                    cosines.append(least)
            if len(cosines) >= SAMPLE:
                break
        return min(most, bar(cosines, least))

    def _near(self, weights: dict[str, float]) -> set[int]:
        """Every item that is alike by its words, and others (Bayardo et al. 2007, All-Pairs).

        All texts put their words in one order, rare ones first. Of the words that two texts share,
        those that are rare in one of them only come last, and add at most `REST`.
        """
        least = min(NUMBERS[1][1], self._no_numbers) - REST
        return {place for place, cosine in self._partly(weights).items() if cosine > least}

    def _partly(self, weights: dict[str, float]) -> dict[int, float]:
        """What the rare words add to the cosine with each item that shares some."""
        partly: dict[int, float] = {}
        for word in self._rare(weights):
            weight = weights[word]
            for place, other in self._words.get(word, ()):
                partly[place] = partly.get(place, 0.0) + weight * other
        return partly

    def _telling(self, numbers: frozenset[str]) -> list[str]:
        """The rarest numbers: at a Jaccard similarity of 0.8, two sets share one of theirs."""
        most = len(numbers) - math.ceil(NUMBERS[0][0] * len(numbers)) + 1
        return sorted(numbers, key=lambda number: (self._df[number], number))[:most]

    def _rare(self, weights: dict[str, float]) -> list[str]:
        """The words of a text without the commonest, which have the length `REST` at most."""
        words = sorted(weights, key=lambda word: (self._df[word], word), reverse=True)
        left = REST**2
        for n, word in enumerate(words):
            left -= weights[word] ** 2
            if left < 0:
                return words[n:]
        return []

    def _weights(self, found: list[str]) -> dict[str, float]:
        """TF-IDF of a text: logarithmic counts, inverse frequencies squared, of length 1.

        Words that the test set lacks count as the rarest, so that a text about something else is
        not alike for the rest of it.
        """
        counts = Counter(_stems(found))
        weights = {stem: (1 + math.log(n)) * self._rarity(stem) ** 2 for stem, n in counts.items()}
        length = math.hypot(*weights.values())
        return {stem: weight / length for stem, weight in weights.items()}

    def _rarity(self, stem: str) -> float:
        return 1 + math.log((1 + len(self.items)) / (1 + self._df[stem]))


def text_of(user_context: str, question: str) -> str:
    """What is compared: the question, with its context before it where there is one."""
    return f"{user_context}\n{question}" if user_context else question


def bar(cosines: Sequence[float], least: float) -> float:
    """The cosine that `ALIKE` of some items are above with another one, two at least.

    >>> bar([0.9, 0.2, 0.5, 0.3], least=0.1)
    0.3
    """
    allowed = max(2, int(ALIKE * len(cosines)))
    return sorted(cosines, reverse=True)[allowed] if allowed < len(cosines) else least


def _grams(codes: str) -> set[str]:
    return {codes[start : start + GRAM] for start in range(len(codes) - GRAM + 1)}


def _share(codes: str, grams: set[str]) -> float:
    """Share of an item's tokens that lie in one of the n-grams.

    >>> _share("abcdefghijxxxxxx", _grams("abcdefghij"))
    0.625
    """
    covered = 0
    for start in range(len(codes) - GRAM + 1):
        if codes[start : start + GRAM] in grams:
            covered |= ((1 << GRAM) - 1) << start
    return covered.bit_count() / len(codes)


def _stems(found: list[str]) -> list[str]:
    """Words as far as they count for the cosine, and numbers."""
    return [token if is_number(token) else token[:STEM] for token in found]


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float | None:
    return len(a & b) / len(a | b) if a and b else None


def _needed(numbers: float | None, no_numbers: float) -> float:
    """Cosine above which a text is a paraphrase, given how alike the numbers are; 1 for never."""
    if numbers is None:
        return no_numbers
    return next((cosine for least, cosine in NUMBERS if numbers >= least), 1.0)
