"""Measure how the way from questions to training files grows: `python benchmarks/scale.py [ROWS]`.

At 10,000 rows and at ROWS (a million unless told): `answer` by a teacher that replies at once, the
same again, which asks nothing, `export` with the splits to be made, and once more. Microseconds a
row of wall time, and the peak memory of each process, start-up included.
"""

import os
import sys
import tempfile
from pathlib import Path

import teacher
from answers import Used, used, write_questions

SMALL = 10_000


def measure(rows: int, address: str, folder: Path) -> dict[str, Used]:
    write_questions(folder / "questions.jsonl", rows)
    answer = [
        "-m", "distillgen", "answer", "questions.jsonl", "--teacher", "openai:bench",
        "--base-url", f"{address}/0/0/0/v1", "--concurrency", "64", "-o", "run", "--quiet",
    ]  # fmt: skip
    export = ["-m", "distillgen", "export", "run", "--quiet"]
    taken = {}
    for name, words in (
        ("answer", answer),
        ("the same again", answer),
        ("export", export),
        ("export again", export),
    ):
        taken[name] = used(words, folder, address, 64)
        row = taken[name]
        print(
            f"{rows:>10,} rows  {name:<16}{row.wall_s:>9.1f} s{row.cpu_s:>9.1f} CPU-s"
            f"{row.wall_s / rows * 1e6:>9.0f} us a row{row.peak_mb:>7.0f} MB",
            flush=True,
        )
    with (folder / "run/answers.jsonl").open("rb") as file:
        assert sum(1 for _ in file) == rows
    return taken


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.environ.setdefault("OPENAI_API_KEY", "none")
    taken = {}
    for rows in (SMALL, most):
        with teacher.running() as address, tempfile.TemporaryDirectory() as name:
            taken[rows] = measure(rows, address, Path(name))
    for name, large in taken[most].items():
        small = taken[SMALL][name]
        ratio = large.wall_s / most / (small.wall_s / SMALL)
        print(f"{name}: a row takes {ratio:.2f} times what it takes at {SMALL:,}")


if __name__ == "__main__":
    main()
