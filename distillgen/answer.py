"""Have every input answered: ask what each needs next, and hand what came out in their order."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from distillgen.asking import Parse, Result, Step
from distillgen.course import Record, Setting, course
from distillgen.errors import FailureKind
from distillgen.journal import Journal
from distillgen.mending import right
from distillgen.outcomes import Failed, settle
from distillgen.records import Answer, Completion, Example, Failure, Request
from distillgen.sending import Ask
from distillgen.stored import CHUNK

AHEAD = 20_000
"""So many inputs may be under way or answered behind one that is still open, with what came of
them in memory; the others are read from the journal in the end."""
STUCK = 1000
"""Behind so many, and each so many more, the first open input may have failed: the journal says."""
TORN = 0.6
"""A teacher that gives no label so much is torn."""
FEW_RATIONALES = 0.1
"""Above this share of answers without a rationale the run says so loudly."""


@dataclass
class Answered:
    """What came of the inputs that have been handed out."""

    counts: Counter[str] = field(default_factory=Counter)
    """`given`, `kept`, `rejected`, `failed`, `open`; among the kept `no_rationale`, `several` (more
    answers than inputs), `unanimous` and `no_majority` (of several draws), `soft`, `torn` (no label
    has 0.6), `gold` and `right` (known, and met), and each flag."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Failures by kind."""
    labels: Counter[str] = field(default_factory=Counter)

    def keep(self, answer: Answer) -> None:
        """Count an answer."""
        counts, share = self.counts, answer.vote_share
        counts["kept"] += 1
        counts["no_rationale"] += answer.rationale_source == "none" and bool(answer.teacher)
        counts["unanimous"] += share == 1
        counts["no_majority"] += share is not None and share <= 0.5
        counts["soft"] += bool(answer.soft_label)
        counts["torn"] += max(answer.soft_label.values(), default=1) < TORN
        if (met := right(answer, answer.gold)) is not None:
            counts["gold"] += 1
            counts["right"] += met
        counts.update(answer.flags)
        if answer.label:
            self.labels[answer.label] += 1


class _Way:
    """One input on its way: the steps that it needs next, or the records it came to."""

    __slots__ = ("_course", "example", "records", "steps")

    def __init__(self, example: Example, setting: Setting) -> None:
        self.example = example
        self.steps: dict[str, Step] = {}
        """By the keys of their requests."""
        self.records: list[Record] | None = None
        self._course = course(example, setting)
        self.advance(None)

    def advance(self, results: list[Result] | None) -> None:
        """Go on with what came of the steps; with None, begin."""
        try:
            steps = next(self._course) if results is None else self._course.send(results)
            self.steps = {step.request.key: step for step in steps}
        except StopIteration as end:
            self.steps, self.records = {}, end.value


def _alike_together(steps: list[Step]) -> list[Step]:
    """The same with those one after the other that begin alike, as prompts are cached by their
    beginnings; apart from that in their order."""
    first: dict[str, int] = {}
    for n, step in enumerate(steps):
        first.setdefault(step.request.messages[0].content, n)
    if len(first) in (1, len(steps)):
        return steps
    return sorted(steps, key=lambda step: first[step.request.messages[0].content])


