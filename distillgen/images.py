"""Read the images that go with questions: whether a file is one, and its bytes when it is sent."""

import base64
import hashlib
import stat
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from distillgen.errors import UserError
from distillgen.files import sha256_of
from distillgen.inputs import SHOWN, refuse
from distillgen.records import Example, Image, Message

LARGEST = 20 << 20
"""Bytes of one image; larger ones are refused by providers."""
KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
"""How a file of each kind begins; of webp see `_kind`."""
REMEMBERED = 1 << 17
"""Images whose digests are kept in memory."""


def size_of(path: str) -> int:
    """Bytes of a file, which is not opened.

    Raises:
        UserError: it is not there.
    """
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:  # a path with NUL is a ValueError
        raise UserError(f"{path}: no such file") from error
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path}: is no regular file")
    return found.st_size


@lru_cache(REMEMBERED)
def look(path: str) -> Image:
    """The image at a path, as it is now.

    Raises:
        UserError: there is none that teachers take.
    """
    if (size := size_of(path)) > LARGEST:
        mb = f"{size / (1 << 20):,.1f} MB; the limit is {LARGEST >> 20} MB"
        raise UserError(f"{path}: {mb}, make it smaller")
    try:
        with Path(path).open("rb") as file:
            kind = _kind(file.read(16))
        if kind:
            return Image(path, sha256_of(Path(path)))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    raise UserError(f"{path}: no PNG, JPEG, WebP or GIF; convert it to one of these")


def data_url(image: Image) -> str:
    """The image as it is sent; its bytes are read anew.

    Raises:
        UserError: they are not those that were looked at.
    """
    try:
        raw = Path(image.path).read_bytes()
    except OSError as error:
        raise UserError(f"{image.path}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(raw).hexdigest() != image.sha256:
        raise UserError(f"{image.path}: changed while it was in use; run the same command again")
    return f"data:image/{_kind(raw)};base64,{base64.b64encode(raw).decode()}"


Manner = Literal["", "attached", "described"]
"""How a teacher knows an image: it sees it, or is told in words; empty where there is none."""


def manner(has_image: bool, seen: bool) -> Manner:
    """What a prompt is told of an image."""
    return "" if not has_image else "attached" if seen else "described"


def shown_with(messages: tuple[Message, ...], images: tuple[Image, ...]) -> tuple[Message, ...]:
    """The same messages, with images to the last of them."""
    return *messages[:-1], messages[-1]._replace(images=images)


def told(example: Example, vision: bool) -> tuple[str, tuple[Image, ...]]:
    """The user context as a teacher reads it, and the images that it sees.

    A teacher without `vision` reads what they show at the end of the context.

    Raises:
        UserError: an image cannot be sent, or nothing says what it shows.
    """
    if not example.images:
        return example.user_context, ()
    if vision:
        return example.user_context, tuple(map(look, example.images))
    description = example.meta.get("description")
    if not (isinstance(description, str) and description.strip()):
        raise UserError(
            f"the teacher is not shown {example.images[0]}, and nothing says what is in it: show it"
            " with --vision, or say it in words in a column `description`"
        )
    return f"{example.user_context}\n\nWhat the image shows:\n{description}".strip(), ()


def check(examples: Iterable[Example], vision: bool, source: Path) -> None:
    """Find what `told` would refuse in the inputs of a file.

    Raises:
        UserError: there is any; the first are named.
    """
    problems: list[str] = []
    total = wrong = 0
    for example in examples:
        total += 1
        try:
            told(example, vision)
        except UserError as error:
            wrong += 1
            problems += [f"{source}: {example.id}: {error}"] * (wrong <= SHOWN)
    refuse(problems, wrong, total)


def _kind(head: bytes) -> str:
    """`png`, `jpeg`, `gif` or `webp`; empty for all else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in KINDS.items() if head.startswith(magic)), "")
