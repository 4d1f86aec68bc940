"""Say what people's decisions come to for a record: taken, with which texts, or left out and why.

The one place that `export`, `select`, `pairs`, `check`, `judge` and `report` ask. Where reviewers
differ and nobody settled it, nothing holds: the record is left out, and is neither right nor wrong.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from distillgen.contenders import Contender, Item
from distillgen.records import JSON, Answer, Preference, Review, Reviewable
from distillgen.review import texts
from distillgen.review.store import Decisions, Mark, Standing
from distillgen.sidecars import REVIEWS

Verdict = Literal["accept", "edit", "reject", "conflict"]
REJECTED: Literal["rejected_by_review"] = "rejected_by_review"
CONFLICT: Literal["review_conflict"] = "review_conflict"
Reason = Literal["rejected_by_review", "review_conflict"]
"""Why a record that people looked at is left out."""
SOMEBODY = "a reviewer"
"""Who gave no name."""
SAID = ("rationale", "answer", "label")
"""The fields in which a change says that the teacher was wrong."""


class Outcome(NamedTuple):
    """What holds for a record."""

    verdict: Verdict
    review: Review | None = None
    """The decision that holds; of several that agree, one. None for a conflict."""
    reviewers: tuple[str, ...] = ()
    """Who decided."""

    @property
    def left_out(self) -> Reason | None:
        """Why the record is left out; None if it is taken. An edit without texts, as a line written
        by hand may be, says that the record is wrong and not what is right."""
        if self.verdict == "conflict":
            return CONFLICT
        empty = self.verdict == "edit" and self.review and not self.review.fields
        return REJECTED if self.verdict == "reject" or empty else None

    @property
    def why(self) -> str:
        """The reason that a person gave, or who differs."""
        if self.verdict == "conflict":
            return f"{' and '.join(name or SOMEBODY for name in self.reviewers)} differ"
        return self.review.reason if self.review else ""

    @property
    def fields(self) -> Mapping[Reviewable, str]:
        """The texts that a person put in place of the teacher's."""
        return self.review.fields if self.verdict == "edit" and self.review else {}

    @property
    def right(self) -> bool | None:
        """Whether the teacher's answer was right; None where that is not settled.

        An edit of rationale, answer or label says that it was not; one of question or context
        alone leaves it right.
        """
        if self.verdict == "edit":
            return bool(self.fields) and not any(name in self.fields for name in SAID)
        return {"accept": True, "reject": False}.get(self.verdict)


@dataclass
class Reviewed:
    """The outcomes of a run's decisions, record by record."""

    decisions: Decisions
    counts: Counter[str] = field(default_factory=Counter)
    """By verdict, of the records that went through `taken`; `outdated` are those that people
    decided about when their texts were others."""

    @classmethod
    def beside(cls, run: Path) -> "Reviewed":
        """Those of a run folder.

        Raises:
            UserError: a line of `reviews.jsonl` cannot be read.
        """
        return cls(Decisions(run / REVIEWS))

    def __contains__(self, id: object) -> bool:
        """Whether anything was said of a record with this id."""
        return id in self.decisions

    def outcome(self, id: str, of: str = "") -> Outcome | None:
        """What holds for a record with these texts (`texts.of`); None if nobody decided."""
        return resolve(self.decisions, self.decisions.standing(id, of))

    def of(self, record: Answer) -> Outcome | None:
        """What holds for a record."""
        if record.id not in self:
            return None
        return self.outcome(record.id, texts.of(texts.taught(record)))

    def of_item(self, item: Item) -> Outcome | None:
        """The same, of a record of a file that anybody wrote."""
        return self.outcome(item.id, texts.of(taught(item))) if item.id in self else None

    def right(self, record: Answer) -> bool | None:
        """Whether the answer as it stands in the record is right, by what people decided."""
        found = self.of(record)
        if found and not found.left_out and record.edited_by:
            return True
        return found.right if found else None

    def right_item(self, item: Item, said: Contender) -> bool | None:
        """The same of a record of a file that anybody wrote; of its own answer alone."""
        found = self.of_item(item) if said.place is None else None
        if found and not found.left_out and item.columns.get("edited_by"):
            return True
        return found.right if found else None

    def taken(self, record: Answer) -> tuple[Answer, Reason | None]:
        """The record with the person's texts in place of the teacher's, and why it is left out."""
        found = self.of(record)
        if found:
            self.counts[found.verdict] += 1
        elif record.id in self and self.outcome(record.id):
            self.counts["outdated"] += 1
        if found and found.left_out:
            return record, found.left_out
        return edited(record, found), None

    def notes(self) -> list[str]:
        """What to say of the records that went through `taken`."""
        n = self.counts
        told = {
            "accept": "accepted", "edit": "changed", "reject": "rejected and left out",
            "conflict": "left out as reviewers differ",
        }  # fmt: skip
        said = [f"{n[name]:,} {words}" for name, words in told.items() if n[name]]
        notes = [f"reviewed: {', '.join(said)}"] if said else []
        if n["outdated"]:
            notes.append(
                f"{n['outdated']:,} reviewed records have other texts now: what was decided about"
                " them does not count"
            )
        return notes

    def outdates(self, pair: Preference) -> Reason | Literal["edited_by_review"] | None:
        """Why a pair is left out: what it prefers was the teacher's answer, and is no longer.

        `pairs` makes it anew.
        """
        better = pair.chosen
        if better.edited_by or better.candidate is not None or better.id not in self:
            return None
        found = self.outcome(better.id)
        mended = found and any(name in found.fields for name in SAID)
        return "edited_by_review" if mended else found.left_out if found else None


