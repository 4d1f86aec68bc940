"""What a reviewer works at: the pile, the order of work, the decisions, and what they tell so far.

The page, the command line and the files all go through it.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, get_args

from distillgen.errors import UserError
from distillgen.files import loads
from distillgen.folder import is_run, read_manifest
from distillgen.records import JSON, Review
from distillgen.review.estimate import Estimate, Seen, estimate
from distillgen.review.kappa import Kappa, alone, kappa
from distillgen.review.order import Name, Order, is_double, order
from distillgen.review.pile import Filter, Pile, Shown
from distillgen.review.reviewed import SOMEBODY, Outcome, Reviewed, Verdict, holds
from distillgen.review.search import lines_with
from distillgen.review.store import NEW, Decisions, Stale
from distillgen.sidecars import REVIEWS

ALL = Filter()
FILTERS = 20
"""Filters whose records are remembered."""
DONE, WAITS = 1, 2
SHOWN = 60
"""Characters of a label that a message quotes."""


@dataclass(frozen=True)
class Setting:
    """What the command line says."""

    order: Name = "mixed"
    double: float = 0.0
    """Share of the records that two reviewers decide about, each alone."""
    random_seed: int = 0


def setting(order: str | None, double: float | None, random_seed: int | None) -> Setting:
    """What the command line says, checked.

    Raises:
        UserError: no such order, or a share that is none.
    """
    names = get_args(Name)
    if order not in (None, *names):
        raise UserError(f"--order {order}: no such order; there is {', '.join(names)}")
    if double is not None and not 0 <= double <= 1:
        raise UserError(f"--double {double:g}: a share of the records, 0 to 1, such as 0.1")
    found: dict[str, Name] = {name: name for name in names}
    return Setting(found[order or "mixed"], double or 0.0, random_seed or 0)


class Fate(NamedTuple):
    """What became of a record so far, without its texts."""

    verdict: Verdict | None = None
    left_out: bool = False
    settled: bool = False
    said: tuple[tuple[str, str], ...] = ()
    """Reviewers and what each decided."""
    skipped: tuple[str, ...] = ()


NOTHING = Fate()


class Stack(NamedTuple):
    """What a filter lets through, in the order of work."""

    places: "array[int]"
    text: bool
    """A text was searched for."""


@dataclass
class Left:
    """What one reviewer is still to look at of what a filter lets through."""

    places: "array[int]"
    states: bytearray
    """By place; 0 for what is not let through."""
    count: int
    log: list[str]
    heard: int
    """How much of the log of decisions is in it."""


class Desk:
    """One run under review. Not for several threads at once."""

    def __init__(
        self, target: Path, setting: Setting | None = None, most: float = math.inf
    ) -> None:
        """Opens `answers.jsonl` of a run folder, or a file that lies in one; with `most` only the
        records that begin in so many bytes.

        Raises:
            UserError: there are no answers, or a file cannot be read.
        """
        self.path, self.run = of_target(target)
        self.setting, self._most = setting or Setting(), most
        self.decisions = Decisions(self.run / REVIEWS)
        self.reviewed = Reviewed(self.decisions)
        self.open()

    def open(self) -> None:
        """Read the records anew, as where `stale`."""
        self.pile = Pile(self.path, self.run, self._most)
        self.order: Order = order(self.pile, self.setting.order, self.setting.random_seed)
        self._stacks: dict[Filter, Stack] = {}
        self._cursors: dict[tuple[str, Filter], int] = {}
        self._walked: tuple[list[str], int] = [], 0
        self._before: dict[str, int] = {}
        self._of: dict[int, str] = {}
        self._fates: dict[int, tuple[str, Fate]] = {}
        self._same: dict[Fate, Fate] = {}
        self._fated: dict[int, Fate] = {}
        self._log: list[str] = []
        self._heard = 0
        self._late: set[int] | None = None
        self._left: dict[tuple[str, Filter], Left] = {}
        self._drawn = self.order if self.order.name == "mixed" else None

    @property
    def stale(self) -> bool:
        """Whether the file of answers was written anew since it was opened."""
        return self.pile.changed

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of a closed task, in its order; empty where the run names none."""
        entries = read_manifest(self.run).commands
        known = (entry.options.get("task", {}).get("labels") for entry in entries.values())
        return tuple(next(filter(None, known), ()))

    # -- one record at a time ----------------------------------------------------------------

    def next(self, reviewer: str, wanted: Filter = ALL, after: int | None = None) -> Shown | None:
        """The next record that this reviewer is to look at; None if there is none left.

        `after` is the place of the record that is before them now, which is passed over. A record
        comes if nobody decided about it, or, of those that go to two, this reviewer did not and
        fewer than two others did. What the reviewer skipped does not come again, and what another
        has before them comes last.
        """
        self.decisions.refresh()
        self._heed_undo()
        stack, key = self.stack(wanted).places, (reviewer, wanted)
        taken = {place for name, place in self._before.items() if name != reviewer}
        first = spare = None
        for n in range(self._cursors.get(key, 0), len(stack)):
            if self._is_done(stack[n]) or not self.waits(stack[n], reviewer):
                continue
            if first is None:
                first = self._cursors[key] = n
            if stack[n] in taken and not self.is_double(stack[n]):
                spare = stack[n] if spare is None else spare
            elif stack[n] != after:
                return self._put_before(reviewer, stack[n])
        if first is None:
            self._cursors[key] = len(stack)
        late = self._outdated() if len(self.decisions) else set()
        left = (place for place in stack if place in late) if late else ()
        found = (p for p in left if p != after and self.waits(p, reviewer))
        return self._put_before(reviewer, next(found, spare))

    def _put_before(self, reviewer: str, place: int | None) -> Shown | None:
        """The record that this reviewer has before them from now on."""
        if place is None:
            self._before.pop(reviewer, None)
            return None
        self._before[reviewer] = place
        return self.shown(place)

    def _heed_undo(self) -> None:
        """What was taken back, by whichever program, is to be offered again."""
        log, heard = self._walked
        now = self.decisions.log
        new = now[heard:] if now is log else now
        marks = (self.decisions.last(id) for id in new)
        if any(mark and mark.decision == "undo" for mark in marks):
            self._cursors.clear()
        self._walked = now, len(now)

    def _is_done(self, place: int) -> bool:
        """Whether its last decision leaves nothing to do, so that its texts need not be read: with
        half of 100,000 records decided it would take seconds to begin."""
        mark = self.decisions.last(self.pile.ids[place])
        decided = mark is not None and mark.decision not in ("undo", "skip")
        return decided and not self.is_double(place) and place not in (self._late or ())

    def _outdated(self) -> set[int]:
        """Places whose decisions are about other texts: they come again, at the end."""
        if self._late is None:
            self._late = {
                place
                for place, fate in self.fates().items()
                if fate.verdict is None and not fate.skipped
            }
        return self._late

    def waiting(self, reviewer: str, wanted: Filter = ALL) -> int:
        """How many of what is wanted this reviewer is still to look at; only what was decided
        since the last time is looked at again."""
        log, places = self.decisions.log, self.stack(wanted).places
        left = self._left.get((reviewer, wanted))
        found: Iterable[int]
        if left and left.log is log and left.places is places:
            found = {place for id in log[left.heard :] for place in self.pile.places(id)}
        else:
            left = Left(places, bytearray(len(self.pile)), len(places), log, 0)
            for place in places:
                left.states[place] = WAITS
            if len(self._left) >= FILTERS:
                self._left.clear()
            self._left[reviewer, wanted] = left
            found = self.fates()
        for place in found:
            if before := left.states[place]:
                now = WAITS if self.waits(place, reviewer) else DONE
                left.count += (now == WAITS) - (before == WAITS)
                left.states[place] = now
        left.heard = len(log)
        return left.count

    def waits(self, place: int, reviewer: str) -> bool:
        """Whether a record is still to be looked at by this reviewer."""
        fate = self.fate(place)
        if (
            fate.settled
            or reviewer in fate.skipped
            or any(reviewer == name for name, _ in fate.said)
        ):
            return False
        return len(fate.said) < (2 if self.is_double(place) else 1)

    def fate(self, place: int) -> Fate:
        """What became of a record so far, remembered until something else is said of it."""
        id = self.pile.ids[place]
        last = self.decisions.last(id)
        if last is None:
            return NOTHING
        known = self._fates.get(place)
        if known and known[0] == last.state:
            return known[1]
        standing = self.decisions.standing(id, self.of(place))
        held = holds(standing)
        verdict, mark = held or (None, None)
        bare = verdict == "edit" and mark is not None and not mark.fields
        found = Fate(
            verdict, verdict in ("reject", "conflict") or bare, standing.settled is not None,
            tuple((name, mark.decision) for name, mark in standing.said.items()),
            tuple(standing.skipped),
        )  # fmt: skip
        found = self._same.setdefault(found, found)
        self._fates[place] = last.state, found
        return found

    def is_double(self, place: int) -> bool:
        """Whether it goes to two reviewers, neither of whom is shown what the other says."""
        id, setting = self.pile.ids[place], self.setting
        return bool(setting.double) and is_double(id, setting.double, setting.random_seed)

    def shown(self, place: int) -> Shown:
        """The record at a place, with all that was said of it by checks and judge."""
        return self.pile.shown(place)

    def find(self, id: str, of: str = "") -> int | None:
        """The place of a record by its id; of several with the same id the one with these texts."""
        places = self.pile.places(id)
        exact = [place for place in places if self.of(place) == of] if len(places) > 1 else []
        return next(iter(exact or places), None)

    def of(self, place: int) -> str:
        """Digest of the texts at a place: what decisions are about."""
        if place not in self._of:
            self._of[place] = next(self.pile.of([place]))
        return self._of[place]

    def version(self, place: int) -> str:
        """What a decision about the record is made on; goes to the page and comes back."""
        return self.decisions.version(self.pile.ids[place], self.of(place))

    def outcome(self, place: int) -> Outcome | None:
        """What holds for a record; None if nobody decided."""
        id = self.pile.ids[place]
        return self.reviewed.outcome(id, self.of(place)) if id in self.decisions else None

    def decide(self, review: Review, place: int) -> Review:
        """Write a decision that `texts.decision` made; on disk when this returns.

        Raises:
            Stale: it was made on what is no longer so.
            ValueError: its label is none of the task.
            UserError: the disk is full or fails.
        """
        if self.stale:
            raise Stale("the answers were written anew; open the record again", [])
        self.check_label(review)
        alone = self.is_double(place) and not review.settles
        return self.decisions.decide(review, self.of(place), alone=alone)

    def check_label(self, review: Review) -> None:
        """Refuse a label that the task does not have.

        Raises:
            ValueError: it is none.
        """
        label = review.fields.get("label")
        if label is not None and self.labels and label not in self.labels:
            said = label if len(label) <= SHOWN else f"{label[: SHOWN - 1]}…"
            there = ", ".join(self.labels)
            raise ValueError(f"label `{said}`: not a label of this task: {there}")

    # -- many --------------------------------------------------------------------------------

    def stack(self, wanted: Filter = ALL) -> Stack:
        """What a filter lets through, in the order of work."""
        if wanted not in self._stacks:
            pile = self.pile
            found: Iterator[int] = iter(self.order.places)
            if wanted.text:
                there = set(pile.search(wanted.text)) | self._edited(wanted.text)
                found = (place for place in found if place in there)
            bare = replace(wanted, text="")
            if bare != ALL:
                found = (place for place in found if pile.matches(place, bare))
            places = self.order.places if wanted == ALL else array("L", found)
            if len(self._stacks) >= FILTERS:
                self._stacks.clear()
            self._stacks[wanted] = Stack(places, bool(wanted.text))
        return self._stacks[wanted]

    def _edited(self, text: str) -> set[int]:
        """Places where a person's words hold the text."""
        wanted, found = text.casefold(), set[int]()
        path = self.decisions.path
        for _, line in lines_with(path, text) if path.exists() else ():
            for place in self.pile.places(str(loads(line).get("id"))):
                outcome = self.outcome(place)
                words = outcome.fields.values() if outcome else ()
                if any(wanted in one.casefold() for one in words):
                    found.add(place)
        return found

    def decided(self) -> list[int]:
        """Places that anything was said of, in the order of the file."""
        return sorted(self.fates())

    def fates(self) -> Mapping[int, Fate]:
        """The same with what became of them; only what is new is looked at again."""
        if self._log is not self.decisions.log:
            self._log, self._heard, self._fated = self.decisions.log, 0, {}
        new = sorted({p for id in self._log[self._heard :] for p in self.pile.places(id)})
        self._heard = len(self._log)
        unread = [place for place in new if place not in self._of]
        self._of.update(zip(unread, self.pile.of(unread), strict=True))  # all in one go
        self._fated.update((place, self.fate(place)) for place in new)
        return self._fated

    def conflicts(self) -> list[int]:
        """Places where reviewers differ and nobody settled it."""
        found = (place for place, one in self.fates().items() if one.verdict == "conflict")
        return sorted(found)

    # -- what it tells -----------------------------------------------------------------------

    def estimate(self) -> Estimate:
        """How much of the records is wrong; see there."""
        seen: dict[int, Seen] = {}
        left_out = 0
        for place, one in self.fates().items():
            if one.verdict:
                seen[place] = "right" if one.verdict == "accept" else "wrong"
                left_out += one.left_out
            elif one.skipped:
                seen[place] = "skipped"
        if self._drawn is None:  # another order draws nothing; what was drawn before still tells
            self._drawn = order(self.pile, "mixed", self.setting.random_seed)
        return estimate(self._drawn, seen, left_out)

    def kappas(self) -> list[Kappa]:
        """Of each two reviewers who decided about the same records, by what each said alone."""
        pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for place, fate in self.fates().items():
            if len(fate.said) < 2:
                continue
            now = {name for name, _ in fate.said}
            for who, says in alone(self.decisions.since(self.pile.ids[place], NEW), self.of(place)):
                if now.issuperset(who):
                    pairs.setdefault(who, []).append(says)
        return [kappa(who, both) for who, both in sorted(pairs.items())]

    def counts(self) -> dict[str, int]:
        """Records: given = accept + edit + reject + conflict + open."""
        found = Counter(one.verdict for one in self.fates().values() if one.verdict)
        counts = {name: found[name] for name in ("accept", "edit", "reject", "conflict")}
        return {"given": len(self.pile), **counts, "open": len(self.pile) - found.total()}

    def half(self) -> int:
        """Records of two reviewers about which only one has decided."""
        done = (place for place, fate in self.fates().items() if len(fate.said) == 1)
        return sum(self.is_double(place) and not self.fate(place).settled for place in done)

    def summary(self) -> dict[str, JSON]:
        """What `--json` says of it all."""
        said = Counter(pair for one in self.fates().values() for pair in one.said)
        return {
            "counts": self.counts(),
            "reviewers": {
                name: {kind: said[name, kind] for kind in ("accept", "edit", "reject")}
                for name in self.decisions.reviewers()
            },
            "estimate": self.estimate()._asdict(),
            "kappa": [one._asdict() for one in self.kappas()],
            "conflicts": [self.pile.ids[place] for place in self.conflicts()],
        }  # fmt: skip

    def words(self) -> list[str]:
        """The same for people."""
        n = self.counts()
        told = {"accept": "accepted", "edit": "changed", "reject": "rejected",
                "conflict": "in conflict"}  # fmt: skip
        said = [f"{n[name]:,} {word}" for name, word in told.items() if n[name]]
        done = n["given"] - n["open"]
        lines = [f"{n['given']:,} records, {done:,} reviewed{': ' * bool(said)}{', '.join(said)}"]
        if done:
            lines.append(self.estimate().words)
        for one in self.kappas():
            kappa = "none" if one.kappa is None else f"{one.kappa:.2f}"
            if one.low is not None:
                kappa += f" [{one.low:.2f}, {one.high:.2f}]"
            lines.append(
                f"{' and '.join(name or SOMEBODY for name in one.reviewers)}: {one.agree:.0%} of"
                f" {one.records:,} alike, Cohen's kappa {kappa}"
            )
        return lines


def of_target(target: Path) -> tuple[Path, Path]:
    """The file of answers that is meant, and the run folder it lies in.

    Raises:
        UserError: it is neither a run folder nor in one.
    """
    if is_run(target):
        return target / "answers.jsonl", target
    if target.is_file() and is_run(target.parent):
        return target, target.parent
    raise UserError(f"{target}: no run folder, nor a file in one; distillgen answer comes before")
