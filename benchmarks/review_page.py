"""Measure the review page on many records: `python benchmarks/review_page.py [RECORDS]`.

From the start of the command to the first record, then each decision and the record after it, as
the page asks for them, by the clock and, where other work shares the machine, by the CPU; and the
server's memory at its highest. The limits are a second, 50 ms and 200 MB.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

DECISIONS = 500
QUERY = "/api/next?reviewer=Anna"


def write(run: Path, records: int) -> None:
    """Answers of some 900 bytes, checked and judged, each third with another beside it."""
    run.mkdir()
    (run / "manifest.json").write_text('{"schema_version": 1, "commands": {}, "files": {}}\n')
    sentence = "Gold pays no interest and swings widely; a pension needs what is steady. "
    with (run / "answers.jsonl").open("w") as out, (run / "checks.jsonl").open("w") as checks:
        for n in range(records):
            question = f"Should I buy gold, and if so how much of it? ({n})"
            row = {
                "question": question, "user_context": f"I am {20 + n % 60} and teach. {sentence}",
                "rationale": sentence * 4, "answer": f"Hold {n % 17} % at most. {sentence}",
                "rationale_source": "requested", "vote_share": (1.0, 0.67, 0.33)[n % 3],
                "scores": {"correct": 1 + n % 5}, "id": f"{n:016x}", "topic": [f"topic {n % 40}"],
                "teacher": "scripted:x", "request": f"{n:064x}",
            }  # fmt: skip
            if n % 3 == 0:
                one = {"teacher": "scripted:y", "rationale": sentence, "answer": "Half of it.",
                       "request": f"{n:064x}"}  # fmt: skip
                row["candidates"] = [one, one]
            out.write(json.dumps(row) + "\n")
            verdict = {"language": {"passed": n % 9 != 0, "value": "en"}}
            line = {"question": question, "checks": verdict, "line": n + 1, "id": row["id"]}
            checks.write(json.dumps(line, separators=(",", ":")) + "\n")


@contextmanager
def served(run: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command, and the address that it prints."""
    command = [sys.executable, "-m", "distillgen", "review", str(run), "--no-browser", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def memory_mb(pid: int) -> float:
    """The most that a process had in memory; Linux alone tells."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def cpu_s(pid: int) -> float:
    """The CPU time of a process so far; Linux alone tells."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(run: Path) -> None:
    """Start, decide, search; print what it took."""
    started = time.perf_counter()
    with served(run) as (process, address):
        origin, _, token = address.partition("/?t=")
        link = HTTPConnection(origin.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}

        def ask(path: str, body: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
            kind = {"Content-Type": "application/json"} if body else {}
            sent = json.dumps(body) if body else None
            link.request("POST" if body else "GET", path, sent, headers | kind)
            reply = link.getresponse()
            text = reply.read()
            assert reply.status == 200, text
            found: dict[str, dict[str, str]] = json.loads(text)
            return found

        record = ask(QUERY)["record"]
        clock, before = time.perf_counter() - started, cpu_s(process.pid)
        print(f"first record     {clock:6.2f} s from the command's start, CPU {before:.2f} s")
        saves, nexts, stands = [], [], []
        for n in range(DECISIONS):
            body = {"id": record["id"], "version": record["version"], "reviewer": "Anna",
                    "verdict": "reject" if n % 9 == 0 else "accept", "reason": "wrong"}  # fmt: skip
            began = time.perf_counter()
            ask("/api/decisions", body)
            saved = time.perf_counter()
            record = ask(f"{QUERY}&after={record['place']}")["record"]
            shown = time.perf_counter()
            ask("/api/progress")
            saves.append(saved - began)
            nexts.append(shown - saved)
            stands.append(time.perf_counter() - shown)
        for name, took in (("decision saved", saves), ("next record", nexts), ("progress", stands)):
            ms = sorted(1000 * one for one in took)
            print(f"{name:16} {statistics.median(ms):6.1f} ms median, {ms[-1]:.1f} ms at most")
        each = 1000 * (cpu_s(process.pid) - before) / DECISIONS
        print(f"CPU              {each:6.1f} ms for these three together")
        for query in ("text=topic+7", "text=nowhere", "failed=language", "show=all&below=0.5"):
            began = time.perf_counter()
            ask(f"{QUERY}&{query}")
            print(f"{query:16.16} {1000 * (time.perf_counter() - began):6.0f} ms at first")
        print(f"memory           {memory_mb(process.pid):6.0f} MB at most")


if __name__ == "__main__":
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "gold", records)
        print(f"{records:,} records")
        measure(Path(folder) / "gold")
