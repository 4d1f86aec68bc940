"""Figures of `stats` on public sets: `python benchmarks/stats.py DIR`.

DIR holds `self_instruct/` (seed_tasks.jsonl, user_oriented_instructions.jsonl), `svamp/SVAMP.json`,
`gsm8k/train.jsonl` and `cqa/cqa_train_first_2000.json`, as their authors publish them. Beside each
figure stands what another implementation found on another draw of 200, where there is one.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from distillgen.records import JSON
from distillgen.stats import Gathered, gather, measure

SETS = {
    "self-instruct seeds": ("self_instruct/seed_tasks.jsonl", ("instruction",)),
    "self-instruct user": ("self_instruct/user_oriented_instructions.jsonl", ("instruction",)),
    "CommonsenseQA": ("cqa/cqa_train_first_2000.json", ("question",)),
    "GSM8K train": ("gsm8k/train.jsonl", ("question",)),
    "SVAMP": ("svamp/SVAMP.json", ("Body", "Question")),
}
"""File and columns of each set."""
KNOWN = {
    "self-instruct seeds": (0.318, 0.742, 0.934, 2.48, 0.18),
    "self-instruct user": (0.273, 0.720, 0.917, 2.60, 0.34),
    "CommonsenseQA": (0.325, 0.788, 0.957, 2.38, 0.07),
    "GSM8K train": (0.178, 0.697, 0.914, 2.68, 0.52),
    "SVAMP": (0.127, 0.476, 0.666, 3.85, 0.90),
}
"""What the other implementation found."""
COLUMNS = ("distinct_1", "distinct_2", "distinct_3", "compression_ratio", "self_repetition")


def rows(path: Path) -> Iterator[dict[str, JSON]]:
    """The objects of a JSON list, or of JSON lines."""
    text = path.read_text()
    yield from json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())


def texts(data: Path, name: str) -> Gathered:
    """A set as `stats` takes it up."""
    file, columns = SETS[name]
    joined = (" ".join(row[column] for column in columns) for row in rows(data / file))
    return gather(enumerate(({"question": text} for text in joined), 1))


def main(data: Path) -> None:
    """Print the table."""
    print("| set | | " + " | ".join(COLUMNS) + " | self_bleu | vendi | CPU-s |")
    print("|---|---|" + "---:|" * (len(COLUMNS) + 3))
    seeds = texts(data, "self-instruct seeds")
    for name, known in KNOWN.items():
        start = time.process_time()
        figures = measure(texts(data, name), seeds, None)["question"]
        seconds = time.process_time() - start
        cells = [f"{figures[column]:.3f}" for column in (*COLUMNS, "self_bleu")]
        print(f"| {name} | here | {' | '.join(cells)} | {figures['vendi']:.1f} | {seconds:.1f} |")
        print(f"| | other | {' | '.join(f'{one:.3f}' for one in known)} | | | |")
        if name == "self-instruct user":
            against = figures["seeds"]
    print(f"\nnearest seed of self-instruct user: {against['nearest']:.3f} (0.339 of all 252);")
    print(f"of the seeds among themselves: {against['nearest_of_seeds']:.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("give the folder of the data: make bench-data DATA=DIR")
    main(Path(sys.argv[1]))
