"""Ask several servers that serve the same model: the least busy one, and none that is down."""

import time
from collections.abc import Callable, Sequence

from distillgen.records import Request
from distillgen.teachers.openai_chat import OpenAIChat
from distillgen.wire import Form, Lost, Reply

LEFT_OUT_S = 30.0
"""A server that could not be reached is tried again after so long."""


class Replicas:
    """Servers that share the requests; each reply says whose it is."""

    def __init__(self, chats: Sequence[OpenAIChat], say: Callable[[str], None]) -> None:
        """`say` is told which server is left out, and which is back."""
        self.name, self.url = chats[0].name, " ".join(chat.url for chat in chats)
        self._chats, self._say = chats, say
        self._busy = dict.fromkeys(chats, 0)
        self._out_until: dict[OpenAIChat, float] = {}
        self._last = chats[0]

    async def start(self) -> None:
        """Open the connection pools; nothing is sent yet."""
        for chat in self._chats:
            await chat.start()

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """One POST to the least busy server; to the next one if that cannot be reached.

        A connection that breaks later leaves its server out too, but is not repeated here: the
        request may have been billed.

        Raises:
            Lost: no whole reply came, from any server.
        """
        untried = list(self._chats)
        while True:
            chat = self._last = self._pick(untried)
            untried.remove(chat)
            self._busy[chat] += 1
            try:
                reply = await chat.send(request, seed, form)
            except Lost as lost:
                if lost.kind != "connection":
                    raise
                self._leave_out(chat, lost.detail)
                if lost.paid or lost.fatal or not untried:
                    raise
            else:
                if self._out_until.pop(chat, None):
                    self._say(f"{chat.url} answers again")
                return reply._replace(url=chat.url)
            finally:
                self._busy[chat] -= 1

    async def close(self) -> None:
        """Close the connection pools."""
        for chat in self._chats:
            await chat.close()

    async def explain(self, status: int, message: str) -> str:
        """What the server that was asked last says."""
        return await self._last.explain(status, message)

    def _pick(self, untried: list[OpenAIChat]) -> OpenAIChat:
        now = time.monotonic()
        chat = min(untried, key=lambda one: (self._out_until.get(one, 0) > now, self._busy[one]))
        if chat in self._out_until:  # one request tries it, not all that come meanwhile
            self._out_until[chat] = now + LEFT_OUT_S
        return chat

    def _leave_out(self, chat: OpenAIChat, why: str) -> None:
        if chat not in self._out_until:
            self._say(f"{chat.url} is left out for {LEFT_OUT_S:.0f} s at a time: {why}")
        self._out_until[chat] = time.monotonic() + LEFT_OUT_S
