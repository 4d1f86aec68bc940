"""Flag the records that give a test set away, with the evidence; leave them out only if asked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from distillgen import meaning
from distillgen.embedding import Vector
from distillgen.files import Whole
from distillgen.inputs import MATTER, Line, Records, refuse_unseen
from distillgen.overlap import Found, Index, Item
from distillgen.records import Flag, Match, Tier, content_id

FLAGS, KEPT = "contaminated.jsonl", "decontaminated.jsonl"
SHOWN = 2
"""So many flags are shown at the end."""


@dataclass
class EvalSet:
    """A test set, and the records that give its items away."""

    path: Path
    index: Index
    blank: int
    """Items without a question, which nothing is compared with."""
    flagged: Counter[Tier] = field(default_factory=Counter)
    """Records by tier."""
    in_doubt: bool = False
    """Some record may say in other words what an item says."""
    above: float | None = None
    """The cosine of embeddings above which a text says the same; None where they are not asked, or
    there are too few items to measure it."""


@dataclass
class Decontaminated:
    """What came of it: given = kept + flagged."""

    eval_sets: list[EvalSet]
    given: int = 0
    blank: int = 0
    """Records without a question among them; they are kept."""
    flagged: int = 0
    first: list[Flag] = field(default_factory=list)
    """The first `SHOWN` flags."""
    answered: bool = False
    """The records have answers."""
    looked_at: int = 0
    """Records that were looked at for what the words leave in doubt, before any is flagged."""
    unread: int = 0
    """Texts without an embedding."""


class EvalSets:
    """The test sets, read and indexed; `fields` maps our names to theirs and the records'.

    Raises:
        UserError: one cannot be read, or has wrong rows: all of them are named.
    """

    def __init__(self, paths: Iterable[Path], fields: Mapping[str, str]) -> None:
        self.fields = fields
        self._unseen = set(fields.items())
        self.all = [self._read(path) for path in dict.fromkeys(paths)]

    def _read(self, path: Path) -> EvalSet:
        rows = list(self.walk(path))
        items = [Item(r.line, r.id, r.question, r.user_context) for r in rows if r.question]
        return EvalSet(path, Index(items), len(rows) - len(items))

    def walk(self, path: Path) -> Iterator[Line]:
        """The rows of a file, and what of the mapped fields is nowhere so far."""
        records = Records(path, self.fields, MATTER, strict=True, alone=False, blank=True)
        yield from records
        self._unseen &= set(records.unseen.items())

    def refuse_unseen(self) -> None:
        """Name a mapped field that none of the files has.

        Raises:
            UserError: there is one.
        """
        refuse_unseen(dict(self._unseen), "--field")


def in_doubt(path: Path, against: EvalSets, done: Decontaminated) -> list[str]:
    """The texts of which embeddings would say more: of the records, and all of the test sets that
    these may be near to, to measure with; counts the records in `looked_at`.

    Raises:
        UserError: the file cannot be read, or rows are wrong: all of them are named.
    """
    found: set[str] = set()
    for row in against.walk(path):
        done.looked_at += 1
        text = row.user_context, row.question
        for one in against.all if row.question else ():
            if meaning.in_doubt(one.index, *text):
                one.in_doubt = True
                found.add(meaning.said(*text))
    for one in against.all:
        if one.in_doubt:
            found.update(meaning.items(one.index))
    return sorted(found)


def decontaminate(
    path: Path,
    against: EvalSets,
    folder: Path,
    drop: bool,
    done: Decontaminated,
    vectors: Mapping[str, Vector],
) -> None:
    """Write the flags, and with `drop` the records without them, into a folder; count in `done`.

    One pass over the records; nothing changes before the last is read.

    Raises:
        UserError: the file cannot be read, or rows are wrong: all of them are named.
    """
    with ExitStack() as stack:
        flags = stack.enter_context(Whole(folder / FLAGS))
        kept = stack.enter_context(Whole(folder / KEPT)) if drop else None
        for row in against.walk(path):
            done.given += 1
            done.blank += not row.question
            done.answered |= bool(row.columns.get("answer") or row.columns.get("label"))
            if flag := _flag(row, against.all, vectors):
                done.flagged += 1
                done.first += [flag] if done.flagged <= SHOWN else []
                flags.write(flag.row())
            elif kept:
                kept.write(row.columns)
        against.refuse_unseen()


def _found(row: Line, one: EvalSet, vectors: Mapping[str, Vector]) -> Found | None:
    text = row.user_context, row.question
    if found := one.index.find(*text):
        return found
    near = None if one.above is None else meaning.nearest(one.index, *text, vectors)
    return near if near and (near.cosine or 0) > (one.above or 0) else None


def _flag(row: Line, eval_sets: list[EvalSet], vectors: Mapping[str, Vector]) -> Flag | None:
    matches = []
    for one in eval_sets if row.question else ():
        if found := _found(row, one, vectors):
            one.flagged[found.tier] += 1
            matches.append(
                Match(
                    against=str(one.path), tier=found.tier, score=found.score,
                    numbers=found.numbers, cosine=found.cosine, question=found.item.question,
                    user_context=found.item.user_context, line=found.item.line, id=found.item.id,
                )
            )  # fmt: skip
    if not matches:
        return None
    return Flag(
        question=row.question, user_context=row.user_context, matches=tuple(matches),
        line=row.line, id=row.id or content_id(row.user_context, row.question),
    )  # fmt: skip
