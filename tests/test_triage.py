"""What a reply means for its request: surely unpaid, perhaps billed, refused, or fatal for all."""

import json
from datetime import UTC, datetime

import pytest

from distillgen.triage import LONGEST_WAIT_S, of_lost, of_reply, wait_of
from distillgen.wire import Lost, Reply

GOOD = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}
NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def verdict(status: int, body: object = "", **headers: str):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return of_reply(Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw))


def said(message: str, code: str = "") -> dict[str, object]:
    return {"error": {"message": message, "code": code}}


def test_a_completion_is_answered():
    found = verdict(200, GOOD)
    assert (found.state, found.status) == ("answered", 200)
    assert found.completion is not None
    assert found.completion.text == "{}"


@pytest.mark.parametrize(
    ("status", "body", "state", "failure"),
    [
        (200, b"<html>Log in</html>", "unknown", "bad_body"),
        (200, b'{"choices": [{"mess', "unknown", "bad_body"),
        (200, b"", "unknown", "bad_body"),
        (200, b"null", "unknown", "bad_body"),
        (200, {"choices": []}, "unknown", "bad_body"),
        (200, b'{"choices": "\xe9"}', "unknown", "encoding"),
        (200, said("upstream broke"), "unknown", "server_error"),
        (200, said("Rate limit exceeded"), "unpaid", "rate_limited"),
        (200, said("This model's maximum context length is 4096"), "refused", "context_length"),
        (200, said("You exceeded your current quota"), "fatal", "bad_request"),
        (307, b"", "fatal", "bad_request"),
        (400, said("maximum context length is 4096 tokens"), "refused", "context_length"),
        (400, said("the prompt is too long"), "refused", "context_length"),
        (400, said("flagged by content_filter"), "refused", "refused"),
        (400, said("Incorrect API key provided"), "fatal", "bad_request"),
        (400, said("no"), "form", "bad_request"),
        (401, said("who are you"), "fatal", "bad_request"),
        (402, said("pay first"), "fatal", "bad_request"),
        (403, said("not in your region"), "fatal", "bad_request"),
        (404, said("no such model"), "fatal", "bad_request"),
        (408, b"", "unknown", "timeout"),
        (409, b"", "unpaid", "server_error"),
        (413, b"", "refused", "too_large"),
        (422, said("messages: wrong"), "form", "bad_request"),
        (429, said("Rate limit reached"), "unpaid", "rate_limited"),
        (429, said("exceeded your current quota", "insufficient_quota"), "fatal", "rate_limited"),
        (429, said("Request too large for gpt-x"), "refused", "too_large"),
        (500, b"", "unknown", "server_error"),
        (502, b"<html>Bad gateway</html>", "unknown", "server_error"),
        (503, b"", "unpaid", "server_error"),
        (504, b"", "unknown", "server_error"),
        (529, b"", "unpaid", "server_error"),
    ],
)  # fmt: skip
def test_a_reply_has_its_verdict(status, body, state, failure):
    found = verdict(status, body)
    assert (found.state, found.failure, found.status) == (state, failure, status)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_with_retry_after_was_not_billed(status):
    found = verdict(status, retry_after="2")
    assert (found.state, found.wait_s) == ("unpaid", 2.0)


def test_a_server_may_say_that_another_try_is_useless():
    assert verdict(500, x_should_retry="false").final
    assert not verdict(500, x_should_retry="true").final


def test_only_a_rate_limit_slows_the_run_down():
    assert verdict(429, retry_after="7").slow_down
    assert verdict(429, retry_after="7").wait_s == 7.0
    assert not verdict(503, retry_after="7").slow_down


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_a_pause_longer_than_the_cap_stops_the_run(status):
    """None of these may sleep for an hour and look like a hang."""
    found = verdict(status, said("later"), retry_after=str(int(LONGEST_WAIT_S) + 1))
    assert found.state == "fatal"
    assert f"{LONGEST_WAIT_S + 1:.0f} s" in found.detail


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "300"}, 300.0),
        ({"retry-after": "1000000000"}, 1e9),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_usual_spelling(headers, seconds):
    assert wait_of(headers, NOON) == seconds


def test_a_page_is_told_in_a_few_words_without_its_tags():
    found = verdict(502, b"<html><body><h1>Bad  gateway</h1>\x1b[31m" + b"x" * 900)
    assert found.detail.startswith("HTTP 502: Bad gateway [31mxxx")
    assert len(found.detail) < 220


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        (Lost("connection", "cannot connect", paid=False), "unpaid"),
        (Lost("connection", "the connection broke", paid=True), "unknown"),
        (Lost("timeout", "no whole reply within 3 s", paid=True), "unknown"),
        (Lost("too_large", "longer than 32 MB", paid=True), "refused"),
        (Lost("connection", "TLS", paid=False, fatal="name the CA"), "fatal"),
    ],
)
def test_a_lost_reply_has_its_verdict(lost, state):
    found = of_lost(lost)
    assert (found.state, found.failure, found.status) == (state, lost.kind, 0)
    assert found.detail == (lost.fatal or lost.detail)
