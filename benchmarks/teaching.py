"""Measure how far answers can be trusted: `python benchmarks/teaching.py OUT [TEACHER]`.

60 inputs each of two tasks whose right answers are known, `nli` (written for this, beside this
file) and `arithmetic` (the seeds with other numbers and the answers worked out again), five draws
of each by the embedded teacher: a table of how many answers are right and how many are left, for
the first draw, the vote, votes of four of five, checks passed, and both. OUT is a folder that is
kept: the same command goes on where it stopped, and asks nothing the second time.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distillgen import checks, finals
from distillgen.answers import read
from distillgen.combine import key
from distillgen.records import Answer

HERE = Path(__file__).parent
SEEDS = HERE.parent / "seeds"
Row = tuple[bool, bool]
"""Kept, and right."""
NAMES = ["states_answer", "grounded", "arithmetic", "label_agrees", "truncated", "repetition"]


def run(*words: object) -> dict[str, Any]:
    """What a command tells with `--json`."""
    command = [sys.executable, "-m", "distillgen", *map(str, words), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def prepared(out: Path) -> dict[str, tuple[Path, list[str]]]:
    """The inputs of each task, and the options that go with it."""
    arithmetic, nli = out / "arithmetic", out / "nli"
    run("expand", SEEDS / "arithmetic.jsonl", "--strategy", "augment", "--operations", "numbers",
        "-n", 60, "-o", arithmetic)  # fmt: skip
    nli.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SEEDS / "nli.jsonl", nli / "seeds.jsonl")
    shutil.copyfile(SEEDS / "nli.toml", out / "nli.toml")
    shutil.copyfile(HERE / "nli.jsonl", out / "nli.jsonl")
    return {
        "nli": (out / "nli.jsonl", ["--soft", "logprobs", "-o", str(nli)]),
        "arithmetic": (arithmetic, []),
    }


def right(said: str, gold: str, label: str | None) -> bool:
    return label == gold if label else finals.same(said, gold)


def table(answers: list[Answer], labels: tuple[str, ...]) -> list[str]:
    """A line for each way to choose: right of the kept, and the share that is kept."""
    setting = checks.Setting(labels=labels)

    def passed(answer: Answer) -> bool:
        return all(verdict.passed for verdict in checks.of(answer, NAMES, setting).values())

    def voted(answer: Answer) -> bool:
        return (answer.votes or 0) >= 4

    ways: dict[str, Callable[[Answer], bool]] = {
        "vote": lambda _: True,
        "vote, 4 of 5 or more": voted,
        "vote, checks passed": passed,
        "vote, both": lambda answer: voted(answer) and passed(answer),
    }
    firsts = [answer.candidates[0] for answer in answers]
    good = [right(c.answer, a.gold, c.label) and not c.problem
            for a, c in zip(answers, firsts, strict=True)]  # fmt: skip
    lines = [f"| one draw | {sum(good) / len(good):.2f} | 1.00 |"]
    for name, holds in ways.items():
        kept = [answer for answer in answers if holds(answer)]
        hits = sum(right(a.answer, a.gold, a.label) for a in kept)
        share = f"{hits / len(kept):.2f}" if kept else "–"
        lines.append(f"| {name} | {share} | {len(kept) / len(answers):.2f} |")
    return lines


def told(answers: list[Answer]) -> str:
    """What the soft labels are like, where there are some."""
    soft = [answer for answer in answers if answer.soft_label]
    if not soft:
        return ""
    best = sum(max(a.soft_label, key=a.soft_label.__getitem__) == a.gold for a in soft)
    mass = sorted(answer.covered_mass or 0 for answer in soft)
    return (f"\nsoft labels: {len(soft)} of {len(answers)}, the likeliest is gold in"
            f" {best / len(soft):.2f}; covered mass {mass[0]:.2f} to {mass[-1]:.2f}")  # fmt: skip


if __name__ == "__main__":
    out = Path(sys.argv[1])
    teacher = sys.argv[2] if len(sys.argv) > 2 else "local"
    for name, (inputs, options) in prepared(out).items():
        run("answer", inputs, "--samples", 5, "--teacher", teacher, *options)
        answers = list(read(out / name / "answers.jsonl"))
        distinct = sum(len({key(c) for c in a.candidates}) for a in answers) / len(answers)
        print(
            f"\n{name}, {teacher}: {len(answers)} inputs, {distinct:.1f} different answers each\n"
        )
        print("| kept | right | share kept |\n|---|---:|---:|")
        labels = tuple(answers[0].soft_label) if answers[0].label else ()
        print("\n".join(table(answers, labels)) + told(answers))
