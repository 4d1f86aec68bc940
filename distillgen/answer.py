"""Answer every input with the teacher: the rationale first, then the concrete answer or label."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from distillgen import images, replies
from distillgen.errors import ParseError
from distillgen.journal import Journal
from distillgen.outcomes import Failed, settle
from distillgen.prompts import Prompt
from distillgen.records import (
    JSON,
    Answer,
    Completion,
    Example,
    Failure,
    RationaleSource,
    Request,
    Seed,
    Terms,
)
from distillgen.sending import Ask
from distillgen.stored import CHUNK
from distillgen.task import Task

PROMPT = "answer"
AHEAD = 20_000
"""So many inputs may be under way or answered behind one that is still open, with what came of
them in memory; the others are read from the journal in the end."""
STUCK = 1000
"""Behind so many, and each so many more, the first open input may have failed: the journal says."""
FEW_RATIONALES = 0.1
"""Above this share of answers without a rationale the run says so loudly."""


@dataclass(frozen=True)
class Setting:
    """What all answers of one run share."""

    terms: Terms
    teacher: str
    """The name in answers."""
    task: Task
    prompt: Prompt
    shots: tuple[Seed, ...]
    """Seeds with an answer of their own, shown as models."""
    resample: int
    vision: bool = False
    """Images are sent; else they are described."""


@dataclass
class Answered:
    """What came of the inputs that have been handed out."""

    counts: Counter[str] = field(default_factory=Counter)
    """`given`, `kept`, `failed`, `open`, and `no_rationale` among the kept."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Failures by kind."""
    labels: Counter[str] = field(default_factory=Counter)


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
        """Inputs that have an outcome, as far as `requests` has come."""
        self._ahead: deque[tuple[Example, str]] = deque()
        """The inputs behind these that `requests` has come by, and their keys."""
        self._came: dict[str, Reading | Failed] = {}
        """What came of them, by key."""
        self._stuck = STUCK
        self._labels = {label.casefold().strip(): label for label in setting.task.labels}

    def plan(self, example: Example) -> Request:
        """What is asked for one input; equal inputs are one request."""
        task = self.setting.task
        context, seen = images.told(example, self.setting.vision)
        messages = self.setting.prompt.render(
            expert=task.expert,
            language=task.language,
            labels=task.labels,
            user_context=context,
            question=example.question,
            image=images.manner(bool(example.images), bool(seen)),
            shots=self.setting.shots,
        )
        if seen:
            messages = images.shown_with(messages, seen)
        return Request(self.setting.terms, messages)

    def requests(self) -> Iterator[Ask]:
        """Every request that is open, of the inputs that are not handed out yet."""
        self._ahead.clear()
        self._came.clear()
        self.found = planned = self.at
        for examples in self._unread():
            requests = [self.plan(example) for example in examples]
            keys = [request.key for request in requests]
            results = list(self._settled(keys))
            if self.at + len(self._ahead) == planned and len(self._ahead) < AHEAD:
                self._ahead.extend(zip(examples, keys, strict=True))
                self._came |= {k: r for k, r in zip(keys, results, strict=True) if r is not None}
            planned += len(examples)
            for request, result in zip(requests, results, strict=True):
                if result is None:
                    yield Ask(request)
                else:
                    self.found += 1

    def heard(self, request: Request, completion: Completion) -> "Reading":
        """Take in a reply that was just committed.

        Raises:
            ParseError: as `parse`.
        """
        reading = self.parse(completion)
        if len(self._came) < AHEAD:
            self._came[request.key] = reading
        return reading

    def pair(self, request: Request) -> Answer | None:
        """The answer to a request that was just heard; None when its input is not known."""
        example = next((one for one, key in self._ahead if key == request.key), None)
        reading = self._came.get(request.key)
        if example is None or not isinstance(reading, Reading):
            return None
        return self._answer(example, request.key, reading)

    def landed(self) -> Iterator[Answer | Failure]:
        """What came of the first inputs not handed out yet, up to one that is still open."""
        ahead = self._ahead
        while ahead:
            if len(ahead) > self._stuck and ahead[0][1] not in self._came:
                self._stuck = len(ahead) + STUCK
                keys = [key for _, key in islice(ahead, CHUNK)]
                results = zip(keys, self._settled(keys), strict=True)
                self._came |= {key: result for key, result in results if result is not None}
            example, key = ahead[0]
            if (result := self._came.get(key)) is None:
                return
            ahead.popleft()
            self._stuck = STUCK
            if not ahead or ahead[0][1] != key:
                del self._came[key]
            if record := self._record(example, key, result):
                yield record

    def read(self, *, to_first_open: bool = False) -> Iterator[Answer | Failure]:
        """What the journal holds of each input that is not handed out yet, in their order.

        An input that is still open brings nothing; with `to_first_open` it ends the walk, and is
        the first of the next one.
        """
        known = self._ahead.copy()
        for examples in self._unread():
            keys = [known.popleft()[1] if known else self.plan(example).key for example in examples]
            for example, key, result in zip(examples, keys, self._settled(keys), strict=True):
                if result is None and to_first_open:
                    return
                if record := self._record(example, key, result):
                    yield record

    def _record(
        self, example: Example, key: str, result: "Reading | Failed | None"
    ) -> Answer | Failure | None:
        """What came of one input, counted; None while it is open."""
        self.at += 1
        answered = self.answered
        answered.counts["given"] += 1
        match result:
            case None:
                answered.counts["open"] += 1
                return None
            case Failed(kind, detail):
                answered.counts["failed"] += 1
                answered.kinds[kind] += 1
                return Failure(
                    stage="answer", kind=kind, detail=detail, id=example.id,
                    question=example.question, request=key,
                )  # fmt: skip
        answered.counts["kept"] += 1
        answered.counts["no_rationale"] += result.source == "none"
        if result.label:
            answered.labels[result.label] += 1
        return self._answer(example, key, result)

    def _unread(self) -> Iterator[list[Example]]:
        """The inputs that are not read yet, as many at once as the journal looks up."""
        unread = islice(iter(self.examples), self.at, None)
        while examples := list(islice(unread, CHUNK)):
            yield examples

    def _settled(self, keys: list[str]) -> "Iterator[Reading | Failed | None]":
        """What the journal holds of these requests."""
        for outcomes in self.journal.outcomes(keys):
            yield settle(outcomes, self.parse, self.setting.resample)

    def parse(self, completion: Completion) -> "Reading":
        """The fields of a reply.

        Raises:
            ParseError: it was cut off or refused, or lacks an answer or a label of the task.
        """
        wanted = "label" if self._labels else "answer"
        found = replies.fields(completion, (wanted,), ("rationale",))
        text, label = found.get("answer", ""), None
        if self._labels:
            label = self._labels.get(found["label"].casefold().strip().strip(".\"'"))
            if label is None:
                known = ", ".join(self._labels.values())
                raise ParseError("schema", f"label: {found['label'][:40]!r} is none of {known}")
        flags = replies.flags(completion, found)
        if rationale := found.get("rationale", ""):
            return Reading(rationale, text, label, "requested", flags)
        if rationale := replies.thoughts(completion):
            return Reading(rationale, text, label, "native", flags)
        return Reading("", text, label, "none", flags)

    def _answer(self, example: Example, key: str, reading: "Reading") -> Answer:
        return Answer(
            question=example.question, user_context=example.user_context,
            rationale=reading.rationale, answer=reading.answer, label=reading.label,
            rationale_source=reading.source, flags=reading.flags, images=example.images,
            meta=example.meta, gold=example.gold, id=example.id, strategy=example.strategy,
            operation=example.operation, generation=example.generation, persona=example.persona,
            topic=example.topic, attributes=example.attributes, parents=example.parents,
            family=example.family, teacher=self.setting.teacher, request=key,
        )  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What one reply says."""

    rationale: str
    answer: str
    label: str | None
    source: RationaleSource
    flags: tuple[str, ...]


def pick_shots(
    seeds: Iterable[Seed], labels: Iterable[str], most: int = 2, *, short: bool = False
) -> tuple[Seed, ...]:
    """Seeds to show as worked examples: the first with an answer and a rationale.

    For a closed task one of each label, as models copy the label that they see most. With `short`
    the shortest, for small teachers: they write as much as they are shown.
    """
    good = [seed for seed in seeds if seed.rationale and (seed.answer or seed.label)]
    if short:
        good.sort(key=lambda seed: len(f"{seed.rationale}{seed.answer}"))
    wanted = list(labels)
    if not wanted:
        return tuple(seed for seed in good if seed.answer)[:most]
    firsts = [next((seed for seed in good if seed.label == label), None) for label in wanted]
    return tuple(seed for seed in firsts if seed) if all(firsts) else ()


def schema(labels: list[str]) -> dict[str, JSON]:
    """JSON Schema of an answer, strict: the rationale stands first, so that it is written first."""
    text: dict[str, JSON] = {"type": "string", "minLength": 1}
    last: dict[str, JSON] = (
        {"label": {"type": "string", "enum": labels}} if labels else {"answer": text}
    )
    return {
        "type": "object",
        "properties": {"rationale": text, **last},
        "required": ["rationale", *last],
        "additionalProperties": False,
    }
