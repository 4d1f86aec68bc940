"""Soft labels: what holds for every distribution, and examples worked out by hand."""

import doctest
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillgen import soft
from distillgen.errors import ParseError, UserError
from distillgen.records import JSON

LABELS = ["billing", "technical", "account"]
NATURAL = {"billing": 0.9712, "technical": 0.0031, "account": 0.0257}

shares = st.lists(st.floats(1e-9, 1), min_size=2, max_size=20)
distributions = shares.map(
    lambda found: {f"label {n}": share / math.fsum(found) for n, share in enumerate(found)}
)
temperatures = st.floats(0.05, 50)


def close(one: dict[str, float], other: dict[str, float]) -> bool:
    return list(one) == list(other) and all(
        math.isclose(one[label], other[label], rel_tol=1e-6, abs_tol=1e-12) for label in one
    )


def test_the_examples_in_the_code_hold() -> None:
    assert doctest.testmod(soft).attempted >= 5
    assert not doctest.testmod(soft).failed


# Temperature


def test_at_temperature_2_a_share_becomes_its_square_root_made_one() -> None:
    found = soft.tempered(NATURAL, 2)
    roots = {label: math.sqrt(p) for label, p in NATURAL.items()}
    assert found == pytest.approx({label: r / sum(roots.values()) for label, r in roots.items()})
    assert list(found.values()) == pytest.approx([0.8202, 0.0463, 0.1335], abs=1e-4)


def test_logits_at_a_temperature_are_the_tempered_softmax() -> None:
    """q = exp(z / T) made one (Hinton et al. 2015), from the probabilities at T = 1 alone."""
    logits = {"lion": 5.0, "tiger": 3.0, "napkin": -4.0}

    def softmax(temperature: float) -> dict[str, float]:
        powers = {label: math.exp(z / temperature) for label, z in logits.items()}
        return {label: power / sum(powers.values()) for label, power in powers.items()}

    for temperature in (0.5, 1, 2, 20):
        assert soft.tempered(softmax(1), temperature) == pytest.approx(softmax(temperature))


@given(distributions, temperatures)
def test_a_tempered_distribution_sums_to_one_and_keeps_the_order(
    given: dict[str, float], temperature: float
) -> None:
    found = soft.tempered(given, temperature)
    assert math.isclose(math.fsum(found.values()), 1)
    ranked = sorted(given, key=given.__getitem__)
    assert all(found[low] <= found[high] * (1 + 1e-9) for low, high in pairwise(ranked))


@given(distributions)
def test_temperature_1_changes_nothing(given: dict[str, float]) -> None:
    assert close(soft.tempered(given, 1), given)


@given(distributions, st.floats(0.5, 5), st.floats(0.5, 5))
def test_one_temperature_after_another_is_their_product(
    given: dict[str, float], one: float, other: float
) -> None:
    assert close(soft.tempered(soft.tempered(given, one), other), soft.tempered(given, one * other))


@given(distributions)
def test_at_a_very_high_temperature_all_labels_are_alike(given: dict[str, float]) -> None:
    found = soft.tempered(given, 1e12)
    assert found == pytest.approx(dict.fromkeys(given, 1 / len(given)), abs=1e-6)


@given(distributions, temperatures)
def test_the_order_of_the_labels_does_not_matter(
    given: dict[str, float], temperature: float
) -> None:
    turned = dict(reversed(given.items()))
    assert soft.tempered(turned, temperature) == pytest.approx(soft.tempered(given, temperature))


@pytest.mark.parametrize("temperature", [5e-324, 1e-9, 1, 1e9, 1e308, math.inf])
def test_zeros_stay_zero_at_any_temperature(temperature: float) -> None:
    found = soft.tempered({"a": 1 - 5e-324, "b": 5e-324, "c": 0.0}, temperature)
    assert math.fsum(found.values()) == pytest.approx(1)
    assert found["c"] == 0
    assert soft.tempered({"a": 1.0, "b": 0.0}, temperature) == {"a": 1, "b": 0}


