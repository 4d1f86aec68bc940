"""Measure how `distillgen answer` keeps to a server's limits.

Three servers in turn: one that states its limit of requests a minute, one that states its limit of
tokens a minute, one that states nothing and answers 429 above 200 requests a second. Each is a
bucket that holds one second's worth, answers after 50 ms, and says Retry-After with each 429.
Figures: the share of the limit that was used between the first and the last reply, sends a
request, and sends before a Retry-After was over.
"""

import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from aiohttp import web
from teacher import REPLY

LATENCY_S = 0.05
MAX_TOKENS = 200
HEARD_S = 0.1
"""What comes within so long of a 429 was on its way before the client could hear of it."""


class Limited:
    """A server with a bucket that fills at `per_second` and holds one second's worth."""

    def __init__(self, per_second: float, stated: str) -> None:
        self.per_second, self.stated = per_second, stated
        self.left, self.at = per_second, time.monotonic()
        self.told_at = self.closed_until = 0.0
        self.used = 0.0
        self.sends = self.answered = self.early = 0
        self.first = self.last = 0.0

    async def chat(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        body = await request.json()
        self.sends += 1
        self.early += self.told_at + HEARD_S < now < self.closed_until
        prompt = sum(len(message["content"]) for message in body["messages"]) / 4
        price = prompt + body["max_tokens"] if self.stated == "tokens" else 1
        self.left = min(self.per_second, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < price:
            wait_s = math.ceil((price - self.left) / self.per_second)
            if now > self.closed_until:
                self.told_at = now
            self.closed_until = max(self.closed_until, now + wait_s)
            return web.json_response({}, status=429, headers={"Retry-After": str(wait_s)})
        self.left -= price
        self.used += price
        self.answered += 1
        self.first = self.first or now
        self.last = now
        await asyncio.sleep(LATENCY_S)
        headers = {"Content-Type": "application/json"}
        if self.stated:
            headers[f"x-ratelimit-limit-{self.stated}"] = str(round(self.per_second * 60))
        return web.Response(body=REPLY, headers=headers)

    async def figures(self, _: web.Request) -> web.Response:
        share = self.used / (self.per_second * (self.last - self.first))
        return web.json_response(
            {"answered": self.answered, "sends": self.sends, "early": self.early, "share": share}
        )


async def serve(per_second: float, stated: str) -> None:
    limited = Limited(per_second, stated)
    app = web.Application()
    app.add_routes([
        web.post("/v1/chat/completions", limited.chat), web.get("/figures", limited.figures),
    ])  # fmt: skip
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def measure(name: str, per_second: float, stated: str, answers: int, folder: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(per_second), stated], stdout=subprocess.PIPE
    )
    assert server.stdout
    try:
        root = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with (folder / "questions.jsonl").open("w") as file:
            for i in range(answers):
                file.write(json.dumps({"question": f"Is share {i} for me?"}) + "\n")
        done = subprocess.run(
            [sys.executable, "-m", "distillgen", "answer", "questions.jsonl", "--quiet",
             "--teacher", "openai:bench", "--base-url", f"{root}/v1", "--concurrency", "64",
             "--max-tokens", str(MAX_TOKENS), "-o", stated or "unstated"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{name}: {done.stderr}")
        with urllib.request.urlopen(f"{root}/figures") as reply:
            said = json.load(reply)
    finally:
        server.kill()
        server.communicate()
    if said["answered"] != answers:
        sys.exit(f"{name}: {said['answered']} of {answers} answered")
    print(
        f"{name:<40}{answers:>8,}{said['share']:>12.0%}{said['sends'] / answers:>12.2f}"
        f"{said['early']:>10}",
        flush=True,
    )


def main() -> None:
    if "--serve" in sys.argv:
        asyncio.run(serve(float(sys.argv[2]), sys.argv[3]))
        return
    print(f"{'':<40}{'answers':>8}{'limit used':>12}{'sends each':>12}{'too early':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("states 3,000 requests a minute", 50, "requests", 1500, folder)
        measure("states 1,200,000 tokens a minute", 20_000, "tokens", 1000, folder)
        measure("states nothing, 200 requests a second", 200, "", 6000, folder)


if __name__ == "__main__":
    main()
