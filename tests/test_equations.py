"""The numbers of word problems: found, changed together with their equation, recomputed."""

import random
from fractions import Fraction

import pytest

from distillgen.equations import changed, numbers, read, value_of, values

DICE = range(30)


def draws(texts, equation, result=""):
    """What thirty throws make of a problem; those that leave it are left out."""
    known = read(equation)
    assert known
    made = [changed(texts, known, result, random.Random(n)) for n in DICE]
    return [one for one in made if one]


def left(texts, equation, result=""):
    return not draws(texts, equation, result)


@pytest.mark.parametrize(
    "text",
    ["", "a + 1", "2 ** 9", "7 // 2", "1e9 + 1", "1_000 + 1", "f(1)", "[1][0]", "2 if 1 else 3",
     "True + 1", "__import__('os')", "1 / 0", "1 +", "(" * 150 + "1" + ")" * 150,
     "1 + " * 99 + "1"],
)  # fmt: skip
def test_nothing_but_a_calculation_is_read(text):
    assert read(text) is None


def test_an_equation_is_worked_out_exactly():
    known = read("( ( 0.1 + 0.2 ) * 10.0 - 1 ) / 4")
    assert known
    assert known.steps == [Fraction(3, 10), 3, 2, Fraction(1, 2)]
    assert [leaf.value for leaf in known.leaves] == [Fraction(1, 10), Fraction(1, 5), 10, 1, 4]


def test_numbers_are_found_as_figures_and_words_and_only_whole_ones_can_be_replaced():
    text = "On 3/4 at 9:40 two of 1,000 twenty-one-year-olds, aged 15-18, had $2.50 and 5kg."
    found = {(n.spelled, n.value): n.whole for n in numbers(text)}
    assert {what: whole for what, whole in found.items() if what[0][0].isdigit()} == {
        ("3/4", 3): False, ("3/4", 4): False, ("9:40", 9): False, ("9:40", 40): False,
        ("1,000", 1000): True, ("15", 15): False, ("18", 18): False,
        ("2.50", Fraction(5, 2)): True, ("5", 5): False,
    }  # fmt: skip
    assert found["two", 2]
    assert values("Two pairs of 3.50 and one half") == {2, Fraction(7, 2)}


@pytest.mark.parametrize(
    ("text", "value"),
    [("42", 42), (" 1,200.5 ", Fraction(2401, 2)), ("-3", -3), ("4 apples", None), ("", None),
     ("1,2", None), ("٣", None), ("9" * 5000, None)],
)  # fmt: skip
def test_an_answer_that_is_a_number_is_told(text, value):
    assert value_of(text) == value


def test_text_equation_and_answer_change_together():
    texts = ("Anne has 40 apples. She gives Peter twelve.", "How many of 60 are left to her?")
    made = draws(texts, "( 40.0 - 12 )", "28")
    assert len({one.texts for one in made}) > 12
    for one in made:
        has, gives, of = (n.value for text in one.texts for n in numbers(text))
        assert of == 60  # the equation does not use it
        assert has != 40
        assert gives != 12
        assert one.result == str(has - gives)
        assert 0 < gives < has < of
        assert one.equation == f"( {has}.0 - {gives} )"
        assert one.texts[0].rstrip(".").rpartition(" ")[2].isalpha()


def test_what_was_whole_positive_and_even_stays_so():
    texts = ("Ida has 84 nuts in 7 bags and eats 5 of each.", "How many are in a bag?")
    for one in draws(texts, "84 / 7 - 5", "7"):
        nuts, bags, eaten = (n.value for n in numbers(one.texts[0]))
        assert (nuts / bags).denominator == 1
        assert nuts / bags - eaten == int(one.result) > 0


def test_numbers_keep_their_kind():
    texts = ("A coat is 120.50 euros, 30 % less since 2019; one person pays 1 euro. Of 1,500?", "?")
    for one in draws(texts, "120.50 * 30 + 2019 + 1 - 1500"):
        price, share, _, year, *_, stock = [n for n in numbers(one.texts[0]) if n.spelled != "one"]
        assert price.spelled.partition(".")[2] in ("00", "50")
        assert 2 <= share.value < 100
        assert year.spelled == "2019"
        assert stock.value % 100 == 0
        assert 750 <= stock.value <= 2250
    for one in draws(("Two girls, seven boys.", "Sum?"), "2 + 7"):
        assert all(n.spelled.isalpha() for n in numbers(one.texts[0]))
        assert one.texts[0][0].isupper()
    assert {one.result for one in draws(("2.50 and 3.", "?"), "2.5 + 3", "5.50")} > {"6.00"}


@pytest.mark.parametrize(
    ("text", "equation", "result"),
    [
        ("He has 5 of 5 eggs and 3 more.", "5 + 3", ""),  # which 5?
        ("He has 5 eggs and five hens, 3 more.", "5 + 3", ""),
        ("He buys 3 eggs.", "3 * 12", ""),  # 12 is nowhere
        ("He has 2 hens, and she has twice as many and 3.", "2 * 3", ""),
        ("In 7 weeks he works 3 days each.", "7 * 3", ""),  # a week has 7 days as well
        ("He has 8 eggs, 3 break.", "8 - 3", "6"),  # the equation does not give the answer
        ("31 people, 8 in a bus.", "31 / 8", "4"),  # nor does this, rounded up
        ("10 euros for 3.", "10 / 3", ""),  # cannot be said
        ("He has 1 egg and 0 hens.", "1 + 0", "1"),  # one and none stay
        ("He has 4 eggs, 5 hens and 6 cats.", "5 + 5", "10"),
        ("5-8 eggs and 3 hens", "5 + 3", ""),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_left_as_it_is(text, equation, result):
    assert left((text, "How many?"), equation, result)


def test_huge_numbers_do_no_harm():
    assert draws((f"He has {10**14} grains and 3 more.", "Sum?"), f"{10**14} + 3")
    for n in (10**15, 10**150):
        assert left((f"He has {n} grains and 3 more.", "Sum?"), f"{n} + 3")
    assert numbers("9" * 10**6) == []