@pytest.mark.parametrize("temperature", [0, -1, math.nan])
def test_a_temperature_that_is_none_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="no distribution at temperature"):
        soft.tempered(NATURAL, temperature)
    with pytest.raises(ValueError, match="no distribution"):
        soft.tempered({"a": 0.0}, 1)


@given(distributions, st.integers(2, 8))
def test_rounded_shares_still_make_one(given: dict[str, float], places: int) -> None:
    found = soft.rounded(given, places)
    assert math.isclose(math.fsum(found.values()), 1, abs_tol=1e-12)
    assert all(round(p, places) == p and p >= 0 for p in found.values())


@given(distributions, st.floats(0, 1))
def test_a_mix_has_the_weight_of_the_hard_label_and_the_rest(
    given: dict[str, float], weight: float
) -> None:
    found = soft.mixed(given, "label 0", weight)
    assert math.isclose(math.fsum(found.values()), 1)
    assert found["label 1"] == pytest.approx((1 - weight) * given["label 1"])
    assert found["label 0"] == pytest.approx(weight + (1 - weight) * given["label 0"])


# Log-probabilities


@pytest.mark.parametrize("count", range(2, 21))
def test_rotations_put_each_label_under_different_letters(count: int) -> None:
    labels = [f"label {n}" for n in range(count)]
    asked = soft.rotations(labels)
    assert len(asked) == min(count, 4)
    for letters in asked:
        assert sorted(letters.values()) == sorted(labels)
        assert list(letters) == list("ABCDEFGHIJKLMNOPQRST"[:count])
    for label in labels:
        places = [list(letters.values()).index(label) for letters in asked]
        assert len(set(places)) == len(places)


def test_rotations_of_many_labels_are_spread_evenly() -> None:
    first = [next(iter(letters.values())) for letters in soft.rotations(list("abcdefgh"))]
    assert first == ["a", "c", "e", "g"]


def test_more_labels_than_a_server_tells_of_are_refused() -> None:
    with pytest.raises(UserError, match=r"21 labels.*20 at most.*votes"):
        soft.rotations([str(n) for n in range(21)])


def logs(**shares: float) -> dict[str, float]:
    return {token: math.log(share) for token, share in shares.items()}


def test_two_draws_with_turned_letters_are_averaged_by_label() -> None:
    """0.6 and 0.2 make 3/4 and 1/4; turned, 0.45 and 0.45 make a half each: 5/8 together."""
    tops = [logs(A=0.6, B=0.2, The=0.2), logs(A=0.45, B=0.45)]
    found = soft.of_logprobs(tops, soft.rotations(["yes", "no"]))
    assert found.probabilities == pytest.approx({"yes": 0.625, "no": 0.375})
    assert found.covered == pytest.approx(0.85)
    assert found.method == "logprobs"


@pytest.mark.parametrize(
    "token", ["A", " A", "a", "A.", "(A", '"A', "A)", "**A", "▁A", "ĠA", "\nA"]
)
def test_every_spelling_of_a_letter_counts_for_it(token: str) -> None:
    tops = [{token: math.log(0.3), "A": math.log(0.2), "B": math.log(0.5)}]
    if token == "A":
        tops = [{"A": math.log(0.5), "B": math.log(0.5)}]
    found = soft.of_logprobs(tops, [{"A": "yes", "B": "no"}])
    assert found.probabilities == pytest.approx({"yes": 0.5, "no": 0.5})


def test_words_that_begin_with_a_letter_do_not_count_for_it() -> None:
    tops = [logs(A=0.4, B=0.2, An=0.2, Both=0.1, C=0.1)]
    found = soft.of_logprobs(tops, [{"A": "yes", "B": "no"}])
    assert found.covered == pytest.approx(0.6)
    assert found.probabilities == pytest.approx({"yes": 2 / 3, "no": 1 / 3})


def test_labels_that_hold_less_than_half_are_refused_with_what_they_hold() -> None:
    letters = [{"A": "yes", "B": "no"}]
    with pytest.raises(ParseError, match=r"the labels have 0\.45 of the probability") as caught:
        soft.of_logprobs([logs(A=0.25, B=0.2, I=0.5)], letters)
    assert caught.value.kind == "uncovered"
    assert not caught.value.another_draw_may_help
    with pytest.raises(ParseError, match=r"0\.00"):
        soft.of_logprobs([{}], letters)
    assert soft.of_logprobs([logs(A=0.26, B=0.25, I=0.4)], letters).covered == pytest.approx(0.51)


