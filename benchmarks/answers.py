"""Measure what `distillgen answer` adds to the bare asking: `python benchmarks/answers.py`.

Beside it, in the same run, a bare loop of aiohttp and orjson that appends each reply to a file and
flushes it, with no retry, no journal and no prompt to render. Several settings: the usual one three
times in turn, with the same again, which asks nothing. Figures are of whole processes, start-up
included, the median where there are several. "Busy" is the share of the wanted requests that the
teacher had in service between the first request and the last reply. The teacher is a process of its
own. `ideal` is how long the replies take if a new request follows each reply at once.
"""

import asyncio
import heapq
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import teacher

PROMPT = "You are an expert. Reply with a rationale and an answer as JSON. " * 20


class Case(NamedTuple):
    """One setting."""

    answers: int
    in_flight: int
    latency_ms: int
    slow: int = 0
    rounds: int = 1


CASES = [
    Case(2000, 64, 50, rounds=3),
    Case(4000, 256, 50),
    Case(4000, 256, 200),
    Case(2000, 64, 0),
    Case(10_000, 64, 50, slow=100),
]


async def bare(url: str, in_flight: int, source: Path, out: Path) -> None:
    """What anybody writes first."""
    import aiohttp
    import orjson

    left = iter([orjson.loads(line) for line in source.read_bytes().splitlines()])

    async def work(session: aiohttp.ClientSession) -> None:
        for row in left:
            messages = [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": row["user_context"] + "\n" + row["question"]},
            ]
            body = orjson.dumps({"model": "bench", "messages": messages, "temperature": 0.3})
            async with session.post(f"{url}/chat/completions", data=body) as response:
                reply = orjson.loads(await response.read())
            said = orjson.loads(reply["choices"][0]["message"]["content"])
            file.write(orjson.dumps({**row, **said}) + b"\n")
            file.flush()

    connector = aiohttp.TCPConnector(limit=0)
    with out.open("ab") as file:
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(work(session) for _ in range(in_flight)))


class Used(NamedTuple):
    """What a process came to, or the median of several."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    span_s: float
    busy: float


def used(
    words: list[str], folder: Path, address: str, in_flight: int, python: str = sys.executable
) -> Used:
    """Run a process to its end, and ask the teacher how busy it was."""
    started = time.monotonic()
    child = subprocess.Popen(
        [python, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr
    said = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(said)
    seconds = time.monotonic() - started
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    found = teacher.report(address)
    span_s = found["span_s"]
    busy = found["service_s"] / span_s / in_flight if span_s else 0.0
    return Used(seconds, usage.ru_utime + usage.ru_stime, kilobytes / 1024, span_s, busy)


def write_questions(path: Path, count: int) -> None:
    """Questions that differ, and have an id of their own."""
    with path.open("w") as file:
        for i in range(count):
            row = {"question": f"Is share {i} for me?", "user_context": f"I am {i} days old."}
            file.write(json.dumps(row) + "\n")


def ideal_s(case: Case) -> float:
    """Seconds from the first request to the last reply if no slot is ever free."""
    ends = [0.0] * case.in_flight
    each = teacher.latencies_s(case.latency_ms / 1000, 0, case.slow)
    for seconds in itertools.islice(each, case.answers):
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def measure(case: Case, address: str, folder: Path) -> None:
    url = f"{address}/{case.latency_ms}/0/{case.slow}/v1"
    write_questions(folder / "questions.jsonl", case.answers)
    taken: dict[str, list[Used]] = {}
    for n in range(case.rounds):
        run, copy = folder / f"run{n}", folder / f"bare{n}.jsonl"
        ours = [
            "-m", "distillgen", "answer", "questions.jsonl", "--teacher", "openai:bench",
            "--base-url", url, "--concurrency", str(case.in_flight), "-o", str(run), "--quiet",
        ]  # fmt: skip
        this = [str(Path(__file__).resolve()), "--bare", url, str(case.in_flight), str(copy)]
        commands = {"distillgen answer": ours, "the same again": ours, "bare loop": this}
        if case.rounds == 1:
            del commands["the same again"]
        for name, words in commands.items():
            taken.setdefault(name, []).append(used(words, folder, address, case.in_flight))
        there = len((run / "answers.jsonl").read_bytes().splitlines())
        assert there == len(copy.read_bytes().splitlines()) == case.answers
    rows = {n: Used(*map(statistics.median, zip(*all_, strict=True))) for n, all_ in taken.items()}
    show(case, rows)


def show(case: Case, rows: dict[str, Used]) -> None:
    base = rows["bare loop"]
    slow = f", every {case.slow}th {teacher.SLOWER} times slower" if case.slow else ""
    print(
        f"\n{case.answers:,} answers, {case.in_flight} in flight, {case.latency_ms} ms each{slow}"
        + (f"; ideal {ideal_s(case):.2f} s" if case.latency_ms else "")
    )
    print(
        f"{'':<20}{'wall s':>8}{'ratio':>7}{'CPU-s per 1,000':>17}{'ratio':>7}{'peak MB':>9}"
        f"{'asking s':>10}{'ratio':>7}{'busy':>7}{'ratio':>7}"
    )
    for name, row in rows.items():
        print(
            f"{name:<20}{row.wall_s:>8.2f}{row.wall_s / base.wall_s:>7.2f}"
            f"{row.cpu_s / case.answers * 1000:>17.2f}{row.cpu_s / base.cpu_s:>7.1f}"
            f"{row.peak_mb:>9.0f}{row.span_s:>10.2f}{row.span_s / base.span_s:>7.2f}"
            + (f"{row.busy:>7.2f}{row.busy / base.busy:>7.2f}" if base.busy else ""),
            flush=True,
        )


def main() -> None:
    if "--bare" in sys.argv:
        url, in_flight, out = sys.argv[2:]
        asyncio.run(bare(url, int(in_flight), Path("questions.jsonl"), Path(out)))
        return
    os.environ.setdefault("OPENAI_API_KEY", "none")
    for case in CASES:
        with teacher.running() as address, tempfile.TemporaryDirectory() as name:
            measure(case, address, Path(name))


if __name__ == "__main__":
    main()
