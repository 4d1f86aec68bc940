"""Find the words that most texts of a file share, such as a prompt's frame, and leave them out.

Texts that carry one long frame are alike for the frame, whatever varies in it. What more than half
of the texts have in common, eight words in a row at least, tells none of them from the others.
"""

import random
from collections import Counter
from typing import NamedTuple

from distillgen.dedupe import tokens

RUN = 8
"""Tokens in a row: what is shorter may be shared by chance (an n-gram of Tülu 3, section 3.2)."""
MOST = 0.5
"""Share of the texts above which a run belongs to the frame."""
FEWEST = 20
"""In fewer texts nothing is taken for a frame: what most of them share may be duplicates."""
SAMPLE = 1000
"""Texts of which the shares are taken, drawn at random, always the same ones."""


class Frame(NamedTuple):
    """What is left out of a field."""

    runs: frozenset[tuple[str, ...]]
    """Every `RUN` tokens in a row that most texts hold."""
    share: float = 0.0
    """Share of the texts that hold any, 0 to 1."""
    shown: str = ""
    """The longest piece that is left out of one text, as its tokens."""

    def rest(self, text: str) -> str:
        """A text without the frame: as it is, where there is none, else the tokens that are left.

        >>> Frame(frozenset({tuple("abcdefgh")})).rest("a b c d e f g h: buy gold?")
        'buy gold'
        """
        if not self.runs:
            return text
        found = tokens(text)
        covered = self.covered(found)
        return " ".join(
            token for token, left_out in zip(found, covered, strict=True) if not left_out
        )

    def covered(self, found: list[str]) -> list[bool]:
        """For each token, whether it lies in one of the runs."""
        covered = [False] * len(found)
        for start in range(len(found) - RUN + 1):
            if tuple(found[start : start + RUN]) in self.runs:
                covered[start : start + RUN] = [True] * RUN
        return covered


NO_FRAME = Frame(frozenset())


class Sample:
    """A sample of the texts of one field, to take the frame from."""

    def __init__(self) -> None:
        self._rng = random.Random(0)
        self._texts: list[str] = []
        self._given = 0

    def add(self, text: str) -> None:
        """Each of the texts that are added is in the sample with equal probability."""
        self._given += 1
        if len(self._texts) < SAMPLE:
            self._texts.append(text)
        elif (place := self._rng.randrange(self._given)) < SAMPLE:
            self._texts[place] = text

    def frame(self) -> Frame:
        """What more than half of the texts have in common."""
        if len(self._texts) < FEWEST:
            return NO_FRAME
        texts = [tokens(text) for text in self._texts]
        counts = Counter(run for text in texts for run in set(_runs(text)))
        least = MOST * len(texts)
        frame = Frame(frozenset(run for run, n in counts.items() if n > least))
        holding = [text for text in texts if not frame.runs.isdisjoint(_runs(text))]
        pieces = [_longest(text, frame.covered(text)) for text in holding]
        shown = max(pieces, key=len, default="")
        return frame._replace(share=len(holding) / len(texts), shown=shown)


def _runs(found: list[str]) -> list[tuple[str, ...]]:
    return [tuple(found[start : start + RUN]) for start in range(len(found) - RUN + 1)]


def _longest(found: list[str], covered: list[bool]) -> str:
    """The longest piece of a text that is covered throughout."""
    pieces: list[list[str]] = [[]]
    for token, left_out in zip(found, covered, strict=True):
        if left_out:
            pieces[-1].append(token)
        elif pieces[-1]:
            pieces.append([])
    return max(map(" ".join, pieces), key=len)
