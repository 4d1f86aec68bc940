"""Have answers judged: plan what a judge is asked of each, and read what it said.

A judge gives a verdict, or the case is a failure: nothing stands in for a missing one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, Protocol

from distillgen.contenders import Contender, Item
from distillgen.journal import Journal, Place
from distillgen.outcomes import Failed, settle
from distillgen.prompts import Prompt
from distillgen.records import JSON, Comparison, Completion, Failure, Request, Score, Terms, digest
from distillgen.rubric import Rubric
from distillgen.sending import Ask
from distillgen.stored import CHUNK
from distillgen.task import Task

AT_ONCE = CHUNK // 2
"""So many cases are looked up at once, each with up to two requests."""

Stage = Literal["judge", "compare"]
Said = dict[str, str]
"""The fields of a reply."""


@dataclass(frozen=True)
class Setting:
    """What all cases of one run share."""

    terms: Terms
    judge: str
    """The name in scores."""
    task: Task
    prompt: Prompt
    rubric: Rubric
    candidates: bool
    """Candidates are scored, too."""

    def render(self, item: Item, **texts: JSON) -> Request:
        """What is asked about a record; never the right answer, which the judge is held against."""
        messages = self.prompt.render(
            expert=self.task.expert, language=self.task.language,
            aspects=[vars(aspect) for aspect in self.rubric.aspects],
            user_context=item.user_context, question=item.question, **texts,
        )  # fmt: skip
        return Request(self.terms, messages)


class Manner(Protocol):
    """A way to judge: that of `judge`, or that of `compare`."""

    setting: Setting

    @property
    def stage(self) -> Stage:
        """The command, and the prompt."""

    def cases(self, item: Item) -> Iterator[tuple[Contender, ...]]:
        """What of a record is judged, each on its own."""

    def plan(self, item: Item, of: tuple[Contender, ...]) -> tuple[Request, ...]:
        """What is asked in one case, one request or two."""

    def parse(self, completion: Completion) -> Said:
        """What a reply says; ParseError when that is no verdict."""

    def record(self, case: "Case", said: Sequence[Said]) -> Score | Comparison:
        """The verdict of one case."""


class Case(NamedTuple):
    """What is judged at once."""

    item: Item
    of: tuple[Contender, ...]
    requests: tuple[Request, ...]


class Judging:
    """The requests to a judge, and what came of them."""

    def __init__(
        self, items: Iterable[Item], manner: Manner, journal: Journal, resample: int
    ) -> None:
        """`items` is walked more than once, always in the same order."""
        self.items, self.manner = items, manner
        self.journal, self.resample = journal, resample
        self.counts: Counter[str] = Counter()
        """Of the cases that were read: given = kept + failed + open."""
        self.kinds: Counter[str] = Counter()
        """Failures by kind."""
        self.own = 0
        """Verdicts on what the judge itself had written."""
        self.lineage = f'{{"{manner.stage}"'
        """Begins the lineage of each request, so that their lengths are measured apart."""
        self.found = 0
        """Requests that have an outcome, as far as `requests` has come."""

    def requests(self) -> Iterator[Ask]:
        """Every request that is open."""
        self.found = 0
        sequence = digest(self.manner.stage)
        for cases in self._cases():
            asked = [request for case in cases for request in case.requests]
            for request, result in zip(asked, self._settled(asked), strict=True):
                if result is None:
                    place = Place(sequence, int(request.key[:15], 16), f"{self.lineage}: {{}}}}")
                    yield Ask(request, place)
                else:
                    self.found += 1

    def heard(self, _: Ask, completion: Completion) -> Said:
        """What a reply says that was just committed; ParseError when that is no verdict."""
        return self.manner.parse(completion)

    def read(self) -> Iterator[tuple[Case, Score | Comparison | Failure]]:
        """What the journal holds of each case, in order, counted; an open one brings nothing."""
        for cases in self._cases():
            asked = [request for case in cases for request in case.requests]
            results = self._settled(asked)
            for case in cases:
                self.counts["given"] += 1
                said = list(islice(results, len(case.requests)))
                if record := self._record(case, said):
                    yield case, record

    def _record(
        self, case: Case, said: Sequence[Said | Failed | None]
    ) -> Score | Comparison | Failure | None:
        for request, result in zip(case.requests, said, strict=True):
            if isinstance(result, Failed):
                self.counts["failed"] += 1
                self.kinds[result.kind] += 1
                return Failure(
                    stage=self.manner.stage, kind=result.kind, detail=result.detail,
                    id=case.item.id, question=case.item.question, request=request.key,
                )  # fmt: skip
        good = [result for result in said if isinstance(result, dict)]
        if len(good) < len(said):
            self.counts["open"] += 1
            return None
        self.counts["kept"] += 1
        self.own += any(one.teacher == self.manner.setting.judge for one in case.of)
        return self.manner.record(case, good)

    def _cases(self) -> Iterator[list[Case]]:
        every = (
            Case(item, of, self.manner.plan(item, of))
            for item in self.items
            for of in self.manner.cases(item)
        )
        while cases := list(islice(every, AT_ONCE)):
            yield cases

    def _settled(self, asked: Sequence[Request]) -> Iterator[Said | Failed | None]:
        for outcomes in self.journal.outcomes([request.key for request in asked]):
            yield settle(outcomes, self.manner.parse, self.resample)
