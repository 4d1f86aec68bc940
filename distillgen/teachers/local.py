"""Ask a small model on this machine: no key, no server to start, nothing leaves it."""

import asyncio
from collections.abc import Callable

from distillgen import weights
from distillgen.catalogue import Weights
from distillgen.errors import UserError
from distillgen.providers import Endpoint
from distillgen.records import Request
from distillgen.teachers.embedded import Embedded, serve
from distillgen.teachers.embeddings import Embeddings
from distillgen.teachers.openai_chat import OpenAIChat
from distillgen.wire import Form, Reply

CONTEXT = 4096
"""Tokens that a prompt and its reply may have together."""


class Local:
    """The embedded llama.cpp server, asked like any other; it starts with the first request."""

    url = "embedded"

    def __init__(
        self,
        found: Weights,
        *,
        threads: int | None,
        slots: int,
        deadline_s: float,
        progress: Callable[[int, int, str], None],
        embeds: bool = False,
    ) -> None:
        """`embeds`: asked for embeddings, with a model that was made for them. `progress` is told
        bytes done, bytes in all and a word on the source while weights are fetched."""
        self.name = f"local:{found.sha256}"
        self._weights, self._threads, self._slots = found, threads, slots
        self._deadline_s, self._progress, self._embeds = deadline_s, progress, embeds
        self._server: Embedded | None = None
        self._chat: OpenAIChat | None = None

    async def start(self) -> None:
        """Fetch the weights at first use, load them, and connect.

        Raises:
            UserError: they cannot be fetched or loaded.
        """
        path = await asyncio.to_thread(weights.fetch, self._weights, self._progress)
        self._server = await asyncio.to_thread(
            serve, path, self._threads, CONTEXT, self._slots, self._embeds
        )
        endpoint = Endpoint(self._server.url, None, None, own_server=True)
        kind = Embeddings if self._embeds else OpenAIChat
        self._chat = kind(self.name, self._weights.name, endpoint, self._deadline_s)
        await self._chat.start()

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """As any OpenAI-compatible server."""
        if self._chat is None:
            raise UserError("the embedded teacher was not started")
        return await self._chat.send(request, seed, form)

    async def close(self) -> None:
        """Stop the server."""
        if self._chat:
            await self._chat.close()
        if self._server:
            await asyncio.to_thread(self._server.close)

    async def explain(self, status: int, message: str) -> str:
        """What is known about a refusal."""
        if self._embeds:
            return f"{self._weights.name} gives no embeddings ({message}); was it made for them?"
        return f"the embedded teacher refuses every request ({message})"
