"""Answers are handed out in the order of their inputs, whatever the order in which they come."""

import json
import random

import pytest

from distillgen import answer, bodies
from distillgen.answer import Answering
from distillgen.asking import Asked
from distillgen.course import Setting
from distillgen.errors import ParseError
from distillgen.journal import Ended, Journal
from distillgen.prompts import find
from distillgen.records import Example, Failure, Request
from distillgen.task import Task

N = 600


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def answering(journal: Journal) -> Answering:
    asked = Asked(0, "t", "t", None, Task(name="t"), {"answer": find("answer", "", False, [])},
                  {"max_tokens": 9}, {})  # fmt: skip
    setting = Setting((asked,), resample=0)
    # Every tenth input is an earlier one again, under another id.
    examples = [Example(question=f"Q{i % 540}", id=str(i)) for i in range(N)]
    return Answering(examples, setting, journal)


def land(journal: Journal, stage: Answering, request: Request, dice: random.Random) -> None:
    """One of ten fails, and one of ten cannot be read."""
    if any(journal.look(request.key)):
        return  # an equal input was asked
    fate = dice.random()
    ticket = journal.note(request, 0, url="u", form="f", worst=None)
    if fate < 0.1:
        journal.end(ticket, Ended("unpaid"))
        journal.fail(ticket, "timeout", "no reply")
        journal.flush()
        return
    said = "nothing" if fate < 0.2 else json.dumps({"rationale": "so", "answer": request.key})
    body = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
    journal.end(ticket, Ended("answered", 200, body))
    journal.flush()
    try:
        stage.heard(request, bodies.completion(body))
    except ParseError:
        assert fate < 0.2


@pytest.mark.parametrize("chance", range(6))
@pytest.mark.parametrize(("ahead", "stuck"), [(20_000, 1000), (20_000, 5), (40, 1000), (40, 5)])
def test_what_lands_out_of_order_is_handed_out_in_order(journal, monkeypatch, chance, ahead, stuck):
    monkeypatch.setattr(answer, "AHEAD", ahead)
    monkeypatch.setattr(answer, "STUCK", stuck)
    dice = random.Random(chance)
    stage = answering(journal)
    requests = (ask.request for ask in stage.requests())
    waiting: list[Request] = []
    given = []
    while (request := next(requests, None)) or waiting:
        waiting += [request] if request else []
        if request is None or dice.random() < 0.6:
            land(journal, stage, waiting.pop(int(dice.random() ** 2 * len(waiting))), dice)
        given += stage.landed()
    early = len(given)
    given += stage.read()
    assert given == list(answering(journal).read())
    assert [int(one.id) for one in given] == sorted(int(one.id) for one in given)
    assert any(isinstance(one, Failure) for one in given)
    assert stage.answered.counts["given"] == N
    if (ahead, stuck) == (20_000, 5):
        assert early > N / 4, "failures do not hold the others up"
