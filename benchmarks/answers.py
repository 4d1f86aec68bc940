"""Measure what `distillgen answer` adds to the bare asking, on a server that always takes 50 ms.

2,000 answers, 64 in flight, three times in turn: the command as a user runs it; the same again,
which asks nothing; and a bare loop of aiohttp and orjson that appends each reply to a file and
flushes it, with no retry, no journal and no prompt to render. Figures are of whole processes,
start-up included; the median of three. The server is a process of its own.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ANSWERS, IN_FLIGHT, LATENCY_S, ROUNDS = 2000, 64, 0.05, 3
SAID = json.dumps({"rationale": "Income is steady. " * 12, "answer": "Save a third. " * 8})
REPLY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": SAID},
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 90, "total_tokens": 490},
    }
).encode()
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(REPLY),
    REPLY,
)


class Connection(asyncio.Protocol):
    """Says the same to every request of one connection, 50 ms after its last byte."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.wanted, self.came = transport, 0, b""

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, found, body = self.came.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length:
            self.came = body[length:]
            asyncio.get_running_loop().call_later(LATENCY_S, self.say)

    def say(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(HTTP)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def bare(url: str, source: Path, out: Path) -> None:
    """What anybody writes first."""
    import aiohttp
    import orjson

    rows = [orjson.loads(line) for line in source.read_bytes().splitlines()]
    left = iter(rows)
    prompt = "You are an expert. Reply with a rationale and an answer as JSON. " * 20

    async def work(session: aiohttp.ClientSession) -> None:
        for row in left:
            messages = [
                {"role": "system", "content": prompt},
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
            await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))


class Used(NamedTuple):
    """What a process came to, or the median of several."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def used(words: list[str], folder: Path) -> Used:
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr
    said = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(said)
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    seconds = time.monotonic() - started
    return Used(seconds, usage.ru_utime + usage.ru_stime, kilobytes / 1024)


def write_questions(path: Path) -> None:
    with path.open("w") as file:
        for i in range(ANSWERS):
            row = {"question": f"Is share {i} for me?", "user_context": f"I am {i} days old."}
            file.write(json.dumps(row) + "\n")


def table(url: str, folder: Path) -> None:
    taken: dict[str, list[Used]] = {}
    for n in range(ROUNDS):
        ours = [
            "-m", "distillgen", "answer", "questions.jsonl", "--teacher", "openai:bench",
            "--base-url", url, "--concurrency", str(IN_FLIGHT), "-o", f"run{n}", "--quiet",
        ]  # fmt: skip
        for name, words in (
            ("distillgen answer", ours),
            ("the same again", ours),
            ("bare loop", [str(Path(__file__).resolve()), "--bare", url, f"bare{n}.jsonl"]),
        ):
            taken.setdefault(name, []).append(used(words, folder))
        there = len((folder / f"run{n}/answers.jsonl").read_bytes().splitlines())
        assert there == len((folder / f"bare{n}.jsonl").read_bytes().splitlines()) == ANSWERS
    rows = {n: Used(*map(statistics.median, zip(*all_, strict=True))) for n, all_ in taken.items()}
    base = rows["bare loop"]
    print(f"{ANSWERS:,} answers, {IN_FLIGHT} in flight, {LATENCY_S * 1000:.0f} ms each")
    print(f"{'':<20}{'wall s':>8}{'ratio':>8}{'CPU-s per 1,000':>18}{'ratio':>8}{'peak MB':>10}")
    for name, row in rows.items():
        print(
            f"{name:<20}{row.wall_s:>8.2f}{row.wall_s / base.wall_s:>8.2f}"
            f"{row.cpu_s / ANSWERS * 1000:>18.2f}{row.cpu_s / base.cpu_s:>8.1f}{row.peak_mb:>10.0f}"
        )


def main() -> None:
    if "--serve" in sys.argv:
        asyncio.run(serve())
    elif "--bare" in sys.argv:
        url, out = sys.argv[2:]
        asyncio.run(bare(url, Path("questions.jsonl"), Path(out)))
    else:
        server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE)
        assert server.stdout
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            with tempfile.TemporaryDirectory() as name:
                write_questions(Path(name) / "questions.jsonl")
                table(url, Path(name))
        finally:
            server.kill()
            server.communicate()


if __name__ == "__main__":
    main()
