"""Grow a handful of seeds into many distinct inputs, along one fixed sequence of requests."""

import json
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import ceil
from typing import NamedTuple

from distillgen.dedupe import Index
from distillgen.engine import Fill, Stop
from distillgen.journal import Journal, Place
from distillgen.outcomes import Failed, settle
from distillgen.pool import Pool
from distillgen.records import (
    Completion,
    Example,
    Failure,
    Rejection,
    content_id,
    digest,
)
from distillgen.sending import Ask
from distillgen.strategies import Lineage, Part, Planned, Proposal, Turn, echoes, turns

FROM_SEEDS_ALONE = 16
"""The first places show seeds only, so that they can all be asked at once."""
AT_ONCE = 2
"""Places that are folded before another is asked, though more have come: their requests wait."""
SATURATED = 3
"""A walk is saturated when `patience` proposals brought no more new inputs than this."""


@dataclass(frozen=True)
class Options:
    """How far to walk along the sequence; none of these is part of any request."""

    n: int
    """Distinct inputs wanted."""
    max_requests: int
    """The ceiling on places; reaching it ends the walk."""
    patience: int
    """The walk is saturated when so many proposals brought at most 3 new inputs; 0 for never."""
    resample: int
    """Further draws of a place whose reply cannot be read."""


class Expanded(NamedTuple):
    """What a walk brought, in the order of the sequence."""

    inputs: Sequence[Example]
    rejected: list[Rejection]
    failures: list[Failure]
    ledger: dict[str, int]
    """In proposals: asked + extra = kept + duplicate + template + capped + invalid + short +
    failed + surplus."""
    ended: str
    """`done`, `saturated`, `ceiling`; empty when the engine stopped it."""
    stop: Stop | None


def expand(walk: "Walk", fill: Fill) -> Expanded:
    """Walk along the sequence until N inputs are kept, or it ends for another reason.

    What the journal holds is folded first: a finished walk never calls `fill`.
    """
    walk.advance()
    stop = None if walk.ended else fill(walk.requests(), walk.read)
    walk.advance()
    return Expanded(walk.kept, walk.rejected, walk.failures, walk.ledger(), walk.ended, stop)


def sequence_of(parts: Sequence[Part]) -> str:
    """Digest of everything that fixes the sequence: strategies, seeds, teacher, sampling, shots."""
    setting = parts[0].setting
    materials = {
        part.name: asdict(part.setting.material) for part in parts if part.setting.material
    }
    operations = {part.name: part.setting.operations for part in parts if part.setting.operations}
    capped = {"per_parent": setting.per_parent} if any(part.capped for part in parts) else {}
    return digest(
        {
            "parts": [[part.name, part.share, part.setting.prompt.sha256] for part in parts],
            "terms": asdict(setting.terms),
            "task": setting.task.model_dump(include={"expert", "language", "labels"}),
            "seeds": [[seed.row(), seed.id] for seed in setting.seeds],
            "per_call": setting.per_call,
            "shots": [setting.shots, setting.human_shots, setting.steady, setting.short],
            "random_seed": setting.random_seed,
        }
        | ({"materials": materials} if materials else {})
        | ({"operations": operations} if operations else {})
        | capped
    )


def _apart(images: Iterable[str]) -> str:
    """What is said of other images repeats nothing."""
    return "\n".join(images)


