"""Splits."""

import hashlib
from collections.abc import Mapping
from typing import Literal, get_args

from distillgen.errors import UserError
from distillgen.records import Answer, content_id

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
DEFAULT_SHARES: Mapping[Split, float] = {"train": 0.9, "validation": 0.05, "test": 0.05}


def shares(text: str) -> dict[Split, float]:
    """The shares in `train=0.8,validation=0.1,test=0.1`; a split not named gets nothing.

    Raises:
        UserError: a part cannot be read, or they do not make 1.
    """
    found: dict[Split, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        split = next((one for one in SPLITS if one == name), None)
        if split is None or split in found:
            raise UserError(
                f"--split: `{part.strip()}`: name each of {', '.join(SPLITS)} once at most, "
                "as in train=0.8,validation=0.1,test=0.1"
            )
        try:
            found[split] = float(number)
        except ValueError as error:
            raise UserError(f"--split: `{part.strip()}` needs a number, as in train=0.8") from error
    total = sum(found.values())
    if not (all(share >= 0 for share in found.values()) and abs(total - 1) < 1e-6):
        raise UserError(f"--split: the shares make {total:g}; each is 0 to 1, together they make 1")
    return found


def of(answer: Answer, shares: Mapping[Split, float], random_seed: int) -> Split:
    """By a hash."""
    own = content_id(answer.user_context.strip(), answer.question.strip(), answer.images)
    seeded = hashlib.sha256(f"{random_seed}\n{answer.family or own}".encode()).digest()
    point = int.from_bytes(seeded[:8]) / 2**64
    last = SPLITS[0]
    for split in SPLITS:
        if share := shares.get(split):
            point, last = point - share, split
            if point < 0:
                break
    return last
