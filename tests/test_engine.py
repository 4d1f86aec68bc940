"""The engine: every request is asked once, in bounds, and whatever ends is in the journal."""

import random
import threading
from decimal import Decimal

import pytest
from engines import PRICE, Bench, question, questions, read

from distillgen.errors import BUDGET, PROVIDER
from distillgen.journal import Place
from distillgen.prices import Price
from distillgen.records import Usage
from distillgen.sending import Ask


def test_each_request_is_asked_once_and_its_reply_kept(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        assert bench.fill(questions(40)) is None
        assert bench.came(questions(40)) == ["answer"] * 40
        assert bench.engine.tally.answered == len(server.asked) == 40


def test_what_is_answered_is_not_asked_by_the_next_process(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(20))
    with server.counting() as asked, Bench(tmp_path, server.url) as bench:
        bench.fill(questions(25))
        assert bench.came(questions(25)) == ["answer"] * 25
    assert len(asked) == 5


def test_equal_requests_are_asked_once(tmp_path, server):
    server.set(latency_s=0.02)
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(6) * 3)
        assert bench.came(questions(6)) == ["answer"] * 6
    assert len(server.asked) == 6


def test_the_first_request_goes_alone_and_the_rest_within_the_concurrency(tmp_path, server):
    server.set(latency_s=0.02)
    with Bench(tmp_path, server.url, concurrency=5) as bench:
        bench.fill(questions(30))
    at_once = [asked.in_flight for asked in server.asked]
    assert at_once[:2] == [1, 1]
    assert max(at_once) == 5


def test_an_attempt_is_noted_before_it_is_sent(tmp_path, server):
    server.set(latency_s=0.05)
    with Bench(tmp_path, server.url, concurrency=4) as bench:
        seen: list[int] = []

        def asks():
            for i in range(12):
                yield Ask(question(i))
                seen.append(bench.journal.in_flight() - bench.engine.tally.in_flight)

        bench.engine.fill(asks(), read)
        assert bench.journal.in_flight() == 0
    assert min(seen) >= 0


def test_a_place_is_bound_to_its_request(tmp_path, server):
    sequence = "ab" * 32
    with Bench(tmp_path, server.url) as bench:
        bench.engine.fill([Ask(question(3), Place(sequence, 3, "{}"))], read)
        assert bench.journal.at(sequence, 3) == (question(3), "{}")


def test_none_in_the_stream_waits_for_an_outcome(tmp_path, server):
    server.set(latency_s=0.01)
    with Bench(tmp_path, server.url) as bench:
        passed: list[int] = []

        def chain():
            for i in range(10):
                yield Ask(question(i))
                while bench.settled(question(i)) is None:
                    yield None
                passed.append(i)

        assert bench.engine.fill(chain(), read) is None
        assert passed == list(range(10))
    assert max(asked.in_flight for asked in server.asked) == 1


