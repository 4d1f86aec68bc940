"""Everything that travels between the rooms: seeds, examples, requests, replies, answers."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field

from distillgen.errors import FailureKind

JSON = Any
"""A value that JSON can hold; spelled once so that no signature says a bare Any."""


_spelled = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_quoted = json.encoder.encode_basestring_ascii
IMAGE_BYTES = 50_000
"""An image counts as so many bytes of a prompt, and no token stands for less than a byte: the
dearest known takes 48,169 tokens (gpt-4o-mini: 2,833 and 8 tiles of 5,667 each; OpenAI's guide to
images)."""
IMAGE_TOKENS = 1_500
"""What an image usually takes at most: 1,445 for gpt-4o, 1,600 for Claude (their guides)."""


def canonical(value: JSON) -> bytes:
    """The one spelling of a JSON value that digests are taken of: sorted, compact, ASCII."""
    return _spelled(value).encode()


def digest(value: JSON) -> str:
    """sha256 of the canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


EMPTY = (str, list, tuple, dict)
"""Of these an empty one says nothing."""


class Record(BaseModel):
    """What all records share: frozen, and no field that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def row(self) -> dict[str, JSON]:
        """The record as a line of JSON: declared order, empty and missing fields left out.

        >>> Seed(user_context="I am 40", question="Buy gold?").row()
        {'user_context': 'I am 40', 'question': 'Buy gold?'}
        """
        values = vars(self)
        return {
            name: value
            for name in type(self).model_fields
            if (value := values[name]) or not (value is None or isinstance(value, EMPTY))
        }


class Seed(Record):
    """A hand-written example: who asks, and what."""

    user_context: str = ""
    """The situation of the person who asks: "I am a 35-year-old business owner". It may be empty
    where nothing but rewritten examples is made of the seeds."""
    question: str = Field(min_length=1)
    """What the person wants to know."""
    answer: str | None = None
    """A good answer, where the writer knows one; shown to the teacher as a model."""
    rationale: str | None = None
    """Why that answer follows from the context."""
    label: str | None = None
    """The right label, for a closed task."""
    tags: tuple[str, ...] = ()
    """Free words to group seeds by."""
    images: tuple[str, ...] = ()
    """Paths of images that belong to the question, as seen from the working directory."""
    meta: dict[str, JSON] = Field(default_factory=dict)
    """Every other column of the file, untouched."""
    gold: str = ""
    """The right answer in short, where `answer` says more; else `label` or `answer` is it."""
    family: str = ""
    """Content id of the first ancestor, where the seed is an input or an answer that was made."""
    id: str = Field(
        default_factory=lambda seed: content_id(
            seed.get("user_context", ""), seed.get("question", ""), seed.get("images", ())
        )
    )
    """The seed's own id as text, else a digest of its content, 16 hexadecimal digits."""

    def row(self) -> dict[str, JSON]:
        """The same without an id that is the content's."""
        row = super().row()
        if self.id == content_id(self.user_context, self.question, self.images):
            del row["id"]
        return row


