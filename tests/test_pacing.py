"""The pace: how many requests are under way, and how that follows what the server says."""

import asyncio

import pytest

from distillgen import pacing
from distillgen.pacing import Pace, estimated_tokens
from distillgen.records import Message, Request, Terms

REQUEST = Request(Terms("t"), messages=(Message(role="user", content="Hm?" * 40),))
LONG = Request(Terms("t", sampling={"max_tokens": 970}), REQUEST.messages)


async def passes(pace: Pace, request: Request = REQUEST) -> bool:
    """Whether a request may be sent now, and not seconds later."""
    try:
        await asyncio.wait_for(pace.gate(request, asyncio.Event()), 0.05)
    except TimeoutError:
        return False
    return True


async def slots(pace: Pace, count: int) -> list["asyncio.Task[None]"]:
    """Ask for slots, and let everybody who has one go on."""
    turns = [asyncio.create_task(pace.wait_for_slot()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return turns


def test_no_more_slots_are_given_than_the_concurrency():
    async def go():
        pace = Pace(3)
        turns = await slots(pace, 5)
        assert [turn.done() for turn in turns] == [True, True, True, False, False]
        assert not pace.has_room()
        pace.free()
        await asyncio.sleep(0)
        assert [turn.done() for turn in turns] == [True, True, True, True, False]
        turns[4].cancel()

    asyncio.run(go())


def test_whoever_waits_goes_before_whoever_comes_later():
    async def go():
        pace = Pace(1)
        pace.take()
        (first,) = await slots(pace, 1)
        pace.limit = 2.0
        assert not pace.has_room()
        pace.free()
        await asyncio.sleep(0)
        assert first.done()

    asyncio.run(go())


def test_a_slot_whose_taker_left_goes_to_the_next():
    async def go():
        pace = Pace(1)
        first, second, third = await slots(pace, 3)
        second.cancel()
        await asyncio.sleep(0)
        pace.free()
        await asyncio.sleep(0)
        assert first.done()
        assert third.done()
        assert pace.used == 1

    asyncio.run(go())


def test_a_burst_of_429s_cuts_the_rate_once():
    pace = Pace(10)
    pace.used = 10
    assert pace.slow_down(0.0)
    assert not pace.slow_down(0.0)
    assert pace.limit == 8.0


def test_at_least_one_request_stays_under_way(monkeypatch):
    monkeypatch.setattr(pacing, "COOL_DOWN_S", 0.0)
    pace = Pace(2)
    for _ in range(5):
        assert pace.slow_down(0.0)
    assert pace.limit == 1.0
    assert pace.has_room()


def test_the_rate_does_not_grow_during_the_cool_down():
    pace = Pace(10)
    pace.used = 10
    pace.slow_down(0.0)
    for _ in range(100):
        pace.went_well()
    assert pace.limit == 8.0


def test_the_rate_grows_back_to_the_concurrency_and_no_further(monkeypatch):
    monkeypatch.setattr(pacing, "COOL_DOWN_S", 0.0)
    pace = Pace(10)
    pace.used = 10
    pace.slow_down(0.0)
    pace.went_well()
    assert pace.limit == 8.0, "one answer is no whole round"
    for _ in range(100):
        pace.went_well()
    assert pace.limit == 10.0


def test_rare_429s_do_not_wear_the_rate_down(monkeypatch):
    monkeypatch.setattr(pacing, "COOL_DOWN_S", 0.0)
    pace = Pace(10)
    pace.used = 10
    assert pace.slow_down(0.0)
    for _ in range(100):
        for _ in range(15):
            pace.went_well()
        pace.slow_down(0.0)
    assert pace.limit == 10.0


def test_429s_that_become_frequent_cut_the_rate_again(monkeypatch):
    monkeypatch.setattr(pacing, "COOL_DOWN_S", 0.0)
    pace = Pace(10)
    pace.used = 10
    pace.slow_down(0.0)
    for _ in range(10_000):
        pace.went_well()
    assert any(pace.slow_down(0.0) for _ in range(30))
    assert pace.limit < 10.0


def test_nothing_is_sent_before_retry_after():
    async def go():
        pace = Pace(4)
        pace.slow_down(60.0)
        assert not await passes(pace)

    asyncio.run(go())


def test_a_stop_ends_the_wait_for_retry_after():
    async def go():
        pace = Pace(4)
        pace.slow_down(600.0)
        stopping = asyncio.Event()
        waiting = asyncio.create_task(pace.gate(REQUEST, stopping))
        await asyncio.sleep(0)
        stopping.set()
        await asyncio.wait_for(waiting, 30)

    asyncio.run(go())


@pytest.mark.parametrize("limits", [{"rpm": 6}, {"tpm": 6}])
def test_the_users_limits_hold(limits):
    async def go():
        pace = Pace(4, **limits)
        request = Request(Terms("t"), (Message(role="user", content="Hm??"),))
        assert await passes(pace, request)
        assert not await passes(pace, request)

    asyncio.run(go())


@pytest.mark.parametrize("name", ["requests", "tokens"])
def test_limits_that_the_server_states_hold(name):
    async def go():
        pace = Pace(4)
        assert await passes(pace, LONG)
        pace.hear({f"x-ratelimit-limit-{name}": "6"})
        await passes(pace, LONG)
        assert not await passes(pace, LONG)

    asyncio.run(go())


def test_the_same_statement_again_gives_no_second_allowance():
    async def go():
        pace = Pace(4)
        for _ in range(2):
            pace.hear({"x-ratelimit-limit-requests": "6"})
            passed = await passes(pace)
        assert not passed

    asyncio.run(go())


def test_the_users_limit_wins_over_a_stated_one():
    async def go():
        pace = Pace(4, rpm=60000)
        pace.hear({"x-ratelimit-limit-requests": "6"})
        assert [await passes(pace) for _ in range(5)] == [True] * 5

    asyncio.run(go())


@pytest.mark.parametrize("rubbish", ["", "lots", "-5", "0", "1e9", "nan"])
def test_rubbish_is_no_limit(rubbish):
    async def go():
        pace = Pace(4)
        pace.hear({"x-ratelimit-limit-requests": rubbish})
        assert [await passes(pace) for _ in range(5)] == [True] * 5

    asyncio.run(go())


def test_a_request_larger_than_a_seconds_tokens_still_passes():
    async def go():
        pace = Pace(4, tpm=60 * 500)
        await asyncio.wait_for(pace.gate(LONG, asyncio.Event()), 60)

    asyncio.run(go())


def test_tokens_are_estimated_from_the_prompt_and_the_longest_reply():
    assert estimated_tokens(LONG) == 120 // 4 + 970


def test_requests_beyond_a_tenth_of_a_second_wait_for_the_next():
    async def go():
        pace = Pace(64, rpm=6000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(40):
            await pace.gate(REQUEST, asyncio.Event())
        return loop.time() - began

    assert asyncio.run(go()) > 0.25