def test_a_draw_that_tells_nothing_of_the_labels_lowers_what_is_covered_alone() -> None:
    tops = [logs(A=0.75, B=0.25), {}]
    found = soft.of_logprobs(tops, soft.rotations(["yes", "no"]))
    assert found.probabilities == pytest.approx({"yes": 0.75, "no": 0.25})
    assert found.covered == pytest.approx(0.5)


@given(distributions)
def test_a_teacher_without_a_liking_for_letters_is_read_as_it_is(given: dict[str, float]) -> None:
    asked = soft.rotations(list(given))
    tops = [{letter: math.log(given[label]) for letter, label in one.items()} for one in asked]
    found = soft.of_logprobs(tops, asked)
    assert found.probabilities == pytest.approx(given)


# Votes, stated probabilities, a virtual teacher


def test_votes_are_smoothed() -> None:
    """(3 + 1) / 8, (1 + 1) / 8, and (0 + 1) / 8 for each of the two that nobody gave."""
    found = soft.of_votes(["b", "a", "b", "b"], ["a", "b", "c", "d"])
    assert found == ({"a": 0.25, "b": 0.5, "c": 0.125, "d": 0.125}, None, "votes")
    assert soft.of_votes(["a"], ["a", "b"], pseudo=0).probabilities == {"a": 1, "b": 0}
    with pytest.raises(ParseError, match="no draw has a label"):
        soft.of_votes(["x"], ["a", "b"])


@pytest.mark.parametrize(
    "stated",
    [
        {"billing": 0.7, "technical": 0.1, "account": 0.2},
        {"billing": 70, "technical": 10, "account": 20},
        {"Billing ": "70 %", "TECHNICAL": "10%", "account": "20 percent"},
        {"billing": "0,35", "technical": "0.05", "account": "~0.10", "other": 0.1},
    ],
)
def test_stated_probabilities_are_made_one(stated: dict[str, float | str]) -> None:
    found = soft.of_verbal(stated, LABELS)
    assert found.probabilities == pytest.approx({"billing": 0.7, "technical": 0.1, "account": 0.2})
    assert found.method == "verbal"


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"billing": 1, "technical": 0}, "no probability of `account`"),
        ({"billing": 0, "technical": 0, "account": 0}, "all probabilities are 0"),
        ({"billing": -0.1, "technical": 1, "account": 0}, "of `billing` is none: -0.1"),
        ({"billing": math.nan, "technical": 1, "account": 0}, "of `billing` is none"),
        ({"billing": math.inf, "technical": 1, "account": 0}, "of `billing` is none"),
        ({"billing": "high", "technical": "low", "account": "low"}, "of `billing` is none"),
        ({"billing": 1, "technical": 1, "account": True}, "of `account` is none: True"),
        ({"billing": 1, "technical": 1, "account": [1]}, r"of `account` is none: \[1\]"),
        ({"billing": 10**400, "technical": 1, "account": 1}, "of `billing` is none: 10000"),
        ({"billing": 1, "technical": 1, "account": 1, "other": None}, "of `other` is none"),
        ({"billing": "9" * 400, "technical": 1, "account": 0}, "of `billing` is none"),
        ({"billing": 1, "technical": 1, "account": 1, "other": 4}, "the labels have 0.43"),
    ],
)
def test_what_states_no_probabilities_is_refused(stated: dict[str, JSON], said: str) -> None:
    with pytest.raises(ParseError, match=said):
        soft.of_verbal(stated, LABELS)


def test_a_virtual_teacher_gives_a_fixed_share_to_the_label() -> None:
    found = soft.smoothed("account", LABELS)
    assert found.probabilities == pytest.approx(
        {"billing": 0.05, "technical": 0.05, "account": 0.9}
    )
    assert found.method == "smooth"
    with pytest.raises(ValueError, match="'sales' is none of"):
        soft.smoothed("sales", LABELS)