class Example(Record):
    """An input to be answered: one line of `inputs.jsonl`."""

    question: str = Field(min_length=1)
    """What is asked."""
    user_context: str = ""
    """Who asks; may be empty in files that distillgen did not write."""
    images: tuple[str, ...] = ()
    """Paths of images that belong to the question, as seen from the working directory."""
    meta: dict[str, JSON] = Field(default_factory=dict)
    """Columns of the source that distillgen does not know, untouched; of what `augment` made, the
    equation."""
    gold: str = ""
    """The right answer, where it is known."""
    id: str
    """The input's own id as text, else a digest of its content; `-2`, `-3` for equal rows."""
    strategy: str = ""
    """How it was made: `few_shot`; empty for rows that distillgen did not make."""
    operation: str = ""
    """What was done to its parent, `deepen`, `breadth` …, or asked of an image: `detail` …"""
    generation: int = 0
    """So many times it was rewritten, its ancestors' times included."""
    persona: str = ""
    """The person that the teacher imagined first."""
    topic: tuple[str, ...] = ()
    """Where in the tree of topics it belongs, from the root to the leaf."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """The values that were drawn for it."""
    parents: tuple[str, ...] = ()
    """Ids of the examples that the teacher was shown, or of the one that it was made of."""
    family: str = ""
    """Content id of the first ancestor of what was made of one example, over all generations."""
    request: str = ""
    """Key of the request whose reply brought it; empty where no teacher was needed."""


def content_id(user_context: str, question: str, images: Iterable[str] = ()) -> str:
    """Digest of what makes an example itself, 16 hexadecimal digits (64 bits)."""
    texts = [user_context, question, list(images)]
    with suppress(TypeError):  # lone surrogates
        spelled = orjson.dumps(texts)
        if spelled.isascii():  # then it is what `canonical` spells
            return hashlib.sha256(spelled).hexdigest()[:16]
    return digest(texts)[:16]


class Image(NamedTuple):
    """An image that goes with a message: where its bytes are, which are read when it is sent."""

    path: str
    """As seen from the working directory."""
    sha256: str
    """Digest of the bytes."""


class Message(NamedTuple):
    """One turn of a conversation with the teacher."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said."""
    images: tuple[Image, ...] = ()
    """What is shown with it."""

    def row(self) -> dict[str, JSON]:
        """The message as JSON; without `images` where there are none."""
        row: dict[str, JSON] = {"role": self.role, "content": self.content}
        return row | {"images": [i._asdict() for i in self.images]} if self.images else row

    @property
    def shown(self) -> str:
        """The message for people."""
        return "\n".join([self.content, *(f"[image {image.path}]" for image in self.images)])


@lru_cache(4)  # the system message is mostly the same
def _spelled_message(message: Message) -> str:
    if message.images:
        return _spelled(message.row())
    return f'{{"content":{_quoted(message.content)},"role":"{message.role}"}}'


@dataclass(frozen=True)
class Terms:
    """What the requests of one stage have in common."""

    teacher: str
    """`provider:model`; for an embedded teacher `local:` and the sha256 of its weights."""
    server: str | None = None
    """The name given with `--server`, which keeps equal models on two servers apart."""
    json_schema: dict[str, JSON] | None = None
    """JSON Schema of the wanted reply, strict; None for free text."""
    sampling: dict[str, float | int] = field(default_factory=dict)
    """`temperature`, `top_p`, `min_p`, `max_tokens` …, as the teacher's API names them."""

    @cached_property
    def spelled(self) -> str:
        """Canonical JSON."""
        return _spelled({f.name: getattr(self, f.name) for f in fields(self)})

    @cached_property
    def length(self) -> int:
        """Bytes of the schema."""
        return len(orjson.dumps(self.json_schema)) if self.json_schema else 0


@dataclass(frozen=True)
class Request:
    """What is asked, logically: all that changes the meaning of the reply, and nothing else."""

    terms: Terms
    """Who is asked, and for what kind of reply."""
    messages: tuple[Message, ...]
    """The conversation, the format instruction included."""
    sample: int = 0
    """Number of the draw: equal messages with another number are another request."""

    @classmethod
    def parse(cls, spelled: str) -> "Request":
        """The request that `spelled` spells."""
        read = json.loads(spelled)
        messages = tuple(
            Message(row["role"], row["content"], tuple(Image(**i) for i in row.get("images", ())))
            for row in read["messages"]
        )
        request = cls(Terms(**read["terms"]), messages, read["sample"])
        vars(request)["spelled"] = spelled
        return request

    @cached_property
    def spelled(self) -> str:
        """Canonical JSON, put together of parts, as the terms are the same each time."""
        messages = ",".join(map(_spelled_message, self.messages))
        return f'{{"messages":[{messages}],"sample":{self.sample},"terms":{self.terms.spelled}}}'

    @cached_property
    def key(self) -> str:
        """sha256 of the canonical JSON, 64 hexadecimal digits: the request's identity.

        Of an image the digest counts, not the path.
        """
        meant = self
        if self.images:
            nowhere = tuple(
                message._replace(images=tuple(i._replace(path="") for i in message.images))
                for message in self.messages
            )
            meant = replace(self, messages=nowhere)
        return hashlib.sha256(meant.spelled.encode()).hexdigest()

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """What is shown with the messages."""
        return tuple(image for message in self.messages for image in message.images)

    @cached_property
    def length(self) -> int:
        """Bytes of the messages and of the schema that goes with them."""
        said = sum(len(message.content.encode(errors="replace")) for message in self.messages)
        return said + self.terms.length + IMAGE_BYTES * len(self.images)

    @property
    def tokens(self) -> int:
        """What the messages take, roughly: a token for 4 characters, as in English."""
        said = sum(len(message.content) for message in self.messages)
        return said // 4 + IMAGE_TOKENS * len(self.images)

    def seed(self, wave: int) -> int:
        """The `seed` to send, 31 bits, for servers that take one; another wave, another seed."""
        return (int(self.key[:8], 16) + wave) & 0x7FFFFFFF


