"""A teacher that costs next to nothing, for the benchmarks: `python benchmarks/teacher.py`.

It prints its port. The path says how it answers: `/LATENCY_MS/SPREAD/SLOW/v1/chat/completions`.
Each reply takes LATENCY_MS times a lognormal factor of sigma SPREAD; every SLOW-th takes 40 times
as long (0: none). One that asks for `examples` gets ten new ones; any other gets a rationale and an
answer. `GET /report` says what came since the last report, and how busy it was kept.
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PER_REPLY = 10
SLOWER = 40
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
SYLLABLES = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u")]
WORDS = ["".join(random.Random(n).choices(SYLLABLES, k=3)) for n in range(5000)]


def reply(said: dict[str, Any], tokens_in: int = 400, tokens_out: int = 90) -> bytes:
    """A chat completion that says this."""
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": json.dumps(said)},
            }
        ],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }
    return json.dumps(whole).encode()


REPLY = reply({"rationale": "Income is steady. " * 12, "answer": "Save a third. " * 8})
HTTP = HEAD % (len(REPLY), REPLY)


def latencies_s(latency_s: float, spread: float, slow: int) -> Iterator[float]:
    """How long each reply takes, in the order of the requests; always the same, without end."""
    rng = random.Random(7)
    for n in itertools.count(1):
        factor = rng.lognormvariate(0, spread) if spread else 1
        yield latency_s * factor * (SLOWER if slow and n % slow == 0 else 1)


class Teacher:
    """What all connections share."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        self.began()

    def began(self) -> None:
        self.requests = self.in_service = 0
        self.service_s = 0.0
        self.first = self.last = 0.0
        self.latencies: Iterator[float] | None = None

    def takes_s(self, path: str) -> float:
        if self.latencies is None:
            latency, spread, slow = path.split("/")[1:4]
            self.latencies = latencies_s(float(latency) / 1000, float(spread), int(slow))
        return next(self.latencies)

    def report(self) -> bytes:
        said = {
            "requests": self.requests,
            "service_s": self.service_s,
            "span_s": self.last - self.first,
        }
        self.began()
        return json.dumps(said).encode()

    def words(self, k: int) -> str:
        return " ".join(self.rng.choices(WORDS, k=k))

    def examples(self) -> bytes:
        rng = self.rng
        made = [
            {
                "user_context": f"I am {rng.randint(18, 90)}, {self.words(12)}",
                "question": f"Should I {self.words(8)}?",
            }
            for _ in range(PER_REPLY)
        ]
        body = reply({"examples": made}, 700, 500)
        return HEAD % (len(body), body)


TEACHER = Teacher()


class Connection(asyncio.Protocol):
    """Answers the requests of one connection, each so long after its last byte."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.came = transport, b""

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, found, body = self.came.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET /report"):
            said = TEACHER.report()
            self.came = b""
            self.transport.write(HEAD % (len(said), said))
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length:
            self.came = body[length:]
            self.asked(head.split(b" ", 2)[1].decode(), b"examples" in body)

    def asked(self, path: str, examples: bool) -> None:
        TEACHER.requests += 1
        TEACHER.first = TEACHER.first or time.monotonic()
        takes_s = TEACHER.takes_s(path)
        said = TEACHER.examples() if examples else HTTP
        if takes_s:
            asyncio.get_running_loop().call_later(takes_s, self.say, said, takes_s)
        else:
            self.say(said, 0.0)

    def say(self, said: bytes, took_s: float) -> None:
        TEACHER.service_s += took_s
        TEACHER.last = time.monotonic()
        if not self.transport.is_closing():
            self.transport.write(said)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """Its address, while it runs as a process of its own."""
    words = [sys.executable, str(Path(__file__).resolve())]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def report(address: str) -> dict[str, float]:
    """Requests, seconds of service, and seconds from the first request to the last reply."""
    with urllib.request.urlopen(f"{address}/report") as response:
        found: dict[str, float] = json.load(response)
    return found


if __name__ == "__main__":
    asyncio.run(serve())
