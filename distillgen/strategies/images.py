"""Ask about images, or tables: each in turn, as the teacher sees them or is told of them.

Three kinds of question, as in LLaVA (Liu et al. 2023, "Visual Instruction Tuning", section 3),
whose teacher read captions and boxes; one that sees the image writes better ones (Wang et al. 2023,
"To See is to Believe").
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from os.path import normpath
from pathlib import Path

from distillgen import images, replies
from distillgen.dice import shuffled
from distillgen.errors import UserError
from distillgen.inputs import SHOWN, refuse
from distillgen.items import schema
from distillgen.records import JSON, Completion, Image, digest
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw
from distillgen.tables import kind_of, rows_of

PROMPT = "expand.images"
FILE = "images.jsonl"
SEES = True
WEIGHTS = {"conversation": 58, "detail": 23, "reasoning": 77}
"""Thousands of each kind in LLaVA."""
OPERATIONS = tuple(WEIGHTS)
LONGEST = 20_000
"""Characters of a description; the teacher reads all of it in each request."""
WANTED = {
    "image": "the path of a file",
    "caption": "a text or a list of texts",
    "boxes": 'a list such as [{"label": "dog", "box": [x, y, width, height]}]',
    "ocr": "a text or a list of texts",
    "table": "CSV as a text, or the path of a .csv file",
}
"""What a row of the manifest may say; all else travels along."""


@dataclass(frozen=True)
class Row:
    """An image, a table, or another material to ask about."""

    id: str
    """Digest of the path of the image or table, else of what is said: the parent of inputs."""
    image: str
    """Path as seen from the working directory; empty without an image."""
    sha256: str
    """Digest of the image, if the teacher sees it."""
    description: str
    """What is said of it in words."""
    others: dict[str, JSON]
    """Every other column."""


@dataclass(frozen=True)
class Manifest:
    """The rows of a manifest."""

    rows: tuple[Row, ...]

    def made(self, pool: Pool) -> Counter[str]:
        """Inputs of each row, by its id, among the first 2^k of the pool: so a walk counts each
        but twice."""
        first = 1 << len(pool).bit_length() >> 1
        if first not in self._made:
            self._made[first] = Counter(id for i in range(first) for id in pool[i].parents[:1])
        return self._made[first]

    @cached_property
    def _made(self) -> dict[int, Counter[str]]:
        return {}


def read(path: Path, vision: bool) -> Manifest:
    """The manifest, every row checked; only with `vision` are images opened.

    Raises:
        UserError: the file cannot be read, or rows are wrong: all of them are named.
    """
    found: dict[str, tuple[int, Row]] = {}
    problems: list[str] = []
    total = 0
    for line, columns, problem in rows_of(path):
        total += 1
        try:
            if problem:
                raise UserError(problem)
            row = _row(path.parent, columns, vision)
            if row.id in found:
                raise UserError(f"stands in line {found[row.id][0]} too; make one row of them")
            found[row.id] = line, row
        except UserError as error:
            problems.append(f"{path}:{line}: {error}")
    refuse(problems[:SHOWN], len(problems), total)
    return Manifest(tuple(row for _, row in found.values()))


def _row(folder: Path, columns: dict[str, JSON], vision: bool) -> Row:
    """A row of the manifest; its paths are relative to the manifest's folder."""
    said = {name: columns[name] for name in WANTED if columns.get(name) not in (None, "", [])}
    for name, value in said.items():
        if not _fits(name, value):
            raise UserError(f"`{name}` is {kind_of(value)}; write {WANTED[name]}")
    if "description" in columns:
        raise UserError("`description` is a name that inputs need; call it `caption`")
    image = table = ""
    if "image" in said:
        if "://" in said["image"]:
            raise UserError("`image` is a URL; fetch the file and write its path")
        image = normpath(folder / said["image"])
        images.size_of(image)
    if "table" in said and _is_path(said["table"]):
        table = normpath(folder / said["table"])
        said["table"] = _text(Path(table))
    description = describe(said)
    if len(description) > LONGEST:
        raise UserError(f"{len(description):,} characters, the limit is {LONGEST:,}; say less")
    if not (description or (image and vision)):
        remedy = ", or show the image with --vision" if image else ""
        raise UserError(f"nothing says what there is to see; write a caption or a table{remedy}")
    sha256 = images.look(image).sha256 if image and vision else ""
    others = {name: value for name, value in columns.items() if name not in WANTED}
    return Row(digest(image or table or description)[:16], image, sha256, description, others)