class Usage(NamedTuple):
    """Tokens that one completion was billed for."""

    input_tokens: int = 0
    """Tokens in, at the full price; cached ones are not in it."""
    cached_tokens: int = 0
    """Tokens in that the provider had cached, at the lower price."""
    written_tokens: int = 0
    """Those of `input_tokens` that the provider put into its cache, for which some charge more."""
    output_tokens: int = 0
    """Tokens out, hidden reasoning included."""
    estimated: bool = False
    """The reply stated no usable figures; these are estimated from its length."""


class Completion(NamedTuple):
    """A reply of the teacher, as the API states it; `text` is not yet looked into."""

    text: str
    """The message's content; empty when there is none."""
    reasoning: str = ""
    """What the teacher thought, where the API says it apart from the content."""
    refusal: str = ""
    """The API's own refusal field."""
    finish_reason: str = ""
    """`stop`, `length`, `content_filter` …, as the API spells it."""
    usage: Usage = Usage()
    """Tokens billed."""
    model: str = ""
    """The model that answered, as the API resolved the name."""
    top_logprobs: tuple[dict[str, float], ...] = ()
    """For each of the first tokens of the reply the likeliest tokens there and their natural
    log-probabilities, the one that was drawn among them; empty where the API tells none."""


RationaleSource = Literal["native", "requested", "summary", "none"]
"""Where a rationale came from: the field that was asked for (`requested`), the teacher's own
reasoning as the API states it (`native`) or as a summary of it (`summary`), or nowhere."""


class Verdict(Record):
    """What a check says of an answer; a check that does not apply says nothing."""

    passed: bool
    """Whether the answer is as it should be."""
    value: JSON = None
    """What was found: a number, a text, a list of them; null where there is no more to say."""


class Candidate(Record):
    """One draw of one teacher: what `answer` chose from."""

    teacher: str
    """Who answered: `provider:model`."""
    sample: int = 0
    """Number of the draw, from 0."""
    style: str = ""
    """The manner of answering that was asked for."""
    rationale: str = ""
    """Why the answer follows."""
    answer: str = ""
    """The concrete answer; for closed tasks empty, see `label`."""
    label: str | None = None
    """The label that was chosen, for closed tasks."""
    rationale_source: RationaleSource = "none"
    """Where the rationale came from."""
    flags: tuple[str, ...] = ()
    """As in `Answer`."""
    problem: str = ""
    """Why there is no answer: kind and detail of the failure."""
    request: str
    """Key of the request."""


class Refinement(Record):
    """What an answer was before the teacher went over it, and what it found."""

    criticism: str
    """What the teacher found against the principles of the prompt."""
    rationale: str
    """The rationale before."""
    answer: str
    """The answer before."""
    requests: tuple[str, ...]
    """Keys of the two requests: the criticism, and the new answer."""


SoftMethod = Literal["logprobs", "votes", "verbal", "smooth"]
"""How a soft label was come by: the teacher's log-probabilities of one-letter labels, the shares of
its draws, probabilities that it stated, or a fixed share for the hard label."""


Reviewable = Literal["question", "user_context", "rationale", "answer", "label"]
"""The texts of a record that a person may change."""


