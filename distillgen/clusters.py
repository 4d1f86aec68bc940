"""Find which prompts are near duplicates, directly or over others, in little memory.

Two prompts are near if each field, user context and question, that either of them has is above
ROUGE-L F1 0.7 to the same field of the other; numbers are words. What is said of other images is
never near. What is near belongs together, and so do chains of it: the groups that come of it are
the connected components.

MinHash says what is compared: prompts that share one of the `BANDS` of their sketches. Within a
band they are sorted by the values of the next one, so that the likeliest stand side by side, and
each is compared with the `WINDOW` before it, unless all of these are in its group already. So the
time grows with the prompts, also where all are one family.

The order of the prompts means nothing: their place in it is that of the digests of their tokens.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO

from distillgen.dedupe import NEAR, closer, minhash, tokens
from distillgen.errors import STORAGE, UserError
from distillgen.groups import Firm, Groups
from distillgen.sorting import equal, in_order

BANDS, ROWS = 32, 4
"""At a Jaccard similarity of 0.54, about the lowest that is near, 94 of 100 pairs share a band, at
0.6 it is 99."""
WINDOW = 128
SHOWN = 16
"""Where all of the window are one group, so many of them tell whether another belongs to it."""
BLOCK = 10_000
"""So many of a bucket are looked at at once."""
CHUNK = 4096
"""Prompts that are written at once."""
IN_MEMORY = 64_000_000
"""Bytes of all texts together up to which they stay out of the file."""


class _Vocabulary(dict[str, str]):
    """A character for each token; none is NUL."""

    def __missing__(self, token: str) -> str:
        self[token] = code = chr(1 + len(self) % 0x10FFFF)
        return code


class Bands:
    """The keys of sketches by band, in a temporary file: of each of its values the last 16 bits.

    One in 65,000 values that differ is taken for equal.
    """

    def __init__(self, bands: int) -> None:
        self._bands = bands
        self._waiting = array("I")
        self._file = TemporaryFile()  # noqa: SIM115
        self._written = 0

    def close(self) -> None:
        """The file is gone."""
        self._file.close()

    def add(self, sketch: Sequence[int]) -> None:
        """The next sketch, `ROWS` values for each band."""
        self._waiting += array("I", sketch)  # a list would take six times as long
        if len(self._waiting) == CHUNK * self._bands * ROWS:
            keys = self._keys()
            with said():
                for band in range(self._bands):
                    keys[band :: self._bands].tofile(self._file)
            self._written += CHUNK
            del self._waiting[:]

    def _keys(self) -> "array[int]":
        """Of the sketches that wait, made as a whole: a million prompts have 128 million values."""
        values = self._waiting.tobytes()
        keys = bytearray(2 * len(self._waiting))
        for row in range(ROWS):
            for byte in (0, 1):
                keys[2 * (ROWS - 1 - row) + byte :: 2 * ROWS] = values[4 * row + byte :: 4 * ROWS]
        return array("Q", bytes(keys))

    def keys(self, band: int) -> "array[int]":
        """The keys of all sketches in one band."""
        found = array("Q")
        for start in range(0, self._written, CHUNK):
            self._file.seek(8 * (start * self._bands + band * CHUNK))
            found.fromfile(self._file, CHUNK)
        return found + self._keys()[band :: self._bands]


class Prompts:
    """Prompts with their ids, numbered from 0: in temporary files, some 500 bytes each.

    In memory are 24 bytes of each, and while they are added each token once.
    """

    def __init__(self) -> None:
        self.digests = array("Q")
        """64 bits of each prompt's tokens and images, whatever its id."""
        self._rendered = array("Q")
        """The same of what is trained: user context and question as one text."""
        self._offsets = array("Q", [0])
        self._vocabulary = _Vocabulary()
        self._texts: BinaryIO = BytesIO()
        self._waiting: list[bytes] = []
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
        shown = str(digest("\n".join(images))) if images else ""
        text = f"{asked}\0{context}\0{shown}\0{id}".encode("utf-8", "surrogatepass")
        self.digests.append(digest("\n".join(["\0".join(map(" ".join, found)), *images])))
        self._rendered.append(digest("\n".join([" ".join(chain(*found)), *images])))
        self._offsets.append(self._offsets[-1] + len(text))
        self._bands.add(minhash(_apart(found, shown), BANDS * ROWS))
        self._waiting.append(text)
        if len(self._waiting) == CHUNK:
            self._write()
        return len(self.digests) - 1

    def _write(self) -> None:
        with said():
            self._texts.write(b"".join(self._waiting))
            if isinstance(self._texts, BytesIO) and self._offsets[-1] > IN_MEMORY:
                held, self._texts = self._texts, TemporaryFile(buffering=0)  # noqa: SIM115
                self._texts.write(held.getbuffer())
        self._waiting.clear()

    def complete(self) -> None:
        """No more will be added."""
        self._vocabulary.clear()
        self._write()

    def text(self, n: int) -> tuple[str, str]:
        """Question and user context of a prompt, a character for each token."""
        asked, context, *_ = self._read(n)
        return asked, context

    def sketched(self, n: int) -> Sequence[Iterable[str]]:
        """The same as it goes into a sketch, where prompts share nothing if their images differ."""
        asked, context, shown, _ = self._read(n)
        return _apart((asked, context), shown)

    def id(self, n: int) -> str:
        """The id of a prompt."""
        return self._read(n)[3]

    def _read(self, n: int) -> list[str]:
        self._texts.seek(self._offsets[n])
        read = self._texts.read(self._offsets[n + 1] - self._offsets[n])
        return read.decode("utf-8", "surrogatepass").split("\0", 3)

    def equal(self) -> Iterator[list[int]]:
        """The numbers of prompts that are trained as the same, punctuation aside."""
        return equal(self._rendered, range(len(self)))

    def by_content(self) -> "array[int]":
        """All numbers in an order that depends on the prompts alone."""
        return array("I", in_order(self.digests, range(len(self))))

    def buckets(self) -> Iterator[list[int]]:
        """Numbers of prompts that are worth comparing, the likeliest side by side; of many one
        block after the other, each with the end of the one before."""
        order = self.by_content()
        following = self._bands.keys(0)
        for band in range(BANDS):
            keys, following = following, self._bands.keys((band + 1) % BANDS)
            for bucket in equal(keys, order):
                if len(bucket) > 2:
                    bucket.sort(key=following.__getitem__)
                for start in range(0, max(1, len(bucket) - WINDOW), BLOCK - WINDOW):
                    yield bucket[start : start + BLOCK]


