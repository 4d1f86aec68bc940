"""Compare two candidates of a record in both orders: only what is said in both counts.

Judges lean to what stands first: GPT-4 named the same one in both orders in 65 % of the cases
(Zheng et al. 2023, "MT-Bench", table 2).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from distillgen import finals, replies
from distillgen.contenders import Contender, Item
from distillgen.errors import ParseError
from distillgen.judging import Case, Said, Setting, Stage
from distillgen.records import JSON, Comparison, Completion, Request, Score
from distillgen.rubric import ANALYSIS

BETTER = ("first", "second")


def rivals(item: Item) -> tuple[Contender, Contender] | None:
    """The first candidate, and the first that comes to another answer; None if all agree."""
    first, *others = item.candidates or (item.answer,)
    for other in others:
        if finals.key(other.answer) != finals.key(first.answer):
            return first, other
    return None


class Comparing:
    """The two rivals of each record."""

    stage: Stage = "compare"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def cases(self, item: Item) -> Iterator[tuple[Contender, ...]]:
        """The two, if there are two."""
        if found := rivals(item):
            yield found

    def plan(self, item: Item, of: tuple[Contender, ...]) -> tuple[Request, ...]:
        """The two in this order, then in the other."""
        one, other = ({"rationale": c.rationale, "answer": c.answer} for c in of)
        return (
            self.setting.render(item, first=one, second=other),
            self.setting.render(item, first=other, second=one),
        )

    def parse(self, completion: Completion) -> Said:
        """The analysis, and which is better.

        Raises:
            ParseError: it names neither of the two.
        """
        said = replies.fields(completion, (ANALYSIS, "better"))
        said["better"] = said["better"].casefold().strip(" .\"'")
        if said["better"] not in BETTER:
            raise ParseError("schema", f"better: {said['better'][:40]!r} is neither of the two")
        return said

    def record(self, case: Case, said: Sequence[Said]) -> Comparison:
        """The verdict on two candidates; none is better where the order decided."""
        item, (one, other), (request, turned) = case
        places = one.place or 0, other.place or 0
        named = [BETTER.index(reply["better"]) for reply in said]
        return Comparison(
            question=item.question, first=places[0], second=places[1],
            better=places[named[0]] if named[0] != named[1] else None,
            analyses=(said[0][ANALYSIS], said[1][ANALYSIS]), judge=self.setting.judge,
            line=item.line, id=item.id, of=(item.digest(one), item.digest(other)),
            requests=(request.key, turned.key),
        )  # fmt: skip


@dataclass
class Compared:
    """What the comparisons of a run come to."""

    compared: int = 0
    consistent: int = 0
    """Those whose verdict is the same in both orders."""
    known: int = 0
    """Those of which one alone is right."""
    named_right: int = 0
    """Consistent ones that name it."""
    named_wrong: int = 0

    def add(self, case: Case, comparison: Score | Comparison) -> None:
        """Count one more."""
        assert isinstance(comparison, Comparison)
        item, (one, other), _ = case
        self.compared += 1
        self.consistent += comparison.better is not None
        if (right := item.right(one)) != item.right(other):
            self.known += 1
            if comparison.better is not None:
                names_right = right == (comparison.better == comparison.first)
                self.named_right += names_right
                self.named_wrong += not names_right

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of them."""
        return {
            "consistent": self.consistent, "inconsistent": self.compared - self.consistent,
            "known": {"given": self.known, "right": self.named_right, "wrong": self.named_wrong},
        }  # fmt: skip


def schema() -> dict[str, JSON]:
    """JSON Schema of a comparison, strict."""
    return {
        "type": "object",
        "properties": {
            ANALYSIS: {"type": "string", "minLength": 1},
            "better": {"type": "string", "enum": list(BETTER)},
        },
        "required": [ANALYSIS, "better"],
        "additionalProperties": False,
    }