class Walk:
    """One pass along the sequence: plan and read in one.

    Place i shows what the first i // 2 places brought, so it can be planned long before all
    earlier ones have come, and never depends on when they come.
    """

    def __init__(self, parts: Sequence[Part], options: Options, journal: Journal) -> None:
        """`parts` differ in nothing but their strategies, prompts and shares."""
        self.parts, self.setting, self.options = parts, parts[0].setting, options
        self.journal = journal
        self.sequence = sequence_of(parts)
        self._turns = turns([part.share for part in parts])
        self._drawn_turns: list[tuple[int, int]] = []
        self.kept = Pool()
        self.rejected: list[Rejection] = []
        self.failures: list[Failure] = []
        self.counts: Counter[str] = Counter()
        self.folded = 0
        """So many places, from the first, have been read."""
        self.ended = ""
        self._kept_after = [0]
        self._recent: deque[tuple[int, int]] = deque()
        self._free: dict[int, Planned] = {}
        """Places drawn ahead that need no teacher: the journal does not remember them."""
        self._parents: list[Sequence[str]] = []
        """By place, whose children were asked for, where they are counted."""
        self._asked, self._asked_at = Counter[str](), (0, 0)
        """How often each was asked for from one place to another."""
        self._index, self._personas = Index(), Index()
        self._questions = {seed.id: seed.question for seed in self.setting.seeds}
        self._families = {
            seed.id: seed.family or content_id(seed.user_context, seed.question, seed.images)
            for seed in self.setting.seeds
        }
        for seed in self.setting.seeds:
            texts = seed.user_context, seed.question
            self._index.add(seed.id, texts, _apart(seed.images), seed=True)

    def advance(self, most: int = sys.maxsize) -> None:
        """Fold places in order until an open one, or the end, or so many."""
        while most and not self.ended and self._fold():
            self._judge()
            most -= 1

    def requests(self) -> Iterator[Ask | None]:
        """Each open place as soon as it can be planned and is needed; None while it must wait."""
        i = self.folded
        while True:
            self.advance(AT_ONCE)
            if not self._may_ask(i):
                self.advance()
            if self.ended:
                return
            i = max(i, self.folded)
            if not self._may_ask(i):
                yield None
                continue
            _, asked = self._at(i)
            if asked.request and self._settled(i, asked) is None:
                place = Place(self.sequence, i, json.dumps(asked.lineage))
                yield Ask(asked.request, place)
            i += 1

    def _may_ask(self, i: int) -> bool:
        """Whether place `i` is needed, as far as is known, and what it shows has come."""
        shown = i // self.setting.steady * self.setting.steady // 2
        return i < self.needed() and (i < FROM_SEEDS_ALONE or shown <= self.folded)

    def read(self, ask: Ask, completion: Completion) -> list[Proposal]:
        """The proposals of a reply; ParseError when no item of it can be used."""
        assert ask.place
        return self._parsed(ask.place.i, json.loads(ask.place.lineage), completion)

    def ledger(self) -> dict[str, int]:
        """The sums, places beyond the end included as surplus."""
        beyond = self.journal.places(self.sequence, self.folded) * self.setting.per_call
        names = ("extra", "kept", "duplicate", "template", "capped", "invalid", "short", "failed")
        return {
            "asked": self.folded * self.setting.per_call + (beyond if self.ended else 0),
            **{name: self.counts[name] for name in names},
            "surplus": self.counts["surplus"] + (beyond if self.ended else 0),
        }

    # -- inside ----------------------------------------------------------------------------

    def _at(self, i: int) -> tuple[bool, Planned]:
        """What place `i` asks, as it was decided once (True), else as it is drawn now."""
        remembered, planned = True, self._free.get(i)
        if planned is None and (there := self.journal.at(self.sequence, i)):
            planned = Planned(there[0], json.loads(there[1]))
        if planned is None:
            remembered, planned = False, self._drawn(i)
        if planned.request is None:
            self._free[i] = planned
        if len(self._parents) == i:
            self._parents.append(planned.lineage["parents"] if self._turn(i)[0].capped else ())
        return remembered, planned

    def _turn(self, i: int) -> tuple[Part, Turn]:
        """Whose turn a place is; a block of places that show the same is of one strategy."""
        block, inside = divmod(i, self.setting.steady)
        while len(self._drawn_turns) <= block:
            self._drawn_turns.append(next(self._turns))
        part, had = self._drawn_turns[block]
        return self.parts[part], Turn(i, had * self.setting.steady + inside)

    def _drawn(self, i: int) -> Planned:
        steady = i // self.setting.steady * self.setting.steady
        start = 0 if steady < FROM_SEEDS_ALONE else steady // 2
        part, turn = self._turn(i)
        pool = self.kept.first(self._kept_after[start], self._asked_from(start, i))
        planned: Planned = part.strategy.plan(turn, pool, part.setting)
        return planned._replace(lineage={"strategy": part.name, **planned.lineage})

    def _asked_from(self, start: int, end: int) -> Counter[str]:
        """How often each parent's child was asked for in these places."""
        before, behind = self._asked_at
        if start < before or end < behind:
            self._asked, before, behind = Counter(), start, start
        for parents in self._parents[behind:end]:
            self._asked.update(parents)
        for parents in self._parents[before:start]:
            self._asked.subtract(parents)
        self._asked_at = start, end
        return self._asked

    def _parsed(self, i: int, lineage: Lineage, completion: Completion | None) -> list[Proposal]:
        part, _ = self._turn(i)
        shown = part.setting.prompt.shown
        return [
            one._replace(problem="repeats the prompt") if echoes(one, shown) else one
            for one in part.strategy.parse(completion, lineage)
        ]

    def _settled(self, i: int, asked: Planned) -> "list[Proposal] | Failed | None":
        if asked.request is None:
            return self._parsed(i, asked.lineage, None)
        outcomes = self.journal.look(asked.request.key)
        return settle(outcomes, partial(self._parsed, i, asked.lineage), self.options.resample)

    def needed(self) -> int:
        """The places that N needs by the yield so far; at least one beyond what is folded.

        Two places of full yield stand in for what is not known at the start.
        """
        per_call = self.setting.per_call
        per_place = (len(self.kept) + 2 * per_call) / (self.folded + 2)
        left = ceil((self.options.n - len(self.kept)) / per_place)
        return min(self.folded + max(left, 1), max(self.options.max_requests, 1))

    def _fold(self) -> bool:
        """Read the next place; False while it is open."""
        remembered, asked = self._at(self.folded)
        result = self._settled(self.folded, asked)
        if result is None:
            return False
        key = asked.request.key if asked.request else ""
        if key and not remembered:  # a sequence that was walked before asked the very same
            lineage = json.dumps(asked.lineage)
            self.journal.bind(Place(self.sequence, self.folded, lineage), key)
        new = proposed = 0
        if isinstance(result, Failed):
            self.counts["failed"] += self.setting.per_call
            failure = Failure(
                stage="expand", kind=result.kind, detail=result.detail, place=self.folded,
                request=key,
            )  # fmt: skip
            self.failures.append(failure)
        else:
            proposed = len(result)
            self.counts["short"] += max(0, self.setting.per_call - proposed)
            self.counts["extra"] += max(0, proposed - self.setting.per_call)
            for proposal in result:
                new += self._take(proposal, key)
            proposed = proposed or self.setting.per_call  # in vain
        self._free.pop(self.folded, None)
        self.folded += 1
        self._kept_after.append(len(self.kept))
        self._recent.append((proposed, new))
        return True

    def _take(self, proposal: Proposal, key: str) -> int:
        """Keep or reject one proposal; 1 when it was kept."""
        if len(self.kept) >= self.options.n:
            self.counts["surplus"] += 1
            return 0
        context, question = proposal.user_context, proposal.question
        persona = str(proposal.origin.get("persona", ""))
        if proposal.problem:
            self._reject("invalid", proposal, key, detail=proposal.problem)
            return 0
        part, _ = self._turn(self.folded)
        parent = proposal.origin["parents"][0] if proposal.origin.get("operation") else ""
        if part.capped and self.kept.children(parent) >= self.setting.per_parent:
            why = f"{self.setting.per_parent} of {parent} are kept"
            self._reject(
                "capped", proposal, key, detail=why, of=parent, repeats=self._questions[parent]
            )
            return 0
        images = proposal.origin.get("images", ())
        verdict = self._index.verdict((context, question), _apart(images), equal=proposal.near)
        if not verdict and persona:
            verdict = self._personas.verdict((persona,))
        if verdict:
            self._reject(
                verdict.reason, proposal, key, of=verdict.of, similarity=verdict.similarity,
                repeats=self._questions[verdict.of],
            )  # fmt: skip
            return 0
        family = self._families.get(parent, parent)
        made = Example(
            question=question, user_context=context, id=content_id(context, question, images),
            strategy=part.name, family=family, request=key, **proposal.origin,
        )  # fmt: skip
        self._index.add(made.id, (context, question), _apart(images))
        if persona:
            self._personas.add(made.id, (persona,))
        self._questions[made.id] = question
        if family:
            self._families[made.id] = family
        self.kept.append(made, parent if part.capped else "")
        self.counts["kept"] += 1
        return 1

    def _reject(self, reason: str, proposal: Proposal, key: str, **why: str | float | None) -> None:
        self.counts["duplicate" if reason == "near_duplicate" else reason] += 1
        row = {
            "stage": "expand", "reason": reason, "place": self.folded, "request": key,
            "question": proposal.question, "user_context": proposal.user_context, **why,
        }  # fmt: skip
        self.rejected.append(Rejection.model_validate(row))

    def _judge(self) -> None:
        """Whether the walk ends after the place that was just folded."""
        patience = self.options.patience
        proposed = sum(proposals for proposals, _ in self._recent)
        while self._recent and proposed - self._recent[0][0] >= patience:
            proposed -= self._recent.popleft()[0]
        if len(self.kept) >= self.options.n:
            self.ended = "done"
        elif proposed >= patience > 0 and sum(new for _, new in self._recent) <= SATURATED:
            self.ended = "saturated"
        elif self.folded >= self.options.max_requests:
            self.ended = "ceiling"
