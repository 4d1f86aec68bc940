"""The estimate of what is wrong in the whole, and kappa: right on the average, and how sure."""

import math
import random
from array import array

import pytest
from reviews import record, run

from distillgen.records import Review
from distillgen.review.desk import Desk
from distillgen.review.estimate import Estimate, Part, bounds, effective, estimate
from distillgen.review.kappa import FEWEST, FEWEST_OF_AN_INTERVAL, alone, kappa
from distillgen.review.order import ARMS, Order, order
from distillgen.review.store import NEW


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
    return {place: "wrong" if wrong[place] else "right" for place in found.places[:n]}


def drawn_alike(n):
    """An order in which all are drawn uniformly, without scores."""
    return Order("mixed", array("L", range(n)), bytes([ARMS.index("uniform")]) * n, [""] * n)


def fates(wrong=0, right=0, skipped=0):
    """What became of the first places of an order."""
    return dict(enumerate(["wrong"] * wrong + ["right"] * right + ["skipped"] * skipped))


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
    assert (got.error, got.low, got.high) == (None, 0, 1)
    assert (got.left, got.left_low, got.left_high) == (None, 0, 1)
    goal = f"{got.more:,} more reviews"
    assert got.words == f"not enough is reviewed to say how much is wrong; {goal} for ± 5"
    assert got.meaning.startswith("Not enough is reviewed to say how many records are wrong. After")


def test_no_records_at_all_are_no_fault():
    got = estimate(drawn_alike(0), {})
    assert (got.error, got.low, got.high, got.left, got.more) == (0, 0, 0, None, 0)
    assert got.words == "there are no records"
    assert got.meaning == "There are no records."


KNOWN = Estimate(0.234, 0.171, 0.312, 110, 50, 1480, 0.2, 0.14, 0.28, 5000, 4900, 40)


def test_it_is_said_in_the_words_of_the_field_and_in_plain_ones():
    got = KNOWN
    assert got.words == (
        "estimated error of the kept set 20% [14%, 28%], 1,480 more reviews for ± 5"
    )
    assert got.meaning.startswith("About 20 of 100 records that are kept are wrong: a person would")
    assert "leaves 14 to 28 possible" in got.meaning
    assert "After 1,480 more reviews" in got.meaning
    assert "as the teacher left them, about 23 of 100 were wrong (17 to 31)" in got.meaning
    assert ", 1 more review for ± 5" in got._replace(more=1).words
    assert "more reviews" not in got._replace(more=0).words + got._replace(more=0).meaning
    assert "to say how many records are wrong. After 1,480" in got._replace(left=None).meaning
    assert got._replace(kept=0).words == "no record is kept"


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [(2, 8, "2 of the 10 records were wrong: a person changed or rejected them. Nothing wrong is"
            " left in the 9 records kept."),
     (1, 2, "1 of the 3 records was wrong: a person changed or rejected it. Nothing wrong is left"
            " in the 2 records kept."),
     (1, 0, "The record was wrong: a person changed or rejected it."),
     (0, 1, "The record was right. Nothing wrong is left in the 1 record kept."),
     (0, 3, "None of the 3 records was wrong. Nothing wrong is left in the 3 records kept.")],
)  # fmt: skip
def test_when_all_is_reviewed_the_records_themselves_are_counted(wrong, right, words):
    got = estimate(drawn_alike(wrong + right), fates(wrong, right), left_out=min(wrong, 1))
    assert got.meaning == f"All is reviewed. {words}"


def test_of_a_few_records_it_says_how_many_of_these():
    got = estimate(drawn_alike(10), fates(1, 7), left_out=1)
    assert got.meaning.startswith("About 0 of the 9 records that are kept are wrong")
    assert "leaves 0 to 2 possible" in got.meaning
    assert "about 1 of the 10 was wrong (1 to 3)" in got.meaning


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
    got = estimate(found, seen)
    assert (got.drawn, got.error) == (plain.drawn, plain.error)
    assert got.low <= sum(wrong) / 2000 <= got.high


def test_skipped_ones_do_not_stop_the_walk():
    sheaf, wrong = whole(500, {"a": 0.2, "b": 0.2, "c": 0.2}, random.Random(6))
    found = order(sheaf)
    seen = {place: "wrong" if wrong[place] else "right" for place in found.places[:100]}
    seen[found.places[3]] = "skipped"
    assert estimate(found, seen).drawn >= 45
    del seen[found.places[3]]
    assert estimate(found, seen).drawn <= 3