class Answering:
    """The requests of a list of inputs, and what came of them.

    What comes is handed out in the order of the inputs, most of it while others are still asked:
    `landed` gives what is complete so far, `read` all that the journal holds.
    """

    def __init__(self, examples: Iterable[Example], setting: Setting, journal: Journal) -> None:
        """`examples` is walked more than once, always in the same order."""
        self.examples, self.setting, self.journal = examples, setting, journal
        self.answered = Answered()
        self.at = 0
        """So many inputs, from the first, have been handed out."""
        self.found = 0
        """Requests that have an outcome, as far as `requests` has come."""
        self.lost: dict[str, FailureKind] = {}
        """Requests that failed, as far as they were looked up, and why."""
        self._ahead: deque[_Way] = deque()
        """The inputs behind these that `requests` has come by."""
        self._came: dict[str, Result] = {}
        """What came of their requests, by key."""
        self._stuck = STUCK
        self._parsers: dict[str, Parse] = {}
        for asked in setting.asked:
            self._parsers |= asked.parsers

    def plan(self, example: Example) -> list[Step]:
        """What is asked first for one input."""
        return [*_Way(example, self.setting).steps.values()]

    def requests(self, who: int | None = None) -> Iterator[Ask]:
        """Every request that is open of the inputs that are not handed out yet.

        What follows from a reply is not among them while that reply is open: ask again when these
        have come. `who` is the number of the teacher that is asked, None for all.
        """
        self._ahead.clear()
        self._came.clear()
        self.found, planned = 0, self.at
        for examples in self._unread():
            ways = [_Way(example, self.setting) for example in examples]
            came = self._advance(ways, who)
            if self.at + len(self._ahead) == planned and len(self._ahead) < AHEAD:
                self._ahead.extend(ways)
                there = (key for way in ways for key in way.steps if came[key] is not None)
                self._came |= {key: came[key] for key in there}
            planned += len(examples)
            steps = [
                step for way in ways for key, step in way.steps.items()
                if came[key] is None and who in (None, step.who)
            ]  # fmt: skip
            for step in _alike_together(steps):
                yield Ask(step.request)

    def heard(self, request: Request, completion: Completion) -> Result:
        """Take in a reply that was just committed.

        Raises:
            ParseError: it cannot be used.
        """
        result = self._parsers[request.terms.spelled](completion)
        if len(self._came) < AHEAD:
            self._came[request.key] = result
        return result

    def pair(self, request: Request) -> Answer | None:
        """The answer that a request just brought; None where more is to come, or to be seen."""
        way = next((way for way in self._ahead if request.key in way.steps), None)
        if way is None or not all(self._came.get(key) for key in way.steps):
            return None
        seen = _Way(way.example, self.setting)
        if seen.steps.keys() != way.steps.keys():
            return None
        seen.advance([self._came[key] for key in way.steps])
        return next((one for one in seen.records or () if isinstance(one, Answer)), None)

    def landed(self) -> Iterator[Record]:
        """What came of the first inputs not handed out yet, up to one that is still open."""
        ahead = self._ahead
        while ahead:
            way = ahead[0]
            if len(ahead) > self._stuck and not self._complete(way):
                self._stuck = len(ahead) + STUCK
                near = {key: s for w in islice(ahead, CHUNK) for key, s in w.steps.items()}
                self._came |= {k: r for k, r in self._looked_up(near).items() if r is not None}
            if not self._complete(way):
                return
            ahead.popleft()
            self._stuck = STUCK
            yield from self._record(way)

    def read(self, *, to_first_open: bool = False) -> Iterator[Record]:
        """What the journal holds of each input that is not handed out yet, in their order.

        An input that is still open brings nothing; with `to_first_open` it ends the walk, and is
        the first of the next one.
        """
        for examples in self._unread():
            ways = [_Way(example, self.setting) for example in examples]
            self._advance(ways)
            for way in ways:
                if way.records is None and to_first_open:
                    return
                yield from self._record(way)

    # -- inside ----------------------------------------------------------------------------

    def _complete(self, way: _Way) -> bool:
        """Whether what came takes an input to its end."""
        while way.records is None:
            results = [self._came.get(key) for key in way.steps]
            if None in results:
                return False
            after = self._ahead[1].steps if len(self._ahead) > 1 else ()
            for key in way.steps:
                if key not in after:  # equal inputs often stand one after the other
                    self._came.pop(key, None)
            way.advance(results)
        return True

    def _advance(self, ways: list[_Way], who: int | None = None) -> dict[str, Result | None]:
        """Take inputs as far as the journal goes; what came of the steps they then need, by key."""
        came: dict[str, Result | None] = {}
        left = [way for way in ways if way.records is None]
        while left:
            steps = (item for way in left for item in way.steps.items())
            wanted = {key: step for key, step in steps if key not in came}
            came |= self._looked_up(wanted)
            self.found += sum(
                came[key] is not None and who in (None, step.who) for key, step in wanted.items()
            )
            moved = []
            for way in left:
                results = [came[key] for key in way.steps]
                if None not in results:
                    way.advance(results)
                    moved.append(way)
            left = [way for way in moved if way.records is None]
        return came

    def _looked_up(self, steps: dict[str, Step]) -> dict[str, Result | None]:
        """What the journal holds of some requests."""
        found: dict[str, Result | None] = {}
        keys = [*steps]
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            for key, outcomes in zip(some, self.journal.outcomes(some), strict=True):
                found[key] = result = settle(outcomes, steps[key].parse, self.setting.resample)
                if isinstance(result, Failed):
                    self.lost[key] = result.kind
        return found

    def _record(self, way: _Way) -> Iterator[Record]:
        """What came of one input, counted; nothing while it is open."""
        self.at += 1
        counts = self.answered.counts
        counts["given"] += 1
        if way.records is None:
            counts["open"] += 1
            return
        match way.records[0]:
            case Failure(kind=kind):
                counts["failed"] += 1
                self.answered.kinds[kind] += 1
            case Answer() as first:
                self.answered.keep(first)
                counts["several"] += len(way.records) - 1
            case _:
                counts["rejected"] += 1
        yield from way.records

    def _unread(self) -> Iterator[list[Example]]:
        """The inputs that are not read yet, as many at once as the journal looks up."""
        unread = islice(iter(self.examples), self.at, None)
        while examples := list(islice(unread, CHUNK)):
            yield examples
