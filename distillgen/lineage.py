"""Find the records that lineage keeps together: parents and children, siblings, one family."""

from array import array
from collections.abc import Iterator

from distillgen.clusters import digest
from distillgen.records import Answer, content_id
from distillgen.sorting import equal

ONLY_SHOWN = frozenset({"few_shot", "personas", "topics", "attributes"})
"""Strategies whose `parents` are examples that the teacher was shown, eight at a time, and wrote
others after: no record is made of them. By them, all records of a run would be one lineage."""


def names(answer: Answer) -> set[str]:
    """What a record is called, or says that it comes from: those that share a name are kin.

    These are its id, its parents' ids, and the content id of its first ancestor or of itself; so an
    example is found by what was made of it in another run, where it has another id.
    """
    family = answer.family or content_id(answer.user_context, answer.question, answer.images)
    found = {f"id {answer.id}", f"family {family}"}
    return found | {f"id {parent}" for parent in parents(answer)}


def parents(answer: Answer) -> tuple[str, ...]:
    """Ids of the records that it was made of."""
    return () if answer.strategy in ONLY_SHOWN else answer.parents


class Lineage:
    """Names of records, 12 bytes each."""

    def __init__(self) -> None:
        self._names = array("Q")
        self._records = array("I")

    def add(self, n: int, name: str) -> None:
        """Record number `n` has this name."""
        self._names.append(digest(name))
        self._records.append(n)

    def runs(self) -> Iterator[list[int]]:
        """The numbers of all records that share a name, name by name."""
        for places in equal(self._names, range(len(self._names))):
            yield [self._records[place] for place in places]
