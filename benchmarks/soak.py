"""Measure what faults cost in time: `python benchmarks/soak.py [REQUESTS]`.

10,000 answers at 64 in flight, from the tests' own teacher at 20 ms: once all goes well, and once a
fifth of the replies is faulty: 7 % of the requests fail with 500s for good, 7 % get prose in place
of JSON, every sixteenth send gets a 429 with Retry-After, and the rest comes in odd dress.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from answers import write_questions

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from teacher_server import TeacherServer

FAULTY = {"fail_share": 0.07, "useless_share": 0.07, "slow_every": 50, "dress": "mixed"}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("OPENAI_API_KEY", "none")
    walls = {}
    for name, knobs in (("clean", {}), ("faulty", FAULTY)):
        server = TeacherServer(latency_s=0.02, **knobs)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "questions.jsonl"
            write_questions(source, count)
            started = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "distillgen", "answer", source, "-o", "run", "--json",
                 "--quiet", "--teacher", "openai:teacher-1", "--base-url", server.url,
                 "--concurrency", "64", "--max-failed", "1"],
                cwd=folder, capture_output=True, text=True, check=True,
            )  # fmt: skip
            walls[name] = time.monotonic() - started
        counts = json.loads(done.stdout)["counts"]
        assert counts["kept"] + counts["failed"] == counts["given"] == count
        print(f"{name:<8}{walls[name]:8.1f} s  {counts}  {len(server.asked):,} sends", flush=True)
        server.close()
    print(f"ratio   {walls['faulty'] / walls['clean']:8.2f}")


if __name__ == "__main__":
    main()