def holds(standing: Standing) -> tuple[Verdict, Mark | None] | None:
    """What holds of the decisions about a record, and the line that says so; None without any."""
    if standing.settled:
        mark = standing.settled
    elif not standing.said:
        return None
    elif standing.differ:
        return "conflict", None
    else:
        mark = next(iter(standing.said.values()))
    verdicts: dict[str, Verdict] = {"accept": "accept", "edit": "edit", "reject": "reject"}
    return verdicts[mark.decision], mark


def resolve(decisions: Decisions, standing: Standing) -> Outcome | None:
    """The same with the texts."""
    if (found := holds(standing)) is None:
        return None
    verdict, mark = found
    who = tuple(standing.said) or ((mark.reviewer,) if mark else ())
    return Outcome(verdict, decisions.read(mark) if mark else None, who)


def edited(record: Answer, found: Outcome | None) -> Answer:
    """The record as a person wants it; the teacher's texts go along in `edited_from`.

    What was said of other texts goes: checks, scores, votes, and of another label its odds.
    """
    fields = dict(found.fields) if found and found.review else {}
    if not fields and not record.edited_from:
        return record
    before = texts.taught(record)
    now = before | fields
    by = (found.review.reviewer or SOMEBODY) if fields and found and found.review else ""
    changes: dict[str, object] = {str(name): text for name, text in now.items()}
    changes |= {"label": now["label"] or None, "edited_by": by}
    changes["edited_from"] = {name: before[name] for name in texts.FIELDS if name in fields}
    for name in outdated(fields):
        changes[name] = Answer.model_fields[name].get_default(call_default_factory=True)
    if "rationale" in fields:
        known = record.rationale_source if record.rationale_source != "none" else "requested"
        changes["rationale_source"] = known if now["rationale"] else "none"
    return record.model_copy(update=changes)


def outdated(fields: Iterable[str]) -> Iterator[str]:
    """Of a record whose texts a person changed, the columns that speak of the teacher's texts."""
    names = set(fields)
    if names & set(SAID):
        yield from ("checks", "scores", "votes", "vote_share", "agreement")
    if "label" in names:
        yield from ("soft_label", "soft_method", "covered_mass")


def changes(item: Item, found: Outcome | None) -> dict[str, JSON]:
    """The columns in which an item becomes the record as a person wants it; see `edited`."""
    before = taught(item)
    fields = found.fields if found else {}
    if not fields and not item.columns.get("edited_from"):
        return {}
    by = (found.review.reviewer or SOMEBODY) if fields and found and found.review else ""
    now: dict[str, JSON] = {
        name: text
        for name in texts.FIELDS
        if (text := fields.get(name, before[name])) or item.columns.get(name)
    }
    return now | {"edited_by": by, "edited_from": {name: before[name] for name in fields}}


def taught(item: Item) -> dict[Reviewable, str]:
    """The texts of an item as the teacher left them."""
    said = item.answer
    other = item.columns.get("answer") if said.closed else ""
    found: dict[Reviewable, str] = {
        "question": item.question, "user_context": item.user_context, "rationale": said.rationale,
        "answer": (other if isinstance(other, str) else "") if said.closed else said.answer,
        "label": said.answer if said.closed else "",
    }  # fmt: skip
    before = item.columns.get("edited_from")
    before = before if isinstance(before, dict) else {}
    return found | {name: str(before[name]) for name in texts.FIELDS if name in before}