class Answer(Record):
    """An answered example: one line of `answers.jsonl`."""

    question: str
    """What was asked."""
    user_context: str = ""
    """Who asked."""
    rationale: str = ""
    """Why the answer follows, from what the context says."""
    answer: str = ""
    """The concrete answer; for closed tasks empty, see `label`."""
    label: str | None = None
    """The label that the teacher chose, for closed tasks."""
    soft_label: dict[str, float] = Field(default_factory=dict)
    """Probability of each label, 1 together, at the teacher's own temperature."""
    soft_method: SoftMethod | None = None
    """How the soft label was come by."""
    covered_mass: float | None = None
    """The probability that the labels had together before they were made 1, for `logprobs`."""
    rationale_source: RationaleSource = "none"
    """Where the rationale came from."""
    style: str = ""
    """The manner of answering that the teacher was asked for."""
    votes: int | None = None
    """Candidates that came to this answer; none where there was one draw."""
    vote_share: float | None = None
    """Their share of all candidates that have an answer."""
    agreement: float | None = None
    """Share of the teachers whose own majority is this answer; none where there was one teacher."""
    checks: dict[str, Verdict] = Field(default_factory=dict)
    """What checks said, by their names."""
    scores: dict[str, float] = Field(default_factory=dict)
    """What a judge said, by aspect, 1 to 5."""
    flags: tuple[str, ...] = ()
    """What a reader should know: `usage_missing`, `text_replaced`, `rationalized`, `refined` …"""
    images: tuple[str, ...] = ()
    """Paths of images that belong to the question, as seen from the working directory."""
    meta: dict[str, JSON] = Field(default_factory=dict)
    """Columns of the source that distillgen does not know, untouched."""
    gold: str = ""
    """The right answer, where it is known without the teacher."""
    candidates: tuple[Candidate, ...] = ()
    """Every draw of every teacher, those without an answer too; none where there was one draw."""
    refinements: tuple[Refinement, ...] = ()
    """What the answer was before each time that the teacher went over it."""
    edited_by: str = ""
    """The reviewer whose texts stand here in place of the teacher's."""
    edited_from: dict[Reviewable, str] = Field(default_factory=dict)
    """The teacher's texts of the fields that the reviewer changed."""
    id: str
    """The example's id."""
    strategy: str = ""
    """How the example was made."""
    operation: str = ""
    """What was done to its parent, `deepen`, `breadth` …, or asked of an image: `detail` …"""
    generation: int = 0
    """So many times it was rewritten, its ancestors' times included."""
    persona: str = ""
    """The person that the teacher imagined first."""
    topic: tuple[str, ...] = ()
    """Where in the tree of topics it belongs, from the root to the leaf."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """The values that were drawn for it."""
    parents: tuple[str, ...] = ()
    """Ids of the examples that the teacher was shown when it made this one."""
    family: str = ""
    """Content id of the first ancestor: families are never parted between splits."""
    teacher: str
    """Who answered: `provider:model`."""
    request: str
    """Key of the request whose reply this is."""

    def flagged(self, flag: str) -> "Answer":
        """The same with one more flag."""
        return self.model_copy(update={"flags": (*self.flags, flag)})

    def row(self) -> dict[str, JSON]:
        """The same with what it holds as rows."""
        row = super().row()
        for name in ("candidates", "refinements"):
            if name in row:
                row[name] = [part.row() for part in row[name]]
        if self.checks:
            row["checks"] = {name: verdict.row() for name, verdict in self.checks.items()}
        return row


Stage = Literal["topics", "attributes", "expand", "answer", "judge", "compare"]
"""The commands that ask a teacher."""


class Failure(Record):
    """What was asked and did not come: one line of `failures.jsonl`."""

    stage: Stage
    """The command that met it."""
    kind: FailureKind
    """Why there is no result."""
    detail: str
    """The same in words."""
    id: str = ""
    """The example's id, for `answer`, `judge` and `compare`."""
    place: int | None = None
    """The place in the sequence, for `expand`."""
    question: str = ""
    """The example's question, for `answer`, `judge` and `compare`; what was to be parted further,
    for `topics`."""
    request: str
    """Key of the request."""


class Rejection(Record):
    """What came and was not kept: one line of `rejected.jsonl`."""

    stage: Stage
    """The command that met it."""
    reason: Literal["near_duplicate", "template", "capped", "invalid", "divided"]
    """`near_duplicate` repeats an earlier text, `template` is one too many that differ in their
    numbers alone, `capped` is one too many that was made of the same example, `invalid` lacks a
    field or has the wrong type, `divided` has answers that differ."""
    detail: str = ""
    """The same in words."""
    question: str = ""
    """The text that was not kept."""
    user_context: str = ""
    """Its context."""
    of: str = ""
    """Id of the earlier text that it repeats."""
    repeats: str = ""
    """The question of that text."""
    similarity: float | None = None
    """ROUGE-L F1 with that text, the lowest over the fields, 0 to 1."""
    place: int | None = None
    """The place in the sequence, for `expand`."""
    line: int | None = None
    """Line or row of the source, for `answer --skip-invalid`."""
    id: str = ""
    """The example's id, for `divided`."""
    candidates: tuple[Candidate, ...] = ()
    """What the teachers answered, for `divided`."""
    request: str = ""
    """Key of the request whose reply brought it."""

    def row(self) -> dict[str, JSON]:
        """The same with the candidates as rows."""
        row = super().row()
        if self.candidates:
            row["candidates"] = [candidate.row() for candidate in self.candidates]
        return row


