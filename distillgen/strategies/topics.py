"""Have the teacher write about every leaf of a tree of topics that people edit, in turn.

A taxonomy of the field stands first, and inputs are written for its parts, so that none is
forgotten: disciplines, subjects, sessions, concepts (Li et al. 2024, "GLAN", section 2).
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from distillgen import toml
from distillgen.dice import shuffled
from distillgen.items import number, numbered, schema
from distillgen.records import JSON, Completion
from distillgen.strategies import Lineage, Planned, Pool, Proposal, Setting, Turn, draw

PROMPT = "expand.topics"
FILE = "topics.toml"
EXAMPLE = '"Reading a balance sheet" = ["debt ratio", "cash flow"]'
HEAD = """\
# The topics that `expand --strategy topics` has inputs written about, all of them in turn.
#
# ["Discipline"."Subject"]                  a table for each subject
# "Session" = ["concept", "concept"]        below it its sessions, each with its concepts
#
# Each concept is a topic; so is a session without any: "Session" = []
# Delete what nobody would ask about, add what is missing, rename and move as you like.
"""

Leaf = tuple[str, ...]
"""A topic as its path from the root."""


@dataclass
class _Count:
    """How many inputs of the beginning of a pool belong to each leaf."""

    length: int = 0
    last: str = ""
    """Id of the last input that was counted."""
    inputs: Counter[Leaf] = field(default_factory=Counter)


@dataclass(frozen=True)
class Tree:
    """The topics of a file."""

    leaves: tuple[Leaf, ...]

    def counted(self, pool: Pool) -> Counter[Leaf]:
        """The inputs that each leaf has; goes on where it stopped with the same, shorter pool."""
        count = self._count
        if count.length and (count.length > len(pool) or pool[count.length - 1].id != count.last):
            count = vars(self)["_count"] = _Count()
        for example in pool[count.length :]:
            count.inputs[example.topic] += bool(example.topic)
            count.length, count.last = count.length + 1, example.id
        return count.inputs

    @cached_property
    def _count(self) -> _Count:
        return _Count()


def read(path: Path) -> Tree:
    """The tree of a file; tables may be nested deeper, or less deep, than we write them.

    Raises:
        UserError: it cannot be read or used; a line for each fault.
    """
    table, text = toml.load(path, EXAMPLE)
    faults: list[tuple[toml.Keys, str]] = []
    leaves = tuple(_leaves(table, (), faults))
    toml.refuse(path, text, faults)
    return Tree(leaves)


def _leaves(
    table: dict[str, JSON], path: Leaf, faults: list[tuple[toml.Keys, str]]
) -> Iterator[Leaf]:
    if not table:
        faults.append((path, f"no topic in it; write some, such as {EXAMPLE}"))
    for twice in _twice(table):
        faults.append(((*path, twice), f"`{twice}` stands there twice; leave one out"))
    for name, inner in table.items():
        here = (*path, name)
        if not name.strip():
            faults.append((here, "a name is empty; write one"))
        elif isinstance(inner, dict):
            yield from _leaves(inner, here, faults)
        elif not (isinstance(inner, list) and all(isinstance(part, str) for part in inner)):
            faults.append((here, f"`{name}` must be a list of texts: {EXAMPLE}"))
        elif not all(part.strip() for part in inner):
            faults.append((here, f"a concept of `{name}` is empty; leave it out"))
        else:
            for twice in _twice(inner):
                faults.append((here, f"`{twice}` stands in `{name}` twice; leave one out"))
            yield from ((*here, part) for part in inner) if inner else (here,)


def _twice(names: "list[str] | dict[str, JSON]") -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            yield name
        seen.add(name.casefold())


def text(draft: dict[str, JSON]) -> str:
    """A file for people, of a table for each discipline in which there is one for each subject."""
    return "\n".join([HEAD, *_lines(draft, ())])


def _lines(draft: dict[str, JSON], path: Leaf) -> Iterator[str]:
    lists = {name: inner for name, inner in draft.items() if isinstance(inner, list)}
    if lists:
        yield f"[{'.'.join(map(toml.quoted, path))}]"
        yield from (toml.listed(name, concepts) for name, concepts in lists.items())
        yield ""
    for name, inner in draft.items():
        if isinstance(inner, dict):
            yield from _lines(inner, (*path, name))


@lru_cache(4)
def order(leaves: tuple[Leaf, ...], n: int, random_seed: int) -> tuple[Leaf, ...]:
    """All leaves as round `n` goes through them, shuffled, and spread from the beginning on.

    One topic of each discipline stands first, then one of each subject, then one of each session.
    """
    dice = random.Random(f"{random_seed} topics {n}")
    inner: dict[Leaf, dict[str, None]] = {}
    for leaf in leaves:
        for length, name in enumerate(leaf):
            inner.setdefault(leaf[:length], {})[name] = None
    rank = {
        (*path, name): i
        for path, names in inner.items()
        for i, name in enumerate(shuffled(names, dice))
    }
    deepest = max(map(len, leaves))

    def ranks(leaf: Leaf) -> tuple[int, ...]:
        upwards = [rank[leaf[:length]] for length in range(len(leaf), 0, -1)]
        return (*[0] * (deepest - len(leaf)), *upwards)

    return tuple(sorted(leaves, key=ranks))


def due(tree: Tree, nth: int, pool: Pool, setting: Setting) -> list[Leaf]:
    """The leaves that the strategy's so-manieth place is about, as many as it asks inputs for.

    The first round goes through all leaves once. Each later one begins with those that fell
    behind: known to have less than half as many inputs as the mean, as what was written about
    them failed or was rejected. What the second half of the places brought is not known yet.
    """
    leaves, first = tree.leaves, nth * setting.per_call
    made = tree.counted(pool)
    known = order(leaves, 0, setting.random_seed)[: first // 2]
    behind = [leaf for leaf in known if 2 * made[leaf] * len(leaves) < made.total()]
    found: list[Leaf] = []
    for slot in range(first, first + setting.per_call):
        n, i = divmod(slot, len(leaves))
        in_order = order(leaves, n, setting.random_seed)
        wanted = (behind + list(in_order))[i] if n else in_order[i]
        others = (leaf for leaf in (wanted, *in_order) if leaf not in found)
        found.append(next(others, wanted))
    return found


def plan(turn: Turn, pool: Pool, setting: Setting) -> Planned:
    """What a place asks: an input about each leaf that is due; the shots show the form."""
    shots = draw(turn, (), setting)
    topics = due(setting.material, turn.nth, pool, setting)
    messages = setting.messages(turn, shots, topics=[list(leaf) for leaf in topics])
    wanted = schema(len(topics), *number("number", len(topics)))
    lineage: Lineage = {"parents": [shot.id for shot in shots], "topics": topics}
    request = setting.request(turn, messages, wanted)
    return Planned(request, lineage)


def parse(completion: Completion, lineage: Lineage) -> list[Proposal]:
    """The inputs of a reply with their topics, unusable items with their problem.

    Raises:
        ParseError: there is no item at all.
    """
    topics, parents = lineage["topics"], tuple(lineage["parents"])
    items, problems = numbered(completion, "number", len(topics))
    good = [
        Proposal(
            item["user_context"], item["question"], {"topic": tuple(topics[n]), "parents": parents}
        )
        for n, item in items
    ]
    return good + [Proposal("", "", {}, problem) for problem in problems]
