"""The estimate of what is wrong in the whole, and kappa: right on the average, and how sure."""

import random
from array import array

import pytest

from distillgen.review.estimate import Estimate, Part, effective, estimate, kappa, wilson
from distillgen.review.order import ARMS, Order, order


class Sheaf:
    """As much of a pile as an order needs."""

    def __init__(self, confidence, label):
        self.confidence, self.label = array("f", confidence), label
        self.topic, self.strategy = [()] * len(label), [""] * len(label)

    def __len__(self):
        return len(self.label)


def whole(n, rate_of, dice):
    """Records of three labels, with how sure each is, and whether it is wrong."""
    labels = [dice.choices(("a", "b", "c"), (0.7, 0.25, 0.05))[0] for _ in range(n)]
    wrong = [dice.random() < rate_of[label] for label in labels]
    sure = [dice.betavariate(2, 3 if bad else 1.5) for bad in wrong]
    return Sheaf(sure, labels), wrong


def reviewed(found, wrong, n):
    """What is known when the first `n` of an order were looked at."""
    seen = {place: "wrong" if wrong[place] else "right" for place in found.places[:n]}
    return seen.get


@pytest.mark.parametrize("n", [25, 100, 400])
@pytest.mark.parametrize("rate_of", [{"a": 0.1, "b": 0.4, "c": 0.8}, {"a": 0.3, "b": 0.0, "c": 0}])
def test_the_estimate_is_right_on_average_and_its_interval_holds_the_truth(rate_of, n):
    dice = random.Random(f"{n} {rate_of}")
    errors, held, times = [], 0, 250
    sheaf, wrong = whole(1500, rate_of, dice)
    truth = sum(wrong) / len(wrong)
    for seed in range(times):
        found = order(sheaf, random_seed=seed)
        got = estimate(found, reviewed(found, wrong, n))
        errors.append(got.error - truth)
        held += got.low <= truth <= got.high
    mean = sum(errors) / times
    spread = (sum((one - mean) ** 2 for one in errors) / times) ** 0.5
    assert abs(mean) < 4 * spread / times**0.5  # four standard errors
    assert held / times > 0.91  # 0.95 less three standard errors


def test_the_doubtful_ones_alone_would_say_too_much():
    """The order looks at the worst first: their rate is not that of the whole."""
    dice = random.Random(1)
    sheaf, wrong = whole(1500, {"a": 0.2, "b": 0.2, "c": 0.2}, dice)
    found = order(sheaf)
    seen = [place for n, place in enumerate(found.places[:400]) if found.arm(n) == "lowest"]
    plain = sum(wrong[place] for place in seen) / len(seen)
    got = estimate(found, reviewed(found, wrong, 400))
    assert plain > got.high


def test_all_reviewed_nothing_is_left_open():
    sheaf, wrong = whole(200, {"a": 0.3, "b": 0.3, "c": 0.3}, random.Random(2))
    found = order(sheaf)
    got = estimate(found, reviewed(found, wrong, 200))
    truth = pytest.approx(sum(wrong) / 200)
    assert (got.error, got.low, got.high) == (truth, truth, truth)
    assert (got.reviewed, got.more) == (200, 0)


def test_nothing_reviewed_nothing_is_said():
    sheaf, wrong = whole(5000, {"a": 0.3, "b": 0.3, "c": 0.3}, random.Random(3))
    found = order(sheaf)
    got = estimate(found, reviewed(found, wrong, 0))
    assert (got.error, got.low, got.high, got.left) == (None, 0, 1, None)
    assert "no estimate yet" in got.words


def test_it_is_said_in_the_words_of_the_field_and_in_plain_ones():
    got = Estimate(0.234, 0.171, 0.312, 110, 50, 1480, 0.1)
    assert got.words == (
        "estimated error of the kept set 23% [17%, 31%], 1,480 more reviews for ± 5"
    )
    assert got.meaning.startswith("About 23 of 100 records are wrong")
    assert "leaves 17 to 31 possible" in got.meaning
    assert "After 1,480 more reviews" in got.meaning
    assert ", 1 more review for ± 5" in got._replace(more=1).words
    assert "more reviews" not in got._replace(more=0).words + got._replace(more=0).meaning
    assert got._replace(low=0.234, high=0.234).meaning.startswith("23 of 100 records were wrong")
    assert "cannot be told yet. After 1,480" in got._replace(error=None).meaning


