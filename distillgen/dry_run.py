"""Say what a command would ask and cost, from its plan and from what the journal measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from distillgen.answer import Answering
from distillgen.course import Setting
from distillgen.draft import Drafting
from distillgen.expand import Walk
from distillgen.judging import Judging
from distillgen.prices import NANO, Price
from distillgen.records import JSON, Example, Request, Seed, Usage
from distillgen.sending import Ask
from distillgen.stored import Stored
from distillgen.teachers import Chosen

INPUT_TOKENS = 70
"""Assumed length of one made input."""
ANSWER_TOKENS = 300
"""Assumed length of one answer with its rationale."""
DRAFT_TOKENS = 150
"""Assumed length of one reply of a draft."""
VERDICT_TOKENS = 200
"""Assumed length of one reply of a judge."""
SAMPLES = 3


@dataclass(frozen=True)
class Estimate:
    """What one stage would ask."""

    stage: str
    requests: int
    """To be asked."""
    there: int
    """Outcomes already in the journal."""
    tokens_in: int
    tokens_out: int
    cost: int | None
    """Nanodollars; None when the price is unknown."""
    assumed: str
    """Where the figures come from, in words."""
    samples: list[Request]
    """The first prompts, as they would be sent."""

    def as_json(self) -> dict[str, JSON]:
        """The same for `--json`."""
        return {
            "requests": self.requests,
            "in_journal": self.there,
            "input_tokens": self.tokens_in,
            "output_tokens": self.tokens_out,
            "cost_usd": None if self.cost is None else self.cost / NANO,
            "assumed": self.assumed,
        }


def of_expand(walk: Walk, journal: Stored, price: Price | None) -> Estimate:
    """What is left of a walk, by the yield so far."""
    walk.advance()
    samples = [] if walk.ended else [ask.request for ask in _until_none(walk)]
    places = 0 if walk.ended else walk.needed() - walk.folded
    beyond = 0 if walk.ended else journal.places(walk.sequence, walk.folded)
    there = walk.folded + beyond
    made = len(walk.kept)
    if made:
        share = made / max(1, walk.folded * walk.setting.per_call)
        assumed = f"{share:.0%} of proposals kept (measured)"
    else:
        assumed = "every proposal kept (not yet measured)"
    return _estimate(
        "expand", max(0, places - beyond), there, samples, journal, price, assumed,
        INPUT_TOKENS * walk.setting.per_call, '{"strategy"',
    )  # fmt: skip


def of_answer(
    answering: Answering,
    journal: Stored,
    everybody: Sequence[Chosen],
    to_come: Sequence[Example] = (),
) -> list[Estimate]:
    """What is open of the answers, teacher by teacher; equal requests are counted once.

    `to_come` are inputs like those that are not made yet.
    """
    estimates = []
    for asked, chosen in zip(answering.setting.asked, everybody, strict=True):
        requests, samples = _counted(answering.requests(asked.who))
        there = answering.found
        first = [step for example in to_come for step in answering.plan(example)]
        more = [step.request for step in first if step.who == asked.who]
        stage = "answer" if len(everybody) == 1 else f"answer, {chosen.shown}"
        estimates.append(
            _estimate(
                stage, requests + len(more), there, samples or more[:SAMPLES], journal,
                chosen.price, _what_follows(answering.setting), ANSWER_TOKENS, None,
            )
        )  # fmt: skip
    return estimates


def of_judge(judging: Judging, journal: Stored, price: Price | None) -> Estimate:
    """What is left to ask a judge; equal cases are counted once."""
    requests, samples = _counted(judging.requests())
    return _estimate(
        judging.manner.stage, requests, judging.found, samples, journal, price, "", VERDICT_TOKENS,
        judging.lineage,
    )  # fmt: skip


def _counted(asks: Iterable[Ask]) -> tuple[int, list[Request]]:
    """How many different requests there are, and the first."""
    samples: list[Request] = []
    keys: set[bytes] = set()
    for ask in asks:
        keys.add(bytes.fromhex(ask.request.key[:16]))
        if len(samples) < SAMPLES:
            samples.append(ask.request)
    return len(keys), samples


def of_answers_to_come(
    answering: Answering,
    n: int,
    seeds: Iterable[Seed],
    journal: Stored,
    everybody: Sequence[Chosen],
) -> list[Estimate]:
    """The answers of `run`: to the inputs that are there, and to as many more as `n` wants."""
    missing = max(0, n - sum(1 for _ in answering.examples))
    likely = [Example(question=s.question, user_context=s.user_context, id=s.id) for s in seeds]
    to_come = [likely[i % len(likely)] for i in range(missing)]
    return of_answer(answering, journal, everybody, to_come)


def _what_follows(setting: Setting) -> str:
    """What an estimate leaves out, since it depends on the replies."""
    named = [
        *(["--escalate"] if setting.escalate else []),
        *(["--rationalize"] if setting.rationalize else []),
        *(["--refine"] if setting.refine else []),
    ]
    return f"without what {' and '.join(named)} may add" if named else ""


def of_draft(drafting: Drafting, journal: Stored, price: Price | None) -> Estimate:
    """What is left to ask of a draft, if each reply brings all that it is asked for."""
    found = drafting.read()
    samples = [ask.request for _, ask in found.open[:SAMPLES]]
    name = drafting.kind.name
    return _estimate(
        name, drafting.left(), found.counts["kept"] + found.counts["failed"], samples, journal,
        price, "", DRAFT_TOKENS, f'{{"draft": "{name}"',
    )  # fmt: skip


def _until_none(walk: Walk):  # type: ignore[no-untyped-def]
    for ask in islice(walk.requests(), SAMPLES):
        if ask is None:
            return
        yield ask


def _estimate(
    stage: str, requests: int, there: int, samples: list[Request], journal: Stored,
    price: Price | None, assumed: str, out_each: int, lineage: str | None,
) -> Estimate:  # fmt: skip
    measured = journal.means(lineage)
    length = sum(sample.tokens for sample in samples) / max(1, len(samples))
    if measured:
        tokens_in, tokens_out = round(requests * measured[0]), round(requests * measured[1])
        words = "lengths as measured in this run folder"
    else:
        tokens_in, tokens_out = round(requests * length), requests * out_each
        words = f"{out_each} tokens a reply (not yet measured)"
    usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
    cost = None if price is None else price.cost(usage)
    assumed = f"{assumed}, {words}" if assumed else words
    return Estimate(stage, requests, there, tokens_in, tokens_out, cost, assumed, samples)
