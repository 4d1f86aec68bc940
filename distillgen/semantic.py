"""Tell texts that say the same in other words: many words in common, and a second witness.

The cosine of two embeddings alone tells "buy gold" from "sell gold" badly, and the overlap of words
alone does not know that "purchase" is "buy". So both must agree; and two texts of which one holds a
negation more than the other, or the opposite of a word, or of which one says of B and A what the
other says of A and B, never say the same. The guards know English words only.

How near is near depends on the model, so the bar for the cosine is set with pairs whose truth is
known (`known_pairs.jsonl`, written for this).
"""

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from distillgen.dedupe import closer, is_number, tokens
from distillgen.files import rows_of
from distillgen.records import digest

SHARED = 0.45
"""ROUGE-L F1 above which texts are candidates: 93 of the 100 known pairs that say the same."""
CLOSEST = 32
"""So many earlier texts, those with the most words in common, are looked at for each."""
DEAR = 3
"""A text that is dropped wrongly counts as much as so many duplicates that are not found."""
KNOWN = Path(__file__).with_name("known_pairs.jsonl")

_NEGATIONS = {
    "not", "no", "never", "nobody", "nothing", "none", "nowhere", "without", "cannot", "neither",
    "nor", "t",
}  # fmt: skip
"""`t` is what the apostrophe leaves of "can't"."""
_OPPOSITES = """
above/below accept/reject add/remove after/before allow/forbid always/never approve/deny
attack/defend backward/forward bad/good begin/end best/worst better/worse big/little big/small
borrow/lend buy/sell cause/cure cause/prevent cheap/expensive clean/dirty close/open cold/hot
connect/disconnect cool/heat cry/laugh dangerous/safe day/night decrease/increase decrease/raise
deep/shallow deposit/withdraw different/same divorce/marry down/up downhill/uphill dry/wet
early/late east/west employee/employer empty/full enter/leave exclude/include expensive/free
export/import fail/succeed fall/rise false/true fast/slow female/male few/many fewer/more
file/withdraw fire/hire first/last freeze/thaw gain/lose guilty/innocent hard/soft
heavy/light high/low how/when how/where how/why illegal/legal in/out inside/outside
install/uninstall landlord/tenant large/little large/small left/right less/more lock/unlock
long/short lose/win low/high lower/raise max/min maximum/minimum most/least negative/positive
new/old north/south off/on old/young over/under poor/rich private/public pull/push reduce/increase
reduce/raise sad/happy save/spend start/stop strong/weak subscribe/unsubscribe summer/winter
thick/thin tight/loose top/bottom when/where when/why where/who where/why
"""
_SIDES = {"for": "against", "against": "for"}
"""Opposites after the same word, as in "votes for" and "votes against"; what is "good for" a cold
"helps against" it."""
_HOW = {
    word: what
    for what, words in {
        "manner": "do does did can could should would will shall may might must to is are am was"
        " were have has had s",
        "amount": "many much",
        "time": "long",
        "times": "often frequently",
        "way": "far",
        "age": "old",
    }.items()
    for word in words.split()
}
"""What "how" asks for, by the word that follows."""
_EVEN = {"and", "or"}
"""What stands on both sides of these may change sides."""
_SUBJECTS = {"me": "i", "him": "he", "them": "they", "us": "we"}
"""Somebody to whom something is done, and who does it: forms that are the same person."""
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|er|e|s)$")


class Pair(NamedTuple):
    """Two texts of which it is known whether they say the same."""

    one: str
    other: str
    same: bool


class Bar(NamedTuple):
    """The cosine above which two texts with many words in common say the same."""

    above: float
    found: int
    """Known pairs that say the same, and are taken so."""
    wrong: int
    """Known pairs that do not, and are taken so."""


MEASURED = {
    "embeddinggemma-300m": Bar(0.9114, 93, 0),
    "all-minilm-l6-v2": Bar(0.8791, 87, 0),
}
"""The bars of the embedded models, whose weights never change: `benchmarks/known_pairs.py NAME`
finds them again."""
MEASURED_ON = "7e61cbae2cdaefefc1c3c9b9e240c0b341fcabc27e897d1cc9c312bd9a17c0dd"
"""`digest` of the known pairs at that time: with other pairs or another first witness the bars are
to be measured anew."""


def digest_of_candidates() -> str:
    """sha256 of the known pairs that the words leave to the cosine."""
    return digest([list(pair) for pair in candidates(known())])


def by_words(texts: Sequence[tuple[str, ...]]) -> list[list[tuple[int, float]]]:
    """The first witness: for each text the places of the earlier ones that hold the same numbers,
    share many words in each field and contradict nowhere; the nearest first, with the ROUGE-L F1.

    Every such pair is found (Bayardo et al. 2007, All-Pairs): two texts share so many words of the
    last field that they share two rare ones, or one where they are short.
    """
    split = [tuple(map(tokens, fields)) for fields in texts]
    df = Counter(token for fields in split for token in set(fields[-1]))
    codes = {token: chr(n % sys.maxunicode) for n, token in enumerate(
        {token for fields in split for found in fields for token in found}, 1
    )}  # fmt: skip
    coded = [tuple("".join(map(codes.__getitem__, found)) for found in fields) for fields in split]
    holding: dict[tuple[str, str], list[int]] = {}
    first: dict[tuple[str, ...], int] = {}
    enough: list[int] = []
    near = []
    for place, fields in enumerate(split):
        rare, least = _rare(fields[-1], df)
        enough.append(least)
        if (same := first.setdefault(coded[place], place)) != place:
            near.append([(same, 1.0)])  # what is near it is known
            continue
        numbers = "".join(sorted(codes[t] for found in fields for t in found if is_number(t)))
        shared = Counter[int]()
        for token in rare:
            shared.update(holding.get((numbers, token), ()))
        there = [of for of, n in shared.items() if n >= least or n >= enough[of]]
        closest = sorted(_close(place, there, coded).items(), key=lambda item: (-item[1], item[0]))
        near.append(
            [pair for pair in closest if not contradict(texts[place], texts[pair[0]])][:CLOSEST]
        )
        for token in rare:
            holding.setdefault((numbers, token), []).append(place)
    return near


