"""The short answer of a text, votes by it, and whether it is the right one."""

import json
from pathlib import Path

import pytest

from distillgen import answers, checks
from distillgen.contenders import Items
from distillgen.finals import comparable, final, key, right, same
from distillgen.quantities import read

ANSWERS = [
    json.loads(line)
    for line in (Path(__file__).parent / "financial_answers.jsonl").read_text().splitlines()
]
"""Answers as models give them to questions about annual reports, made up for these tests."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,200.0", "1200"), ("50 %", "50 percent"), ("(84 / 2)", "42"),
        ("$1.5 billion", "1,500,000,000"),
        ("The answer is 7.", "#### 7"), (r"So \boxed{\frac{1}{2}}.", "0.5"),
        ("(d) math problem", "(d)"),
        ("He has 3 + 4 = 7. She has 9 left.", "She has 9 left."), ("minus 3", "-3"),
        ("twelve eggs", "12"),
        ("The answer is (B).", "b"), ("Yes.", "yes"), ("The neutral one", "neutral one"),
        ("5 m", "5"), ("**Answer:** 12", "12"), ("((51 - (-11))", "((51 - (-11))"),
    ],
)  # fmt: skip
def test_answers_that_come_to_the_same_have_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("50", "50 %"), ("3", "-3"), ("(a) park", "(b) park"), ("1.5", "15"),
    ("neutral", "entailment"),
     ("1.5 million", "1.5 billion"), ("yes", "no"), ("5 or 6", "5")],
)  # fmt: skip
def test_others_have_not(one, other):
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("text", "short"),
    [("He has 3 + 4 = 7.\n#### 7", "7"), ("The answer is (84 / 2).", "(84 / 2)"),
     (r"Thus \boxed{12\text{ km}}.", "12 km"), ("neutral", "neutral"),
     ("So the final answer is: **$4.50**", "$4.50"),
     ("I would first look at what you spend, then at what is left, and only then decide.", "")],
)  # fmt: skip
def test_the_short_answer_of_a_text(text, short):
    assert final(text) == short


@pytest.mark.parametrize("part", [0, 1], ids=["looked at while it was written", "held out"])
def test_financial_answers_are_judged_as_people_judge_them(part):
    judged = [(same(one["answer"], one["gold"], one["question"]), one["right"])
              for one in ANSWERS[part::2]]  # fmt: skip
    assert len(judged) >= 110
    taken = [right for said, right in judged if said]
    assert sum(taken) / len(taken) >= 0.97
    assert sum(taken) / sum(right for _, right in judged) >= 0.97


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("(d) math problem", "math problem"), ("d", "(d) math problem"),
        ("math problem", "(d) math problem"),
        ("The answer is 3/4.", "0.75"), ("(84 / 2)", "( 84.0 / 2.0 )"), ("She pays $12.", "12"),
        ("It was March 3, 2020, and 5 people came.", "5"), ("It happened in 1969.", "1969"),
        ("No, never.", "no"), ("The capital is Paris.", "Paris"),
        ("the parking lot", "A parking lot"),
        ("1/3", "0.333"), ("about 66.7%", "2/3"),
    ],
)  # fmt: skip
def test_a_right_answer_is_seen(answer, gold):
    assert same(answer, gold)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("", "5"), ("(a) park", "(d) math problem"), ("It is not neutral.", "neutral"), ("6", "5"),
        ("She had 5 apples and ate 2, so she has 3.", "2"), ("1205", "1200"), ("yes", "no"),
        ("either (b) farm or (e) garden", "farm"), ("It happened in 1968.", "1969"),
        ("London", "Paris"),
        ("-3", "3"), ("4.6", "5"), ("I cannot say.", "42"), ("12 x 4 = 48", "12"),
    ],
)  # fmt: skip
def test_a_wrong_one_is_not_taken_for_right(answer, gold):
    assert not same(answer, gold)


def test_a_long_text_cannot_be_compared():
    assert not comparable("It depends on how long the money may stay where it is, and on the fees.")
    assert comparable("No, as the fees of 2 % and the taxes of 20 % take more than it earns.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3M's FY2018 10-K, page 59, note 7, of March 31, 2018", []),
        ("1. First\n2. Second\nThe 2nd of 12:30", []),
        ("$1,577.00", [(1577, 1)]), ("-$4.5 bn", [(4_500_000_000, -1)]), ("(3.7)%", [(0.037, 0)]),
        ("2 1/2 and 3/4", [(2.5, 1), (0.75, 1)]), ("25 bps", [(0.0025, 1)]),
        ("two million", [(2_000_000, 1)]),
        ("a 5-year plan for 3 people", [(3, 1)]), ("$10-15", [(10, 1), (15, 1)]),
    ],
)  # fmt: skip
def test_quantities_are_read_and_names_are_not(text, found):
    assert [(round(float(one.value), 6), one.sign) for one in read(text)] == found


def test_a_label_is_right_only_if_it_is_the_same_one():
    for label, gold in (("very positive", "positive"), ("no opinion", "no"), ("neutral", "open")):
        assert right(label, gold, closed=True) is False
    assert right("Neutral ", "neutral", closed=True) is True
    assert right("neutral", "", closed=True) is None
    assert right("It is 5.", "a long text that says what nobody can compare " * 5) is None


def test_gold_pairs_and_judges_take_labels_for_labels(tmp_path):
    row = {"question": "q", "label": "very positive", "gold": "positive", "candidates": [
        {"teacher": "t", "label": "positive", "request": "r"}]}  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row) + "\n")
    [item] = Items(path)
    assert [item.right(one) for one in item.all] == [False, True]
    [answer] = map(answers.of_line, answers.records(path))
    assert not checks.of(answer, ["gold"], checks.Setting())["gold"].passed