def describe(said: dict[str, JSON]) -> str:
    """What a row says, as a text.

    >>> print(describe({"caption": "A dog.", "boxes": [{"label": "dog", "box": [1, 2, 30, 40]}]}))
    A dog.
    Boxes, as [x, y, width, height]:
    dog: [1, 2, 30, 40]
    """
    boxes = [f"{box['label']}: {box['box']}" for box in said.get("boxes", ())]
    return "\n".join(
        [
            *_lines("", said.get("caption", ())),
            *_lines("Boxes, as [x, y, width, height]:", boxes),
            *_lines("Text in it:", said.get("ocr", ())),
            *_lines("Table:", said.get("table", ())),
        ]
    )


def _lines(heading: str, said: JSON) -> Iterator[str]:
    texts = [text.strip() for text in ([said] if isinstance(said, str) else said)]
    if any(texts) and heading:
        yield heading
    yield from filter(None, texts)


def _fits(name: str, value: JSON) -> bool:
    if name == "boxes":
        return isinstance(value, list) and all(map(_is_box, value))
    texts = [value] if name in ("image", "table") or isinstance(value, str) else value
    return isinstance(texts, list) and all(isinstance(text, str) for text in texts)


def _is_box(value: JSON) -> bool:
    if not (isinstance(value, dict) and isinstance(value.get("label"), str)):
        return False
    numbers = value.get("box")
    return isinstance(numbers, list) and [type(n) in (int, float) for n in numbers] == [True] * 4


def _is_path(table: str) -> bool:
    return "\n" not in table and table.lower().endswith((".csv", ".tsv"))


def _text(path: Path) -> str:
    """The text of a table's file."""
    if images.size_of(str(path)) > 4 * LONGEST:
        raise UserError(f"{path}: more than {LONGEST:,} characters; keep what matters")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: one kind of question, about the image whose turn it is."""
    row = _whose_turn(turn.nth, pool, setting)
    dice = random.Random(f"{setting.random_seed} images {turn.place}")
    operation = _kind(setting.operations or OPERATIONS, dice)
    shots = draw(turn, (), setting)
    messages = setting.messages(
        turn, shots, operation=operation, description=row.description,
        image=images.manner(bool(row.image), bool(row.sha256)),
    )  # fmt: skip
    if row.sha256:
        messages = images.shown_with(messages, (Image(row.image, row.sha256),))
    request = setting.request(turn, messages, schema(setting.per_call))
    lineage: Lineage = {
        "operation": operation,
        "parents": [row.id],
        "images": [row.image] if row.image else [],
        "description": row.description,
        "meta": row.others,
    }
    return Planned(request, lineage)


def _kind(operations: Sequence[str], dice: random.Random) -> str:
    up_to = list(accumulate(WEIGHTS[name] for name in operations))
    point = dice.random() * up_to[-1]
    return next(name for name, most in zip(operations, up_to, strict=True) if point < most)


def _whose_turn(nth: int, pool: Pool, setting: Setting) -> Row:
    """Every row once, in a random order; then round by round, and of two in a row the one with
    fewer inputs: so what failed is made up for (Mitzenmacher 2001, "the power of two choices")."""
    manifest: Manifest = setting.material
    rows = manifest.rows
    done, at = divmod(nth, len(rows))
    order = _order(len(rows), f"{setting.random_seed} images {done}")
    one, other = (rows[order[place % len(rows)]] for place in (at, at + 1))
    if done == 0:
        return one
    made = manifest.made(pool)
    return other if made[other.id] < made[one.id] else one


@lru_cache(2)
def _order(count: int, seed: str) -> list[int]:
    return shuffled(range(count), random.Random(seed))


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply, each with its image; where there is none, the context says what the
    teacher was told.

    Raises:
        ParseError: there is no item at all.
    """
    items, problems = replies.items(completion)
    said, meta = lineage["description"], lineage["meta"]
    origin = {
        "operation": lineage["operation"],
        "parents": tuple(lineage["parents"]),
        "images": tuple(lineage["images"]),
        "meta": meta | {"description": said} if said and lineage["images"] else meta,
    }
    below = "" if lineage["images"] else f"\n\n{said}"
    good = [Proposal(item["user_context"] + below, item["question"], origin) for item in items]
    return good + [Proposal("", "", origin, problem) for problem in problems]
