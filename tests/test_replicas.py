"""Several servers with the same model: they share the load, and one may die."""

import time
from collections.abc import Iterator

import pytest
from conftest import ended
from jobs import balanced, bodies, content, questions, sent_again, teacher
from teacher_server import TeacherServer


@pytest.fixture
def second() -> Iterator[TeacherServer]:
    """A server beside `server` that says the very same."""
    other = TeacherServer()
    yield other
    other.close()


def test_replicas_share_the_load_and_bring_what_one_would(cli, server, second, tmp_path):
    job = ["answer", questions(tmp_path / "mine.jsonl", 60), "--json", "--concurrency", 8]
    cli(*job, *teacher(server), "-o", "one")
    server.set(latency_s=0.02)
    second.set(latency_s=0.02)
    with server.counting() as asked:
        both = [*teacher(server), "--base-url", second.url]
        told = cli(*job, *both, "-o", "two").told
    assert balanced(told)
    assert len(asked) + len(second.asked) == 60
    assert 20 <= len(second.asked) <= 40
    assert content(tmp_path / "one") == content(tmp_path / "two")
    with server.counting() as asked:
        ran = cli(*job, *both, "-o", "two")
    assert asked == []
    assert "are reused" not in ran.err, "whichever of the two the newest reply came from"


def test_a_replica_that_dies_is_left_out(cli, server, tmp_path):
    dying = TeacherServer()
    server.set(latency_s=0.05)
    dying.set(latency_s=0.05)
    job = ["answer", questions(tmp_path / "mine.jsonl", 80), "--json", "--concurrency", 8]
    process = cli.start(*job, *teacher(server), "--base-url", dying.url)
    while len(dying.asked) < 10 and process.poll() is None:
        time.sleep(0.01)
    dying.close()
    ran = ended(process)
    assert ran.code == 0, ran.err
    assert f"{dying.url} is left out" in ran.err
    asked = server.asked + dying.asked
    assert len(bodies(asked)) == 80
    assert sent_again(asked) <= 8


def test_replicas_that_are_all_gone_are_told(cli, nowhere, tmp_path):
    gone = ["--base-url", nowhere, "--base-url", nowhere.replace("127.0.0.1", "localhost")]
    job = ["answer", questions(tmp_path / "mine.jsonl", 3), "--teacher", "openai:teacher-1"]
    ran = cli(*job, *gone, code=4)
    assert "cannot reach" in ran.err


def test_a_replica_that_is_gone_from_the_start_costs_nothing(cli, server, nowhere, tmp_path):
    job = ["answer", questions(tmp_path / "mine.jsonl", 12), "--json"]
    told = cli(*job, "--teacher", "openai:teacher-1", "--base-url", nowhere, "--base-url",
               server.url).told  # fmt: skip
    assert told["counts"]["kept"] == 12
    assert told["possibly_paid_twice"] == 0
