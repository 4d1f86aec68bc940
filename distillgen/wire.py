"""The seam to a teacher: what is sent in which form, and what comes back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

from distillgen import images
from distillgen.errors import FailureKind
from distillgen.records import JSON, Message, Request

Response = Literal["json_schema", "json_object", "text"]
WEAKER: dict[Response, Response] = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True)
class Form:
    """How a request is spelled for one server: the meaning is the same, only fields differ.

    Messages always carry the format instruction; the form adds or leaves out `response_format`,
    `seed` and sampling fields that the server does not take.
    """

    response: Response = "json_schema"
    """The `response_format` that is sent; `text` sends none."""
    seed: bool = True
    """Whether a `seed` is sent."""
    limit: str = "max_tokens"
    """Name of the field that limits the reply; newer OpenAI models say `max_completion_tokens`."""
    without: frozenset[str] = frozenset()
    """Sampling parameters that the server refuses, and which are left out."""

    def __str__(self) -> str:
        words = [self.response, self.limit, *(["seed"] if self.seed else [])]
        return " ".join(words + sorted("-" + name for name in self.without))

    @classmethod
    def parse(cls, text: str) -> "Form":
        """The form that `str` spelled.

        >>> Form.parse(str(Form(response="text", seed=False))).response
        'text'
        """
        words = text.split()
        response: Response = next((r for r in ("json_schema", "json_object") if r in words), "text")
        return cls(
            response=response,
            seed="seed" in words,
            limit=next((w for w in words if w.startswith("max_")), "max_tokens"),
            without=frozenset(word[1:] for word in words if word.startswith("-")),
        )

    def body(self, model: str, request: Request, seed: int) -> dict[str, JSON]:
        """The JSON body of `POST /chat/completions`; the bytes of images are read for it.

        Raises:
            UserError: an image is no longer what it was.
        """
        body: dict[str, JSON] = {
            "model": model,
            "messages": [
                {"role": m.role, "content": _parts(m) if m.images else m.content}
                for m in request.messages
            ],
        }
        for name, value in request.terms.sampling.items():
            if name not in self.without:
                body[self.limit if name == "max_tokens" else name] = value
        if self.seed:
            body["seed"] = seed
        if request.terms.json_schema and self.response == "json_schema":
            wanted = {"name": "reply", "strict": True, "schema": request.terms.json_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        elif request.terms.json_schema and self.response == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def weaker(self, request: Request, message: str, *, named_only: bool) -> "Form | None":
        """The form to try after a 400 with this message; None when the form is not at fault.

        A message that names a field of the form gives that field up. Otherwise, unless
        `named_only`, the response format goes first and the seed next, since many servers
        do not say what they dislike.
        """
        text = message.lower()
        if self.limit == "max_tokens" and "max_completion_tokens" in text:
            return replace(self, limit="max_completion_tokens")
        for name in request.terms.sampling:
            unwanted = name != "max_tokens" and name not in self.without
            if unwanted and re.search(rf"\b{name}\b", text):
                return replace(self, without=self.without | {name})
        if self.seed and re.search(r"\bseed\b", text):
            return replace(self, seed=False)
        structured = request.terms.json_schema is not None and self.response in WEAKER
        if structured and (re.search(r"response.?format|json|schema", text) or not named_only):
            return replace(self, response=WEAKER[self.response])
        if self.seed and not named_only:
            return replace(self, seed=False)
        return None


def _parts(message: Message) -> list[JSON]:
    """A message with images, as OpenAI spells it."""
    text: JSON = {"type": "text", "text": message.content}
    urls = (images.data_url(image) for image in message.images)
    return [text, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]


class Reply(NamedTuple):
    """An HTTP reply, whole."""

    status: int
    headers: Mapping[str, str]
    """To be looked up in lower case."""
    body: bytes
    url: str = ""
    """Which server it came from, where a teacher has several."""


@dataclass
class Lost(Exception):
    """No whole reply came."""

    kind: FailureKind
    """`connection`, `timeout` or `too_large`."""
    detail: str
    """What happened, in words, without port or time."""
    paid: bool
    """The request was sent, so it may have been billed."""
    fatal: str = ""
    """What the user must mend, when no further request can do better."""


class Teacher(Protocol):
    """Who is asked. Nothing is contacted or started before `start`."""

    name: str
    """The identity that requests carry: `provider:model`."""
    url: str
    """Where replies come from, as the journal remembers it; never a key in it. Of several servers
    all, with blanks between them."""

    async def start(self) -> None:
        """Get ready to send; the engine calls it once, before the first request."""

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """Send once, within the deadline.

        Raises:
            Lost: no whole reply came.
            UserError: an image of the request is no longer what it was; nothing was sent.
        """

    async def close(self) -> None:
        """Let go of connections and servers."""

    async def explain(self, status: int, message: str) -> str:
        """What the user can do about a refusal that concerns every request; may ask the server."""
