"""Measure what `answer` adds to the embedded engine: `python benchmarks/embedded.py [MODEL]`.

The same eight requests: by `distillgen answer`, and by llama.cpp's server in a process that sends
one after the other and does nothing else. Tokens written per CPU-second of all processes, start-up
and loading included. MODEL is as in `--teacher local:MODEL`.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from distillgen import catalogue, weights
from distillgen.stored import Stored
from distillgen.teachers.embedded import serve
from distillgen.teachers.local import CONTEXT
from distillgen.wire import Form

SEEDS = Path(__file__).parent.parent / "seeds/stock_advisor.jsonl"
QUESTIONS, THREADS, ROUNDS = 8, 2, 1


def bare(path: str, bodies: Path) -> None:
    """Send the bodies of a file to the engine, and say how many tokens it wrote."""
    server = serve(Path(path), THREADS, CONTEXT, 1)
    host, root = server.url.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(host)
    tokens = 0
    for line in bodies.read_bytes().splitlines():
        connection.request(
            "POST", f"/{root}/chat/completions", line, {"Content-Type": "application/json"}
        )
        tokens += json.load(connection.getresponse())["usage"]["completion_tokens"]
    server.close()
    print(tokens)


def measured(words: list[str]) -> tuple[str, float]:
    """What a command printed, and the CPU-seconds of all its processes."""
    child = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in (0, 1), f"{words} ended with {child.returncode}"
    return said, usage.ru_utime + usage.ru_stime


def write_bodies(run: Path, model: str, path: Path) -> None:
    """The bodies that a run has sent."""
    journal = Stored(run / "journal.sqlite")
    with path.open("w") as file:
        for line in (run / "answers.jsonl").read_bytes().splitlines():
            key = json.loads(line)["request"]
            request = journal.asked(key)
            assert request
            form = Form.parse(str(journal.attempts(key)[0]["form"]))
            file.write(json.dumps(form.body(model, request, request.seed(0))) + "\n")
    journal.close()


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else catalogue.DEFAULT
    path = weights.fetch(weights.resolve(model), lambda *_: None)
    best = {"distillgen answer": 0.0, "bare engine": 0.0}
    with tempfile.TemporaryDirectory() as name:
        source, bodies = Path(name) / "questions.jsonl", Path(name) / "bodies.jsonl"
        rows = [json.loads(line) for line in SEEDS.read_text().splitlines()[:QUESTIONS]]
        with source.open("w") as file:
            for row in rows:
                kept = {key: row[key] for key in ("question", "user_context")}
                file.write(json.dumps(kept) + "\n")
        for n in range(ROUNDS):
            run = Path(name) / f"run{n}"
            said, cpu_s = measured(
                ["-m", "distillgen", "answer", str(source), "--teacher", f"local:{model}", "-o",
                 str(run), "--threads", str(THREADS), "--resample", "0", "--max-failed", "1",
                 "--quiet", "--json"]
            )  # fmt: skip
            tokens = json.loads(said)["usage"]["output_tokens"]
            best["distillgen answer"] = max(best["distillgen answer"], tokens / cpu_s)
            write_bodies(run, model, bodies)
            said, cpu_s = measured([str(Path(__file__)), "--bare", str(path), str(bodies)])
            best["bare engine"] = max(best["bare engine"], int(said) / cpu_s)
    for who, rate in best.items():
        share = rate / best["bare engine"]
        print(f"{who:<20}{rate:6.2f} tokens a CPU-second{share:8.2f}")


if __name__ == "__main__":
    if "--bare" in sys.argv:
        bare(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
