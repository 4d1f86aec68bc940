"""Read the body of a chat completion, in the dialects of the servers that imitate OpenAI. Pure."""

import json
import math
import re
from contextlib import suppress
from itertools import islice, zip_longest

import orjson

from distillgen.errors import ParseError
from distillgen.records import JSON, Completion, Usage

MOST_TOKENS = 10_000_000
"""A usage figure above this is not believed."""
BYTES_PER_TOKEN = 3
"""For estimates where usage is missing; English has about 4.4, so they err on the dear side."""
LOWEST, HIGHEST = -1e6, 1e-3
"""Between these a log-probability is believed: some write -9999 for what is impossible, and what
is certain may come out a little above 0."""
MOST_PLACES = 16
"""Tokens of a reply whose log-probabilities are read: a label's letter stands early."""
LOST = "\ufffd"
"""Stands for a character that no UTF-8 file can hold, and for NUL."""
NATIVE = ("reasoning_content", "reasoning", "thinking", "thinking_blocks", "reasoning_details")
"""Where servers put what the teacher thought."""
UNWRITABLE = re.compile("[\ud800-\udfff\0]")


def writable(text: str) -> str:
    """A text that a UTF-8 file can hold: what cannot be written becomes U+FFFD."""
    return text if text.isascii() and "\0" not in text else UNWRITABLE.sub(LOST, text)


class Told(ParseError):
    """The body tells of an error."""

    def __init__(self, code: str, kind: str, message: str) -> None:
        super().__init__("bad_body", f"not a chat completion; it says: {message or code or kind}")
        self.told = code, kind, message


