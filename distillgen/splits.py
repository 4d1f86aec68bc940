"""Assign records to splits, once, so that nothing of what belongs together is parted.

Near duplicates (`clusters`) and what lineage joins (`lineage`) are in one split, as a group. The
groups come in an order that their ids and the random seed decide, and fill the splits
(`apportion`).

What was assigned stays: `splits.jsonl` is read first. A new record goes where those are that it
belongs with; if they are in two splits, it is left out. So is one whose text or lineage changed,
where it no longer belongs with those of its split.
"""

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from distillgen.apportion import fill
from distillgen.assigned import Assigned as Assigned  # noqa: PLC0414
from distillgen.assigned import Stored
from distillgen.clusters import Prompts, digest, join_near
from distillgen.errors import UserError
from distillgen.files import Whole
from distillgen.groups import NOWHERE, Bridge, Firm, Groups
from distillgen.leakage import Leak, Leakage, leakage
from distillgen.lineage import Lineage, names, parents
from distillgen.records import JSON, Answer, Assignment
from distillgen.records import SPLITS as SPLITS  # noqa: PLC0414
from distillgen.records import Split as Split  # noqa: PLC0414
from distillgen.review.reviewed import Reviewed
from distillgen.sorting import equal

FILE = "splits.jsonl"
DEFAULT_SHARES: Mapping[Split, float] = {"train": 0.9, "validation": 0.05, "test": 0.05}
STRATA = 10_000
"""So many are told apart; what comes after belongs to none."""
_TEST = SPLITS.index("test") + 1


@dataclass
class Summary:
    """What came of it; `records` and `left_out` make all there were."""

    records: dict[Split, int]
    """Records by split, empty splits left out."""
    left_out: int
    """Records that belong with those of two splits."""
    groups: int
    """Groups of records that stay together, single records among them."""
    largest: int
    """Records of the largest group."""
    stayed: int
    """Records that were assigned before, and did not change."""
    anew: bool
    """Shares, random seed or `--seeds-for-test` changed, so nothing stayed."""
    leakage: Leakage = field(default_factory=Leakage)

    @classmethod
    def of(cls, told: Mapping[str, JSON]) -> "Summary":
        """What `as_json` gave, for later: then all of it stayed."""
        leaks = tuple(Leak(**one) for one in told["leakage"])
        stayed = sum(told["records"].values())
        return cls(**{**told, "stayed": stayed, "anew": False, "leakage": Leakage(leaks)})

    def as_json(self) -> dict[str, JSON]:
        """As JSON."""
        return {**vars(self), "leakage": self.leakage.as_json()}


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


def assign(
    answers: Iterable[Answer],
    shares: Mapping[Split, float],
    random_seed: int,
    stored: Path,
    held_out: bool = False,
    lent: Sequence[Path] = (),
    reviewed: Reviewed | None = None,
) -> Summary:
    """Write the split of every answer into the file `stored`, keeping what it says already.

    The answers are walked once; what is compared lies in temporary files, some 100 bytes of each in
    memory. `held_out` puts the records of the strategy `seed` into `test`, with all that belongs
    with them. `lent` are such files of the runs that these records were made from: a child goes
    where its parent is. Compared are the texts that are exported, those of people in place of the
    teacher's (`reviewed`); a rejected record has a split, as pairs may be made of it, but does not
    stand in the table. If shares, random seed or `held_out` are not those that the file was made
    with, all is assigned anew.

    Raises:
        UserError: the file cannot be read, or there is no room for it or for temporary files.
    """
    asked: dict[str, JSON] = {
        "shares": {split: float(shares[split]) for split in SPLITS if shares.get(split)},
        "random_seed": random_seed,
        "seeds_for_test": held_out,
    }
    with Prompts() as prompts:
        records = _Records(prompts, Stored(stored, asked), random_seed, held_out)
        records.lent = [Assigned(path) for path in lent]
        for given in answers:
            answer, why = reviewed.taken(given) if reviewed else (given, None)
            n = records.add(answer)
            if why:
                records.rejected.append(n)
        splits = records.split(asked["shares"])
        _write(records, splits, stored, asked)
        return _summary(records, splits)


