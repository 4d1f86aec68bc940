"""Find the records that lineage keeps together: parents and children, siblings, one family."""

from array import array
from collections.abc import Iterator
from itertools import groupby

from distillgen.clusters import digest
from distillgen.records import Answer, content_id

ONLY_SHOWN = frozenset({"few_shot", "personas", "topics", "attributes"})
"""Strategies whose `parents` are examples that the teacher was shown, eight at a time, and wrote
others after: no record is made of them. By them, all records of a run would be one lineage."""
PARTS = 16


def names(answer: Answer) -> set[str]:
    """What a record is called, or says that it comes from: those that share a name are kin.

    These are its id, its parents' ids, and the content id of its first ancestor or of itself; so an
    example is found by what was made of it in another run, where it has another id.
    """
    family = answer.family or content_id(answer.user_context, answer.question, answer.images)
    found = {f"id {answer.id}", f"family {family}"}
    if answer.strategy not in ONLY_SHOWN:
        found |= {f"id {parent}" for parent in answer.parents}
    return found


class Lineage:
    """Names of records, 12 bytes each."""

    def __init__(self) -> None:
        self._names = [array("Q") for _ in range(PARTS)]
        self._records = [array("I") for _ in range(PARTS)]

    def add(self, n: int, name: str) -> None:
        """Record number `n` has this name."""
        key = digest(name)
        self._names[key % PARTS].append(key)
        self._records[key % PARTS].append(n)

    def runs(self) -> Iterator[list[int]]:
        """The numbers of all records that share a name, name by name."""
        for keys, records in zip(self._names, self._records, strict=True):
            places = sorted(range(len(keys)), key=keys.__getitem__)
            for _, same in groupby(places, keys.__getitem__):
                run = [records[place] for place in same]
                if len(run) > 1:
                    yield run
