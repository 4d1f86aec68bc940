"""Score an answer by the aspects of a rubric: an analysis first, then a whole number for each."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from distillgen import replies
from distillgen.calibration import Calibration
from distillgen.contenders import Contender, Item
from distillgen.errors import ParseError
from distillgen.judging import Case, Said, Setting, Stage
from distillgen.records import JSON, Comparison, Completion, Request, Score
from distillgen.review.reviewed import Reviewed
from distillgen.rubric import ANALYSIS, SCORES, Rubric

_WHOLE = re.compile(r"([1-5])(?:\.0+)?")


class Scoring:
    """The answer of each record and, where it is asked for, all candidates."""

    stage: Stage = "judge"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def cases(self, item: Item) -> Iterator[tuple[Contender, ...]]:
        """Each alone, equal ones once."""
        for one in item.all if self.setting.candidates else (item.answer,):
            yield (one,)

    def plan(self, item: Item, of: tuple[Contender, ...]) -> tuple[Request, ...]:
        """One request."""
        (one,) = of
        return (self.setting.render(item, rationale=one.rationale, answer=one.answer),)

    def parse(self, completion: Completion) -> Said:
        """The analysis and the score of each aspect.

        Raises:
            ParseError: a score is missing, or no whole number from 1 to 5.
        """
        said = replies.fields(completion, (ANALYSIS, *self.setting.rubric.names))
        for name in self.setting.rubric.names:
            whole = _WHOLE.fullmatch(said[name])
            if not whole:
                raise ParseError("schema", f"{name}: {said[name][:40]!r} is no score from 1 to 5")
            said[name] = whole[1]
        return said

    def record(self, case: Case, said: Sequence[Said]) -> Score:
        """The scores of one answer."""
        item, (one,), (request,) = case
        scores = {name: int(said[0][name]) for name in self.setting.rubric.names}
        return Score(
            question=item.question, analysis=said[0][ANALYSIS], scores=scores,
            judge=self.setting.judge, candidate=one.place, line=item.line, id=item.id,
            of=item.digest(one), request=request.key,
        )  # fmt: skip


@dataclass
class Scored:
    """What the scores of a run come to."""

    rubric: Rubric
    reviews: Reviewed
    """What people decided; it goes before the right answer of the file."""
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By aspect and score."""
    passed: int = 0
    """Those that reach the rubric's threshold in every aspect."""
    calibration: Calibration = field(default_factory=Calibration)

    def add(self, case: Case, score: Score | Comparison) -> None:
        """Count one more."""
        assert isinstance(score, Score)
        item, (one,), _ = case
        self.counts.update(score.scores.items())
        self.passed += min(score.scores.values()) >= (self.rubric.threshold or 0)
        known = self.reviews.right_item(item, one)
        if (right := item.right(one) if known is None else known) is not None:
            self.calibration.add(right, score.scores.values())

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of them."""
        calibration = self.calibration
        return {
            "scores": {
                name: {str(score): self.counts[name, score] for score in SCORES}
                for name in self.rubric.names
            },
            "threshold": self.rubric.threshold,
            "at_threshold": self.passed if self.rubric.threshold else None,
            "known": {"given": calibration.known, "right": calibration.right},
            "calibration": calibration.as_json(),
        }


def schema(rubric: Rubric) -> dict[str, JSON]:
    """JSON Schema of the scores, strict: the analysis stands first, so that it is written first."""
    score = {"type": "integer", "enum": list(SCORES)}
    return {
        "type": "object",
        "properties": {
            ANALYSIS: {"type": "string", "minLength": 1}, **dict.fromkeys(rubric.names, score)
        },
        "required": [ANALYSIS, *rubric.names],
        "additionalProperties": False,
    }  # fmt: skip
