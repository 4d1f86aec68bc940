"""Read the tensors of a safetensors file, piece by piece, as they lie there.

Layout: https://github.com/huggingface/safetensors#format.
"""

import json
import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

PIECE = 1 << 20
"""Bytes; whole numbers of any width."""


class Stored(NamedTuple):
    """Where a tensor lies in the file."""

    name: str
    shape: tuple[int, ...]
    start: int
    """Offset in the file."""
    size: int
    """Bytes."""

    def pieces(self, file: IO[bytes]) -> Iterator[bytes]:
        """Its numbers, `PIECE` bytes at a time."""
        file.seek(self.start)
        for done in range(0, self.size, PIECE):
            yield file.read(min(PIECE, self.size - done))


def floats(file: IO[bytes]) -> list[Stored]:
    """The tensors of 32-bit floats, in the order in which they lie in the file."""
    (length,) = struct.unpack("<Q", file.read(8))
    found = [
        Stored(name, tuple(tensor["shape"]), 8 + length + start, end - start)
        for name, tensor in json.loads(file.read(length)).items()
        for start, end in [tensor.get("data_offsets", (0, 0))]
        if tensor.get("dtype") == "F32"
    ]
    return sorted(found, key=lambda tensor: tensor.start)