def completion(body: bytes, asked_bytes: int = 0) -> Completion:
    """An OpenAI-shaped chat completion, in the dialects of the servers that imitate it.

    `asked_bytes` is the length of the messages; tokens in are estimated from it where the reply
    states none.

    Raises:
        Told: an error, whatever else stands beside it.
        ParseError: `encoding` for bytes that are no UTF-8, `bad_body` for what is no chat
            completion with a choice.
    """
    try:
        whole = _body(body)
        if (told := _told(whole)) and any(told):
            raise Told(*told)
        choices = whole.get("choices") if isinstance(whole, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not (isinstance(choice, dict) and isinstance(message, dict)):
            raise ParseError("bad_body", "not a chat completion with a choice")
        text, reasoning, refusal = _message(message)
    except RecursionError:
        raise ParseError("bad_body", "nested too deeply") from None
    return Completion(
        text=text,
        reasoning=reasoning,
        refusal=refusal,
        finish_reason=_text(choice.get("finish_reason")),
        usage=_usage(whole.get("usage"), asked_bytes, len((text + reasoning).encode())),
        model=_text(whole.get("model")),
        top_logprobs=_tops(choice.get("logprobs") or whole.get("logprobs")),
    )


def error_of(body: bytes) -> tuple[str, str, str] | None:
    """Code, type and message of an error body; None when it is no JSON or tells of no error.

    >>> error_of(b'{"error": {"message": "No such model", "code": "model_not_found"}}')
    ('model_not_found', '', 'No such model')
    """
    try:
        return _told(_body(body))
    except (ParseError, RecursionError):
        return None


def _told(whole: JSON) -> tuple[str, str, str] | None:
    if isinstance(whole, list) and whole and isinstance(whole[0], dict):
        whole = whole[0]
    if not isinstance(whole, dict) or (found := _error(whole)) is None:
        return None
    code, kind, message = (" ".join(part.split())[:500] for part in found)
    return code, kind, message


def _error(whole: dict[str, JSON]) -> tuple[str, str, str] | None:
    inner = whole.get("error") or whole.get("errors") or whole.get("detail")
    if not inner and not whole.get("choices") and whole.get("message"):
        inner = whole
    if not inner:
        choices = whole.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        inner = first.get("error") if isinstance(first, dict) else None
    while isinstance(inner, list) and inner:
        inner = inner[0]
    if isinstance(inner, dict) and isinstance(inner.get("error"), dict):
        inner = inner["error"]
    if not isinstance(inner, dict):
        return ("", "", _text(inner)) if inner else None
    message = _text(inner.get("message") or inner.get("msg"))
    if not message:
        message = json.dumps(inner, ensure_ascii=False)
    if isinstance(inner.get("loc"), list):
        message = f"{'.'.join(_text(step) for step in inner['loc'])}: {message}"
    kind = inner.get("type") or inner.get("status")
    return _text(inner.get("code")), _text(kind), writable(message)


def _body(body: bytes) -> JSON:
    """The body's JSON, NaN and all: some servers write it among log-probabilities."""
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(body)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise ParseError("encoding", f"not UTF-8 at byte {e.start} of the body") from None
    if text.lstrip()[:1] == "<":
        page = " ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())[:80]
        raise ParseError("bad_body", f"a page and no JSON: {page}")
    try:
        return json.loads(text, strict=False)
    except ValueError as e:
        raise ParseError("bad_body", f"no JSON: {str(e)[:200]}") from None


def _message(message: dict[str, JSON]) -> tuple[str, str, str]:
    """Text, reasoning and refusal of a message, in whichever fields they stand."""
    content = message.get("content")
    if isinstance(content, str) and message.keys().isdisjoint(NATIVE):
        return writable(content), "", _text(message.get("refusal") or "")
    parts = content if isinstance(content, list) else [content]
    thinking = [part for part in parts if _thinks(part)]
    texts = [part for part in parts if part is not None and not _thinks(part)]
    refusals = [part["refusal"] for part in texts if isinstance(part, dict) and "refusal" in part]
    native = next((said for name in NATIVE if (said := _words(message.get(name)))), "")
    reasoning = [native, *(_words(part) for part in thinking)]
    return (
        "".join(_words(part) or _dumped(part) for part in texts),
        "\n\n".join(part for part in dict.fromkeys(reasoning) if part),
        _text(message.get("refusal") or (refusals[0] if refusals else "")),
    )


def _thinks(part: JSON) -> bool:
    return isinstance(part, dict) and str(part.get("type")).removeprefix("redacted_") in (
        "thinking",
        "reasoning",
    )


def _words(value: JSON) -> str:
    """The text in a string, a list of parts, or a part, whatever its field is called."""
    if isinstance(value, list):
        return "".join(_words(part) for part in value)
    if isinstance(value, dict):
        names = ("text", "thinking", "reasoning", "content", "summary")
        return next((said for name in names if (said := _words(value.get(name)))), "")
    return _text(value) if isinstance(value, str) else ""


def _dumped(part: JSON) -> str:
    """Content that a server has parsed already, as the text it was."""
    if isinstance(part, dict) and "type" not in part:
        return writable(json.dumps(part, ensure_ascii=False))
    return ""


def _text(value: JSON) -> str:
    """A string that a UTF-8 file can hold; numbers as they are written, all else empty."""
    if isinstance(value, str):
        return writable(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _tops(stated: JSON) -> tuple[dict[str, float], ...]:
    """The likeliest tokens of the first places, wherever and however they are told.

    A list of places stands under `content` (OpenAI, vLLM, llama.cpp) or by itself (Ollama); older
    servers and Together write the columns of OpenAI's completions API, a list each.
    """
    if not stated:
        return ()
    places = stated.get("content") if isinstance(stated, dict) else stated
    if isinstance(places, list):
        return tuple(_top(place) for place in places[:MOST_PLACES])
    if not isinstance(stated, dict):
        return ()
    tokens, own, tops = (
        column if isinstance(column := stated.get(name), list) else []
        for name in ("tokens", "token_logprobs", "top_logprobs")
    )
    columns = islice(zip_longest(tokens, own, tops), MOST_PLACES)
    return tuple(
        _top({"token": token, "logprob": logprob, "top_logprobs": top})
        for token, logprob, top in columns
    )


def _top(place: JSON) -> dict[str, float]:
    """The tokens of one place; what has no probability, or none that can be, is left out."""
    if not isinstance(place, dict):
        return {}
    others = place.get("top_logprobs")
    if isinstance(others, dict):
        pairs = list(others.items())
    else:
        listed = others if isinstance(others, list) else []
        told = (one for one in listed if isinstance(one, dict))
        pairs = [(one.get("token"), one.get("logprob")) for one in told]
    found: dict[str, float] = {}
    for token, logprob in (*pairs, (place.get("token"), place.get("logprob"))):
        number = isinstance(logprob, float) or type(logprob) is int
        if isinstance(token, str) and number and LOWEST < logprob < HIGHEST:
            found.setdefault(writable(token), min(0.0, logprob))
    return found


def _usage(stated: JSON, asked_bytes: int, came_bytes: int) -> Usage:
    """Tokens billed; what is missing, zero or absurd is estimated from lengths.

    Some servers leave hidden reasoning out of the completion's tokens and count it in the total,
    or beside them: the largest reading is taken.
    """
    stated = stated if isinstance(stated, dict) else {}
    came_in = _figure(stated, "prompt_tokens") or _figure(stated, "input_tokens")
    out = _figure(stated, "completion_tokens") or _figure(stated, "output_tokens")
    beyond = _figure(stated, "total_tokens") - came_in
    if came_in and (out or beyond > 0):
        out = max(out, beyond)
    if isinstance(detail := stated.get("completion_tokens_details"), dict):
        hidden = _figure(detail, "reasoning_tokens")
        out = out + hidden if hidden > out else out
    estimated = not came_in or (not out and came_bytes > 0)
    came_in = came_in or math.ceil(asked_bytes / BYTES_PER_TOKEN)
    out = out or math.ceil(came_bytes / BYTES_PER_TOKEN)
    cached = written = 0
    if isinstance(detail := stated.get("prompt_tokens_details"), dict):
        cached, written = _figure(detail, "cached_tokens"), _figure(detail, "cache_write_tokens")
    cached = min(cached or _figure(stated, "prompt_cache_hit_tokens"), came_in)
    return Usage(came_in - cached, cached, min(written, came_in - cached), out, estimated)


def _figure(stated: dict[str, JSON], name: str) -> int:
    """A number of tokens; 0 for what is missing or absurd."""
    value = stated.get(name)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else 0
