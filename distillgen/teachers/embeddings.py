"""Ask any server that speaks OpenAI's embeddings."""

import orjson

from distillgen import embedding
from distillgen.errors import ParseError
from distillgen.records import JSON, Request
from distillgen.teachers.openai_chat import OpenAIChat
from distillgen.wire import Form, Reply


class Embeddings(OpenAIChat):
    """One POST to `/embeddings` a batch of texts; of the reply the vectors are kept."""

    path = "/embeddings"

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """One POST, within the deadline.

        Raises:
            Lost: no whole reply came.
        """
        reply = await super().send(request, seed, form)
        if reply.status != 200:
            return reply
        try:
            return reply._replace(body=embedding.stored(reply.body, len(request.messages)))
        except ParseError as error:
            said = reply.body if b'"error"' in reply.body else _told(error.detail)
            return reply._replace(body=said)

    def _body(self, request: Request, seed: int, form: Form) -> dict[str, JSON]:
        return {"model": self.model, "input": [message.content for message in request.messages]}


def _told(detail: str) -> bytes:
    return orjson.dumps({"error": {"message": detail}})
