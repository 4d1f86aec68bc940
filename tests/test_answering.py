"""Answers are handed out in the order of their inputs, whatever the order in which they come."""

import json
import random

import pytest

from distillgen import answer, bodies
from distillgen.answer import Answering, schema
from distillgen.errors import ParseError
from distillgen.journal import Ended, Journal
from distillgen.prompts import find
from distillgen.records import Example, Failure, Terms
from distillgen.task import Task

N = 120


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def answering(journal: Journal) -> Answering:
    setting = answer.Setting(
        Terms("t", json_schema=schema([])), "t", Task(name="t"), find("answer", "", False, []),
        (), resample=0,
    )  # fmt: skip
    # Every tenth input is an earlier one again, under another id.
    examples = [Example(question=f"Q{i % 90}", id=str(i)) for i in range(N)]
    return Answering(examples, setting, journal)


@pytest.mark.parametrize("chance", range(6))
@pytest.mark.parametrize(("ahead", "stuck"), [(20_000, 1000), (20_000, 5), (40, 1000), (40, 5)])
def test_what_lands_out_of_order_is_handed_out_in_order(journal, monkeypatch, chance, ahead, stuck):
    monkeypatch.setattr(answer, "AHEAD", ahead)
    monkeypatch.setattr(answer, "STUCK", stuck)
    dice = random.Random(chance)
    stage = answering(journal)
    waiting, given = [], []
    for ask in stage.requests():
        waiting.append(ask.request)
        while waiting and dice.random() < 0.6:
            request = waiting.pop(int(dice.random() ** 2 * len(waiting)))
            if any(journal.look(request.key)):
                continue  # an equal input was asked
            ticket = journal.note(request, 0, url="u", form="f", worst=None)
            fate = dice.random()
            if fate < 0.1:
                journal.end(ticket, Ended("unpaid"))
                journal.fail(ticket, "timeout", "no reply")
                journal.flush()
                continue
            said = (
                "nothing" if fate < 0.2 else json.dumps({"rationale": "so", "answer": request.key})
            )
            message = {"choices": [{"message": {"content": said}}]}
            body = json.dumps(message).encode()
            journal.end(ticket, Ended("answered", 200, body))
            journal.flush()
            try:
                stage.heard(request, bodies.completion(body))
            except ParseError:
                assert fate < 0.2
        given += stage.landed()
    given += stage.landed()
    early = len(given)
    given += stage.read()
    assert given == list(answering(journal).read())
    assert [int(one.id) for one in given] == sorted(int(one.id) for one in given)
    assert any(isinstance(one, Failure) for one in given)
    assert stage.answered.counts["given"] == N
    if (ahead, stuck) == (20_000, 5):
        assert early > 20, "failures do not hold the others up"
