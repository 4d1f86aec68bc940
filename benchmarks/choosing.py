"""Choose and pair the answers of two teachers to word problems: python benchmarks/choosing.py DIR

DIR holds `svamp/`: 800 problems with the reasoning of Llama3-ChatQA-8B (`svamp_train_llama3.json`),
and that of PaLM-540B (`train_CoT_0.json`, `train_CoT_1.json`), as forks of Google's "Distilling
step-by-step" keep them. The answer of a problem is PaLM's; it has all votes where the other one
comes to the same, else half of them.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distillgen import equations

BUDGET = 300
PALM = re.compile(r"(?s)(.*?)The answer is (.*?)\.?\s*(?:\n\nQ:|$)")
LLAMA = re.compile(r"(?s)\s*(?:Rationale:)?(.*?)(?:Answer:|(?:Hence )?[Tt]he answer is)(.*)")


def worked_out(text: str) -> str:
    """What an equation, or a text with one number, comes to; empty for any other."""
    if equation := equations.read(text.strip()):
        return f"{float(equation.result):g}"
    found = {number.value for number in equations.numbers(text)}
    return f"{float(found.pop()):g}" if len(found) == 1 else ""


def candidate(teacher: str, pattern: re.Pattern[str], said: str) -> dict[str, Any]:
    """One teacher's answer, as `answer` would have stored it."""
    found = pattern.search(said)
    rationale, answer = (found[1].strip(), worked_out(found[2])) if found else ("", "")
    one = {"teacher": teacher, "rationale": rationale, "answer": answer, "request": "0"}
    return one if answer else one | {"problem": "schema: no answer"}


def rows(svamp: Path) -> Iterator[dict[str, Any]]:
    """The problems with both answers and the right one."""
    problems = json.loads((svamp / "svamp_train_llama3.json").read_text())
    reasoned = [
        text for n in range(2) for text in json.loads((svamp / f"train_CoT_{n}.json").read_text())
    ]
    for n, (problem, palm) in enumerate(zip(problems, reasoned, strict=True)):
        both = [candidate("palm-540b", PALM, palm),
                candidate("llama3-8b", LLAMA, problem["gen_label"])]  # fmt: skip
        answer = both[0]["answer"] or "none"
        yield {
            "id": f"{n:04}", "question": problem["input"], "rationale": both[0]["rationale"],
            "answer": answer, "gold": worked_out(problem["org_label"]), "teacher": "palm-540b",
            "vote_share": 1.0 if answer == both[1]["answer"] else 0.5, "candidates": both,
        }  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "svamp.jsonl"
        made = list(rows(Path(sys.argv[1]) / "svamp"))
        source.write_text("".join(json.dumps(row) + "\n" for row in made))
        for command in (["select", "--budget", str(BUDGET)], ["pairs"]):
            call = [sys.executable, "-m", "distillgen", command[0], source.name, *command[1:]]
            subprocess.run(call, cwd=folder, check=True)
