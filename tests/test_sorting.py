"""Places of numbers: the order and the equal ones as plain sorting gives them."""

import doctest
from array import array
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillgen import sorting
from distillgen.sorting import equal, in_order

NUMBERS = st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 12)), max_size=60)


@pytest.fixture(autouse=True, scope="module", params=[1, sorting.MANY], ids=["parts", "whole"])
def _in_parts_or_as_a_whole(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "MANY", request.param)
        yield


@given(NUMBERS, st.randoms())
def test_places_come_in_the_order_of_their_keys_and_equal_ones_as_they_were(numbers, rng):
    places = list(range(len(numbers)))
    rng.shuffle(places)
    found = list(in_order(array("Q", numbers), places))
    assert found == sorted(places, key=numbers.__getitem__)


@given(NUMBERS, st.randoms())
def test_equal_keys_are_those_of_sorting_all(numbers, rng):
    places = list(range(len(numbers)))
    rng.shuffle(places)
    runs = groupby(sorted(places, key=numbers.__getitem__), numbers.__getitem__)
    several = [run for run in (list(run) for _, run in runs) if len(run) > 1]
    assert list(equal(array("Q", numbers), places)) == several


def test_the_examples_in_the_code_hold():
    assert not doctest.testmod(sorting).failed
