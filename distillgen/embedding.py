"""Ask for embeddings in batches, and read them from what the journal keeps. Pure.

A batch is an ordinary request with a message for each text. Where batches end depends on the texts
alone: a text that is added or changed moves no other into another batch, so that all but its own
are found in the journal.
"""

import base64
import hashlib
import math
import struct
from collections.abc import Iterable, Iterator
from operator import mul

import orjson

from distillgen.errors import ParseError
from distillgen.records import JSON, Message, Request, Terms

LONGEST = 500
"""Characters of a text that are embedded, after the prefix: small models take no more than 512
tokens, which may be a character each; the one that wants a prefix takes 2,048."""
SMALLEST, LARGEST = 16, 64
"""Texts of a batch; one in `SMALLEST` texts ends one, on the average."""

Vector = bytes
"""An embedding of length 1 as half-precision floats, little-endian: 0.8 to 6 KB."""


def batches(texts: Iterable[str], terms: Terms, prefix: str = "") -> Iterator[Request]:
    """The requests for some texts, equal ones once, each with the prefix before it."""
    batch: list[Message] = []
    for text in dict.fromkeys(text[:LONGEST] for text in texts):
        batch.append(Message("user", prefix + text))
        digest = hashlib.sha256(text.encode(errors="replace")).digest()
        if len(batch) == LARGEST or digest[0] % SMALLEST == 0:
            yield Request(terms, tuple(batch))
            batch = []
    if batch:
        yield Request(terms, tuple(batch))


def stored(body: bytes, count: int) -> bytes:
    """The reply to a batch of `count` texts as the engine and the journal take it: a completion
    without text, and the vectors beside it.

    Raises:
        ParseError: it is no such reply.
    """
    try:
        whole = orjson.loads(body)
        rows = sorted(whole["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(count)):
            raise ParseError("bad_body", f"not an embedding for each of {count} texts")
        vectors = [base64.b64encode(_packed(row["embedding"])).decode() for row in rows]
    except (ValueError, KeyError, TypeError, struct.error, OverflowError) as error:
        raise ParseError("bad_body", "not a list of embeddings") from error
    choice: dict[str, JSON] = {"message": {"role": "assistant", "content": ""}}
    kept = {name: whole.get(name) for name in ("model", "usage")}
    return orjson.dumps({**kept, "choices": [choice], "vectors": vectors})


def vectors(request: Request, body: bytes, prefix: str = "") -> Iterator[tuple[str, Vector]]:
    """The texts of a batch, as `batches` cut them, and their vectors."""
    texts = (message.content.removeprefix(prefix) for message in request.messages)
    return zip(texts, unpacked(body), strict=True)


def unpacked(body: bytes) -> list[Vector]:
    """The vectors of a reply as it is stored, in the order of the texts."""
    return [base64.b64decode(spelled) for spelled in orjson.loads(body)["vectors"]]


def cosine(one: Vector, other: Vector) -> float:
    """Cosine of two embeddings of the same model, -1 to 1."""
    return float(sum(map(mul, _floats(one), _floats(other))))


def _packed(values: list[float]) -> Vector:
    length = math.hypot(*values)
    if not (math.isfinite(length) and length):
        raise ValueError("no direction")
    return struct.pack(f"<{len(values)}e", *(value / length for value in values))


def _floats(vector: Vector) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 2}e", vector)
