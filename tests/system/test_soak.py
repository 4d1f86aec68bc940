"""Ten thousand requests, a fifth of them faulty in mixed ways; and fifty kills under load."""

import random
import signal
import time

import pytest
from conftest import ended
from jobs import balanced, bodies, content, lines, questions, sent_again, teacher

MANY, AT_ONCE, KILLS = 10_000, 64, 50
FAULTY = {"fail_share": 0.07, "useless_share": 0.07, "slow_every": 16, "dress": "mixed"}
"""Server errors for good, prose in place of JSON, 429s with Retry-After, replies in odd dress."""
IN_HASTE = """
import atexit, resource
from distillgen.engine import Engine
Engine._wait_s = lambda *_: 0.01
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
atexit.register(lambda: open("peak_mb", "w").write(str(peak())))
"""


@pytest.mark.timeout(900)
def test_everything_planned_is_done_or_failed_in_flat_memory(cli, server, tmp_path):
    server.set(**FAULTY)
    in_haste = cli.patched(IN_HASTE)
    peaks = []
    for n in (MANY // 5, MANY):
        job = ["answer", questions(tmp_path / f"{n}.jsonl", n), *teacher(server), "--json"]
        ran = ended(cli.start(*job, "--concurrency", AT_ONCE, **in_haste))
        assert ran.code == 1, ran.err
        assert "Traceback" not in ran.err
        assert balanced(ran.told)
        counts = ran.told["counts"]
        assert counts["kept"] + counts["failed"] == counts["given"] == n
        kinds = ran.told["failures"]["answer"]
        assert sum(kinds.values()) == counts["failed"]
        assert len(lines(tmp_path / f"runs/{n}/failures.jsonl")) == counts["failed"]
        assert 0.05 * n < kinds["server_error"] < 0.09 * n
        peaks.append(int((tmp_path / "peak_mb").read_text()))
    assert peaks[1] < peaks[0] + 20, "memory grew with the number of requests"


@pytest.mark.timeout(900)
def test_fifty_kills_under_load_lose_and_repeat_no_more_than_was_in_flight(cli, server, tmp_path):
    server.set(latency_s=0.02, spread=0.8)
    job = ["answer", questions(tmp_path / "mine.jsonl", 4000), "-o", "run", "--json",
           "--concurrency", AT_ONCE, *teacher(server)]  # fmt: skip
    dice = random.Random(3)
    for _ in range(KILLS):
        process = cli.start(*job)
        enough = len(server.asked) + dice.randint(1, 60)
        while len(server.asked) < enough and process.poll() is None:
            time.sleep(0.002)
        time.sleep(dice.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ran = cli(*job)
    assert 0 < sent_again(server.asked) <= ran.told["possibly_paid_twice"] <= KILLS * AT_ONCE
    assert ran.told["counts"]["kept"] == len(bodies(server.asked)) == 4000
    broken = content(tmp_path / "run")
    cli(*job[:2], "-o", "unbroken", *job[4:])
    assert content(tmp_path / "unbroken") == broken