def test_a_stage_that_waits_for_nothing_is_a_bug(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        with pytest.raises(RuntimeError, match="nothing is under way"):
            bench.engine.fill([None], read)
        assert server.asked == []


def test_an_error_in_the_stream_is_raised_after_what_is_under_way_has_landed(tmp_path, server):
    server.set(latency_s=0.1)

    def asks():
        yield from map(Ask, questions(1))
        yield from map(Ask, questions(3, start=1))
        raise ZeroDivisionError

    with Bench(tmp_path, server.url) as bench:
        with pytest.raises(ZeroDivisionError):
            bench.engine.fill(asks(), read)
        assert bench.came(questions(4)) == ["answer"] * 4


def test_a_bug_in_a_stages_reader_is_raised(tmp_path, server):
    def broken(*_):
        raise ZeroDivisionError

    with Bench(tmp_path, server.url) as bench:
        with pytest.raises(ZeroDivisionError):
            bench.engine.fill(map(Ask, questions(5)), broken)
        assert bench.came(questions(1)) == ["answer"]


def test_one_engine_serves_several_stages(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        assert bench.fill(questions(5)) is None
        assert bench.fill(questions(5, start=5)) is None
        assert bench.came(questions(10)) == ["answer"] * 10
    assert [asked.in_flight for asked in server.asked][:2] == [1, 1]


def test_an_engine_works_outside_the_main_thread(tmp_path, server):
    came: list[str] = []

    def work():
        with Bench(tmp_path, server.url) as bench:
            bench.fill(questions(5))
            came.extend(bench.came(questions(5)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert came == ["answer"] * 5


# -- replies that cannot be read -------------------------------------------------------------


def test_a_useless_reply_is_followed_by_one_more_draw_with_another_seed(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(3))
        server.set(useless=1)
        with server.counting() as asked:
            bench.fill(questions(4))
        assert bench.came(questions(4)) == ["answer"] * 4
        assert len(bench.journal.look(question(3).key)) == 2
        assert bench.engine.tally.useless == 1
    first, second = (one.body for one in asked)
    assert first.pop("seed") != second.pop("seed")
    assert first == second


def test_a_request_is_drawn_again_only_so_often(tmp_path, server):
    with Bench(tmp_path, server.url, resample=2) as bench:
        bench.fill(questions(3))
        server.set(useless=-1)
        with server.counting() as asked:
            bench.fill(questions(4))
        assert bench.came(questions(4))[3] == "bad_json"
        assert len(asked) == 3


def test_a_truncated_reply_is_not_drawn_again(tmp_path, server):
    with Bench(tmp_path, server.url, resample=3) as bench:
        bench.fill(questions(3))
        server.set(dress="cut")
        with server.counting() as asked:
            bench.fill(questions(4))
        assert bench.came(questions(4))[3] == "truncated"
        assert len(asked) == 1


def test_three_useless_first_replies_stop_the_run_and_stay(tmp_path, server):
    server.set(useless=-1)
    with Bench(tmp_path, server.url, resample=0) as bench:
        stop = bench.fill(questions(9))
        assert stop is not None
        assert (stop.reason, stop.code) == ("provider", PROVIDER)
        assert "I am happy to help" in stop.message
        assert bench.came(questions(9)) == ["bad_json"] * 3 + ["open"] * 6
    assert len(server.asked) == 3
    assert {asked.in_flight for asked in server.asked} == {1}


def test_after_a_stop_nothing_more_is_sent(tmp_path, server):
    server.set(status=401)
    with Bench(tmp_path, server.url) as bench:
        stop = bench.fill(questions(5))
        server.set(status=200)
        assert bench.fill(questions(5)) == stop
        assert bench.came(questions(5)) == ["open"] * 5
    assert len(server.asked) == 1


# -- money -----------------------------------------------------------------------------------


def billed(server) -> int:
    """Nanodollars that the server would charge for all it answered."""
    used = [asked.usage for asked in server.asked if asked.status == 200]
    tokens = [(use["prompt_tokens"], use["completion_tokens"]) for use in used]
    return sum(PRICE.cost(Usage(input_tokens=i, output_tokens=o)) for i, o in tokens)


@pytest.mark.parametrize("concurrency", [1, 16])
def test_the_budget_is_never_passed_and_the_run_goes_on_with_more(tmp_path, server, concurrency):
    server.set(latency_s=0.005, spread=0.5)
    with Bench(tmp_path, server.url, price=PRICE) as bench:
        each = bench.engine.purse.worst(question(0))
        assert each
    limit = 4 * each
    with Bench(tmp_path, server.url, concurrency=concurrency, price=PRICE, limit=limit) as bench:
        stop = bench.fill(questions(200))
        assert stop is not None
        assert (stop.reason, stop.code) == ("budget", BUDGET)
        came = bench.came(questions(200))
        assert set(came) == {"answer", "open"}
        spent = bench.journal.spent()
        assert spent.cost == bench.engine.purse.money.spent == billed(server) <= limit
        assert limit - spent.cost < each, "it stopped though another request was affordable"
    with Bench(tmp_path, server.url, price=PRICE, limit=100 * each) as bench:
        assert bench.fill(questions(200)) is None
        assert bench.came(questions(200)) == ["answer"] * 200
        assert bench.journal.spent().cost == billed(server)
    assert len(server.asked) == 200


FAULTS = ["", "", "", "reset", "midreset", "short", "garbled", "html", "empty", "busy"]


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_the_limit_holds_whatever_the_prices_the_replies_and_the_faults(
    tmp_path, faulty, in_haste, start
):
    """Runs drawn at random: each may stop anywhere, and none may cost more than it was given."""
    for seed in range(start, start + 20):
        dice = random.Random(seed)
        price = Price(*(Decimal(dice.randint(1, 10**4)) / 100 for _ in range(3)))
        server = faulty(*dice.choices(FAULTS, k=dice.randint(0, 12)))
        folder = tmp_path / str(seed)
        folder.mkdir()
        wanted = questions(dice.randint(1, 12), start=seed)
        with Bench(folder, server.url, price=price) as bench:
            limit = int(dice.random() * 15 * bench.engine.purse.worst(wanted[0]))
        for more in (1, 2):
            with Bench(
                folder, server.url, price=price, limit=limit * more,
                concurrency=dice.randint(1, 8),
            ) as bench:  # fmt: skip
                stop = bench.fill(wanted)
                spent = bench.journal.spent().cost
                assert bench.engine.purse.money.spent == spent <= limit * more
                assert bench.engine.purse.money.reserved == 0
                assert stop is None or stop.code in (BUDGET, PROVIDER)
                if stop is None:
                    assert "open" not in bench.came(wanted)


def test_a_limit_below_the_first_request_sends_nothing(tmp_path, server):
    with Bench(tmp_path, server.url, price=PRICE, limit=1) as bench:
        stop = bench.fill(questions(3))
        assert stop is not None
        assert stop.code == BUDGET
        assert bench.engine.purse.money.reserved == 0
    assert server.asked == []


def test_without_a_price_the_cost_is_unknown_and_not_zero(tmp_path, server):
    with Bench(tmp_path, server.url) as bench:
        bench.fill(questions(3))
        assert bench.journal.spent().unpriced == 3
