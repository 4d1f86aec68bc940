"""Read the rubric that a judge goes by: aspects, and what deserves which score."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distillgen import toml
from distillgen.prompts import written
from distillgen.records import JSON

FILE = "rubric.toml"
SCORES = range(1, 6)
ANALYSIS = "analysis"
"""The key of a reply that stands before those of the aspects."""
_EXAMPLE = 'description = "Is what the answer says true?"'
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Aspect:
    """What is scored on its own."""

    name: str
    """A key of the reply."""
    description: str
    anchors: dict[str, str]
    """What deserves a score, by the score; some of 1 to 5."""


@dataclass(frozen=True)
class Rubric:
    """What a file holds."""

    path: Path
    sha256: str
    """Digest of the file's text."""
    aspects: tuple[Aspect, ...]
    threshold: float | None
    """An answer with no aspect below it is good enough; None where nobody says."""

    @property
    def digests(self) -> dict[str, str]:
        """What a manifest keeps: the digest by the name of the file."""
        return {self.path.name: self.sha256}

    @property
    def names(self) -> tuple[str, ...]:
        """The aspects' names, in order."""
        return tuple(aspect.name for aspect in self.aspects)


def find(given: str | None, task: str, folders: Sequence[Path]) -> Rubric:
    """The rubric that is given, else the one that lies where prompts of the task do.

    Raises:
        UserError: as `read`.
    """
    return read(Path(given) if given else next(written([FILE], task, folders)))


def read(path: Path) -> Rubric:
    """The rubric of a file.

    Raises:
        UserError: it cannot be read or used; a line for each fault.
    """
    table, text = toml.load(path, _EXAMPLE)
    threshold = table.pop("threshold", None)
    faults = [fault for name, aspect in table.items() for fault in _faults(name, aspect)]
    if not table:
        faults.append(((), "no aspect in it; write one, such as [correct]"))
    if threshold is not None and not (_is_number(threshold) and 1 <= threshold <= 5):
        faults.append((("threshold",), "threshold: write a number from 1 to 5"))
    toml.refuse(path, text, faults)
    aspects = tuple(_aspect(name, given) for name, given in table.items())
    return Rubric(path, hashlib.sha256(text.encode()).hexdigest(), aspects, threshold)


def _aspect(name: str, given: dict[str, str]) -> Aspect:
    scores = sorted(given.keys() - {"description"})
    return Aspect(name, given["description"], {score: given[score] for score in scores})


def _faults(name: str, aspect: JSON) -> Iterator[tuple[toml.Keys, str]]:
    if not _NAME.fullmatch(name) or name == ANALYSIS:
        fault = "cannot name an aspect: use small letters, digits and _, and another name than"
        yield (name,), f"`{name}` {fault} `{ANALYSIS}`"
    if not isinstance(aspect, dict):
        yield (name,), f"`{name}` must be a table: [{name}], and below it {_EXAMPLE}"
        return
    if "description" not in aspect:
        yield (name,), f"[{name}] has no description; write {_EXAMPLE}"
    for key, words in aspect.items():
        if key != "description" and key not in map(str, SCORES):
            yield (name, key), f"`{key}` is neither a description nor a score from 1 to 5"
        elif not isinstance(words, str) or not words.strip():
            yield (name, key), f"`{key}` must be a text in quotes"


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
