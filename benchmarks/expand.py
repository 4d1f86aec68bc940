"""Measure how busy `distillgen expand` keeps a teacher: `python benchmarks/expand.py [N …]`.

64 in flight, 10 new inputs a reply, latencies lognormal about 1 s (sigma 0.5). Each place shows
examples that earlier places brought, so that not all of them can be asked at once. "Busy" is the
share of 64 that the teacher had in service between the first request and the last reply, the
beginning and the end included.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import teacher
from answers import used

SEEDS = Path(__file__).parent.parent / "seeds"
IN_FLIGHT, LATENCY_MS, SPREAD = 64, 1000, 0.5


def main() -> None:
    os.environ.setdefault("OPENAI_API_KEY", "none")
    for n in map(int, sys.argv[1:] or ["20000"]):
        with teacher.running() as address, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for end in ("jsonl", "toml"):
                shutil.copyfile(SEEDS / f"stock_advisor.{end}", folder / f"seeds.{end}")
            words = [
                "-m", "distillgen", "expand", "seeds.jsonl", "-n", str(n), "--per-call", "10",
                "--teacher", "openai:bench", "--concurrency", str(IN_FLIGHT), "-o", "run",
                "--base-url", f"{address}/{LATENCY_MS}/{SPREAD}/0/v1", "--quiet",
            ]  # fmt: skip
            row = used(words, folder, address, IN_FLIGHT)
            with (folder / "run/inputs.jsonl").open("rb") as file:
                assert sum(1 for _ in file) == n
            print(
                f"{n:>8,} inputs: busy {row.busy:.2f}, {row.wall_s:.0f} s, {row.cpu_s:.0f} CPU-s,"
                f" {row.peak_mb:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
