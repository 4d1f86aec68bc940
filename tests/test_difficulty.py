"""How hard a record is, and the stages that come of it."""

import pytest

from distillgen.difficulty import MEASURES, curriculum, divided_draws, doubt, wrong_draws
from distillgen.records import Answer, Candidate


def record(n: int, **more: object) -> Answer:
    return Answer(question=f"What is {n} + {n}?", answer="7", id=str(n), teacher="t",
                  request="r", **more)  # fmt: skip


def drawn(*answers: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(teacher="t", answer=one, request="r") for one in answers)


def test_the_draws_say_how_often_the_teacher_is_wrong() -> None:
    assert wrong_draws(record(1, gold="7", candidates=drawn("7", "It is 7.", "8", "9"))) == 0.5
    assert wrong_draws(record(1, gold="7", candidates=drawn("7"))) is None
    assert wrong_draws(record(1, candidates=drawn("7", "8"))) is None


def test_divided_draws_and_doubt() -> None:
    assert divided_draws(record(1, vote_share=0.75)) == 0.25
    assert divided_draws(record(1)) is None
    assert doubt(record(1, soft_label={"a": 0.5, "b": 0.5})) == pytest.approx(1)
    assert doubt(record(1, soft_label={"a": 1.0, "b": 0.0})) == 0
    assert doubt(record(1)) is None


def test_the_first_measure_that_all_records_have_is_taken() -> None:
    both = [record(n, vote_share=n / 10, soft_label={"a": 0.5, "b": 0.5}) for n in range(1, 10)]
    assert curriculum(both, 3).measure == "divided_draws"
    one_without = [*both, record(10, soft_label={"a": 0.4, "b": 0.6})]
    assert curriculum(one_without, 3).measure == "doubt"
    assert curriculum([*one_without, record(11)], 3).measure == list(MEASURES)[-1] == "length"


def test_the_easy_ones_come_first_in_stages_of_one_size() -> None:
    given = [record(n, vote_share=1 - n / 100) for n in range(90)]
    stages = curriculum(reversed(given), 3)
    assert [stages.stage(answer) for answer in given] == [1] * 30 + [2] * 30 + [3] * 30


def test_of_equally_hard_ones_none_is_lost_and_the_order_of_the_file_means_nothing() -> None:
    given = [record(n, vote_share=1.0) for n in range(100)]
    stages, turned = curriculum(given, 4), curriculum(reversed(given), 4)
    sizes = [sum(stages.stage(a) == n for a in given) for n in (1, 2, 3, 4)]
    assert sizes == [25] * 4
    assert stages == turned


def test_fewer_records_than_stages() -> None:
    given = [record(1, vote_share=1.0)]
    assert 1 <= curriculum(given, 3).stage(given[0]) <= 3
    assert curriculum([], 3).stage(given[0]) == 1
