"""A teacher for tests: an OpenAI-compatible server on loopback that always says the same.

A reply depends on the messages, the sampling parameters and the seed alone, never on time, order
or load. Knobs make it slow, picky, failing or useless. In a test it runs in a thread
(`TeacherServer`); as a script it prints its URL and lives until it is killed:

    python tests/teacher_server.py --port 0 '{"latency_s": 0.01}'
"""

import argparse
import asyncio
import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from statistics import NormalDist
from typing import Any

from aiohttp import web
from teacher_words import completion, meaning, point
from word_vectors import vector

JSON = Any


@dataclass(frozen=True)
class Knobs:
    """What the server does; every figure can be changed while it runs."""

    model: str = "teacher-1"
    """The one model it serves, besides `teacher-1-mini`; any other is a 404."""
    latency_s: float = 0.0
    """Median time to a reply."""
    spread: float = 0.0
    """Sigma of the lognormal latency; each request's own is fixed by its content."""
    structured: str = "json_schema"
    """The best `response_format` it takes: `json_schema`, `json_object` or `text`."""
    takes_seed: bool = True
    """False: a 400 for a request with a `seed`."""
    limit_name: str = "max_tokens"
    """What it calls the longest reply; a 400 for the other name."""
    says_why: bool = True
    """False: a 400 does not tell which field it is about."""
    status: int = 200
    """Another status is the reply to every request."""
    message: str = ""
    """What an error says; empty for a usual text."""
    fail_share: float = 0.0
    """Share of the requests, by hash of their messages, that fail until this is 0 again."""
    fail_status: int = 500
    """The status they fail with."""
    slow_every: int = 0
    """Each so-manieth request is told to come later: 429 with Retry-After."""
    retry_after: str = "0.02"
    """The header's value."""
    per_second: float = 0.0
    """Rate limit; what comes faster gets a 429 with Retry-After."""
    useless: int = 0
    """So many requests get prose without JSON; -1 for all."""
    useless_share: float = 0.0
    """Share of the requests, by hash of messages and seed, that get prose without JSON."""
    dress: str = "plain"
    """How a reply is put: `plain`, `fence`, `prose`, `think`; `reasoning` and `thinking` (in a
    field or blocks of its own, without a rationale in the text); `bare` (no rationale anywhere);
    `cut` (at the token limit); by hash: `mixed` (one of the first four), `uneven` (half cut)."""
    covered: float = 0.9
    """Probability that the letters of labels have together, where log-probabilities are asked."""
    logprobs: bool = True
    """False: log-probabilities are not taken, and a 400 says so."""
    twins: float = 0.1
    """Share of the proposals that come from a small pool, and so repeat each other."""


@dataclass
class Asked:
    """A chat completion, or embeddings, that were asked for, and what came of it."""

    at: float
    """Monotonic time of its arrival."""
    body: JSON
    headers: dict[str, str]
    in_flight: int
    """Requests under way when it came, itself included."""
    status: int = 0
    """What it got; 0 while it waits, and for good when the client went away."""
    usage: dict[str, int] = field(default_factory=dict)
    """The tokens that the reply states."""


@dataclass
class State:
    """The server's memory."""

    knobs: Knobs = field(default_factory=Knobs)
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    useless_left: int = 0
    tokens_at: float = 0.0


USUAL = {
    401: "Incorrect API key provided.",
    404: "The model does not exist or you do not have access to it.",
    429: "Rate limit reached for requests.",
    500: "The server had an error while processing your request.",
}


