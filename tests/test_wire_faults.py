"""Below HTTP, as the command line meets it: names, certificates, proxies, connections, files."""

import time
from collections.abc import Callable, Iterator

import pytest
from conftest import KEY, ended
from jobs import bodies, lines, questions, teacher
from plain_server import PlainServer, certificate


@pytest.fixture
def plain() -> Iterator[Callable[..., PlainServer]]:
    """Makes servers of the standard library."""
    made: list[PlainServer] = []

    def make(**how: object) -> PlainServer:
        made.append(PlainServer(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def job(tmp_path, url: str, n: int = 12) -> list[object]:
    source = questions(tmp_path / "mine.jsonl", n)
    return ["answer", source, "--teacher", "openai:t", "--base-url", url, "-o", "run", "--json"]


def test_a_host_that_is_not_there_is_named(cli, tmp_path):
    started = time.monotonic()
    ran = cli(*job(tmp_path, "https://nope.invalid/v1"), code=4)
    assert "nope.invalid" in ran.err.splitlines()[-2]
    assert "Traceback" not in ran.err
    assert time.monotonic() - started < 60


def test_a_certificate_that_nobody_signed_is_told_with_the_way_to_trust_it(cli, plain, tmp_path):
    server = plain(tls=True)
    ran = cli(*job(tmp_path, server.url), code=4)
    assert "certificate" in ran.err
    assert "SSL_CERT_FILE" in ran.err
    assert server.paths == []
    ran = cli(*job(tmp_path, server.url), SSL_CERT_FILE=str(certificate(tmp_path)))
    assert ran.told["counts"]["kept"] == len(server.paths) == 12
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_connections_that_a_server_closes_when_idle_cost_nothing(cli, plain, tmp_path):
    server = plain(idle_s=0.05)
    ran = cli(*job(tmp_path, server.url, 6), "--rpm", 60)
    assert ran.told["counts"]["kept"] == len(server.paths) == 6
    assert ran.told["possibly_paid_twice"] == 0
    assert server.connections > 3, "they were closed, and opened anew"


def test_a_proxy_is_used_for_other_machines_and_never_for_this_one(cli, plain, tmp_path):
    proxy, server = plain(), plain()
    env = {"HTTP_PROXY": proxy.url.removesuffix("/v1"), "http_proxy": proxy.url.removesuffix("/v1")}
    assert cli(*job(tmp_path, server.url), **env).told["counts"]["kept"] == 12
    assert proxy.paths == []
    far = job(tmp_path, "http://teacher.invalid/v1", 3)
    far[far.index("run")] = "far"
    assert cli(*far, **env).told["counts"]["kept"] == 3
    assert set(proxy.paths) == {"http://teacher.invalid/v1/chat/completions"}
    assert set(proxy.keys) == {None}, "a key does not go over plain http to another machine"


def test_a_key_that_was_not_sent_is_told_when_it_is_asked_for(cli, plain, tmp_path):
    proxy = plain(status=401)
    env = {"HTTP_PROXY": proxy.url.removesuffix("/v1"), "http_proxy": proxy.url.removesuffix("/v1")}
    ran = cli(*job(tmp_path, "http://teacher.invalid/v1"), code=4, **env)
    assert "OPENAI_API_KEY is not sent over plain http" in ran.err
    assert proxy.keys == [None]


def test_a_redirect_is_told_and_not_followed(cli, plain, tmp_path):
    other = plain()
    server = plain(status=307, elsewhere=f"{other.url}/chat/completions")
    ran = cli(*job(tmp_path, server.url), code=4)
    assert "307" in ran.err
    assert len(server.paths) == 1
    assert other.paths == []


LIMITED = "import resource\nresource.setrlimit(resource.RLIMIT_{name}, ({n}, {n}))\n"


def test_few_open_files_mean_fewer_in_flight_and_nothing_fails(cli, server, tmp_path):
    server.set(latency_s=0.1)
    env = cli.patched(LIMITED.format(name="NOFILE", n=64))
    command = ["answer", questions(tmp_path / "mine.jsonl", 200), "-o", "run", "--json",
               "--concurrency", 200, *teacher(server)]  # fmt: skip
    ran = ended(cli.start(*command, **env))
    assert ran.told["counts"] == {"given": 200, "kept": 200, "failed": 0, "open": 0, "rejected": 0}
    assert len(server.asked) == 200, "no send went wrong"
    assert "open files" in ran.err


def test_little_memory_is_enough(cli, server, tmp_path):
    env = cli.patched(LIMITED.format(name="AS", n=600 << 20))
    command = ["answer", questions(tmp_path / "mine.jsonl", 300), "--json", *teacher(server)]
    assert ended(cli.start(*command, **env)).told["counts"]["kept"] == 300


def test_a_journal_that_is_removed_during_the_run_stops_it(cli, server, tmp_path):
    server.set(latency_s=0.05)
    command = ["answer", questions(tmp_path / "mine.jsonl", 200), "-o", "run",
               "--concurrency", 4, *teacher(server)]  # fmt: skip
    process = cli.start(*command)
    while len(server.asked) < 20:
        time.sleep(0.01)
    (tmp_path / "run/journal.sqlite").unlink()
    ran = ended(process)
    assert ran.code == 5
    assert "removed" in ran.err
    assert "Traceback" not in ran.err
    assert len(server.asked) < 60
    cli(*command)
    assert len(lines(tmp_path / "run/answers.jsonl")) == len(bodies(server.asked)) == 200
