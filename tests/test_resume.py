"""Runs that are broken off: killed, stopped by a signal, out of money; and how they go on."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ended
from jobs import answered, balanced, bodies, content, lines, questions, seeds, sent_again, teacher

from distillgen.stored import Stored

KILLS = 20
AT_ONCE = 16


def wait_for(true: Callable[[], bool]) -> None:
    """Look again and again, for as long as a slow machine may need."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.002)


def perhaps_paid_twice(run: Path) -> int:
    """Attempts whose outcome is unknown, or will be when the next process looks."""
    if not (run / "journal.sqlite").exists():
        return 0
    journal = Stored(run / "journal.sqlite")
    count = journal.spent().unknown + journal.in_flight()
    journal.close()
    return count


@pytest.mark.timeout(900)
def test_a_run_killed_twenty_times_ends_as_one_that_was_not(cli, server, tmp_path):
    server.set(latency_s=0.02, spread=0.8, useless_share=0.03)
    job = [
        "run", seeds(tmp_path), "-n", 120, "--per-call", 4, "--concurrency", AT_ONCE,
        *teacher(server), "--json", "--max-failed", 1,
    ]  # fmt: skip
    whole = cli(*job, "-o", "unbroken").told
    needed = bodies(server.asked).keys()
    first, reported = len(server.asked), 0
    dice = random.Random(1)
    for _ in range(KILLS):
        kill_after(
            dice.randint(0, 16), dice.random() * 0.03, server, cli.start(*job, "-o", "broken")
        )
        before, reported = reported, perhaps_paid_twice(tmp_path / "broken")
        assert 0 <= reported - before <= AT_ONCE
        assert sent_again(server.asked[first:]) <= reported
    assert reported, "no kill met a request under way"
    last = cli(*job, "-o", "broken").told
    assert balanced(last)
    assert content(tmp_path / "broken") == content(tmp_path / "unbroken")
    assert sent_again(server.asked[first:]) <= last["possibly_paid_twice"] == reported
    came = bodies(server.asked[first:]).keys()
    # Which places are asked beyond the end goes by when the run looks how much is still wanted.
    assert len(came - needed) * 4 <= last["counts"]["expand"]["surplus"]
    assert len(needed - came) * 4 <= whole["counts"]["expand"]["surplus"]
    with server.counting() as asked:
        cli(*job, "-o", "broken")
    assert asked == []


def kill_after(requests: int, seconds: float, server, process) -> None:
    """Kill a process a moment after it sent so many requests."""
    enough = len(server.asked) + requests
    wait_for(lambda: len(server.asked) >= enough or process.poll() is not None)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_what_a_kill_may_have_cost_is_told_when_it_goes_on(cli, server, tmp_path):
    server.set(latency_s=30)
    job = ["answer", questions(tmp_path / "mine.jsonl", 5), *teacher(server), "--json"]
    money = ["--price-in", 1, "--price-out", 4, "--max-cost", 1]
    process = cli.start(*job, *money)
    wait_for(lambda: bool(server.asked))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.set(latency_s=0)
    ran = cli(*job, *money)
    words = " ".join(ran.err.split())
    assert "1 requests were under way when the last process ended" in words
    assert "possibly billed" in words
    assert ran.told["possibly_paid_twice"] == sent_again(server.asked) == 1
    assert ran.told["spent_usd"] > ran.told["cost_usd"]


