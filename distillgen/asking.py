"""Say what one teacher is asked about an input, and read what it replies."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from distillgen import images, marked, replies
from distillgen.errors import ParseError
from distillgen.prompts import Prompt
from distillgen.records import (
    JSON,
    Completion,
    Example,
    Message,
    RationaleSource,
    Request,
    Seed,
    Terms,
)
from distillgen.task import Task

Sampling = dict[str, float | int]
Parse = Callable[[Completion], object]
Result = object
"""What came of a step: whatever its `parse` made of the reply, or `Failed`."""
TOP = 20
"""Log-probabilities that are asked for; OpenAI gives no more."""


@dataclass(frozen=True)
class Reading:
    """What one reply says."""

    rationale: str
    answer: str
    label: str | None
    source: RationaleSource
    flags: tuple[str, ...]


class Critique(NamedTuple):
    """What a teacher finds wrong with an answer."""

    criticism: str
    mend: bool
    """Whether the answer should be written anew."""


class Step(NamedTuple):
    """A request that an input needs answered, and how its reply is read."""

    who: int
    """Number of the teacher that is asked."""
    request: Request
    parse: Parse


@dataclass(frozen=True)
class Asked:
    """A teacher, and all that it may be asked."""

    who: int
    """Its number among those that are asked."""
    name: str
    """As answers call it."""
    identity: str
    """As requests call it."""
    server: str | None
    task: Task
    prompts: Mapping[str, Prompt]
    """By their names: `answer`, and those that the options need."""
    sampling: Sampling
    """Of the first draw."""
    further: Sampling
    """Of the others, which are to differ."""
    shots: tuple[Seed, ...] = ()
    """Seeds with an answer of their own, shown as models."""
    vision: bool = False
    """Images are sent; else they are described."""
    parsers: dict[str, Parse] = field(default_factory=dict, init=False, repr=False, compare=False)
    """How a reply is read, by the terms on which it was asked for."""
    _terms: dict[str, Terms] = field(default_factory=dict, init=False, repr=False, compare=False)
    _labels: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        labels = [*self.task.labels]
        text: JSON = {"type": "string", "minLength": 1}
        probability: JSON = {"type": "number"}
        brief = {**self.sampling, "max_tokens": 1, "temperature": 1.0}
        self._labels.update((_folded(label), label) for label in labels)
        for kind, schema, sampling, parse in (
            ("answer", answer_schema(labels), self.sampling, self.answer),
            ("further", answer_schema(labels), self.further, self.answer),
            ("critique", _schema({"criticism": text, "mend": {"type": "string", "enum": YES_NO}}),
             self.sampling, self.critique),
            ("verbal", _schema(dict.fromkeys(labels, probability)), self.sampling, self.stated),
            ("soft", None, brief | {"logprobs": True, "top_logprobs": TOP}, self.tops),
        ):  # fmt: skip
            terms = Terms(self.identity, self.server, schema, sampling)
            self._terms[kind] = terms
            self.parsers[terms.spelled] = parse

    # -- what is asked ---------------------------------------------------------------------

    def draw(self, example: Example, sample: int = 0, style: str = "", hint: str = "") -> Step:
        """An answer with its rationale; equal inputs are one request."""
        messages = self._messages("answer", example, shots=self.shots, style=style, hint=hint)
        kind = "further" if sample else "answer"
        return Step(self.who, Request(self._terms[kind], messages, sample), self.answer)

    def soft(self, example: Example, letters: Mapping[str, str]) -> Step:
        """A label as one letter, for its log-probability."""
        messages = self._messages("answer.soft", example, letters=letters)
        return Step(self.who, Request(self._terms["soft"], messages), self.tops)

    def verbal(self, example: Example) -> Step:
        """How probable each label is, in so many words."""
        messages = self._messages("answer.verbal", example)
        return Step(self.who, Request(self._terms["verbal"], messages), self.stated)

    def criticise(self, example: Example, found: Reading, turn: int) -> Step:
        """What is wrong with an answer; `turn` counts how often it was gone over, from 0."""
        said = found.label or found.answer
        messages = self._messages(
            "answer.critique", example, rationale=found.rationale, answer=said
        )
        return Step(self.who, Request(self._terms["critique"], messages, turn), self.critique)

    def mend(self, example: Example, found: Reading, criticism: str, turn: int) -> Step:
        """The answer written anew after it was criticised."""
        messages = self._messages(
            "answer.refine", example, rationale=found.rationale,
            answer=found.label or found.answer, criticism=criticism,
        )  # fmt: skip
        return Step(self.who, Request(self._terms["answer"], messages, turn), self.answer)

    def _messages(self, prompt: str, example: Example, **more: JSON) -> tuple[Message, ...]:
        context, seen = images.told(example, self.vision)
        messages = self.prompts[prompt].render(
            expert=self.task.expert,
            language=self.task.language,
            labels=self.task.labels,
            user_context=context,
            question=example.question,
            image=images.manner(bool(example.images), bool(seen)),
            **more,
        )
        return images.shown_with(messages, seen) if seen else messages

    # -- what is read ----------------------------------------------------------------------

    def answer(self, completion: Completion) -> Reading:
        """The fields of an answer.

        Raises:
            ParseError: it was cut off or refused, or lacks an answer or a label of the task.
        """
        wanted = "label" if self._labels else "answer"
        found = _fields(completion, wanted)
        text, label = found.get("answer", ""), None
        if self._labels:
            label = self._labels.get(_folded(found["label"]).strip(".\"'"))
            if label is None:
                known = ", ".join(self._labels.values())
                raise ParseError("schema", f"label: {found['label'][:40]!r} is none of {known}")
        flags = replies.flags(completion, found)
        if rationale := found.get("rationale", ""):
            return Reading(rationale, text, label, "requested", flags)
        if rationale := replies.thoughts(completion):
            return Reading(rationale, text, label, "native", flags)
        return Reading("", text, label, "none", flags)

    def critique(self, completion: Completion) -> Critique:
        """What was found wrong.

        Raises:
            ParseError: it says nothing, or not whether to mend.
        """
        found = replies.fields(completion, ("criticism", "mend"))
        mend = found["mend"].casefold().strip(".! ")
        if mend not in (*YES_NO, "true", "false"):
            raise ParseError("schema", f"mend: {found['mend'][:40]!r} is neither yes nor no")
        return Critique(found["criticism"], mend in ("yes", "true"))

    def stated(self, completion: Completion) -> dict[str, float]:
        """The number that was stated for each label.

        Raises:
            ParseError: a label has none.
        """
        found = replies.fields(completion, tuple(self._labels.values()))
        try:
            return {label: float(said.rstrip("% ")) for label, said in found.items()}
        except ValueError as error:
            raise ParseError("schema", f"no probability: {error}") from error

    def tops(self, completion: Completion) -> Mapping[str, float]:
        """The likeliest first tokens and their log-probabilities.

        Raises:
            ParseError: the server sent none.
        """
        if not completion.top_logprobs:
            raise ParseError(
                "schema", "no top_logprobs: this teacher gives none; --soft votes does without"
            )
        return completion.top_logprobs[0]


YES_NO = ["yes", "no"]


def _fields(completion: Completion, wanted: str) -> dict[str, str]:
    """Rationale and answer, or label: from JSON, else from a text that marks its answer.

    A text that was cut off still counts where it had gone on to an example of its own making.
    """
    try:
        return replies.fields(completion, (wanted,), ("rationale",))
    except ParseError as error:
        text = completion.text
        ran_on = error.kind == "truncated" and marked.cut(text) != text.strip()
        if "{" in text or not (error.kind == "bad_json" or ran_on):
            raise
        try:
            rationale, answer = marked.read(replies.outside(completion))
        except ParseError:
            raise error from None
        return {"rationale": rationale, wanted: answer}


def _folded(label: str) -> str:
    return label.casefold().strip()


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


def answer_schema(labels: Sequence[str]) -> dict[str, JSON]:
    """JSON Schema of an answer: the rationale stands first, so that it is written first."""
    text: dict[str, JSON] = {"type": "string", "minLength": 1}
    last: dict[str, JSON] = (
        {"label": {"type": "string", "enum": [*labels]}} if labels else {"answer": text}
    )
    return _schema({"rationale": text, **last})


def _schema(properties: Mapping[str, JSON]) -> dict[str, JSON]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [*properties],
        "additionalProperties": False,
    }


_TRACES = re.compile(
    r"\bhint\b|\b(?:right|correct|known|given|expected|provided|gold)\s+(?:answer|label)\b"
    r"|\b(?:answer|label)\s+(?:is|was|being)\s+(?:already\s+)?(?:known|given|provided|stated|told)\b"
    r"|\b(?:told|know|knowing|given)\s+that\s+the\s+(?:answer|label)\b",
    re.I,
)


def betrays(found: Reading) -> bool:
    """Whether a reply lets on that the right answer was known.

    English phrases alone; a false alarm costs a rationale, a miss teaches the student to cheat.
    """
    return bool(_TRACES.search(f"{found.rationale}\n{found.answer}"))