def test_the_kept_set_holds_no_more_what_was_mended_or_left_out():
    got = estimate(drawn_alike(10), fates(2, 3), left_out=1)
    assert (got.error, got.wrong, got.kept) == (pytest.approx(0.4), 2, 9)
    assert got.left == pytest.approx((4 - 2) / 9)
    assert got.left_low == pytest.approx((10 * got.low - 2) / 9)
    assert got.left_high == pytest.approx((10 * got.high - 2) / 9)


def test_when_all_are_reviewed_and_mended_nothing_wrong_is_kept():
    got = estimate(drawn_alike(10), fates(2, 8))
    assert (got.error, got.left, got.left_low, got.left_high) == (0.2, 0, 0, 0)
    assert got.words == "estimated error of the kept set 0% [0%, 0%]"


def test_what_is_rejected_makes_the_kept_set_smaller_and_its_interval_wider():
    mended, rejected = (estimate(drawn_alike(100), fates(30, 30), left_out=n) for n in (0, 30))
    assert rejected.left_high == pytest.approx(mended.left_high * 100 / 70)
    assert rejected.more > mended.more
    few = estimate(drawn_alike(100), fates(50, 42), left_out=50)
    assert few.high - few.low <= 0.1 < few.left_high - few.left_low
    assert few.more > 0


# -- the interval ----------------------------------------------------------------------------


def chances(size, bad, seen):
    """Of each number of wrong ones among the seen, by counting all ways to draw them."""
    ways = math.comb(size, seen)
    return [math.comb(bad, n) * math.comb(size - bad, seen - n) / ways for n in range(seen + 1)]


@pytest.mark.parametrize("size", [1, 2, 5, 10, 30, 47])
def test_the_bounds_hold_in_95_of_100_draws_from_any_small_set(size):
    for seen in range(1, size + 1):
        found = [bounds(size, seen, wrong / seen) for wrong in range(seen + 1)]
        assert all(n <= low <= high <= n + size - seen for n, (low, high) in enumerate(found))
        for bad in range(size + 1):
            each = zip(chances(size, bad, seen), found, strict=True)
            assert sum(chance for chance, (low, high) in each if low <= bad <= high) >= 0.95 - 1e-9


@pytest.mark.parametrize(("size", "seen", "wrong"), [(10, 9, 0), (30, 12, 3), (200, 60, 59)])
def test_the_bounds_are_no_wider_than_they_must_be(size, seen, wrong):
    """One further out on either side, so few or so many would come in less than 1 of 40 draws."""
    low, high = bounds(size, seen, wrong / seen)
    assert low == wrong or sum(chances(size, low - 1, seen)[wrong:]) <= 0.025
    most = size - seen + wrong
    assert high == most or sum(chances(size, high + 1, seen)[: wrong + 1]) <= 0.025


def test_in_a_large_set_the_bounds_are_those_of_clopper_and_pearson():
    """Newcombe 1998, table I, method 5."""
    for wrong, n, low, high in ((81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617),
                                (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)):  # fmt: skip
        got = [bound / 10**7 for bound in bounds(10**7, n, wrong / n)]
        assert got == pytest.approx((low, high), abs=6e-5)


def test_what_is_open_may_be_wrong_or_right():
    got = estimate(drawn_alike(10), fates(0, 9, skipped=1))
    assert (got.low, got.high, got.left_high) == (0, 0.1, 0.1)
    many = estimate(drawn_alike(100), fates(0, 80, skipped=20))
    assert (many.low, many.high) == (0, 0.2)
    assert many.more > 0


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize(("n", "bad"), [(10, 1), (10, 2), (10, 5), (30, 1), (30, 3), (30, 9),
                                        (100, 2), (100, 10), (100, 40)])  # fmt: skip
def test_the_interval_holds_the_truth_in_small_sets_and_nothing_impossible(n, bad, scored):
    times = 150
    held = dict.fromkeys((0.1, 0.3, 0.5, 0.7, 0.9), 0)
    for seed in range(times):
        dice = random.Random(f"{n} {bad} {seed}")
        places = set(dice.sample(range(n), bad))
        wrong = [place in places for place in range(n)]
        sure = [dice.choice((0.3, 0.7) if one else (0.7, 1)) if scored else math.nan
                for one in wrong]  # fmt: skip
        found = order(Sheaf(sure, ["abc"[place % 3] for place in range(n)]), random_seed=seed)
        for share in held:
            seen = reviewed(found, wrong, round(n * share))
            got = estimate(found, seen)
            sure_wrong = sum(one == "wrong" for one in seen.values())
            assert sure_wrong <= round(got.low * n, 6) <= round(got.high * n, 6)
            assert round(got.high * n, 6) <= sure_wrong + n - len(seen)
            assert (got.more == 0) == (got.left_high - got.left_low <= 0.1 + 1e-9)
            held[share] += got.low - 1e-9 <= bad / n <= got.high + 1e-9
    assert min(held.values()) / times > 0.91


