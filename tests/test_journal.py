"""The journal: what was asked, sent and answered, and what is left of it after a crash."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from distillgen.commits import Commits
from distillgen.errors import STORAGE, UserError
from distillgen.journal import Ended, Journal, Place
from distillgen.records import Message, Request, Terms, Usage
from distillgen.stored import Stored

SEQUENCE = "ab" * 32


def ask(words: str = "Buy gold?", sample: int = 0) -> Request:
    return Request(
        Terms("openai:t"), messages=(Message(role="user", content=words),), sample=sample
    )


def note(journal: Journal, request: Request, wave: int = 0, place: Place | None = None):
    """Note an attempt, durably."""
    ticket = journal.note(
        request, wave, url="http://h/v1", form="text max_tokens", worst=70, place=place
    )
    journal.flush()
    return ticket


def answer(journal: Journal, request: Request, body: bytes, wave: int = 0, cost: int | None = 30):
    ticket = note(journal, request, wave)
    used = Usage(input_tokens=5, cached_tokens=3, output_tokens=2)
    journal.end(ticket, Ended("answered", 200, body, cost, used, "t-2026"))
    journal.flush()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path):
    one = Journal(path)
    yield one
    one.close()


def test_an_answer_is_there_for_the_next_process(path):
    first = Journal(path)
    answer(first, ask(), b'{"choices": []}')
    first.close()
    second = Journal(path)
    (outcome,) = second.look(ask().key)
    assert outcome is not None
    assert (outcome.body, outcome.failure) == (b'{"choices": []}', None)
    assert second.asked(ask().key) == second.asked(ask().key[:12]) == ask()
    assert second.left_in_flight == 0
    second.close()


def test_what_was_never_asked_has_no_waves(journal):
    assert journal.look(ask().key) == []
    assert journal.asked(ask().key) is None
    assert not journal.any()


def test_a_noted_request_is_open_until_it_ends(journal):
    ticket = note(journal, ask())
    assert journal.look(ask().key) == [None]
    assert journal.in_flight() == 1
    journal.end(ticket, Ended("unpaid", 503, b"busy", 0, problem="HTTP 503"))
    journal.flush()
    assert journal.look(ask().key) == [None]
    assert journal.in_flight() == 0


def test_what_a_killed_process_left_in_flight_is_unknown_and_open_again(path):
    script = (
        "import sys, threading\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from test_journal import Journal, answer, ask, note\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "answer(journal, ask(sample=9), b'{}')\n"
        "for i in range(3): note(journal, ask(sample=i))\n"
        "print('noted', flush=True)\n"
        "threading.Event().wait()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"noted\n"
        child.send_signal(signal.SIGKILL)
    journal = Journal(path)
    assert journal.left_in_flight == 3
    assert journal.look(ask(sample=0).key) == [None]
    assert journal.look(ask(sample=9).key) != [None]
    spent = journal.spent()
    assert (spent.unknown, spent.maybe, spent.cost, spent.answered) == (3, 210, 240, 1)
    journal.close()


def test_equal_requests_noted_at_once_are_one_request_with_two_attempts(journal):
    """Whether the first is durable when the second is noted, or not yet."""
    requests = [ask(sample=i) for i in range(300)]
    for i, request in enumerate(requests):
        journal.note(request, 0, url="u", form="f", worst=None)
        if i % 2:
            journal.flush()
        journal.note(request, 0, url="u", form="f", worst=None)
    journal.flush()
    for request in requests:
        assert journal.look(request.key) == [None]
        assert len(journal.attempts(request.key)) == 2


def test_many_requests_are_looked_up_at_once_in_their_order(journal):
    answer(journal, ask(sample=1), b"one")
    answer(journal, ask(sample=3), b"three")
    answer(journal, ask(sample=3), b"three again", wave=1)
    note(journal, ask(sample=4))
    keys = [ask(sample=i).key for i in (3, 1, 2, 1, 4)]
    found = journal.outcomes(keys)
    assert [[one and one.body for one in each] for each in found] == [
        [b"three", b"three again"], [b"one"], [], [b"one"], [None],
    ]  # fmt: skip
    assert journal.outcomes([]) == []


def test_each_draw_of_a_request_has_its_own_outcome(journal):
    answer(journal, ask(), b"first")
    answer(journal, ask(), b"second", wave=1)
    assert [outcome.body for outcome in journal.look(ask().key)] == [b"first", b"second"]


def test_a_failure_is_an_outcome_with_its_reason(journal):
    ticket = note(journal, ask())
    journal.end(ticket, Ended("unknown", 500, b"oops", 70, problem="HTTP 500: oops"))
    journal.fail(ticket, "server_error", "HTTP 500: oops")
    journal.flush()
    (outcome,) = journal.look(ask().key)
    assert (outcome.failure, outcome.detail, outcome.body) == (
        "server_error", "HTTP 500: oops", None,
    )  # fmt: skip


def test_reopening_a_failure_opens_the_same_draw(journal):
    journal.fail(note(journal, ask()), "timeout", "late")
    journal.flush()
    journal.reopen([ask().key])
    assert journal.look(ask().key) == [None]


def test_reopening_an_answer_opens_one_more_draw(journal):
    answer(journal, ask(), b"useless")
    journal.reopen([ask().key])
    first, second = journal.look(ask().key)
    assert first is not None
    assert second is None
    journal.reopen([ask().key])
    assert len(journal.look(ask().key)) == 2, "an open draw needs no other"
    answer(journal, ask(), b"better", wave=1)
    assert journal.asked(ask().key) == ask()


def test_reopening_what_was_never_asked_does_nothing(journal):
    journal.reopen([ask().key])
    assert journal.look(ask().key) == []


def test_requests_noted_after_a_reopening_get_rows_of_their_own(journal):
    answer(journal, ask(), b"useless")
    journal.reopen([ask().key])
    answer(journal, ask(sample=1), b"other")
    (outcome,) = journal.look(ask(sample=1).key)
    assert outcome.body == b"other"


def test_a_place_keeps_what_it_asked_first(journal):
    note(journal, ask(sample=7), place=Place(SEQUENCE, 7, '{"parents": ["a"]}'))
    note(journal, ask(sample=8), place=Place(SEQUENCE, 7, "{}"))
    assert journal.at(SEQUENCE, 7) == (ask(sample=7), '{"parents": ["a"]}')
    assert journal.at(SEQUENCE, 8) is None
    assert journal.at("cd" * 32, 7) is None


def test_a_place_can_be_bound_to_what_another_sequence_asked(journal):
    answer(journal, ask(sample=7), b"{}")
    journal.bind(Place(SEQUENCE, 7, "{}"), ask(sample=7).key)
    journal.bind(Place(SEQUENCE, 8, "{}"), ask(sample=8).key)
    journal.flush()
    assert journal.at(SEQUENCE, 7) == (ask(sample=7), "{}")
    assert journal.at(SEQUENCE, 8) is None, "that was never asked"


def test_places_count_once_they_have_an_outcome(journal):
    for i in range(4):
        ticket = note(journal, ask(sample=i), place=Place(SEQUENCE, i, "{}"))
        if i < 2:
            journal.fail(ticket, "empty", "")
    journal.flush()
    assert (journal.places(SEQUENCE, 0), journal.places(SEQUENCE, 1)) == (2, 1)


def test_spending_adds_up_by_how_attempts_ended(journal):
    answer(journal, ask(sample=1), b"{}", cost=30)
    answer(journal, ask(sample=2), b"{}", cost=None)
    journal.end(note(journal, ask(sample=3)), Ended("unknown", cost=70))
    journal.end(note(journal, ask(sample=4)), Ended("unpaid", 429, cost=0))
    note(journal, ask(sample=5))
    journal.flush()
    spent = journal.spent()
    assert spent.cost == 30 + 70 + 70
    assert (spent.maybe, spent.unknown, spent.unpriced, spent.answered) == (70, 1, 1, 2)
    assert spent.usage == Usage(input_tokens=10, cached_tokens=6, output_tokens=4)


def test_the_newest_answer_of_a_teacher_tells_form_and_url(journal):
    assert journal.newest("openai:t") is None
    answer(journal, ask(), b"{}")
    note(journal, ask(sample=1))
    assert journal.newest("openai:t") == ("text max_tokens", "http://h/v1")
    assert journal.newest("openai:other") is None


def test_all_attempts_of_a_request_can_be_traced(journal):
    journal.end(note(journal, ask()), Ended("unpaid", 503, b"busy", 0, problem="HTTP 503"))
    answer(journal, ask(), b"{}")
    first, second = journal.attempts(ask().key)
    assert (first["state"], first["status"], first["raw"]) == ("unpaid", 503, b"busy")
    assert (second["state"], second["model"], second["wave"]) == ("answered", "t-2026", 0)


def test_commits_come_in_the_order_of_the_calls(journal):
    """And what is added while one is on its way to the disk goes with the next."""
    landed: list[int] = []

    async def work() -> None:
        journal.serve(asyncio.get_running_loop())
        for i in range(500):
            journal.note(
                ask(sample=i), 0, url="u", form="f", worst=1, done=lambda _, i=i: landed.append(i)
            )
            if i % 50 == 0:
                await asyncio.sleep(0)
        while len(landed) < 500:
            await asyncio.sleep(0.001)
        journal.serve(None)

    asyncio.run(asyncio.wait_for(work(), 30))
    assert landed == list(range(500))
    assert journal.in_flight() == 500


def test_a_reply_shares_the_commit_of_the_note_that_follows_it(journal, monkeypatch):
    """And is on disk soon where none follows."""
    monkeypatch.setattr("distillgen.commits.LEISURE_S", 0.5)
    commits: list[int] = []
    run = Commits._run
    monkeypatch.setattr(Commits, "_run", lambda self, batch: (commits.append(1), run(self, batch)))

    async def work() -> None:
        ticket = note(journal, ask())
        journal.serve(asyncio.get_running_loop())
        for follows in (True, False):
            commits.clear()
            landed, noted = asyncio.Event(), asyncio.Event()
            journal.end(
                ticket, Ended("answered", 200, b"{}"), lambda _, landed=landed: landed.set()
            )
            await asyncio.sleep(0.01)
            if follows:
                journal.note(
                    ask(sample=1), 0, url="u", form="f", worst=1,
                    done=lambda _, noted=noted: noted.set(),
                )  # fmt: skip
                await noted.wait()
            await landed.wait()
            assert len(commits) == 1
        journal.serve(None)

    asyncio.run(asyncio.wait_for(work(), 30))


def test_another_process_may_read_while_one_writes(path, journal):
    note(journal, ask())
    reader = Stored(path)
    assert reader.in_flight() == 1
    reader.close()
    assert path.with_suffix(".reserve").exists(), "the reserve belongs to the one who writes"


def test_reading_a_journal_that_is_not_there_is_told(path):
    with pytest.raises(UserError, match="no journal"):
        Stored(path)
    assert not path.exists()


def test_the_file_is_for_its_owner_alone(path, journal):
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_journal_is_refused_and_left_as_it_is(path):
    path.write_bytes(b"no database, but long enough to look like one " * 50)
    before = path.read_bytes()
    with pytest.raises(UserError, match="damaged") as caught:
        Journal(path)
    assert caught.value.code == STORAGE
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(path):
    import sqlite3

    Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UserError, match="version 99") as caught:
        Journal(path)
    assert caught.value.code == STORAGE


def test_a_journal_removed_during_the_run_is_told_to_whoever_waits(path, journal):
    note(journal, ask())
    path.unlink()
    told: list[BaseException | None] = []
    journal.note(ask(sample=1), 0, url="u", form="f", worst=1, done=told.append)
    with pytest.raises(UserError, match="removed") as caught:
        journal.flush()
    assert caught.value.code == STORAGE
    assert told == [caught.value]


def test_whoever_waits_hears_of_an_error_that_nobody_foresaw(path, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    told: list[BaseException | None] = []
    journal = Journal(path)
    monkeypatch.setattr(Commits, "_run", broken)

    async def work() -> None:
        journal.serve(asyncio.get_running_loop())
        journal.note(ask(), 0, url="u", form="f", worst=1, done=told.append)
        while not told:
            await asyncio.sleep(0.001)
        journal.serve(None)

    asyncio.run(asyncio.wait_for(work(), 30))
    assert [type(error) for error in told] == [ZeroDivisionError]
    journal.close()


def test_closing_writes_what_waits(path):
    journal = Journal(path)
    for i in range(50):
        journal.note(ask(sample=i), 0, url="u", form="f", worst=1)
    journal.close()
    again = Journal(path)
    assert again.left_in_flight == 50
    again.close()
