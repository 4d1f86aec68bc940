"""Say a record, and where the work stands, as the page needs it: texts, and nothing but texts.

Whatever comes from data goes out as a string; the page shows strings as they are.
"""

import json
import math
from collections.abc import Iterator, Mapping

from distillgen import checks
from distillgen.errors import UserError
from distillgen.records import JSON, Answer, Candidate, Review
from distillgen.review import texts
from distillgen.review.desk import Desk
from distillgen.review.pile import Filter, Shown

MOST = 50_000
"""Characters of a text that are shown; a longer one is cut for the eye, and cannot be edited."""
MOST_BESIDE = 5_000
"""The same of what stands beside the record."""
MOST_OF_A_CHOICE = 100
"""And of what stands in a list to choose from."""
CHOICES = 200
"""Values that a filter offers, the commonest first."""


def words(value: JSON, most: int = MOST_BESIDE) -> str:
    """A value as people read it.

    >>> words(["a", 2])
    'a, 2'
    """
    if value is None:
        return ""
    if isinstance(value, float):
        value = f"{value:.4g}"
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        value = ", ".join(words(one, most) for one in value)
    found = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return found if len(found) <= most else f"{found[:most]} … ({len(found):,} characters)"


def record(desk: Desk, place: int, reviewer: str) -> dict[str, JSON]:
    """All of a record, as this reviewer may see it: of two who decide alone, neither is told."""
    shown = desk.shown(place)
    one = shown.record
    taught = {str(name): text for name, text in texts.taught(one).items()}
    standing = desk.decisions.standing(one.id, shown.of)
    outcome = desk.outcome(place)
    said = {name: desk.decisions.read(mark) for name, mark in standing.said.items()}
    mine = said.pop(reviewer, None)
    double = desk.is_double(place)
    alone = double and not mine and not standing.settled
    return {
        "place": place,
        "id": one.id,
        "version": desk.version(place),
        "texts": {name: text[:MOST] for name, text in taught.items()},
        "cut": {name: len(text) for name, text in taught.items() if len(text) > MOST},
        "closed": one.label is not None,
        "images": [words(path) for path in one.images],
        "checks": list(_checks(shown)),
        "judged": list(_judged(shown)),
        "facts": list(_facts(one)),
        "candidates": [_candidate(shown, n, found) for n, found in enumerate(one.candidates)],
        "double": double,
        "verdict": outcome.verdict if outcome and not alone else "",
        "settled": _review(desk.decisions.read(standing.settled)) if standing.settled else None,
        "mine": _review(mine) if mine else None,
        "note": _note(desk, one.id, reviewer),
        "others": [] if alone else [_review(found) for found in said.values()],
    }


def _checks(shown: Shown) -> Iterator[dict[str, JSON]]:
    """Failures first, each with what it looks for."""
    for name, verdict in sorted(shown.checks.items(), key=lambda item: item[1].passed):
        try:
            help = checks.load(name).help if name in checks.names() else ""
        except UserError:
            help = ""
        found = words(verdict.value) if verdict.value not in (True, False, []) else ""
        yield {"name": spaced(name), "passed": verdict.passed, "found": found, "help": help}


def _judged(shown: Shown) -> Iterator[dict[str, JSON]]:
    """What the judge said of the answer; where its words are gone, the scores in the record."""
    told: list[tuple[Mapping[str, float], str, str]] = [
        (found.scores, found.judge, found.analysis)
        for found in shown.judged
        if found.candidate is None
    ]
    if not told and shown.record.scores:
        told = [(shown.record.scores, "", "")]
    for by_aspect, judge, analysis in told:
        scores = [[spaced(aspect), words(score)] for aspect, score in by_aspect.items()]
        yield {"judge": judge, "scores": scores, "analysis": words(analysis)}


def _facts(one: Answer) -> Iterator[tuple[str, str]]:
    """What else is known, as pairs of a name and a text."""
    told: dict[str, JSON] = {
        "right answer, as known": one.gold,
        "teachers agree": _percent(one.agreement),
        "answers that agree": _percent(one.vote_share),
        "odds": ", ".join(f"{name} {share:.0%}" for name, share in one.soft_label.items()),
        "flags": [spaced(flag) for flag in one.flags],
        "topic": " › ".join(one.topic),
        "persona": one.persona,
        **{spaced(name): value for name, value in one.attributes.items()},
        "made by": spaced(one.strategy),
        "style": one.style,
        "teacher": one.teacher,
        **{str(name): value for name, value in one.meta.items()},
        "id": one.id,
    }
    yield from ((name, text) for name, value in told.items() if (text := words(value)))