def _rare(found: list[str], df: Counter[str]) -> tuple[list[str], int]:
    """The words of a text without its commonest, and how many of them it shares at least with any
    text above `SHARED`; a word that comes again is another one."""
    shared = max(1, math.ceil(SHARED / (2 - SHARED) * len(found)))
    enough = min(2, shared)
    again = Counter[str]()
    marked = []
    for token in found or [""]:
        marked.append((df[token], token, again[token]))
        again[token] += 1
    rare = sorted(marked)[: len(marked) - shared + enough]
    return [f"{token} {n}" if n else token for _, token, n in rare], enough


def _close(place: int, there: Iterable[int], coded: list[tuple[str, ...]]) -> dict[int, float]:
    """Of some places those that are close in each field, and the lowest ROUGE-L F1."""
    near = dict.fromkeys(there, 1.0)
    for field in reversed(range(len(coded[place]))):
        left = list(near)
        found = closer(coded[place][field], [coded[of][field] for of in left], SHARED)
        near = {left[n]: min(near[left[n]], score) for n, score in found.items()}
    return near


def contradict(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a field holds a negation more than the same field of the other, or the opposite of
    a word that only the other holds, or asks how of something else, or says the same with two parts
    that have changed places.

    >>> contradict(["Should I buy gold?"], ["Should I sell gold?"])
    True
    >>> contradict(["Can I sue my tenant?"], ["Can my tenant sue me?"])
    True
    """
    return any(map(_contradict, map(tokens, one), map(tokens, other)))


def _contradict(one: list[str], other: list[str]) -> bool:
    mine, theirs = Counter(one) - Counter(other), Counter(other) - Counter(one)
    if _negations(mine) != _negations(theirs):
        return True
    stems = {_stem(word) for word in theirs}
    opposed = any(not stems.isdisjoint(_opposites().get(_stem(word), ())) for word in mine)
    return opposed or _sides(one, other) or _asks(one, other) or _exchanged(one, other)


def _sides(one: list[str], other: list[str]) -> bool:
    mine, theirs = set(pairwise(one)), set(pairwise(other))
    return any((before, _SIDES.get(word)) in theirs - mine for before, word in mine - theirs)


def _asks(one: list[str], other: list[str]) -> bool:
    """Whether both ask how, and what they ask for differs; an amount may be one of anything, as
    "how many times" is "how often"."""
    mine, theirs = (
        {_HOW[after] for word, after in pairwise(words) if word == "how" and after in _HOW}
        for words in (one, other)
    )
    apart = mine ^ theirs
    return bool(mine and theirs and apart) and ("manner" in apart or "amount" not in apart)


def _exchanged(one: list[str], other: list[str]) -> bool:
    """Whether two parts of a text have changed places about what stands between them.

    A part that moved alone, as "next year" does, changes nothing; nor does "tea or coffee".
    """
    mine, theirs = ([_SUBJECTS.get(word, word) for word in words] for words in (one, other))
    if mine == theirs or Counter(mine) != Counter(theirs):
        return False
    apart = [n for n, (here, there) in enumerate(zip(mine, theirs, strict=True)) if here != there]
    mine, theirs = (words[apart[0] : apart[-1] + 1] for words in (mine, theirs))
    ends = [end for end in range(2, len(mine)) if theirs[: len(mine) - end] == mine[end:]]
    return any(
        mine[start:end] + mine[:start] == theirs[len(mine) - end :] and mine[start] not in _EVEN
        for end in ends
        for start in range(1, end)
    )


def _negations(words: Counter[str]) -> int:
    return sum(n for word, n in words.items() if word in _NEGATIONS)


def _stem(word: str) -> str:
    return _ENDING.sub("", word)


@cache
def _opposites() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one, other in (map(_stem, pair.split("/")) for pair in _OPPOSITES.split()):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def known() -> list[Pair]:
    """The pairs whose truth is known."""
    return [Pair(row["one"], row["other"], row["same"]) for row in rows_of(KNOWN)]


def candidates(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that the words leave to the cosine."""

    return [pair for pair in pairs if by_words([(pair.one,), (pair.other,)])[1]]


def bar(cosines: Iterable[tuple[float, bool]]) -> Bar:
    """The best bar, given the cosine of each candidate and whether it says the same.

    Nothing passes it where that is best, as with a model that tells nothing.

    >>> bar([(0.9, True), (0.8, True), (0.6, False)])
    Bar(above=0.7, found=2, wrong=0)
    """
    best, found, wrong = Bar(1.0, 0, 0), 0, 0
    ordered = sorted(cosines, reverse=True)
    for (cosine, same), (lower, _) in pairwise([*ordered, (-1.0, False)]):
        found, wrong = found + same, wrong + (not same)
        better = found - DEAR * wrong > best.found - DEAR * best.wrong
        if better and round(cosine, 4) > round(lower, 4):
            best = Bar(round((cosine + lower) / 2, 4), found, wrong)
    return best
