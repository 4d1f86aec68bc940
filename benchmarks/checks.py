"""Measure checks on public data: `python benchmarks/checks.py DIR`.

DIR holds `gsm8k/train.jsonl` (Cobbe et al. 2021: worked solutions, taken as right) and `svamp/`
with the outputs of PaLM-540B (Hsieh et al. 2023). Of GSM8K every solution that `arithmetic` rejects
is printed, to be read; then one result in one equation of each of 2,000 solutions is changed, and
counted how many of these are found: with the marks "<<48/2=24>>" and without. Of SVAMP the answers
are judged by their equations, and kept where neither `states_answer` nor `grounded` fails.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from distillgen import calculations, checks, marked
from distillgen.errors import ParseError
from distillgen.records import Answer

PLANTED = 2000
CHANGES = (1, -1, 2, -2, 5, 10, -10)
MARK = re.compile(r"<<[^<>]*>>")
RESULT = re.compile(r"<<([^<>=]*[-+*/][^<>=]*)=([\d.]+)>>(\d[\d,]*(?:\.\d+)?)")
NO_SETTING = checks.Setting()


def answer(question: str, rationale: str, text: str, gold: str = "") -> Answer:
    """An answer as a check sees it."""
    return Answer(
        question=question, rationale=rationale, answer=text, gold=gold, id="1",
        teacher="", request="",
    )  # fmt: skip


def rejected(text: str) -> list[str]:
    """The equations of a solution that are called wrong."""
    return [one.said for one in calculations.stated(text) if not one.right]


def planted(text: str, dice: random.Random) -> str | None:
    """A solution with one result changed, in its mark too; None where it has no equation."""
    places = list(RESULT.finditer(text))
    if not places:
        return None
    place = dice.choice(places)
    value = float(place[3].replace(",", ""))
    change = dice.choice([one for one in CHANGES if value + one >= 0])
    wrong = f"{value + change:.10g}"
    return f"{text[: place.start()]}<<{place[1]}={wrong}>>{wrong}{text[place.end() :]}"


def gsm8k(path: Path) -> None:
    """The arithmetic check on worked solutions."""
    solutions = [json.loads(line)["answer"] for line in path.read_text().splitlines()]
    for marks in (True, False):
        texts = solutions if marks else [MARK.sub("", text) for text in solutions]
        wrong = [(text, found) for text in texts if (found := rejected(text))]
        nothing = sum(not calculations.stated(text) for text in texts)
        dice = random.Random(0)
        made = filter(
            None, (planted(text, dice) for text in dice.choices(solutions, k=2 * PLANTED))
        )
        errors = [text for _, text in zip(range(PLANTED), made, strict=False)]
        found = sum(bool(rejected(text if marks else MARK.sub("", text))) for text in errors)
        print(
            f"GSM8K   {'with' if marks else 'without'} marks: {len(wrong)} of {len(texts):,}"
            f" = {len(wrong) / len(texts):.2%} rejected, {nothing} without an equation;"
            f" {found:,} of {len(errors):,} = {found / len(errors):.1%} planted errors found"
        )
        for text, equations in wrong if marks else ():
            print(f"- {'; '.join(equations)}\n    " + text.replace("\n", "\n    "))


def palm(folder: Path) -> Iterator[Answer]:
    """The answers of PaLM-540B to SVAMP's training problems; its texts run on into a next one."""
    problems = [json.loads(line) for line in (folder / "svamp_train.json").read_text().splitlines()]
    parts = (json.loads(part.read_text()) for part in sorted(folder.glob("train_CoT_*.json")))
    texts = [text for part in parts for text in part]
    for problem, text in zip(problems, texts, strict=True):
        try:
            found = marked.read(text)
        except ParseError:
            found = marked.Marked("", "")
        yield answer(problem["input"], found.rationale, found.answer, problem["label"])


def svamp(folder: Path) -> None:
    """What two checks of the rationale keep, and how much of it is right."""
    right = kept = right_kept = total = 0
    for one in palm(folder):
        said, gold = calculations.alone(one.answer), calculations.alone(one.gold)
        is_right = bool(said and gold and said.result == gold.result)
        verdicts = checks.of(one, ("states_answer", "grounded"), NO_SETTING)
        is_kept = all(verdict.passed for verdict in verdicts.values())
        total, right = total + 1, right + is_right
        kept, right_kept = kept + is_kept, right_kept + (is_kept and is_right)
    print(
        f"SVAMP   {right / total:.3f} of {total} right; {kept / total:.3f} kept,"
        f" {right_kept / kept:.3f} of these right"
    )


if __name__ == "__main__":
    data = Path(sys.argv[1])
    svamp(data / "svamp")
    gsm8k(data / "gsm8k/train.jsonl")
