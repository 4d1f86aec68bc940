"""Find the lines of a file of JSON in which a text stands, whatever their size."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

BLOCK = 1 << 20
"""Bytes that are read at once."""


def lines_with(path: Path, text: str) -> Iterator[tuple[int, bytes]]:
    """Lines that may hold the text, in upper or lower case, and where each begins.

    It may stand in a key, or in a field that was not meant: whoever asks looks again.
    """
    hits = _hits(text)
    with path.open("rb") as file:
        start = 0
        while block := file.read(BLOCK):
            block += file.readline()
            end = 0
            for found in hits(block):
                if found < end:
                    continue
                begin = block.rfind(b"\n", 0, found) + 1
                end = block.find(b"\n", found) + 1 or len(block)
                yield start + begin, block[begin:end].strip(b"\0\r\n\t ")
            start += len(block)


def _hits(text: str) -> Callable[[bytes], Iterator[int]]:
    """Where a text may stand in lines of JSON, once a line, in upper and lower case."""
    if all(map(_is_plain, text)):
        wanted = text.lower().encode()

        def plain(block: bytes) -> Iterator[int]:
            small = block.lower()
            at = small.find(wanted)
            while at >= 0:
                yield at
                end = small.find(b"\n", at)
                at = small.find(wanted, end) if end >= 0 else -1

        return plain
    pattern = re.compile(b"".join(map(_spelling, text)), re.IGNORECASE)
    return lambda block: (found.start() for found in pattern.finditer(block))


def _is_plain(one: str) -> bool:
    """JSON spells it in one way."""
    return one.isascii() and one.isprintable() and one not in '"\\/'


def _spelling(one: str) -> bytes:
    if _is_plain(one):
        return re.escape(one.encode())
    forms = set[bytes]()
    for form in (one, one.lower(), one.upper(), one.casefold()):
        units = form.encode("utf-16-be")
        pairs = (units[n : n + 2].hex() for n in range(0, len(units), 2))
        forms |= {re.escape(form.encode()), b"".join(rb"\\u" + pair.encode() for pair in pairs)}
    short = {'"': rb'\\"', "\\": rb"\\\\", "/": rb"\\?/", "\n": rb"\\n", "\t": rb"\\t",
             "\r": rb"\\r", "\b": rb"\\b", "\f": rb"\\f"}  # fmt: skip
    forms |= {short[one]} if one in short else set()
    return b"(?:" + b"|".join(sorted(forms)) + b")"
