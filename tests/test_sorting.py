"""Places of numbers: the order and the equal ones as plain sorting gives them."""

from array import array
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from distillgen.sorting import equal, in_order

NUMBERS = st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 12)), max_size=60)


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