def error(
    status: int, message: str, code: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    said = message or USUAL.get(status, "This request cannot be served.")
    body = {"error": {"message": said, "type": "error", "param": None, "code": code or None}}
    return web.json_response(body, status=status, headers=headers)


def refusal(body: JSON, state: State) -> web.Response | None:
    """Why a request is not answered; None when it is."""
    knobs = state.knobs
    if knobs.status != 200:
        return error(knobs.status, knobs.message)
    if body["model"] not in (knobs.model, "teacher-1-mini"):
        return error(404, f"The model `{body['model']}` does not exist.", "model_not_found")
    if knobs.slow_every and len(state.asked) % knobs.slow_every == 0:
        return error(429, "", headers={"Retry-After": knobs.retry_after})
    if knobs.per_second and (wait_s := _too_fast(state)):
        return error(429, "", headers={"Retry-After": f"{wait_s:.3f}"})
    if problem := _unknown_field(body, knobs):
        return error(400, problem if knobs.says_why else "Bad request.")
    if point("fail", body["messages"]) < knobs.fail_share:
        return error(knobs.fail_status, knobs.message)
    return None


def _too_fast(state: State) -> float:
    """Seconds to wait for the next token of the bucket, which holds a tenth of a second's worth."""
    now, each = time.monotonic(), 1 / state.knobs.per_second
    state.tokens_at = max(state.tokens_at, now - 0.1)
    if state.tokens_at > now:
        return state.tokens_at - now
    state.tokens_at += each
    return 0.0


def _unknown_field(body: JSON, knobs: Knobs) -> str:
    """What an OpenAI-like server says about a field that it does not take."""
    known = {"json_schema": ["json_schema", "json_object"], "json_object": ["json_object"]}
    kind = (body.get("response_format") or {}).get("type")
    if kind and kind not in known.get(knobs.structured, []):
        return f"Invalid parameter: 'response_format' of type '{kind}' is not supported."
    if {"max_tokens", "max_completion_tokens"} & body.keys() - {knobs.limit_name}:
        other = {"max_tokens", "max_completion_tokens"} - {knobs.limit_name}
        return f"Unsupported parameter: '{other.pop()}'. Use '{knobs.limit_name}' instead."
    if "logprobs" in body and not knobs.logprobs:
        return "Unsupported parameter: 'logprobs' is not supported with this model."
    if "seed" in body and not knobs.takes_seed:
        return "Unrecognized request argument supplied: seed"
    return ""


async def chat(request: web.Request) -> web.Response:
    state: State = request.app[STATE]
    body = await request.json()
    state.in_flight += 1
    asked = Asked(time.monotonic(), body, dict(request.headers), state.in_flight)
    state.asked.append(asked)
    try:
        response = refusal(body, state)
        if response is None:
            useless = state.useless_left != 0 or point(
                "useless", body["messages"], body.get("seed")
            ) < state.knobs.useless_share  # fmt: skip
            state.useless_left -= state.useless_left > 0
            knobs = state.knobs
            said = completion(body, knobs.dress, knobs.twins, useless=useless,
                              covered=knobs.covered)  # fmt: skip
            asked.usage = said["usage"]
            response = web.json_response(said)
            await asyncio.sleep(_latency(body, state.knobs))
        asked.status = response.status
        return response
    finally:
        state.in_flight -= 1


async def embeddings(request: web.Request) -> web.Response:
    state: State = request.app[STATE]
    body = await request.json()
    asked = Asked(time.monotonic(), body, dict(request.headers), 1)
    state.asked.append(asked)
    response = _embedding_refused(body, state)
    if response is None:
        rows = [
            {"object": "embedding", "index": n, "embedding": vector(text)}
            for n, text in enumerate(body["input"])
        ]
        used = sum(len(text) for text in body["input"]) // 4
        asked.usage = {"prompt_tokens": used, "total_tokens": used}
        if state.useless_left:
            state.useless_left -= 1
            rows.pop()
        said = {"object": "list", "data": rows[::-1], "model": body["model"], "usage": asked.usage}
        response = web.json_response(said)
    asked.status = response.status
    return response


def _embedding_refused(body: JSON, state: State) -> web.Response | None:
    if state.knobs.status != 200:
        return error(state.knobs.status, state.knobs.message)
    if point("fail", body["input"]) < state.knobs.fail_share:
        return error(state.knobs.fail_status, state.knobs.message)
    return None


def _latency(body: JSON, knobs: Knobs) -> float:
    if not knobs.spread:
        return knobs.latency_s
    place = min(max(point("latency", meaning(body)), 0.001), 0.999)
    return knobs.latency_s * math.exp(knobs.spread * NormalDist().inv_cdf(place))


async def models(request: web.Request) -> web.Response:
    names = [request.app[STATE].knobs.model, "teacher-1-mini"]
    return web.json_response(
        {"object": "list", "data": [{"id": n, "object": "model"} for n in names]}
    )


async def log(request: web.Request) -> web.Response:
    return web.json_response([asdict(asked) for asked in request.app[STATE].asked])


async def change(request: web.Request) -> web.Response:
    turn(request.app[STATE], **await request.json())
    return web.json_response(asdict(request.app[STATE].knobs))


def turn(state: State, **knobs: JSON) -> None:
    """Turn some knobs."""
    state.knobs = replace(state.knobs, **knobs)
    state.useless_left = knobs.get("useless", state.useless_left)


STATE = web.AppKey("state", State)


def application(state: State) -> web.Application:
    app = web.Application(client_max_size=64 << 20)
    app[STATE] = state
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/_log", log)
    app.router.add_post("/_set", change)
    return app


async def _listen(state: State, port: int) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application(state), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    assert site._server is not None
    number = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    return runner, f"http://127.0.0.1:{number}/v1"


class TeacherServer:
    """The server in a thread of this process; `url` ends in `/v1`."""

    def __init__(self, **knobs: JSON) -> None:
        self._state = State()
        self.set(**knobs)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner, self.url = self._run(_listen(self._state, 0))

    def _run(self, work: JSON) -> JSON:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _close(self) -> None:
        await self._runner.cleanup()
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def set(self, **knobs: JSON) -> None:
        """Turn some knobs, from any thread."""
        turn(self._state, **knobs)

    @property
    def knobs(self) -> Knobs:
        """How they stand."""
        return self._state.knobs

    @property
    def asked(self) -> list[Asked]:
        """Every chat completion asked for so far, in the order of arrival."""
        return list(self._state.asked)

    @contextmanager
    def counting(self) -> Iterator[list[Asked]]:
        """The requests that come while the context lasts; filled at its end."""
        since: list[Asked] = []
        before = len(self._state.asked)
        yield since
        since += self._state.asked[before:]

    def close(self) -> None:
        """Stop listening, let go of who still waits, and end the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _serve(port: int, knobs: dict[str, JSON]) -> None:
    state = State()
    turn(state, **knobs)
    runner, url = await _listen(state, port)
    print(url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("knobs", nargs="?", default="{}", help="JSON")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, json.loads(given.knobs)))