DIES = """
import os, signal
import distillgen.folder as f
f.Folder.finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("command", ["expand", "answer", "judge", "compare"])
def test_a_process_killed_between_its_files_and_its_manifest_goes_on(
    cli, server, tmp_path, command
):
    source = seeds(tmp_path)
    if command == "answer":
        source = questions(tmp_path / "mine.jsonl", 8)
    if command in ("judge", "compare"):
        source = answered(tmp_path / "mine.jsonl", 8)
    job = [command, source, *teacher(server), "-o", "broken"]
    job += ["-n", 8] if command == "expand" else []
    cli(*job, code=-signal.SIGKILL, **cli.patched(DIES))
    wrote = content(tmp_path / "broken")
    assert wrote
    with server.counting() as asked:
        cli(*job)
    assert asked == []
    assert content(tmp_path / "broken") == wrote


def test_a_folder_is_worked_in_by_one_process(cli, server, tmp_path):
    server.set(latency_s=30)
    job = ["answer", questions(tmp_path / "mine.jsonl", 5), *teacher(server)]
    process = cli.start(*job)
    wait_for(lambda: bool(server.asked))
    ran = cli(*job, code=5)
    assert f"process {process.pid} works in it" in ran.err
    assert cli("status", "runs/mine").code == 0
    assert sent_again(server.asked) == 0


# -- signals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_signal_lets_what_is_under_way_land_and_the_same_command_goes_on(
    cli, server, tmp_path, number, code
):
    server.set(latency_s=0.3)
    job = ["run", seeds(tmp_path), "-n", 60, "--per-call", 3, *teacher(server), "--json"]
    process = cli.start(*job, "--concurrency", 4)
    wait_for(lambda: len(server.asked) >= 8)
    process.send_signal(number)
    ran = ended(process)
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert "stopping" in ran.err
    assert "go on" in ran.err
    assert balanced(ran.told)
    assert all(asked.status == 200 for asked in server.asked), "something was not waited for"
    assert len(server.asked) < 20
    server.set(latency_s=0)
    cli(*job)
    assert sent_again(server.asked) == 0
    cli(*job, "-o", "at_once")
    assert content(tmp_path / "runs/stock_advisor") == content(tmp_path / "at_once")


def test_a_stopped_expand_writes_a_prefix_of_the_finished_file(cli, server, tmp_path):
    server.set(latency_s=0.1, spread=1.0)
    job = ["expand", seeds(tmp_path), "-n", 90, "--per-call", 3, *teacher(server)]
    process = cli.start(*job, "--concurrency", 4)
    wait_for(lambda: len(server.asked) >= 12)
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130
    inputs = tmp_path / "runs/stock_advisor/inputs.jsonl"
    begun = inputs.read_bytes() if inputs.exists() else b""
    server.set(latency_s=0)
    cli(*job)
    assert len(begun) < len(inputs.read_bytes())
    assert inputs.read_bytes().startswith(begun)


def test_a_second_signal_quits_at_once_and_nothing_is_lost(cli, server, tmp_path):
    server.set(latency_s=1)
    job = ["answer", questions(tmp_path / "mine.jsonl", 12), *teacher(server), "--json"]
    process = cli.start(*job, "--concurrency", 4)
    wait_for(lambda: len(server.asked) == 1)
    server.set(latency_s=300)
    wait_for(lambda: len(server.asked) == 5)
    process.send_signal(signal.SIGINT)
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    ran = ended(process)
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert balanced(ran.told)
    assert ran.told["counts"]["kept"] == 1
    server.set(latency_s=0)
    told = cli(*job).told
    assert told["counts"]["kept"] == 12
    assert sent_again(server.asked) == told["possibly_paid_twice"] == 4


# -- money ------------------------------------------------------------------------------------


def spent(server) -> float:
    """Dollars that the server would charge at 1 and 4 dollars a million tokens."""
    used = [asked.usage for asked in server.asked if asked.status == 200]
    return sum(use["prompt_tokens"] + 4 * use["completion_tokens"] for use in used) / 1e6


def test_the_budget_stops_the_run_which_goes_on_with_more(cli, server, tmp_path):
    server.set(latency_s=0.003, spread=0.5)
    job = [
        "run", seeds(tmp_path), "-n", 60, "--per-call", 5, *teacher(server),
        "--price-in", 1, "--price-out", 4, "--json",
    ]  # fmt: skip
    limits = [0.03, 0.05, 0.07]
    for limit in limits:
        ran = cli(*job, "--max-cost", limit, code=3)
        assert balanced(ran.told)
        assert abs(ran.told["spent_usd"] - spent(server)) < 1e-9
        assert spent(server) <= limit
        assert f"--max-cost {limit * 2:g}" in ran.err
    ran = cli(*job, "--max-cost", 5)
    assert ran.told["counts"]["answer"]["kept"] == 60
    assert abs(ran.told["spent_usd"] - spent(server)) < 1e-9
    assert sent_again(server.asked) == 0
    cli(*job, "--max-cost", 5, "-o", "at_once")
    done, at_once = (content(tmp_path / run) for run in ("runs/stock_advisor", "at_once"))
    assert {name: text for name, text in done.items() if not name.startswith("export/")} == {
        name: text for name, text in at_once.items() if not name.startswith("export/")
    }
    rows = [sorted(row for name, text in run.items() if name.endswith((
        "/train.jsonl", "/validation.jsonl", "/test.jsonl")) for row in text.splitlines())
        for run in (done, at_once)]  # fmt: skip
    assert rows[0] == rows[1]  # the split of a record stays as the first export had it


def test_what_was_answered_before_the_budget_ended_is_written(cli, server, tmp_path):
    source = questions(tmp_path / "mine.jsonl", 40)
    money = ["--price-in", 1, "--price-out", 4, "--max-cost", 0.02]
    told = cli("answer", source, *teacher(server), *money, "--json", code=3).told
    assert balanced(told)
    answers = lines(tmp_path / "runs/mine/answers.jsonl")
    assert 0 < len(answers) == told["counts"]["kept"] == len(server.asked)
    assert Counter(told["ended"].values()) == {"budget": 1}


def test_a_limit_without_a_price_is_refused(cli, server, tmp_path):
    source = questions(tmp_path / "mine.jsonl", 4)
    ran = cli("answer", source, *teacher(server), "--max-cost", 1, code=2)
    assert "--price-in" in ran.err
    assert server.asked == []
