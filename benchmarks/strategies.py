"""Compare strategies on the embedded teacher: `python benchmarks/strategies.py [N] [STRATEGY…]`.

For each strategy one run of `expand` from `seeds/stock_advisor.jsonl`, in a folder of its own, then
`stats` of what it made, on one core. The file of attributes is drafted by the teacher first, and
taken as it is.
Prints the table and the first ten inputs of each as Markdown. CPU-seconds are of all processes,
start-up, loading and what was thrown away included.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from distillgen.records import JSON

SEEDS = Path(__file__).parent.parent / "seeds/stock_advisor.jsonl"
STRATEGIES = ("few-shot", "personas", "attributes", "evolve")
ONE_CORE = ("--threads", 1)
SHOWN = 10


class Made(NamedTuple):
    """What one strategy came to."""

    strategy: str
    counts: dict[str, int]
    cpu_s: float
    fields: dict[str, JSON]
    """The figures of `stats`."""
    inputs: list[dict[str, JSON]]


def told(*words: object) -> tuple[dict[str, JSON], float]:
    """What a command says with `--json`, and the CPU-seconds of all its processes."""
    child = subprocess.Popen(
        [sys.executable, "-m", "distillgen", *map(str, words), "--json"], stdout=subprocess.PIPE
    )
    assert child.stdout
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in (0, 1), f"{words} ended with {child.returncode}"
    return json.loads(said), usage.ru_utime + usage.ru_stime


def made(strategy: str, n: int, folder: Path) -> Made:
    """Have a strategy make `n` inputs."""
    run = folder / strategy
    if strategy == "attributes":
        told("attributes", SEEDS, *ONE_CORE, "-o", run)
    expanded, cpu_s = told("expand", SEEDS, "-n", n, "--strategy", strategy, *ONE_CORE, "-o", run)
    fields = told("stats", run / "inputs.jsonl", "--against", SEEDS)[0]["fields"]
    lines = (run / "inputs.jsonl").read_text().splitlines()
    return Made(strategy, expanded["counts"], cpu_s, fields, [json.loads(line) for line in lines])


def line(one: Made) -> str:
    """A row of the table."""
    counts, fields = one.counts, (one.fields["user_context"], one.fields["question"])
    proposed = counts["asked"] + counts["extra"] - counts["surplus"]
    figures = [
        " / ".join(f"{field[name]:.2f}" for field in fields)
        for name in ("distinct_2", "compression_ratio")
    ]
    nearest = " / ".join(f"{field['seeds']['nearest']:.2f}" for field in fields)
    words = statistics.median(
        len(f"{row.get('user_context', '')} {row['question']}".split()) for row in one.inputs
    )
    return (
        f"| {one.strategy} | {counts['kept']} of {proposed} = {counts['kept'] / proposed:.0%}"
        f" | {figures[0]} | {figures[1]} | {nearest} | {words:.0f}"
        f" | {one.cpu_s / counts['kept']:.1f} |"
    )


def main(n: int, strategies: list[str]) -> None:
    """Print the table, and the inputs."""
    with tempfile.TemporaryDirectory() as name:
        all_made = [made(strategy, n, Path(name)) for strategy in strategies]
    print("| strategy | accepted | distinct-2 | compression | nearest seed | words | CPU-s each |")
    print("|---|---|---|---|---|---:|---:|")
    for one in all_made:
        print(line(one))
    for one in all_made:
        print(f"\n**{one.strategy}**\n")
        for row in one.inputs[:SHOWN]:
            print(f"- {row.get('user_context', '')} *{row['question']}*")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 60, given[1:] or list(STRATEGIES))
