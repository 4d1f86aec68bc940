"""The engine when a request goes wrong: what is tried again, what fails, which form is sent."""

import asyncio
import time

import pytest
from engines import PRICE, Bench, question, questions, read

from distillgen import engine as engine_module
from distillgen.errors import PROVIDER
from distillgen.sending import Ask

# -- one request ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["reset", "midreset", "short", "garbled", "html", "empty", "latin1", "busy"]
)
def test_a_fault_of_unknown_outcome_is_tried_once_more_and_counted(
    tmp_path, faulty, in_haste, fault
):
    server = faulty("", fault)
    with Bench(tmp_path, server.url, price=PRICE) as bench:
        assert bench.fill(questions(4)) is None
        assert bench.came(questions(4)) == ["answer"] * 4
        assert server.hits == 5
        assert bench.engine.tally.repeated == 1
        spent = bench.journal.spent()
        assert spent.unknown == 1
        worst = {bench.engine.purse.worst(one) for one in questions(4)}
        assert worst == {spent.maybe}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("midreset", "connection"), ("short", "connection"), ("garbled", "bad_body"),
        ("html", "bad_body"), ("latin1", "encoding"), ("busy", "server_error"),
    ],
)  # fmt: skip
def test_after_two_sends_of_unknown_outcome_a_request_has_failed(
    tmp_path, faulty, in_haste, fault, kind
):
    server = faulty(fault, fault, only="Question 1?")
    with Bench(tmp_path, server.url) as bench:
        assert bench.fill(questions(4)) is None
        assert bench.came(questions(4)) == ["answer", kind, "answer", "answer"]
        assert bench.journal.spent().unknown == 2
    assert server.hits == 5


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_the_deadline_holds_for_the_last_byte(tmp_path, faulty, in_haste, fault):
    server = faulty(fault, fault, only="Question 1?")
    with Bench(tmp_path, server.url, deadline_s=0.5) as bench:
        bench.fill(questions(3))
        assert bench.came(questions(3)) == ["answer", "timeout", "answer"]


def test_a_garbled_reply_is_kept_raw(tmp_path, faulty, in_haste):
    server = faulty("html", only="Question 1?")
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(2))
        first, second = bench.journal.attempts(question(1).key)
    assert b"Please log in" in first["raw"]
    assert (first["state"], second["state"]) == ("unknown", "answered")


def test_a_reply_without_end_fails_and_is_paid_for(tmp_path, faulty):
    server = faulty("huge", only="Question 1?")
    with Bench(tmp_path, server.url, price=PRICE) as bench:
        bench.fill(questions(3))
        assert bench.came(questions(3)) == ["answer", "too_large", "answer"]
        assert bench.journal.spent().maybe == bench.engine.purse.worst(question(1))
    assert server.hits == 3


def test_what_is_surely_unpaid_is_tried_up_to_its_cap(tmp_path, server, in_haste):
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(3))
        server.set(fail_share=1.0, fail_status=503)
        with server.counting() as asked:
            bench.fill(questions(4))
        assert bench.came(questions(4))[3] == "server_error"
        assert bench.journal.spent().unknown == 0
    assert len(asked) == engine_module.UNPAID_SENDS


def test_a_rate_limit_loses_nothing(tmp_path, server, in_haste):
    server.set(slow_every=4)
    with Bench(tmp_path, server.url, concurrency=8) as bench:
        assert bench.fill(questions(60)) is None
        assert bench.came(questions(60)) == ["answer"] * 60
        assert bench.engine.pace.limit < 8
        assert len([line for line in bench.said if "slow down" in line]) == 1
        assert bench.journal.spent().unknown == 0


def test_a_request_comes_again_only_after_retry_after(tmp_path, server):
    server.set(slow_every=10, retry_after="0.3")
    with Bench(tmp_path, server.url, concurrency=4) as bench:
        bench.fill(questions(15))
        assert bench.came(questions(15)) == ["answer"] * 15
    for refused in [asked for asked in server.asked if asked.status == 429]:
        again = [one.at for one in server.asked if one.body == refused.body and one is not refused]
        assert max(again) >= refused.at + 0.3


def test_a_request_refused_for_itself_fails_alone(tmp_path, server):
    server.set(fail_share=0.1, fail_status=413)
    with Bench(tmp_path, server.url) as bench:
        assert bench.fill(questions(60)) is None
        came = bench.came(questions(60))
        assert set(came) == {"answer", "too_large"}
    refused = [asked for asked in server.asked if asked.status == 413]
    assert len(refused) == came.count("too_large") > 0


@pytest.mark.parametrize("status", [400, 422, 500])
def test_failures_for_good_end_as_failures_and_the_rest_as_answers(
    tmp_path, server, in_haste, status
):
    server.set(fail_share=0.05, fail_status=status)
    with Bench(tmp_path, server.url, concurrency=16) as bench:
        assert bench.fill(questions(100)) is None
        came = bench.came(questions(100))
        failed = came.count("server_error" if status == 500 else "bad_request")
        assert failed + came.count("answer") == 100
        assert bench.engine.tally.failed == failed > 0
    with server.counting() as asked, Bench(tmp_path, server.url) as bench:
        bench.fill(questions(100))
    assert asked == []