Tier = Literal["exact", "ngram", "paraphrase"]
"""How a record gives a test item away: the same text, most of its words in 8-grams, or in other
words."""


class Match(Record):
    """An item of a test set that a record gives away."""

    against: str
    """Path of the test set."""
    tier: Tier
    """The first that holds, in this order: `exact`, `ngram`, `paraphrase`."""
    score: float
    """1 for `exact`, the covered share of the item's tokens for `ngram`, the TF-IDF cosine for
    `paraphrase`; 0 to 1."""
    numbers: float | None = None
    """Jaccard similarity of the numbers in both texts, 0 to 1; none where either has no numbers."""
    cosine: float | None = None
    """Cosine of the embeddings, where these told it and the words did not."""
    question: str
    """The item's question."""
    user_context: str = ""
    """Its context."""
    line: int
    """Line or row of the test set."""
    id: str = ""
    """The item's own id, if it has one."""


class Flag(Record):
    """A record that gives test items away: one line of `contaminated.jsonl`."""

    question: str
    """The record's question."""
    user_context: str = ""
    """Its context."""
    matches: tuple[Match, ...]
    """For each test set with such items, the one that is given away most."""
    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""

    def row(self) -> dict[str, JSON]:
        """The same with the matches as rows."""
        return super().row() | {"matches": [match.row() for match in self.matches]}


Repetition = Literal["near_duplicate", "template"]
"""How a record repeats another: nearly the same text, or one too many that differ in their numbers
alone."""


class Duplicate(Record):
    """A record that repeats an earlier one: one line of `duplicates.jsonl`."""

    question: str
    """The record's question."""
    user_context: str = ""
    """Its context."""
    reason: Repetition
    """`near_duplicate`, or `template`."""
    similarity: float
    """ROUGE-L F1 with the earlier record, the lowest over the fields, 0 to 1."""
    cosine: float | None = None
    """Cosine of their embeddings, the lowest over the fields; none where none was asked for."""
    repeats: str
    """Question of the earlier record."""
    of_line: int
    """Its line or row."""
    of: str
    """Its id."""
    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""


class Member(Record):
    """A record of a cluster beside the one that is kept."""

    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""
    reason: Repetition
    """`near_duplicate`, or `template`."""
    similarity: float
    """As in `Duplicate`."""
    cosine: float | None = None
    """As in `Duplicate`."""


class Cluster(Record):
    """A record that is kept, and those that repeat it: one line of `clusters.jsonl`."""

    question: str
    """Question of the record that is kept."""
    user_context: str = ""
    """Its context."""
    line: int
    """Its line or row."""
    id: str
    """Its id."""
    members: tuple[Member, ...]
    """In the order of the file."""

    def row(self) -> dict[str, JSON]:
        """The same with the members as rows."""
        return super().row() | {"members": [member.row() for member in self.members]}


class Score(Record):
    """What a judge said of an answer: one line of `scores.jsonl`."""

    question: str
    """What was asked."""
    analysis: str
    """What the judge wrote before it decided."""
    scores: dict[str, int]
    """By aspect of the rubric, 1 to 5."""
    judge: str
    """Who judged: `provider:model`."""
    candidate: int | None = None
    """Place among the record's candidates, from 0; none for the answer itself."""
    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""
    of: str
    """Digest of the texts that were judged, 16 hexadecimal digits: by it the scores are found
    again, and never taken for those of another answer."""
    request: str
    """Key of the request."""


