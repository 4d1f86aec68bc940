"""Find which prompts are near duplicates, directly or over others, in little memory.

Two prompts are near if each field, user context and question, that either of them has is above
ROUGE-L F1 0.7 to the same field of the other; numbers are words. What is said of other images is
never near. What is near belongs together, and so do chains of it: the groups that come of it are
the connected components.

MinHash says what is compared: prompts that share one of the `BANDS` of their sketches. Within a
band they are sorted by further values of the sketch, so that the likeliest stand side by side, and
each is compared with the `WINDOW` before it, unless all of these are in its group already. So the
time grows with the prompts, also where all are one family.

The order of the prompts means nothing: their place in it is that of the digests of their tokens.
"""

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from tempfile import TemporaryFile, gettempdir

from distillgen.dedupe import NEAR, closer, minhash, tokens
from distillgen.errors import STORAGE, UserError
from distillgen.groups import Firm, Groups

BANDS, ROWS = 32, 4
"""At a Jaccard similarity of 0.54, about the lowest that is near, 94 of 100 pairs share a band, at
0.6 it is 99."""
FINER = 3
"""Further values of the sketch that a band is sorted by, 8 bits of each."""
WINDOW = 128
SHOWN = 16
"""Where all of the window are one group, so many of them tell whether another belongs to it."""
CHUNK = 4096
"""Prompts whose bands are written at once."""
_STEP = ROWS + FINER
_COARSE = ((1 << 64) - 1) ^ ((1 << 8 * FINER) - 1)


class _Vocabulary(dict[str, str]):
    """A character for each token; none is NUL."""

    def __missing__(self, token: str) -> str:
        self[token] = code = chr(1 + len(self) % 0x10FFFF)
        return code


class Bands:
    """The keys of sketches by band, 8 bytes each, in a temporary file."""

    def __init__(self, bands: int) -> None:
        self._waiting = [array("Q") for _ in range(bands)]
        self._file = TemporaryFile()  # noqa: SIM115
        self._written = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """The file is gone."""
        self._file.close()

    def add(self, keys: Iterable[int]) -> None:
        """The keys of the next sketch, one for each band."""
        for waiting, key in zip(self._waiting, keys, strict=True):
            waiting.append(key)
        if len(waiting) == CHUNK:
            with said():
                for waiting in self._waiting:
                    waiting.tofile(self._file)
                    del waiting[:]
            self._written += CHUNK

    def keys(self, band: int) -> "array[int]":
        """The keys of all sketches in one band."""
        found = array("Q")
        for start in range(0, self._written, CHUNK):
            self._file.seek(8 * (start * len(self) + band * CHUNK))
            found.fromfile(self._file, CHUNK)
        return found + self._waiting[band]


class Prompts:
    """Prompts with their ids, numbered from 0: in temporary files, some 500 bytes each.

    In memory are 16 bytes of each, and while they are added each token once.
    """

    def __init__(self) -> None:
        self.digests = array("Q")
        """64 bits of each prompt's tokens and images, whatever its id."""
        self._offsets = array("Q", [0])
        self._vocabulary = _Vocabulary()
        self._texts = TemporaryFile()  # noqa: SIM115
        self._bands = Bands(BANDS)

    def __enter__(self) -> "Prompts":
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()
        self._bands.close()

    def __len__(self) -> int:
        return len(self.digests)

    def add(self, id: str, user_context: str, question: str, images: Sequence[str] = ()) -> int:
        """One more prompt, and its number.

        Raises:
            UserError: there is no room for temporary files (exit code 5).
        """
        found = tokens(user_context), tokens(question)
        context, asked = ("".join(map(self._vocabulary.__getitem__, each)) for each in found)
        text = f"{asked}\0{context}\0{id}".encode("utf-8", "surrogatepass")
        self.digests.append(digest("\n".join(["\0".join(map(" ".join, found)), *images])))
        self._offsets.append(self._offsets[-1] + len(text))
        apart = digest("\n".join(images)) if images else 0
        self._bands.add(_keys(minhash(found, BANDS * _STEP), apart))
        with said():
            self._texts.write(text)
        return len(self.digests) - 1

    def complete(self) -> None:
        """No more will be added."""
        self._vocabulary.clear()
        with said():
            self._texts.flush()

    def text(self, n: int) -> tuple[str, str]:
        """Question and user context of a prompt, a character for each token."""
        asked, context, _ = self._read(n)
        return asked, context

    def id(self, n: int) -> str:
        """The id of a prompt."""
        return self._read(n)[2]

    def _read(self, n: int) -> list[str]:
        start, end = self._offsets[n], self._offsets[n + 1]
        read = os.pread(self._texts.fileno(), end - start, start)
        return read.decode("utf-8", "surrogatepass").split("\0", 2)

    def by_content(self) -> list[int]:
        """All numbers in an order that depends on the prompts alone."""
        return sorted(range(len(self)), key=self.digests.__getitem__)

    def buckets(self) -> Iterator[list[int]]:
        """Numbers of prompts that are worth comparing, the likeliest side by side."""
        order = array("I", self.by_content())
        for band in range(BANDS):
            yield from _runs(order, self._bands.keys(band))


