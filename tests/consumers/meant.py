"""What the exports are made of, and what a student should learn of each record.

Nothing here asks distillgen: what it writes is compared with this.
"""

import json
from pathlib import Path
from typing import NamedTuple

MATERIAL = Path(__file__).parents[2] / ".venv-consumers/material"
"""Where `material.py` puts the runs and their exports."""
SYSTEM = "You are a patient teacher. 🍎\nYou do not give up."
"""What `--system` gives."""
FORMS = ("first", "after", "think", "field", "none", "system")
"""Of `--rationale`; `system` is `think` with a system prompt."""
TEXT_FORMS = ("first", "after", "think", "none", "system")
"""Those of formats that know no key for reasoning."""
SETS = ("open", "labels")
"""Questions that are answered freely, and questions with a label for an answer."""
LABELS = ("even", "odd", "neither")
SPLITS = ("train", "validation", "test")


class Record(NamedTuple):
    """A question, what is right, and what is wrong."""

    question: str
    context: str
    rationale: str
    answer: str
    """The answer, or the label."""
    right: str
    """What a right answer says."""
    wrong: str
    """What another answer says."""
    doubt: str = ""
    """The rationale of that."""


LONG = "\n".join(f"Step {i}: {i} and {i} make {2 * i}, carry {2 * i // 10}." for i in range(1, 120))
"""More than the 1,024 tokens at which TRL cuts a row unless it is told otherwise."""

_WORDS = [
    Record("日本の首都はどこですか?", "旅行者です 🧳", "政府がある。", "東京です。🗼", "東京です",
           "大阪"),
    Record("ما عاصمة مصر؟", "", "كل الوزارات هناك.", "القاهرة هي العاصمة.", "القاهرة", "أسوان"),
    Record("Où es-tu né ?", "Né à Orle\u0301ans", "Il le dit.", "À Orle\u0301ans 👩\u200d👧",
           "Orle\u0301ans", "À Paris"),
    Record("Print 1 to 3 in Python.", "I write code", "A loop is `for i in range(1, 4)`.",
           'Try:\n\n```python\nfor i in range(1, 4):\n\tprint(f"{i}\\n")\n```\n\nPrints 3 lines.',
           "3 lines", "You can't."),
    Record("As JSON?", "key a, values 1 and x", "Keys are quoted.", '{"a": [1, "x\\\\y", null]}',
           '{"a": [1, "x\\\\y", null]}', "No."),
    Record("How do I close a think tag?", "", "It opens with <think>, so it ends with </think>.",
           "With </think>.", "think", "Not at all."),
    Record("What is {{ name }}?", "In {% if x %} Jinja {% endif %}", "${braces} and {0} are marks.",
           "{{ name }} is a variable.", "variable", "{# nothing #}"),
    Record("2 + 2?", "", "", "4", "4", "5"),
    Record("=1+1", "a \"quoted\", comma'd; cell\nin two lines", "=SUM(A1:A2)",
           "-2 is wrong, 2 is right.", "2 is right", "+3"),
    Record("What parts lines?", "", "U+2028\u2028and U+0085\x85do.", "one\u2028two\x85three",
           "one two three", "nothing"),
    Record("  Spaces?  ", "\n", " They are cut off. \n", "  None at the ends.\n\n", "None", "Many"),
    Record("Is <b>this</b> bold?", "<script>alert(1)</script>", "<b> & </b> are tags.",
           "Yes, <b>this</b> is &amp; was.", "Yes", "No"),
    Record("Do long sums add up?", "I have time", LONG, "They add up.", "add up", "No."),
    Record("Short?", "no", "", "Yes", "Yes", "No"),
]  # fmt: skip

_SUMS = [
    Record(f"A baker has {n} loaves and bakes {n + 3} more. How many loaves are there?", who,
           f"There are {n} at first. {n} + {n + 3} = {2 * n + 3}.",
           f"There are {2 * n + 3} loaves.", f"{2 * n + 3}", f"There are {2 * n + 4} loaves.")
    for n, who in enumerate(["I learn to count", "", "I own a bakery"] * 8, start=5)
]  # fmt: skip


def records(set: str) -> list[Record]:
    """Of one set, in the order of the ids."""
    said = [
        one._replace(doubt=f"I doubt it {i} times. 🤔") for i, one in enumerate([*_WORDS, *_SUMS])
    ]
    if set == "open":
        return said
    return [
        one._replace(answer=LABELS[i % 3], right=LABELS[i % 3], wrong=LABELS[(i + 1) % 3])
        for i, one in enumerate(said)
    ]


def question(one: Record) -> str:
    """What the user says."""
    return f"{one.context.strip()}\n\n{one.question.strip()}".strip()


def told(form: str) -> list[str]:
    """What the system says, if it speaks."""
    return [SYSTEM] if form == "system" else []


def opening(one: Record, form: str) -> list[dict]:
    """The turns that the student is shown."""
    return [
        *({"role": "system", "content": text} for text in told(form)),
        {"role": "user", "content": question(one)},
    ]


def answer(one: Record, form: str) -> str:
    """What the assistant says, apart from its reasoning in the form `field`."""
    return shape(one.rationale, one.answer, form)


def shape(rationale: str, said: str, form: str) -> str:
    """A rationale and an answer in a form."""
    why, said = rationale.strip(), said.strip()
    if form in ("think", "field", "system"):
        why, said = _untagged(why), _untagged(said)
    if not why or form in ("none", "field"):
        return said
    parts = {"first": f"{why}\n\n{said}", "after": f"{said}\n\n{why}"}
    return parts.get(form, f"<think>\n{why}\n</think>\n\n{said}")


def reasoning(one: Record, form: str) -> str:
    """What stands in `reasoning_content`; empty in all forms but `field`."""
    return _untagged(one.rationale.strip()) if form == "field" else ""


def trained(one: Record, form: str) -> str:
    """What a student with the chat template of `students.py` learns to write.

    There the form `field` looks like `think`.
    """
    return answer(one, "think" if form == "field" else form)


def untrained(one: Record, form: str) -> str:
    """The same of the worse answer: what a student learns not to write."""
    return shape(one.doubt, one.wrong, "think" if form == "field" else form)


def _untagged(text: str) -> str:
    """A reader cuts at the tags that it meets first: those of the texts lose their brackets."""
    return text.replace("<think>", "(think)").replace("</think>", "(/think)")


class Export(NamedTuple):
    """A format's folder, as distillgen wrote it."""

    set: str
    path: Path

    def files(self) -> dict[str, str]:
        """Paths by split, as the README says."""
        said = self.snippet().partition("\n")[0]
        return json.loads(said.removeprefix("files = "))

    def rows(self, split: str) -> list[dict]:
        """The rows of a split."""
        return lines(self.path / self.files()[split])

    def meant(self, split: str) -> list[Record]:
        """The record behind each row of a split, by the sidecar."""
        known = records(self.set)
        return [known[int(row["id"])] for row in lines(self.path / f"{split}.meta.jsonl")]

    def snippet(self) -> str:
        """The README's lines that load the files."""
        return (self.path / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]


def export(set: str, format: str, variant: str) -> Export:
    """The export of a set in a format, its form of `--rationale` or its `--layout`."""
    path = MATERIAL / set / variant / format
    assert path.is_dir(), f"{path}: material.py does not make it"
    return Export(set, path)


def lines(path: Path) -> list[dict]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]