def test_many_records_with_the_same_score_do_not_bend_the_estimate():
    """Votes and scores take few values, and the worst of one value come first by a draw alone."""
    dice, errors, held, times = random.Random(8), [], 0, 300
    wrong = [dice.random() < 0.2 for _ in range(600)]
    sure = [dice.choice((0.3, 0.7, 0.7) if one else (0.7, 1, 1)) for one in wrong]
    for seed in range(times):
        found = order(Sheaf(sure, [""] * 600), random_seed=seed)
        got = estimate(found, reviewed(found, wrong, 300))
        errors.append(got.error - sum(wrong) / 600)
        held += got.low <= sum(wrong) / 600 <= got.high
    mean = sum(errors) / times
    spread = (sum((one - mean) ** 2 for one in errors) / times) ** 0.5
    assert abs(mean) < 4 * spread / times**0.5
    assert held / times > 0.91


def test_a_sample_in_proportion_is_worth_its_size():
    assert effective([Part(10**9, 30, 3)]) == pytest.approx(30)
    assert effective([Part(7 * 10**9, 70, 1), Part(3 * 10**9, 30, 2)]) == pytest.approx(100)
    assert effective([Part(9 * 10**9, 50, 1), Part(10**9, 50, 2)]) < 65
    assert effective([Part(50, 50, 3)]) == pytest.approx(50)
    assert effective([Part(100, 20, 3)]) == pytest.approx(20)


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
    ("both", "found"),
    [([("a", "a")] * 50, None), ([], None), ([("a", "b"), ("b", "a")] * 9, -1),
     ([("a", "b")], None), ([("a", "a"), ("a", "b")] * 8, None)],
)  # fmt: skip
def test_kappa_where_there_is_little_to_say(both, found):
    assert kappa(("A", "B"), both).kappa == found


def test_kappa_has_an_interval_where_it_can_be_trusted():
    some = [("a", "a"), ("b", "b"), ("a", "b")]
    few, many = (kappa(("A", "B"), (some * n)[:n]) for n in (FEWEST, FEWEST_OF_AN_INTERVAL))
    assert (few.low, few.high) == (None, None) != (few.kappa, None)
    assert many.low < many.kappa < many.high
    same = kappa(("A", "B"), [("a", "a"), ("b", "b")] * 50)
    assert (same.kappa, same.low, same.high) == (1, None, None)


ALONE = {
    "the other's decision was seen": ("A accept, B reject, B accept", ("accept", "reject")),
    "taken back after it was seen": ("A accept, B reject, B undo, B accept", ("accept", "reject")),
    "the first changed too": ("A accept, B reject, A reject", ("accept", "reject")),
    "changed before the other came": ("A accept, A reject, B accept", ("reject", "accept")),
    "taken back before": ("A accept, A undo, B accept, A reject", ("reject", "accept")),
    "both before the first again": ("A accept, A undo, B accept, B edit, A reject, B reject",
                                    ("reject", "edit")),
    "skipped before": ("A skip, B accept, A reject", ("reject", "accept")),
    "settled after": ("A accept, B reject, A settle", ("accept", "reject")),
    "one only": ("A accept, A reject", None),
    "taken back in the end": ("A accept, B reject, B undo", None),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_kappa_goes_by_what_each_said_alone(name, tmp_path):
    lines, found = ALONE[name]
    desk = Desk(run(tmp_path / "run", [record(0)]))
    for who, decision in (one.split() for one in lines.split(", ")):
        settles = decision == "settle"
        desk.decisions.decide(
            Review(id="r000000", reviewer=who, decision="accept" if settles else decision,
                   settles=settles, fields={"answer": "x"} if decision == "edit" else {}),
            desk.of(0),
        )  # fmt: skip
    got = [(one.reviewers, one.records, one.agree) for one in desk.kappas()]
    assert got == ([(("A", "B"), 1, float(found[0] == found[1]))] if found else [])
    pairs = list(alone(desk.decisions.since("r000000", NEW), desk.of(0)))
    assert found is None or pairs == [(("A", "B"), found)]