def test_a_failure_at_the_very_end_of_a_stage_that_waits_for_it(tmp_path, server, in_haste):
    """The stage says `None` until the last request has an outcome: that is not a bug."""
    with Bench(tmp_path, server.url) as bench:

        def asks():
            yield Ask(question(0))
            while bench.settled(question(0)) is None:
                yield None
            server.set(status=500)
            yield Ask(question(1))
            while bench.settled(question(1)) is None:
                yield None

        assert bench.engine.fill(asks(), read) is None
        assert bench.came(questions(2)) == ["answer", "server_error"]


def test_a_first_failure_that_a_stage_waits_for_stops_the_run(tmp_path, server, in_haste):
    server.set(status=500)
    with Bench(tmp_path, server.url) as bench:

        def asks():
            yield Ask(question(0))
            while True:
                yield None

        stop = bench.engine.fill(asks(), read)
        assert stop is not None
        assert stop.code == PROVIDER
        assert bench.came(questions(1)) == ["open"]


# -- the wire form ----------------------------------------------------------------------------


def forms(server) -> list[str]:
    bodies = [asked.body for asked in server.asked]
    return [body.get("response_format", {"type": "text"})["type"] for body in bodies]


@pytest.mark.parametrize(
    ("knobs", "sent"),
    [
        ({"structured": "json_schema"}, ["json_schema"]),
        ({"structured": "json_object"}, ["json_schema", "json_object"]),
        ({"structured": "text"}, ["json_schema", "json_object", "text"]),
        ({"structured": "text", "says_why": False}, ["json_schema", "json_object", "text"]),
        ({"takes_seed": False}, ["json_schema", "json_schema"]),
        (
            {"structured": "text", "takes_seed": False, "says_why": False},
            ["json_schema", "json_object", "text", "text"],
        ),
    ],
)
def test_the_first_request_finds_the_form_that_the_server_takes(tmp_path, server, knobs, sent):
    server.set(**knobs)
    with Bench(tmp_path, server.url) as bench:
        assert bench.fill(questions(10)) is None
        assert bench.came(questions(10)) == ["answer"] * 10
    assert forms(server) == sent + sent[-1:] * 9
    assert ("seed" in server.asked[-1].body) == server.knobs.takes_seed


def test_the_next_process_takes_the_form_up_again(tmp_path, server):
    server.set(structured="text", takes_seed=False)
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(2))
    with server.counting() as asked, Bench(tmp_path, server.url) as bench:
        bench.fill(questions(6))
    assert [one.status for one in asked] == [200] * 4


def test_a_field_named_later_is_given_up_and_fails_nothing(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(5))
        server.set(takes_seed=False)
        bench.fill(questions(30))
        assert bench.came(questions(30)) == ["answer"] * 30


def test_a_first_request_refused_for_itself_does_not_cost_the_form(tmp_path, server, in_haste):
    server.set(fail_share=1.0, fail_status=400, message="This text is not welcome here.")
    with Bench(tmp_path, server.url) as bench:

        def asks():
            yield Ask(question(0))
            server.set(fail_share=0.0)
            yield from map(Ask, questions(5, start=1))

        assert bench.engine.fill(asks(), read) is None
        assert bench.came(questions(6)) == ["bad_request"] + ["answer"] * 5
    assert forms(server)[-5:] == ["json_schema"] * 5
    assert all("seed" in asked.body for asked in server.asked[-5:])


def hears_a_429(bench, wait_s, then=lambda: None):
    """The moment at which, while the second attempt is being noted, a 429 for all comes."""
    note, heard = bench.journal.note, []

    def and_hear(*args, **more):
        if bench.engine.tally.answered and not heard:
            heard.append(time.monotonic())
            bench.engine.pace.slow_down(wait_s)
            then()
        return note(*args, **more)

    bench.journal.note = and_hear
    return heard


def test_what_is_noted_when_a_429_comes_is_not_sent_before_it_is_over(server, tmp_path):
    with Bench(tmp_path, server.url, concurrency=1) as bench:
        heard = hears_a_429(bench, 0.4)
        assert bench.fill(questions(5)) is None
    later = [asked.at for asked in server.asked if asked.at > heard[0]]
    assert len(later) == 4
    assert min(later) >= heard[0] + 0.4


def test_what_was_noted_and_never_sent_cost_nothing(server, tmp_path):
    with Bench(tmp_path, server.url, concurrency=1, price=PRICE) as bench:

        def end_soon():
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, bench.engine.halt, "signal", "stopped", 130)

        hears_a_429(bench, 60.0, end_soon)
        stop = bench.fill(questions(5))
        assert stop is not None
        assert stop.code == 130
        assert len(server.asked) == 1
        (attempt,) = bench.journal.attempts(questions(5)[1].key)
        assert (attempt["state"], attempt["cost"]) == ("unpaid", 0)
        assert bench.journal.spent().unknown == 0
