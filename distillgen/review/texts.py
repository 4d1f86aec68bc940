"""The texts of a record that a person reads and may change, and a decision made of changes."""

from collections.abc import Mapping
from hashlib import sha256
from typing import get_args

from distillgen.records import Answer, Decision, Review, Reviewable

FIELDS: tuple[Reviewable, ...] = get_args(Reviewable)


def texts(record: Answer) -> dict[Reviewable, str]:
    """The texts as they stand; empty where there is none."""
    return {name: getattr(record, name) or "" for name in FIELDS}


def taught(record: Answer) -> dict[Reviewable, str]:
    """The texts as the teacher left them, also where a person's were put in their place."""
    return texts(record) | record.edited_from


def of(texts: Mapping[Reviewable, str]) -> str:
    """Digest of the texts, 16 hexadecimal digits: what a decision is about. Blank ones are none."""
    told = [text if (text := texts[name]).strip() else "" for name in FIELDS]
    whole = "".join([*(f"{len(text)}," for text in told), *told])  # so none runs into the next
    return sha256(whole.encode(errors="replace")).hexdigest()[:16]


def decision(
    record: Answer,
    decision: Decision,
    fields: Mapping[Reviewable, str] | None = None,
    candidate: int | None = None,
    *,
    reviewer: str = "",
    reason: str = "",
    note: str = "",
    settles: bool = False,
    version: str = "",
) -> Review:
    """What a person decided about a record, ready for `Decisions.decide`.

    `fields` may hold texts that are as they were; they are left out. A `candidate` brings its
    rationale, answer and label, over which `fields` go. An edit that changes nothing is `accept`,
    whatever is accepted with changes is `edit`, and other decisions have no fields.

    Raises:
        ValueError: there is no such candidate, or no question or answer would be left.
    """
    before = taught(record)
    after = dict(before)
    if decision not in ("accept", "edit"):
        fields, candidate = {}, None
    if candidate is not None:
        if not 0 <= candidate < len(record.candidates):
            raise ValueError(f"candidate {candidate}: there are {len(record.candidates)}")
        one = record.candidates[candidate]
        after |= {"rationale": one.rationale, "answer": one.answer, "label": one.label or ""}
    after |= fields or {}
    changed = {name: after[name] for name in FIELDS if after[name] != before[name]}
    if changed and not after["question"].strip():
        raise ValueError("an edit leaves no question; reject the record instead")
    if changed and not (after["answer"] + after["label"]).strip():
        raise ValueError("an edit leaves no answer; reject the record instead")
    if decision in ("accept", "edit"):
        decision = "edit" if changed else "accept"
    return Review(
        id=record.id, reviewer=reviewer, decision=decision, fields=changed,
        was={name: before[name] for name in changed}, candidate=candidate if changed else None,
        reason=reason, note=note, settles=settles, version=version,
    )  # fmt: skip
