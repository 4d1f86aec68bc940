"""Decide what a reply means for its request: the one place that knows surely unpaid from unknown.

The rules and their reasons are those of the fault table in docs/faults.md.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from distillgen import bodies
from distillgen.errors import FailureKind, ParseError
from distillgen.records import Completion
from distillgen.wire import Lost, Reply

LONGEST_WAIT_S = 900.0
"""A server that asks for a longer pause is taken at its word by stopping the run."""


class Verdict(NamedTuple):
    """What one send brought.

    `answered`: a usable completion. `unpaid`: nothing was billed, try again. `unknown`: may have
    been billed. `refused`: this request alone cannot be answered. `form`: the body may have a
    field that the server does not take. `fatal`: no request can be answered.
    """

    state: Literal["answered", "unpaid", "unknown", "refused", "form", "fatal"]
    failure: FailureKind = "server_error"
    detail: str = ""
    wait_s: float = 0.0
    """Seconds that the server asks to wait."""
    slow_down: bool = False
    """The server asks for a lower rate."""
    final: bool = False
    """The server says that trying again is useless."""
    status: int = 0
    """The HTTP status; 0 when no reply came."""
    completion: Completion | None = None


def of_reply(reply: Reply, asked_bytes: int = 0) -> Verdict:
    """The verdict on a whole reply; `asked_bytes` is the length of the prompt, in case the reply
    does not state its tokens."""
    if reply.status != 200:
        told = bodies.error_of(reply.body) or ("", "", "")
        return _judge(reply, *told)._replace(status=reply.status)
    try:
        return Verdict(
            "answered", status=200, completion=bodies.completion(reply.body, asked_bytes)
        )
    except bodies.Told as error:
        return _judge(reply, *error.told)._replace(status=200)
    except ParseError as error:
        return Verdict("unknown", error.kind, error.detail, status=200)


def of_lost(lost: Lost) -> Verdict:
    """The verdict on a reply that did not come whole."""
    if lost.fatal:
        return Verdict("fatal", lost.kind, lost.fatal)
    if lost.kind == "too_large":
        return Verdict("refused", lost.kind, lost.detail)
    return Verdict("unknown" if lost.paid else "unpaid", lost.kind, lost.detail)


def _judge(reply: Reply, code: str, kind: str, message: str) -> Verdict:
    said = f"{code} {kind} {message}".lower()
    detail = _detail(reply, message or code)
    if reply.status == 200:
        return _of_200(said, detail)
    if reply.status in (401, 402, 403, 404) or 300 <= reply.status < 400:
        return Verdict("fatal", "bad_request", detail)
    return _of_refusal(reply, said, detail)


def _of_200(said: str, detail: str) -> Verdict:
    """An error that some servers send as a success."""
    if _never(said):
        return Verdict("fatal", "bad_request", detail)
    if _too_long(said):
        return Verdict("refused", "context_length", detail)
    if "rate" in said and "limit" in said:
        return Verdict("unpaid", "rate_limited", detail, slow_down=True)
    return Verdict("unknown", "server_error", detail)


def _of_refusal(reply: Reply, said: str, detail: str) -> Verdict:
    stated = wait_of(reply.headers, datetime.now(UTC))
    wait_s = stated or 0.0
    final = reply.headers.get("x-should-retry") == "false"
    match reply.status:
        case 429 if _never(said):
            return Verdict("fatal", "rate_limited", detail)
        case 429 if "request too large" in said:
            return Verdict("refused", "too_large", detail)
        case status if (status >= 500 or status in (408, 409, 429)) and wait_s > LONGEST_WAIT_S:
            return Verdict("fatal", "rate_limited", f"{detail}; it asks to wait {wait_s:.0f} s")
        case 429:
            return Verdict("unpaid", "rate_limited", detail, wait_s, slow_down=True)
        case 408:
            return Verdict("unknown", "timeout", detail, wait_s)
        case 409:
            return Verdict("unpaid", "server_error", detail, wait_s)
        case 413:
            return Verdict("refused", "too_large", detail)
        case status if status in (503, 529) or (status >= 500 and stated is not None):
            return Verdict("unpaid", "server_error", detail, wait_s, final=final)
        case status if status >= 500:
            return Verdict("unknown", "server_error", detail, final=final)
    if _too_long(said):
        return Verdict("refused", "context_length", detail)
    if re.search(r"content.?(filter|policy|management)|safety|moderation", said):
        return Verdict("refused", "refused", detail)
    if re.search(r"invalid.?api.?key|incorrect api key", said):
        return Verdict("fatal", "bad_request", detail)
    return Verdict("form", "bad_request", detail)


def wait_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait as a server states them, in any of the usual spellings; None if it does not.

    `retry-after-ms`, `retry-after` in seconds or as an HTTP date; rubbish and negative figures
    count as not stated.

    >>> wait_of({"retry-after": "Thu, 01 Jan 2026 00:00:10 GMT"}, datetime(2026, 1, 1, tzinfo=UTC))
    10.0
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,12}(\.\d*)?", text):
            return float(text) / scale
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def _never(said: str) -> bool:
    """The refusal holds for every request until a person does something."""
    return bool(
        re.search(
            r"insufficient.?(quota|balance|credit|funds)|exceeded your current quota|billing"
            r"|invalid.?api.?key|incorrect api key|model.?not.?found"
            r"|account.{0,20}(deactivated|suspended)",
            said,
        )
    )


def _too_long(said: str) -> bool:
    return bool(
        re.search(
            r"context.?(length|window|size)|maximum context|too (long|many tokens)"
            r"|exceed\w* the (available|model's) context|prompt is too large",
            said,
        )
    )


def _detail(reply: Reply, message: str) -> str:
    """The status and the first 200 characters of what was said, tags and blanks folded."""
    text = message or re.sub(r"<[^>]*>", " ", reply.body[:2000].decode(errors="replace"))
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return f"HTTP {reply.status}: {text[:200]}" if text else f"HTTP {reply.status}"