def _percent(share: float | None) -> str:
    return "" if share is None or math.isnan(share) else f"{share:.0%}"


def _candidate(shown: Shown, place: int, one: Candidate) -> dict[str, JSON]:
    scores = [
        f"{score}" for said in shown.judged if said.candidate == place
        for score in [", ".join(f"{spaced(name)} {n}" for name, n in said.scores.items())]
    ]  # fmt: skip
    met = [one for one in shown.better if place in one[:2] and one[2] is not None]
    if met:
        wins = sum(better == place for _, _, better in met)
        scores.append(f"the judge prefers it to {wins} of {len(met)} others")
    record = shown.record
    same = (one.answer, one.label or "") == (record.answer, record.label or "")
    cut = max(len(one.rationale), len(one.answer)) > MOST
    return {
        "place": place,
        "teacher": one.teacher,
        "style": one.style,
        "rationale": one.rationale[:MOST],
        "answer": one.answer[:MOST],
        "label": one.label or "",
        "problem": words(one.problem),
        "scores": "; ".join(scores),
        "chosen": same and one.rationale == record.rationale,
        "takes": not one.problem and not cut and bool((one.answer + (one.label or "")).strip()),
    }


def _note(desk: Desk, id: str, reviewer: str) -> str:
    """What the reviewer wrote beside the last decision, one that is taken back too."""
    said = desk.decisions.history(id)[::-1]
    mine = (one.note for one in said if one.reviewer == reviewer and one.decision != "undo")
    return next(mine, "")


def _review(one: Review) -> dict[str, JSON]:
    return {
        "reviewer": one.reviewer or "somebody",
        "decision": one.decision,
        "fields": {str(name): text for name, text in one.fields.items()},
        "candidate": one.candidate,
        "reason": one.reason,
        "note": one.note,
        "at": one.at,
    }


def start(desk: Desk) -> dict[str, JSON]:
    """What the page needs first: the run's name, the reviewers so far, the labels of the task."""
    return {
        "run": desk.run.resolve().name,
        "file": str(desk.decisions.path),
        "reviewers": [name for name in desk.decisions.reviewers() if name],
        "double": desk.setting.double,
        "labels": list(desk.labels),
    }


def choices(desk: Desk) -> dict[str, JSON]:
    """What there is to filter by, and the labels: of the task, or else of the answers."""
    counts = desk.pile.counts()
    found = sorted(counts["label"]) if len(counts["label"]) <= CHOICES else []
    return {
        "choices": {
            name: [[value, words(spaced(value) if name == "failed" else value, MOST_OF_A_CHOICE), n]
                   for value, n in found.most_common(CHOICES)]
            for name, found in counts.items()
        },
        "labels": list(desk.labels) or found,
        "scored": any(not math.isnan(one) for one in desk.pile.confidence),
    }  # fmt: skip


def progress(desk: Desk) -> dict[str, JSON]:
    """Where the work stands."""
    estimate, counts = desk.estimate(), desk.counts()
    return {
        "counts": counts,
        "half": desk.half(),
        "estimate": estimate.words,
        "meaning": estimate.meaning,
        "more": estimate.more,
        "kappas": [
            {"reviewers": list(one.reviewers), "records": one.records,
             "agree": _percent(one.agree), "kappa": None if one.kappa is None
             else f"{one.kappa:.2f}"}
            for one in desk.kappas()
        ],
    }  # fmt: skip


def line(desk: Desk, place: int) -> dict[str, JSON]:
    """A record in a list: its question, and who said what."""
    one = desk.pile.record(place)
    standing = desk.decisions.standing(one.id, desk.of(place))
    return {
        "place": place,
        "question": words(one.question, 200),
        "said": [[name or "somebody", mark.decision] for name, mark in standing.said.items()],
    }


def wanted(given: Mapping[str, str]) -> Filter:
    """The filter that a request names.

    Raises:
        ValueError: a number is none.
    """
    below = given.get("below") or ""
    return Filter(
        failed=given.get("failed", ""), below=float(below) if below else None,
        topic=given.get("topic", ""), label=given.get("label", ""),
        text=given.get("text", "").strip(),
    )  # fmt: skip


def spaced(name: str) -> str:
    """A name of ours as words."""
    return name.replace("_", " ")