def test_as_many_more_reviews_as_it_says_bring_five_points():
    sheaf, wrong = whole(5000, {"a": 0.2, "b": 0.4, "c": 0.4}, random.Random(4))
    found = order(sheaf)
    got = estimate(found, reviewed(found, wrong, 60))
    assert got.high - got.low > 0.1
    later = estimate(found, reviewed(found, wrong, 60 + got.more))
    assert 0.08 < later.high - later.low < 0.115
    assert f"{got.more:,} more reviews" in got.words


def test_what_a_person_picked_beyond_speaks_for_itself_alone():
    """A search for mistakes must not raise the estimate of the others."""
    sheaf, wrong = whole(2000, {"a": 0.2, "b": 0.2, "c": 0.2}, random.Random(5))
    found = order(sheaf)
    first = set(found.places[:150])
    picked = [place for place in range(2000) if wrong[place] and place not in first][:100]
    seen = {place: "wrong" if wrong[place] else "right" for place in (*first, *picked)}
    plain = estimate(found, reviewed(found, wrong, 150))
    got = estimate(found, seen.get)
    assert got.drawn == plain.drawn
    assert abs(got.error - plain.error) < 0.06
    assert got.low <= sum(wrong) / 2000 <= got.high


def test_skipped_ones_do_not_stop_the_walk():
    sheaf, wrong = whole(500, {"a": 0.2, "b": 0.2, "c": 0.2}, random.Random(6))
    found = order(sheaf)
    seen = {place: "wrong" if wrong[place] else "right" for place in found.places[:100]}
    seen[found.places[3]] = "skipped"
    assert estimate(found, seen.get).drawn >= 45
    del seen[found.places[3]]
    assert estimate(found, seen.get).drawn <= 3


def test_what_is_mended_is_no_longer_wrong():
    places = array("L", range(10))
    uniform = bytes([ARMS.index("uniform")]) * 10
    seen = {0: "wrong", 1: "wrong", 2: "right", 3: "right", 4: "right"}
    got = estimate(Order("mixed", places, uniform, [""] * 10), seen.get, changed=1)
    assert got.error == pytest.approx(0.4)
    assert got.left == pytest.approx((4 - 2) / 9)


def test_wilsons_interval_is_as_published():
    """Newcombe 1998, table I, method 3."""
    for wrong, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                                (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):  # fmt: skip
        assert wilson(wrong / n, n) == pytest.approx((low, high), abs=5e-5)


def test_a_sample_in_proportion_is_worth_its_size():
    assert effective([Part(10**9, 30, 3)]) == pytest.approx(30)
    assert effective([Part(7 * 10**9, 70, 1), Part(3 * 10**9, 30, 2)]) == pytest.approx(100)
    assert effective([Part(9 * 10**9, 50, 1), Part(10**9, 50, 2)]) < 65
    assert effective([Part(50, 50, 3)]) == float("inf")


# -- kappa -----------------------------------------------------------------------------------


def pairs(table):
    return [(a, b) for (a, b), n in table.items() for _ in range(n)]


def test_kappa_is_as_published():
    """Fleiss, Levin and Paik 2003, table 18.1: 0.676, and its standard error 0.088."""
    table = {("p", "p"): 75, ("p", "n"): 1, ("p", "o"): 4, ("n", "p"): 5, ("n", "n"): 4,
             ("o", "o"): 10, ("n", "o"): 1}  # fmt: skip
    got = kappa(("A", "B"), pairs(table))
    assert got.records == 100
    assert got.agree == pytest.approx(0.89)
    assert got.kappa == pytest.approx(0.676, abs=0.001)
    assert (got.high - got.low) / 2 / 1.96 == pytest.approx(0.088, abs=0.001)


def test_kappa_of_reviewers_who_draw_lots_is_nothing():
    dice = random.Random(7)
    names = ("accept", "edit", "reject")
    held, times = 0, 200
    for _ in range(times):
        both = [(dice.choices(names, (6, 2, 2))[0], dice.choices(names, (5, 3, 2))[0])
                for _ in range(200)]  # fmt: skip
        got = kappa(("A", "B"), both)
        held += got.low <= 0 <= got.high
    assert held / times > 0.9


@pytest.mark.parametrize(
    ("both", "found"), [([("a", "a")] * 5, None), ([], None), ([("a", "b"), ("b", "a")], -1)]
)
def test_kappa_where_there_is_little_to_say(both, found):
    assert kappa(("A", "B"), both).kappa == found
