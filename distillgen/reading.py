"""Lay records out for people to read: who asks, what, the answer, and all that was said of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from distillgen.answered import Sample
from distillgen.facts import Facts, Repeat
from distillgen.records import JSON, Verdict
from distillgen.show import visible

KINDS = {
    "random": ("Drawn at random", "What the set is mostly like; always the same records."),
    "judge": ("Lowest scores", "What the judge liked least."),
    "checks": ("Most failed checks", "Where the most checks failed."),
    "context": ("Least of the context taken up", "Answers that could be anybody's."),
    "seed": ("Nearest to a seed", "Questions that are closest to one that was written by hand."),
    "soft": ("Torn between labels", "Where the likeliest label is least likely."),
}
"""Why records are shown: a title, and how to read them."""
MOST = 400_000
"""Characters of records on a page; what does not fit is counted, never cut."""
FOLDED = 600
"""Characters from which on a text is folded behind its beginning."""
BEGINNING = 240
"""Characters of the beginning."""


@dataclass(frozen=True)
class Part:
    """One text of a record, under its name."""

    name: str
    text: str
    beginning: str = ""
    """Of a long text, which stands folded behind it."""

    @classmethod
    def of(cls, name: str, text: str) -> "Part":
        """With all that could turn the order of a text or hide in it spelled out."""
        shown = visible(text.strip())
        if len(shown) <= FOLDED:
            return cls(name, shown)
        return cls(name, shown, shown[:BEGINNING].rstrip() + " …")


@dataclass(frozen=True)
class Card:
    """A record as it stands on the page: its context on one side, what was answered beside it."""

    id: str
    why: str
    """The figure for which it was chosen, in words."""
    asked: tuple[Part, ...]
    answered: tuple[Part, ...]
    facts: tuple[Part, ...]
    """What was said of it, in short."""

    @property
    def length(self) -> int:
        """Characters, those of folded beginnings too."""
        parts = (*self.asked, *self.answered, *self.facts)
        return sum(len(part.text) + len(part.beginning) for part in parts)


@dataclass(frozen=True)
class Shelf:
    """Records that were chosen for one reason."""

    id: str
    title: str
    how: str
    cards: tuple[Card, ...]
    left_out: int = 0
    """Those that would have made the page too long."""


def shelves(runs: Sequence[tuple[str, Facts]]) -> Iterator[Shelf]:
    """Records to read of each run, by why they were chosen; then what repeats."""
    left = MOST // len(runs)
    for letter, facts in runs:
        room = left
        for kind, (title, how) in KINDS.items():
            cards = [card(one, kind) for one in facts.samples.get(kind, ())]
            shown, room = _fitting(cards, room)
            if cards:
                named = f"{title} {letter}".strip()
                yield Shelf(f"read-{kind}{letter}", named, how, shown, len(cards) - len(shown))
        cards = [_repeat(one) for one in facts.repeats]
        shown, room = _fitting(cards, room)
        if cards:
            how = "What was left out, and what it repeats: is it really the same?"
            named = f"Near duplicates {letter}".strip()
            yield Shelf(f"read-repeats{letter}", named, how, shown, len(cards) - len(shown))


def _fitting(cards: Sequence[Card], room: int) -> tuple[tuple[Card, ...], int]:
    """The cards that there is room for, and what room is left."""
    shown = []
    for one in cards:
        if one.length <= room:
            shown.append(one)
            room -= one.length
    return tuple(shown), room


def card(one: Sample, kind: str) -> Card:
    """A record with what was said of it."""
    record = one.record
    asked = [("Context", record.user_context), ("Question", record.question)]
    asked += [("Image", path) for path in record.images]
    answered = [("Label", record.label or ""), ("Answer", record.answer),
                ("Why", record.rationale)]  # fmt: skip
    answered += [("Right answer", record.gold)]
    return Card(
        record.id, _why(one, kind), _parts(asked), _parts(answered), tuple(_facts(one, kind))
    )


def _parts(texts: Sequence[tuple[str, str]]) -> tuple[Part, ...]:
    return tuple(Part.of(name, text) for name, text in texts if text.strip())


def _why(one: Sample, kind: str) -> str:
    if kind == "judge":
        return f"mean score {one.value:.2f}"
    if kind == "checks":
        return f"{one.value:.0f} checks failed" if one.value != 1 else "1 check failed"
    if kind == "context":
        return f"{one.value:.0f} words or figures taken up"
    if kind == "seed":
        return f"similarity {one.value:.2f}"
    if kind == "soft":
        return f"likeliest at {one.value:.2f}"
    return ""


def _facts(one: Sample, kind: str) -> Iterator[Part]:
    record = one.record
    if one.repeats and kind == "seed":
        yield Part.of("Nearest seed", one.repeats)
    if one.right is not None:
        yield Part("Known", "right" if one.right else "wrong")
    if record.soft_label:
        told = sorted(record.soft_label.items(), key=lambda pair: -pair[1])
        yield Part.of("Soft label", ", ".join(f"{label} {p:.2f}" for label, p in told))
    if one.scores:
        yield Part.of("Scores", ", ".join(f"{name} {score}" for name, score in one.scores.items()))
        yield Part.of("The judge wrote", one.analysis)
    failed = [_verdict(name, said) for name, said in one.verdicts.items() if not said.passed]
    passed = sum(said.passed for said in one.verdicts.values())
    if failed:
        yield Part.of("Failed", "; ".join(failed))
    if one.verdicts:
        yield Part("Passed", f"{passed:,} of {len(one.verdicts):,} checks")
    if record.flags:
        yield Part.of("Flags", ", ".join(record.flags))
    made = [record.strategy.replace("_", " "), record.operation, record.style, record.teacher]
    yield Part.of("Made by", ", ".join(filter(None, made)) or "others")


def _verdict(name: str, verdict: Verdict) -> str:
    told = _told(verdict.value)
    return name.replace("_", " ") + (f": {told}" if told else "")


def _told(value: JSON) -> str:
    """What a check found, without the marks of a program."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items() if _told(one))
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value))
    return "" if value is None else str(value)


def _repeat(one: Repeat) -> Card:
    reason = one.reason.replace("_", " ")
    return Card(
        "", f"{one.stage}: {reason}, similarity {one.similarity:.2f}",
        _parts([("Left out", one.question), ("Its context", one.user_context)]),
        _parts([("Repeats", one.repeats)]), (),
    )  # fmt: skip
