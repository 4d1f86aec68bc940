"""The engine when all requests go wrong alike: it stops or pauses, and leaves them open."""

import pytest
from engines import Bench, question, questions, read

from distillgen import engine as engine_module
from distillgen.errors import PROVIDER
from distillgen.sending import Ask

# -- what is the same for all -----------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refusal_of_everybody_costs_one_request_and_leaves_all_open(tmp_path, server, status):
    server.set(status=status)
    with Bench(tmp_path, server.url) as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert (stop.reason, stop.code) == ("provider", PROVIDER)
        assert f"{status}" in stop.message
        assert bench.came(questions(9)) == ["open"] * 9
    assert len(server.asked) == 1


def test_an_unknown_model_is_told_with_a_near_name(tmp_path, server):
    with Bench(tmp_path, server.url, model="teacher-l") as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert "teacher-1" in stop.message
        assert bench.came(questions(9)) == ["open"] * 9
    assert len(server.asked) == 1


def test_an_exhausted_quota_is_never_tried_again(tmp_path, server):
    server.set(status=429, message="You exceeded your current quota, please check your plan.")
    with Bench(tmp_path, server.url) as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert "quota" in stop.message
        assert bench.came(questions(9)) == ["open"] * 9
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_the_first_three_refused_alike_stop_the_run(tmp_path, server, in_haste, status):
    server.set(status=status)
    with Bench(tmp_path, server.url) as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert stop.code == PROVIDER
        assert bench.came(questions(9)) == ["open"] * 9
    assert len({asked.body["messages"][0]["content"] for asked in server.asked}) == 3
    assert {asked.in_flight for asked in server.asked} == {1}


def test_a_key_that_is_revoked_during_the_run_loses_nothing_under_way(tmp_path, server):
    server.set(latency_s=0.1)
    with Bench(tmp_path, server.url, concurrency=4) as bench:

        def asks():
            yield from map(Ask, questions(5))
            server.set(status=401)
            yield from map(Ask, questions(20, start=5))

        stop = bench.engine.fill(asks(), read)
        assert stop is not None
        assert stop.code == PROVIDER
        assert bench.came(questions(5)) == ["answer"] * 5
        assert bench.came(questions(20, start=5)) == ["open"] * 20
    refused = [asked for asked in server.asked if asked.status == 401]
    assert len(refused) <= 4


def test_a_model_that_is_removed_during_the_run_is_asked_for_no_more(tmp_path, server):
    """While the server is asked which models it has, nothing new may start."""
    with Bench(tmp_path, server.url, concurrency=4) as bench:
        bench.fill(questions(5))
        server.set(model="teacher-2", latency_s=0.05)
        with server.counting() as asked:
            stop = bench.fill(questions(300))
        assert stop is not None
        assert "teacher-2" in stop.message
        assert bench.came(questions(300)) == ["answer"] * 5 + ["open"] * 295
    assert len(asked) <= 4


def test_a_server_that_was_never_reached_is_tried_three_times(tmp_path, nowhere):
    with Bench(tmp_path, nowhere) as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert stop.code == PROVIDER
        assert nowhere in stop.message
        assert bench.came(questions(9)) == ["open"] * 9
        attempts = bench.journal.attempts(question(0).key)
        assert [one["state"] for one in attempts] == ["unpaid"] * 3


# -- outages ----------------------------------------------------------------------------------


def test_an_outage_pauses_the_run_and_fails_nothing(tmp_path, server, in_haste, monkeypatch):
    monkeypatch.setattr(engine_module, "PROBE_EVERY_S", 0.01)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        server.set(status=200)

    with Bench(tmp_path, server.url, concurrency=8, say=say) as bench:
        bench.fill(questions(3))
        server.set(status=500)
        assert bench.fill(questions(60)) is None
        assert bench.came(questions(60)) == ["answer"] * 60
    assert len(said) == 1
    assert "paused" in said[0]


def test_an_outage_that_lasts_leaves_its_requests_open(tmp_path, server, in_haste, monkeypatch):
    monkeypatch.setattr(engine_module, "PROBE_EVERY_S", 0.01)
    monkeypatch.setattr(engine_module, "OUTAGE_S", 0.2)
    with Bench(tmp_path, server.url, concurrency=8) as bench:
        bench.fill(questions(3))
        server.set(status=503)
        stop = bench.fill(questions(60))
        assert stop is not None
        assert (stop.reason, stop.code) == ("provider", PROVIDER)
        assert bench.came(questions(60)) == ["answer"] * 3 + ["open"] * 57


def test_a_probe_during_an_outage_is_one_request_at_a_time(tmp_path, server, in_haste, monkeypatch):
    monkeypatch.setattr(engine_module, "PROBE_EVERY_S", 0.01)
    monkeypatch.setattr(engine_module, "OUTAGE_S", 0.2)
    with Bench(tmp_path, server.url, concurrency=8) as bench:
        bench.fill(questions(3))
        server.set(status=500)
        paused_at: list[int] = []
        bench.engine.say = lambda _: paused_at.append(len(server.asked))
        bench.fill(questions(60))
    assert {asked.in_flight for asked in server.asked[paused_at[0] :]} == {1}
