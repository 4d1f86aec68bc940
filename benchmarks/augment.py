"""Change the numbers of word problems and check the answers: `python benchmarks/augment.py DIR`.

DIR holds `svamp/SVAMP.json` (Patel et al. 2021), whose problems have their equations. Each is
changed three times. The answer is worked out again from the changed text alone: its numbers are
read anew, each takes the place of the number that stood there in the original text, and the
equation is worked out by another program than distillgen's, from its brackets. Thirty changed
problems are printed to be read.
"""

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from distillgen.records import JSON, Seed
from distillgen.strategies import augment

TIMES = 3
SHOWN = 30
FIGURES = re.compile(r"\d+(?:\.\d+)?")


def reckoned(tokens: list[str]) -> Fraction:
    """The value of a calculation, innermost brackets first; the tokens are used up."""
    while "(" in tokens:
        start = max(i for i, token in enumerate(tokens) if token == "(")
        end = tokens.index(")", start)
        tokens[start : end + 1] = [str(reckoned(tokens[start + 1 : end]))]
    for signs in ("*/", "+-"):
        while found := [i for i, token in enumerate(tokens) if token in signs]:
            i = found[0]
            left, right = Fraction(tokens[i - 1]), Fraction(tokens[i + 1])
            values = {"*": left * right, "+": left + right, "-": left - right}
            value = values[tokens[i]] if tokens[i] != "/" else left / right
            tokens[i - 1 : i + 2] = [str(value)]
    return Fraction(tokens[0])


def independent(before: str, after: str, equation: str) -> Fraction:
    """The answer to a changed problem, by its own numbers and the original's equation."""
    pairs = zip(FIGURES.findall(before), FIGURES.findall(after), strict=True)
    new = {Fraction(old): now for old, now in pairs}
    tokens = re.findall(r"\d+(?:\.\d+)?|[-+*/()]", equation)
    return reckoned([new[Fraction(t)] if t[0].isdigit() else t for t in tokens])


def wrong(before: Seed, after: augment.Made) -> list[str]:
    """What is not as it should be with a changed problem."""
    texts = [f"{one.user_context} {one.question}" for one in (before, after)]
    said = Fraction(after.gold)
    was = Fraction(before.answer or "0")
    found = [] if said == independent(*texts, str(before.meta["equation"])) else ["another answer"]
    found += ["not positive"] if was > 0 >= said else []
    found += ["not whole"] if was.denominator == 1 != said.denominator else []
    numbers = [Fraction(number) for text in texts for number in FIGURES.findall(text)]
    if all(n.denominator == 1 for n in numbers[: len(numbers) // 2]):
        found += ["a part of a thing"] if any(n.denominator > 1 for n in numbers) else []
    return found


def measure(problems: Sequence[Seed]) -> tuple[int, int, Counter[str], list[augment.Made]]:
    """How many problems can be changed, how many were, what is wrong with these, and they."""
    faults, made, applies = Counter[str](), [], 0
    for n, problem in enumerate(problems):
        dice = random.Random(n)
        changed = [augment.made("numbers", problem, dice) for _ in range(TIMES)]
        applies += all(changed)
        for one in filter(None, changed):
            made.append(one)
            faults.update(wrong(problem, one))
    return applies, len(made), faults, made


def of_svamp(row: dict[str, JSON]) -> Seed:
    """A problem as a seed."""
    return Seed(
        user_context=row["Body"], question=row["Question"], meta={"equation": row["Equation"]},
        answer=f"{row['Answer']:g}",
    )  # fmt: skip


if __name__ == "__main__":
    rows = json.loads((Path(sys.argv[1]) / "svamp/SVAMP.json").read_text())
    problems = [of_svamp(row) for row in rows]
    start = time.process_time()
    applies, count, faults, made = measure(problems)
    took = (time.process_time() - start) / max(1, count)
    print(
        f"SVAMP   {applies:,} of {len(problems):,} problems = {applies / len(problems):.1%} can be"
        f" changed; {count:,} changed, wrong: {dict(faults) or 'none'}; {took * 1e3:.1f} ms each"
    )
    for name in ("names", "irrelevant", "backward"):
        n = sum(augment.made(name, one, random.Random(0)) is not None for one in problems)
        print(f"        {name} applies to {n / len(problems):.1%}")
    for one in random.Random(0).sample(made, min(SHOWN, len(made))):
        print(f"- {one.user_context} {one.question} [{dict(one.meta)['equation']} = {one.gold}]")
