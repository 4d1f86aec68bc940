"""Write a file without its near duplicates, these with what they repeat, and the clusters."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from distillgen import boilerplate, semantic
from distillgen.boilerplate import Frame
from distillgen.dedupe import Index, tokens
from distillgen.embedding import LONGEST, Vector, cosine
from distillgen.engine import Stop
from distillgen.files import Whole
from distillgen.inputs import Line, Records
from distillgen.meaning import Embed
from distillgen.records import Cluster, Duplicate, Member, Repetition, content_id

FILES = KEPT, DUPLICATES, CLUSTERS = "deduped.jsonl", "duplicates.jsonl", "clusters.jsonl"
ON = ("user_context", "question")
"""Fields that are compared, as in `expand`."""
MAY_BE_ON = (*ON, "answer", "rationale")
SHOWN = 2
"""So many duplicates are shown at the end."""

Fields = tuple[str, ...]


class Repeats(NamedTuple):
    """Why a record is left out."""

    reason: Repetition
    of: int
    """Place of the record that it repeats, from 0."""
    similarity: float
    cosine: float | None = None


@dataclass
class Deduped:
    """What came of it: given = kept + duplicate + template."""

    frames: dict[str, Frame]
    """What was left out of each field before it was compared."""
    counts: Counter[str] = field(default_factory=Counter)
    clusters: int = 0
    largest: int = 0
    """Records of the largest cluster, the one that is kept included."""
    first: list[Duplicate] = field(default_factory=list)
    """The first `SHOWN` duplicates."""
    bar: semantic.Bar | None = None
    """Where embeddings were asked for."""
    unread: int = 0
    """Texts without an embedding."""
    stop: Stop | None = None
    """Why nothing was written."""
    answered: bool = False
    """The records have answers."""


def dedupe(
    records: Records,
    on: tuple[str, ...],
    folder: Path,
    embed: Embed | None = None,
    bar: semantic.Bar | None = None,
) -> Deduped:
    """Write what is kept, what is left out and why, and the clusters, into a folder.

    `bar` is that of the embeddings, where it is known; else it is measured on the known pairs.
    The records are walked three times; nothing changes before the last walk is over.

    Raises:
        UserError: the file cannot be read, rows are wrong, or it changed meanwhile.
    """
    done = Deduped(_frames(records, on), bar=bar)
    texts = (
        (tuple(frame.rest(_text(row, name)) for name, frame in done.frames.items()), _apart(row))
        for row in records
    )
    found = _by_words(texts) if embed is None else _by_both(list(texts), embed, done)
    if not done.stop:
        _write(records, list(found), folder, done)
    return done


def _text(row: Line, name: str) -> str:
    return str(row.known.get(name, ""))


def _apart(row: Line) -> str:
    """What is said of other images repeats nothing."""
    return "\n".join(row.known.get("images", ()))


def _frames(records: Records, on: tuple[str, ...]) -> dict[str, Frame]:
    samples = {name: boilerplate.Sample() for name in on}
    for row in records:
        for name, sample in samples.items():
            sample.add(_text(row, name))
    return {name: sample.frame() for name, sample in samples.items()}


# -- verdicts ------------------------------------------------------------------------------


def _by_words(texts: Iterable[tuple[Fields, str]]) -> Iterator[Repeats | None]:
    """The rule of `expand`."""
    index = Index()
    for place, (fields, apart) in enumerate(texts):
        verdict = index.verdict(fields, apart)
        if verdict is None:
            index.add(str(place), fields, apart)
        yield verdict and Repeats(verdict.reason, int(verdict.of), verdict.similarity)


def _by_both(read: list[tuple[Fields, str]], embed: Embed, done: Deduped) -> list[Repeats | None]:
    """What shares many words with an earlier one that is kept, and has a cosine above the bar."""
    texts, apart = [fields for fields, _ in read], [apart for _, apart in read]
    near = [
        [(of, similarity) for of, similarity in found if apart[of] == own]
        for own, found in zip(apart, semantic.by_words(texts), strict=True)
    ]
    known = [] if done.bar else semantic.candidates(semantic.known())
    asked = [((pair.one,), (pair.other,)) for pair in known]
    pairs = ((fields, texts[of]) for fields, found in zip(texts, near, strict=True)
             for of, _ in found)  # fmt: skip
    wanted = {text for one, other in (*asked, *pairs) for pair in zip(one, other, strict=True)
              for text in pair if _differ(*pair)}  # fmt: skip
    vectors = embed(sorted(wanted))
    if isinstance(vectors, Stop):
        done.stop = vectors
        return []
    done.unread = len(wanted) - sum(text[:LONGEST] in vectors for text in wanted)
    scored = [(_cosine(*pair, vectors), of.same) for pair, of in zip(asked, known, strict=True)]
    found = semantic.bar((score, same) for score, same in scored if score is not None)
    done.bar = done.bar or found
    return list(_greedy(read, near, vectors, done.bar.above))


def _greedy(
    texts: list[tuple[Fields, str]],
    near: list[list[tuple[int, float]]],
    vectors: Mapping[str, Vector],
    above: float,
) -> Iterator[Repeats | None]:
    templates = Index(sketched=False)
    kept: set[int] = set()
    for place, (fields, apart) in enumerate(texts):
        best: Repeats | None = None
        for of, similarity in near[place]:
            score = _cosine(fields, texts[of][0], vectors) if of in kept else None
            if score is None or not (similarity == 1 or score > above):
                continue
            if best is None or score > (best.cosine or 0):
                best = Repeats("near_duplicate", of, round(similarity, 4), round(score, 4))
        if best is None and (one_too_many := templates.template(fields, apart)):
            best = Repeats("template", int(one_too_many.of), one_too_many.similarity)
        if best is None:
            kept.add(place)
            templates.add(str(place), fields, apart)
        yield best


def _cosine(one: Fields, other: Fields, vectors: Mapping[str, Vector]) -> float | None:
    """The lowest cosine over the fields; None where an embedding failed."""
    lowest = 1.0
    for pair in zip(one, other, strict=True):
        if _differ(*pair):
            mine, theirs = (vectors.get(text[:LONGEST]) for text in pair)
            if mine is None or theirs is None:
                return None
            lowest = min(lowest, cosine(mine, theirs))
    return lowest


def _differ(one: str, other: str) -> bool:
    return one != other and tokens(one) != tokens(other)


# -- files ---------------------------------------------------------------------------------


class _Kept(NamedTuple):
    line: int
    id: str
    question: str
    user_context: str


def _write(records: Records, found: list[Repeats | None], folder: Path, done: Deduped) -> None:
    heads = {repeats.of for repeats in found if repeats}
    kept: dict[int, _Kept] = {}
    members: dict[int, list[Member]] = {}
    with ExitStack() as stack:
        rest, out, clusters = (
            stack.enter_context(Whole(folder / name)) for name in (KEPT, DUPLICATES, CLUSTERS)
        )
        for place, (row, repeats) in enumerate(zip(records, found, strict=True)):
            this = _Kept(row.line, row.id or _content_id(row), row.question, row.user_context)
            done.answered |= bool(row.columns.get("answer") or row.columns.get("label"))
            done.counts[_COUNTED[repeats.reason] if repeats else "kept"] += 1
            if repeats is None:
                rest.write(row.columns)
                if place in heads:
                    kept[place] = this
                continue
            of = kept[repeats.of]
            duplicate = Duplicate(
                question=this.question, user_context=this.user_context, reason=repeats.reason,
                similarity=repeats.similarity, cosine=repeats.cosine, repeats=of.question,
                of_line=of.line, of=of.id, line=this.line, id=this.id,
            )  # fmt: skip
            out.write(duplicate.row())
            done.first += [duplicate] if len(done.first) < SHOWN else []
            members.setdefault(repeats.of, []).append(
                Member(line=this.line, id=this.id, reason=repeats.reason,
                       similarity=repeats.similarity, cosine=repeats.cosine)
            )  # fmt: skip
        for place, one in sorted(kept.items()):
            head = one._asdict()
            clusters.write(Cluster(**head, members=tuple(members[place])).row())
    done.clusters = len(members)
    done.largest = 1 + max(map(len, members.values()), default=0)


_COUNTED: dict[Repetition, str] = {"near_duplicate": "duplicate", "template": "template"}


def _content_id(row: Line) -> str:
    return content_id(row.user_context, row.question)