class Comparison(Record):
    """Two candidates, compared by a judge in both orders: one line of `comparisons.jsonl`."""

    question: str
    """What was asked."""
    first: int
    """Place of one among the record's candidates, from 0."""
    second: int
    """Place of the other."""
    better: int | None = None
    """The place that was named in both orders; none where the judge went by the order."""
    analyses: tuple[str, str]
    """What the judge wrote before it decided: in this order, then in the other."""
    judge: str
    """Who judged: `provider:model`."""
    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""
    of: tuple[str, str]
    """As in `Score`, of both."""
    requests: tuple[str, str]
    """Keys of the two requests."""


ExclusionReason = Literal[
    "rejected_by_review", "review_conflict", "not_judged", "below_min", "check_silent",
    "check_failed", "too_near", "over_budget", "single", "all_right", "all_wrong", "undecided",
]  # fmt: skip
"""Why a record is left out. By `select`: a person rejected it, or reviewers differ and nobody
settled it; a score is missing, or too low; a check says nothing, or
failed; it is too like a better one; better ones filled the budget. By `pairs`: there is one answer
only; all are right, or wrong; neither scores nor a comparison tell them apart."""


class Exclusion(Record):
    """A record that was left out: one line of `excluded.jsonl` or `unpaired.jsonl`."""

    question: str
    """The record's question."""
    user_context: str = ""
    """Its context."""
    reason: ExclusionReason
    """Of `select` the first eight, of `pairs` the last four."""
    detail: str = ""
    """The same in words."""
    of: str = ""
    """Id of the chosen record that it is like."""
    similarity: float | None = None
    """ROUGE-L F1 with that one, the lower of context and question, 0 to 1."""
    line: int
    """Line or row of the file."""
    id: str
    """The record's own id, else a digest of its content."""


class Side(Record):
    """One of the two answers of a preference."""

    rationale: str = ""
    """Why the answer follows."""
    answer: str
    """The answer, or the label."""
    teacher: str = ""
    """Who gave it: `provider:model`."""
    candidate: int | None = None
    """Place among the record's candidates, from 0; none for the answer itself."""
    id: str
    """Id of the record."""
    request: str = ""
    """Key of the request that brought it."""
    edited_by: str = ""
    """The reviewer who wrote it in place of the teacher's."""

    @property
    def length(self) -> int:
        """Characters of all that is said."""
        return len(self.rationale) + len(self.answer)


PreferenceReason = Literal["edited", "right_wrong", "judge_margin", "compared"]
"""How the better answer is known: a person put it in the place of the other; by the right answer or
a person's decision; by scores; or by a comparison that came out the same in both orders."""


class Preference(Record):
    """A better and a worse answer to one question: one line of `pairs.jsonl`."""

    question: str
    """What was asked."""
    user_context: str = ""
    """Who asked."""
    images: tuple[str, ...] = ()
    """Paths of images that belong to the question."""
    system: str = ""
    """The record's own system prompt, where it brings one."""
    style: str = ""
    """The manner of answering that the teacher of the better answer was asked for."""
    chosen: Side
    """The better answer."""
    rejected: Side
    """The worse one."""
    reason: PreferenceReason
    """How it is known which is better."""
    margin: float | None = None
    """Mean score of the better one less that of the worse, for `judge_margin`."""
    line: int
    """Line or row of the file; of several that share the question, the first."""

    def row(self) -> dict[str, JSON]:
        """The same with both sides as rows."""
        return super().row() | {"chosen": self.chosen.row(), "rejected": self.rejected.row()}


class Checked(Record):
    """What checks said of an answer: one line of `checks.jsonl`, in the order of the answers."""

    question: str
    """The answer's question."""
    checks: dict[str, Verdict]
    """Verdicts by check; one that does not apply is left out."""
    of: str = ""
    """Digest of the texts that were checked, as that of scores; older versions wrote none."""
    line: int
    """Line or row of the file of answers."""
    id: str
    """The answer's own id, else a digest of its content."""

    def row(self) -> dict[str, JSON]:
        """The same with the verdicts as rows, also when there are none."""
        checks = {name: verdict.row() for name, verdict in self.checks.items()}
        return super().row() | {"checks": checks}


Decision = Literal["accept", "edit", "reject", "skip", "undo"]
"""What a person does about a record: it is good as it is; it is, with other texts; it is not; not
now; or the person's last one about it is taken back."""