class _Records:
    """What is known of the answers, numbered from 0."""

    def __init__(self, prompts: Prompts, stored: Stored, random_seed: int, held_out: bool) -> None:
        self.prompts, self.stored, self.held_out = prompts, stored, held_out
        self.groups, self.lineage = Groups(), Lineage()
        self.lent: list[Assigned] = []
        self.rejected = array("I")
        """Numbers of those that people do not want exported."""
        self.ids = array("Q")
        """Digests of their ids."""
        self.contents = array("Q")
        """Digests of prompts and lineage; records that share an id have one together."""
        self.stored_groups = array("Q")
        """The groups they were in before; 0 for none."""
        self._dice = array("Q")
        self._salt = hashlib.sha256(str(random_seed).encode()).digest()[:16]
        self._strata = array("H")
        self._stratum_names = {"": 0}

    def add(self, answer: Answer) -> int:
        """One more, and its number."""
        id = digest(answer.id)
        split, group, firm = self.stored.get(id)
        if self.held_out and answer.strategy == "seed" and not split:
            split, firm = _TEST, Firm.WISHED
        if not split and (answer.parents or answer.family):
            split, group = self._of_parent(answer)
            firm = Firm.WISHED if split else Firm.FREE
        n = self.groups.add(split, firm)
        self.prompts.add(answer.id, answer.user_context, answer.question, answer.images)
        self.ids.append(id)
        self.contents.append(_content(answer, self.prompts.digests[n]))
        self.stored_groups.append(group)
        spelled = answer.id.encode("utf-8", "surrogatepass")
        drawn = hashlib.blake2b(spelled, digest_size=8, salt=self._salt).digest()
        self._dice.append(int.from_bytes(drawn))
        known, name = self._stratum_names, _stratum(answer)
        if name not in known and len(known) < STRATA:
            known[name] = len(known)
        self._strata.append(known.get(name, 0))
        for name in names(answer):
            self.lineage.add(n, name)
        return n

    def _of_parent(self, answer: Answer) -> tuple[int, int]:
        """Split and group of the first parent that was assigned before, and need not be here any
        more; or its split in a run that these were made from. 0 for none."""
        for name in (*parents(answer), answer.family):
            if (known := self.stored.find(digest(name)))[0]:
                return known
        found = (one.find(parent) for one in self.lent for parent in parents(answer))
        return next((SPLITS.index(split) + 1 for split in found if split), NOWHERE), 0

    def split(self, shares: Mapping[Split, float]) -> bytearray:
        """The split of each, by its place in `SPLITS` from 1; 0 for those left out."""
        self.prompts.complete()
        self._loosen()
        self._join()
        groups = self.groups
        splits = fill(groups, self._dice, self._strata, list(self._stratum_names), shares)
        out = {self.ids[n] for n in groups.out}
        for n, id in enumerate(self.ids if out else ()):
            if id in out:  # all that share the id
                splits[n] = NOWHERE
        return splits

    def _loosen(self) -> None:
        """A record that changed keeps its split only where it belongs with nothing elsewhere."""
        for run in equal(self.ids, range(len(self.ids))):
            whole = sum(self.contents[n] for n in run) % 2**64
            for n in run:
                self.contents[n] = whole
        for n, (id, content) in enumerate(zip(self.ids, self.contents, strict=True)):
            if self.groups.firm[n] and self.stored.changed(id, content):
                self.groups.firm[n], self.stored_groups[n] = Firm.WISHED, 0

    def _join(self) -> None:
        known = (n for n, group in enumerate(self.stored_groups) if group)
        for run in equal(self.stored_groups, known):
            self.groups.join_all(run)
        for numbers in chain(self.lineage.runs(), self.prompts.equal()):
            self.groups.join_all(sorted(numbers, key=self.ids.__getitem__))
        join_near(self.prompts, self.groups)


def _content(answer: Answer, prompt: int) -> int:
    kin = (*sorted(parents(answer)), answer.family)
    return digest("\0".join([str(prompt), *kin])) if any(kin) else prompt


def _stratum(answer: Answer) -> str:
    """What is spread over the splits: the label, else the topic, else the first tag."""
    if answer.label is not None:
        return f"label {answer.label}"
    tags = answer.meta.get("tags")
    found = answer.topic or (tags if isinstance(tags, list | tuple) else ())
    return str(found[0]) if found else ""


def _write(records: _Records, splits: Sequence[int], path: Path, asked: dict[str, JSON]) -> None:
    """Write the file anew: a line for each id, then those that are not among the answers."""
    named = _named(records.groups, records.ids, records.stored_groups)
    bridges = {records.ids[n]: bridge for n, bridge in records.groups.out.items()}
    twins = {records.ids[n]: False for n, *_ in equal(records.ids, range(len(records.ids)))}
    with Whole(path) as out:

        def write(one: Assignment) -> None:
            out.write((one if out.rows else one.model_copy(update={"asked": asked})).row())

        for n, (id, split) in enumerate(zip(records.ids, splits, strict=True)):
            if twins.get(id):
                continue
            if id in twins:
                twins[id] = True
            spelled = records.prompts.id(n)
            if split:
                group = f"{named[records.groups.find(n)]:016x}"
                content = f"{records.contents[n]:016x}"
                write(Assignment(id=spelled, split=SPLITS[split - 1], group=group, content=content))
            else:
                detail = _detail(spelled, bridges[id], records.prompts)
                write(Assignment(id=spelled, split=None, reason="bridge", detail=detail))
        for one in records.stored.others():
            write(one)


def _detail(id: str, bridge: Bridge, prompts: Prompts) -> str:
    here, there = (SPLITS[split - 1] for split in (bridge.here, bridge.there))
    of, to = prompts.id(bridge.of), prompts.id(bridge.to)
    if of == id:
        return f"is of {here} by itself, and belongs with {to} of {there}"
    return f"belongs with {of} of {here} and {to} of {there}"


def _named(groups: Groups, ids: Sequence[int], stored: Sequence[int]) -> "array[int]":
    """A number for each group, by its head: the lowest it had before, else the lowest id in it."""
    found = array("Q", bytes(8 * len(groups)))
    for given in (stored, ids):
        open_ = bytearray(not name for name in found)
        for n, name in enumerate(given):
            head = groups.find(n)
            if name and open_[head] and not 0 < found[head] < name:
                found[head] = name
    return found


def _summary(records: _Records, splits: bytearray) -> Summary:
    groups, exported = records.groups, splits[:]
    for n in records.rejected:
        exported[n] = NOWHERE
    sizes = array("I", bytes(4 * len(groups)))
    for n, split in enumerate(splits):
        if split:
            sizes[groups.find(n)] += 1
    return Summary(
        records={split: n for place, split in enumerate(SPLITS, 1) if (n := splits.count(place))},
        left_out=splits.count(NOWHERE),
        groups=len(sizes) - sizes.count(0),
        largest=max(sizes, default=0),
        stayed=groups.firm.count(Firm.ASSIGNED),
        anew=records.stored.anew,
        leakage=leakage(records.prompts, records.lineage, exported),
    )
