"""Write the file that llama.cpp reads: what describes a model, then its tensors.

The same model gives the same bytes. Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, NamedTuple

Value = str | float
ALIGNED = 32
"""Bytes; where the weights begin in the file. Each tensor has a multiple of it."""
MEAN = 1
"""llama.cpp's number for pooling by the mean."""
NORMAL, CONTROL = 1, 3
"""llama.cpp's kinds of tokens."""
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
"""GGUF's kinds of values."""
FLOAT, BFLOAT = 0, 30
"""GGUF's kinds of tensors: 32 and 16 bits a number."""

_WIDTH = {FLOAT: 4, BFLOAT: 2}


class Tensor(NamedTuple):
    """A tensor as it stands in the file."""

    name: str
    shape: tuple[int, ...]
    """The outermost dimension first."""
    kind: int
    data: Callable[[], Iterable[bytes]]
    """Its numbers, row after row; asked for once, in the order in which tensors are written."""

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * _WIDTH[self.kind]


def write(out: BinaryIO, described: Sequence[bytes], tensors: Sequence[Tensor]) -> None:
    """Write a file, from the present position on; `described` are pairs and arrays."""
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(described)), *described]
    offset = 0
    for tensor in tensors:
        shape = tensor.shape[::-1]
        head += [_text(tensor.name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        head.append(struct.pack("<IQ", tensor.kind, offset))
        offset += tensor.size
    whole = b"".join(head)
    out.write(whole + bytes(-len(whole) % ALIGNED))
    for tensor in tensors:
        out.writelines(tensor.data())


def pair(key: str, kind: int, value: Value) -> bytes:
    """A key with its value."""
    return _text(key) + struct.pack("<I", kind) + _value(kind, value)


def array(key: str, kind: int, values: Sequence[Value]) -> bytes:
    """A key with values of one kind."""
    head = _text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(_value(kind, value) for value in values)


def _value(kind: int, value: Value) -> bytes:
    if isinstance(value, str):
        return _text(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _text(text: str) -> bytes:
    spelled = text.encode()
    return struct.pack("<Q", len(spelled)) + spelled