def _apart(fields: Sequence[Iterable[str]], shown: str) -> Sequence[Iterable[str]]:
    return [[f"{shown}\n{token}" for token in ("", *each)] for each in fields] if shown else fields


def digest(text: str) -> int:
    """64 bits that stand for a text."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def join_near(prompts: Prompts, groups: Groups) -> None:
    """Near duplicates belong together.

    Records that were assigned before are not compared with each other: they were, then.
    """
    if all(firm == Firm.ASSIGNED for firm in groups.firm):
        return
    for bucket in prompts.buckets():
        there = [n for n in bucket if n not in groups.out]
        if len(set(map(groups.find, there))) > 1:
            _compare(there, prompts, groups)


def _compare(bucket: Sequence[int], prompts: Prompts, groups: Groups) -> None:
    """Each of a bucket with those before it, unless that tells nothing new."""
    asked, contexts = [""] * len(bucket), [""] * len(bucket)
    read, parted, loose = 0, 0, -1
    for place, n in enumerate(bucket):
        first = max(0, place - WINDOW)
        one_group = parted <= first
        same = one_group and groups.find(n) == groups.find(bucket[place - 1])
        assigned = groups.firm[n] == Firm.ASSIGNED
        if place and not same and not (assigned and loose < first) and n not in groups.out:
            for unread in range(max(first, read), place + 1):
                asked[unread], contexts[unread] = prompts.text(bucket[unread])
            read = place + 1
            if one_group and not groups.split(n):
                first = max(first, place - SHOWN)
            others = asked[first:place], contexts[first:place]
            for found in near((asked[place], contexts[place]), others):
                groups.join(bucket[first + found], n)
        if not assigned:
            loose = place
        if place and groups.find(n) != groups.find(bucket[place - 1]):
            parted = place


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
