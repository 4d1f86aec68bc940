"""Count the records of every topic, and of every value of an attribute: those without any, too."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from distillgen.folder import read_manifest
from distillgen.records import JSON
from distillgen.strategies import attributes, topics
from distillgen.strategies.topics import Leaf

MOST = 100_000
"""Of more different topics, or pairs of values, nothing is told: no file of ours has so many."""
EVIDENCE = 3
"""Topics and values without a record that a warning names."""

Value = tuple[str, str]
"""An attribute and one of its values."""


@dataclass
class Counted:
    """What a walk over records keeps of their topics and attributes."""

    topics: Counter[Leaf] = field(default_factory=Counter)
    values: Counter[Value] = field(default_factory=Counter)
    pairs: set[tuple[Value, ...]] = field(default_factory=set)

    def add(self, record: Mapping[str, JSON]) -> None:
        """Take in one record."""
        if (topic := record.get("topic")) and len(self.topics) <= MOST:
            self.topics[tuple(topic)] += 1
        if (drawn := record.get("attributes")) and len(self.pairs) <= MOST:
            self.values.update(drawn.items())
            self.pairs.update(combinations(sorted(drawn.items()), 2))


def of(found: Counted, run: Path | None) -> dict[str, JSON]:
    """As `stats --json` tells it; held against the files that the run's inputs were made from.

    Raises:
        UserError: such a file cannot be used as it is now.
    """
    return {
        "topics": _topics(found, run) if 0 < len(found.topics) <= MOST else None,
        "attributes": _attributes(found, run)
        if found.values and len(found.pairs) <= MOST
        else None,
    }


def _topics(found: Counted, run: Path | None) -> dict[str, JSON]:
    file = _file(run, topics.FILE)
    leaves = topics.read(file).leaves if file else tuple(sorted(found.topics))
    counts: list[dict[str, JSON]] = [
        {"topic": list(leaf), "count": found.topics[leaf]} for leaf in leaves
    ]
    return {
        "file": str(file) if file else None,
        "leaves": len(leaves),
        "covered": sum(one["count"] > 0 for one in counts),
        "outside": found.topics.total() - sum(one["count"] for one in counts),
        "counts": counts,
    }


def _attributes(found: Counted, run: Path | None) -> dict[str, JSON]:
    file = _file(run, attributes.FILE)
    values: dict[str, list[str]] = {}
    if file:
        values = {one.name: list(one.values) for one in attributes.read(file).all}
    else:
        for name, value in sorted(found.values):
            values.setdefault(name, []).append(value)
    cells = {(name, value) for name, all in values.items() for value in all}
    return {
        "file": str(file) if file else None,
        "values": {
            name: {value: found.values[name, value] for value in all}
            for name, all in values.items()
        },
        "pairs": sum(len(one) * len(other) for one, other in combinations(values.values(), 2)),
        "pairs_met": sum(cells.issuperset(pair) for pair in found.pairs),
        "outside": sum(n for cell, n in found.values.items() if cell not in cells),
    }


def _file(run: Path | None, name: str) -> Path | None:
    """The file that a run's inputs were made from, if it is still there."""
    if run is None:
        return None
    expanded = read_manifest(run).commands.get("expand")
    named = expanded.options.get(name.partition(".")[0]) if expanded else None
    path = Path(named) if named else run / name
    return path if path.is_file() else None


def warnings(told: Mapping[str, JSON]) -> Iterator[str]:
    """What got nothing, in plain words."""
    if found := told["topics"]:
        without = [" > ".join(one["topic"]) for one in found["counts"] if not one["count"]]
        if without:
            yield (
                f"{len(without):,} of {found['leaves']:,} topics have no record: {_some(without)};"
                " a larger -n may reach them"
            )
        if found["outside"]:
            yield f"{found['outside']:,} records have topics that are not in {found['file']}"
    if found := told["attributes"]:
        without = [
            f"{name} = {value}"
            for name, values in found["values"].items()
            for value, n in values.items()
            if not n
        ]
        if without:
            yield f"no record has {_some(without)}"
        if found["outside"]:
            yield f"{found['outside']:,} values of records are not in {found['file']}"


def _some(names: list[str]) -> str:
    more = len(names) - EVIDENCE
    return ", ".join(f"'{name}'" for name in names[:EVIDENCE]) + (
        f" and {more:,} more" if more > 0 else ""
    )
