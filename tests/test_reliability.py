"""Soft labels against what is right: figures by hand."""

import math

import pytest

from distillgen.reliability import Reliability


def told(*labels: tuple[float, str | None]) -> Reliability:
    """Soft labels of `yes` and `no`: the probability of `yes`, and the right one."""
    found = Reliability()
    for p, right in labels:
        found.add({"yes": p, "no": 1 - p}, right)
    return found


def test_figures_by_hand():
    found = told((0.9, "yes"), (0.9, "no"), (0.6, "yes"), (0.6, None))
    assert (found.count, found.known) == (4, 3)
    assert found.accuracy == pytest.approx(2 / 3, abs=1e-4)
    assert found.brier == pytest.approx((0.02 + 1.62 + 0.32) / 3, abs=1e-4)
    assert found.nll == pytest.approx(-math.log(0.9 * 0.1 * 0.6) / 3, abs=1e-4)
    assert found.ece == pytest.approx((abs(1.8 - 1) + abs(0.6 - 1)) / 3, abs=1e-4)


def test_bins_hold_all_and_say_how_often_each_was_right():
    bins = told((0.9, "yes"), (0.95, "no"), (0.55, None), (1.0, "yes")).bins()
    assert [one.given for one in bins] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert bins[9].confidence == pytest.approx(0.95)
    assert (bins[9].known, bins[9].right) == (3, pytest.approx(2 / 3, abs=1e-4))
    assert (bins[5].known, bins[5].right) == (0, None)


def test_the_entropy_is_one_bit_where_two_labels_are_torn():
    assert told((0.5, None), (1.0, None)).entropy == 0.5


def test_who_is_too_sure_fares_better_at_a_higher_temperature():
    assert told(*[(0.99, "yes")] * 3, (0.99, "no")).best_temperature == 4
    assert told(*[(0.6, "yes")] * 9).best_temperature == 0.5
    assert told(*[(0.75, "yes")] * 3, (0.75, "no")).best_temperature == 1


def test_a_right_label_that_is_none_of_the_labels_is_a_whole_miss():
    found = told((1.0, "perhaps"))
    assert (found.accuracy, found.brier) == (0, 2)
    assert found.nll
    assert math.isfinite(found.nll)


def test_nothing_is_said_of_what_is_not_known():
    found = told((0.9, None))
    assert {found.accuracy, found.brier, found.nll, found.ece, found.best_temperature} == {None}