def _runs(order: Iterable[int], keys: Sequence[int]) -> Iterator[list[int]]:
    ordered = sorted(order, key=keys.__getitem__)
    for _, bucket in groupby(ordered, lambda n: keys[n] & _COARSE):
        if len(found := list(bucket)) > 1:
            yield found


def digest(text: str) -> int:
    """64 bits that stand for a text."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _keys(values: Sequence[int], apart: int) -> Iterator[int]:
    """For each band 40 bits of what must be equal, then what it is sorted by."""
    rows = [values[row::_STEP] for row in range(_STEP)]
    same = map(hash, zip(*rows[:ROWS], strict=True))
    finer = zip(*rows[ROWS:], strict=True)
    for key, (one, two, three) in zip(same, finer, strict=True):
        yield (key ^ apart) & _COARSE | (one & 255) << 16 | (two & 255) << 8 | three & 255


def join_equal(prompts: Prompts, groups: Groups) -> None:
    """Prompts with the same tokens belong together."""
    for _, equal in groupby(prompts.by_content(), prompts.digests.__getitem__):
        groups.join_all(equal)


def join_near(prompts: Prompts, groups: Groups) -> None:
    """Near duplicates belong together.

    Records that were assigned before are not compared with each other: they were, then.
    """
    if all(firm == Firm.ASSIGNED for firm in groups.firm):
        return
    for bucket in prompts.buckets():
        head = groups.find(bucket[0])
        if any(groups.find(n) != head for n in bucket):
            _Window(prompts, groups).slide(bucket)


class _Window:
    """The last prompts of a bucket, those before the one that is compared."""

    def __init__(self, prompts: Prompts, groups: Groups) -> None:
        self._prompts, self._groups = prompts, groups
        self._numbers: list[int] = []
        self._asked: list[str] = []
        """The question of each of them, and its context; of the last ones perhaps not yet read."""
        self._contexts: list[str] = []
        self._heads = Counter[int]()
        """Of their groups, with the number of those here."""
        self._assigned = 0

    def slide(self, bucket: Iterable[int]) -> None:
        """Compare each of a bucket with those before it, and join what is near."""
        groups = self._groups
        for n in bucket:
            assigned = groups.firm[n] == Firm.ASSIGNED
            compared_before = assigned and self._assigned == len(self._numbers)
            alone = len(self._heads) == 1 and groups.find(n) in self._heads
            if self._numbers and not compared_before and not alone and n not in groups.out:
                self._compare(n)
            self._numbers.append(n)
            self._heads[groups.find(n)] += 1
            self._assigned += assigned
            if len(self._numbers) > WINDOW:
                self._drop()

    def _drop(self) -> None:
        n = self._numbers.pop(0)
        del self._asked[:1], self._contexts[:1]
        self._assigned -= self._groups.firm[n] == Firm.ASSIGNED
        head = self._groups.find(n)
        self._heads[head] -= 1
        if not self._heads[head]:
            del self._heads[head]

    def _compare(self, n: int) -> None:
        for unread in self._numbers[len(self._asked) :]:
            question, context = self._prompts.text(unread)
            self._asked.append(question)
            self._contexts.append(context)
        first = -SHOWN if len(self._heads) == 1 else 0
        others = self._asked[first:], self._contexts[first:]
        numbers = self._numbers[first:]
        for place in near(self._prompts.text(n), others):
            self._join(numbers[place], n)

    def _join(self, one: int, other: int) -> None:
        find = self._groups.find
        heads = {find(one), find(other)}
        if len(heads) == 1:
            return
        self._groups.join(one, other)
        head = find(one)
        for absorbed in heads - {head}:
            if find(absorbed) == head and absorbed in self._heads:
                self._heads[head] += self._heads.pop(absorbed)


def near(text: tuple[str, str], others: tuple[Sequence[str], Sequence[str]]) -> list[int]:
    """The places of those whose question and user context are both near, all as `Prompts.text`
    gives them."""
    found = list(closer(text[0], others[0], NEAR))
    if not found:
        return []
    among = closer(text[1], [others[1][place] for place in found], NEAR)
    return sorted(found[place] for place in among)


@contextmanager
def said() -> Iterator[None]:
    """The system's errors as what the user can do about them."""
    try:
        yield
    except OSError as error:
        where = gettempdir()
        raise UserError(
            f"{where}: temporary files cannot be written: {error.strerror}; name another folder in"
            " the variable TMPDIR", STORAGE,
        ) from error  # fmt: skip