class Review(Record):
    """What a person decided about a record: one line of `reviews.jsonl`, never changed again.

    `id` and `decision` alone will do.
    """

    id: str
    """The record's id."""
    reviewer: str = ""
    """Who decided; the latest decision of each reviewer counts."""
    decision: Decision
    """`skip` neither decides nor takes anything back; `undo` takes the reviewer's last line about
    the record back, so that the one before counts again."""
    fields: dict[Reviewable, str] = Field(default_factory=dict)
    """For `edit`: the texts that differ from the record's, as the person wants them."""
    was: dict[Reviewable, str] = Field(default_factory=dict)
    """The teacher's texts of the same fields."""
    candidate: int | None = None
    """Place among the record's candidates, from 0, of the one that was chosen instead."""
    reason: str = ""
    """Why it is rejected."""
    note: str = ""
    """Anything else."""
    settles: bool = False
    """It goes before what the reviewers said: they differed, and this is what holds, until somebody
    decides again."""
    version: str = ""
    """What the decision was made on: digest of the record's texts, 16 hexadecimal digits, a point,
    and the state of its decisions. Empty, in lines written by hand: it holds for any text."""
    at: str = ""
    """When, in UTC."""


Split = Literal["train", "validation", "test"]
"""What a record is for: to learn from, to choose the student by, to measure it."""
SPLITS: tuple[Split, ...] = get_args(Split)


class Assignment(Record):
    """Which split a record belongs to: one line of `splits.jsonl`."""

    id: str
    """The record's id."""
    split: Split | None
    """Its split; null where it is left out of all of them."""
    group: str = Field(default="", pattern="^[0-9a-f]{0,16}$")
    """What it shares with all records that it must not be parted from, 16 hexadecimal digits."""
    content: str = Field(default="", pattern="^[0-9a-f]{0,16}$")
    """Digest of its prompt and lineage, 16 hexadecimal digits, by which a change is noticed."""
    reason: Literal["", "bridge"] = ""
    """Why it is left out: `bridge` belongs with records of two splits."""
    detail: str = ""
    """The same in words."""
    absent: bool = False
    """It was not among the answers the last time."""
    asked: dict[str, JSON] = Field(default_factory=dict)
    """In the first line, what all were assigned by: `shares`, `random_seed`, `seeds_for_test`."""

    def row(self) -> dict[str, JSON]:
        """The same with the split even if it is null, and `absent` only where it holds."""
        row = {"id": self.id, "split": self.split} | super().row()
        if not self.absent:
            del row["absent"]
        return row


class FileStamp(Record):
    """A file as distillgen wrote it, so that a change by hand is noticed."""

    sha256: str
    """Digest of the content."""
    size: int
    """Bytes."""
    mtime_ns: int
    """Modification time; while it and the size stand, the digest is not taken again."""


class Entry(Record):
    """What one command was asked, with what, and what came of it."""

    version: str
    """distillgen's version."""
    started: str
    """UTC, ISO 8601."""
    finished: str | None = None
    """UTC; null while it runs and after a crash."""
    ended: str = ""
    """Why it ended, in a word: `done`, `saturated`, `ceiling`, `budget`, `signal`, `provider` …"""
    source: str = ""
    """Path of the seeds, inputs or answers that were read."""
    source_sha256: str = ""
    """Digest of that file."""
    options: dict[str, JSON] = Field(default_factory=dict)
    """Every option, defaults included; never a key or password."""
    settled: dict[str, JSON] = Field(default_factory=dict)
    """What holds for requests where options were left open: it depends on the teacher's size."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """sha256 of each prompt file used, and of what the file that a strategy works from holds."""
    counts: dict[str, int] = Field(default_factory=dict)
    """The ledger."""
    usage: dict[str, int] = Field(default_factory=dict)
    """Tokens of this command: `input_tokens`, `cached_tokens`, `output_tokens`, `requests`."""
    cost_usd: float | None = None
    """Dollars that this command spent; null when the price is unknown."""
    models: tuple[str, ...] = ()
    """Models that answered, as the API resolved the name."""


class Manifest(Record):
    """`manifest.json`: what was asked of a run folder, and what came of it."""

    schema_version: Literal[1] = 1
    """Raised when a field changes its meaning."""
    commands: dict[str, Entry] = Field(default_factory=dict)
    """The latest entry of each command."""
    files: dict[str, FileStamp] = Field(default_factory=dict)
    """Every derived file, by its path in the run folder."""
