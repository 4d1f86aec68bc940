"""Clusters of near duplicates: as comparing all with all finds them, in time that grows slowly."""

import random
import string
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillgen import clusters
from distillgen.clusters import WINDOW, Prompts, join_near
from distillgen.dedupe import alike
from distillgen.groups import Firm, Groups

Text = tuple[str, str]
WORDS = [a + b + c for a in "bdfgk" for b in ("an", "el", "io", "ur") for c in ("da", "mo", "s")]


def grouped(texts: Iterable[Text], images: Sequence[str] = ()) -> set[frozenset[int]]:
    """The groups of these prompts, by their places."""
    groups = Groups()
    with Prompts() as prompts:
        for n, (context, question) in enumerate(texts):
            groups.add()
            prompts.add(str(n), context, question, images[n : n + 1])
        prompts.complete()
        for same in prompts.equal():
            groups.join_all(same)
        join_near(prompts, groups)
    return parts(groups)


def parts(groups: Groups) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for n in range(len(groups)):
        found.setdefault(groups.find(n), set()).add(n)
    return set(map(frozenset, found.values()))


def by_all(texts: Sequence[Text]) -> set[frozenset[int]]:
    """The same by comparing all with all."""
    groups = Groups()
    for n, text in enumerate(texts):
        groups.add()
        for before in range(n):
            if alike(text, texts[before]):
                groups.join(before, n)
    return parts(groups)


def text(rng: random.Random, length: int = 14) -> str:
    return " ".join(rng.choices(WORDS, k=length))


def changed(said: str, rng: random.Random) -> str:
    """With up to a third of the words replaced, left out or doubled."""
    share = rng.uniform(0, 0.34)
    words = []
    for word in said.split():
        kind = rng.random() if rng.random() < share else 1
        words += [rng.choice(WORDS)] if kind < 0.5 else [] if kind < 0.7 else [word]
        words += [word] if 0.7 <= kind < 1 else []
    return " ".join(words) or WORDS[0]


def varied(count: int, seed: int) -> list[Text]:
    """Texts of which every third is an earlier one, changed."""
    rng = random.Random(seed)
    made: list[Text] = []
    for _ in range(count):
        if made and rng.random() < 1 / 3:
            context, question = rng.choice(made)
            made.append((changed(context, rng), changed(question, rng)))
        else:
            made.append((text(rng, 20), text(rng)))
    return made


def family(count: int, seed: int = 0) -> list[Text]:
    """Texts of one template: other names and numbers."""
    rng = random.Random(seed)
    return [
        (
            f"I am {''.join(rng.choices(string.ascii_lowercase, k=7))}, {rng.randint(18, 90)} years"
            f" old, and I earn {rng.randint(10, 900)}00 dollars a month as a nurse in a town.",
            f"Should I put {rng.randint(1, 900)}00 dollars into gold this year or wait?",
        )
        for _ in range(count)
    ]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, WINDOW))
def test_the_clusters_of_a_small_set_are_those_of_comparing_all_with_all(seed, count):
    texts = varied(count, seed)
    exact, found = by_all(texts), grouped(texts)
    missed = sum(len(group) - 1 for group in exact) - sum(len(group) - 1 for group in found)
    assert all(any(group <= whole for whole in exact) for group in found)
    assert missed <= 0.02 * count


def test_of_many_small_sets_nearly_nothing_is_missed():
    joined = there = 0
    for seed in range(40):
        texts = varied(60, seed)
        there += len(texts) - len(by_all(texts))
        joined += len(texts) - len(grouped(texts))
    assert there > 500
    assert joined >= 0.99 * there


@pytest.mark.parametrize("count", [100, 1_000, 10_000])
def test_a_family_of_one_template_is_one_cluster_among_others(count):
    texts = [
        *family(count),
        *((text(random.Random(n)), text(random.Random(-n - 1))) for n in range(50)),
    ]
    sizes = Counter(map(len, grouped(texts)))
    assert sizes == {count: 1, 1: 50}


def test_a_family_takes_a_number_of_comparisons_that_grows_with_it_alone(monkeypatch):
    compared = []

    def counted(one, others):
        compared.append(len(others[0]))
        return near(one, others)

    near = clusters.near
    monkeypatch.setattr(clusters, "near", counted)
    for count in (2_000, 8_000):
        compared.clear()
        assert len(grouped(family(count))) == 1
        assert sum(compared) < 40 * count


def test_the_order_of_the_prompts_means_nothing():
    texts = varied(3_000, 5)
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    again = grouped(texts[n] for n in order)
    assert {frozenset(order[n] for n in group) for group in again} == grouped(texts)


def test_numbers_are_words():
    said = "I am {} years old, own {} flats and a small shop, and my pension is not enough."
    texts = [(said.format(n, n + 1), "Should I sell the shop and buy gold?") for n in range(40, 50)]
    assert len(grouped(texts)) == 1


def test_each_field_must_be_near_and_one_that_only_one_has_tells_apart():
    context, question = text(random.Random(1), 20), text(random.Random(2))
    other = text(random.Random(3), 20)
    assert len(grouped([(context, question), (other, question)])) == 2
    assert len(grouped([(context, question), ("", question)])) == 2
    assert len(grouped([("", question), ("", question + " now")])) == 1
    assert len(grouped([("", "!?"), ("", "!?"), ("", "")])) == 2


def test_what_is_said_of_other_images_is_not_near():
    texts = [("", "What does the left sign in the picture say?")] * 3
    assert sorted(map(len, grouped(texts, ["a.png", "b.png", "a.png"]))) == [1, 2]


def test_a_chain_of_near_texts_is_one_cluster():
    rng = random.Random(4)
    chain = [(text(rng, 20), text(rng))]
    for step in range(12):
        context, question = (said.split() for said in chain[-1])
        context[step], question[step] = f"new{step}", f"other{step}"
        chain.append((" ".join(context), " ".join(question)))
    assert not alike(chain[0], chain[-1])
    assert len(grouped(chain)) == 1


def test_texts_that_need_no_file_and_texts_that_do_make_the_same(monkeypatch):
    texts = varied(500, 8)
    held = grouped(texts)
    monkeypatch.setattr(clusters, "IN_MEMORY", 10)
    monkeypatch.setattr(clusters, "CHUNK", 64)
    monkeypatch.setattr(clusters, "BLOCK", 3 * WINDOW)
    assert grouped(texts) == held
    assert len(grouped(family(900))) == 1


def test_a_new_record_near_those_of_two_splits_is_left_out_and_the_others_stay():
    groups = Groups()
    rng = random.Random(9)
    words = text(rng, 20).split()
    ends = [" ".join(words), " ".join([*words[:12], *(f"w{n}" for n in range(8))])]
    middle = " ".join([*words[:16], *(f"w{n}" for n in range(4))])
    assert [alike([middle], [end]) for end in ends] == [True, True]
    assert not alike(ends[:1], ends[1:])
    with Prompts() as prompts:
        for n, (said, split) in enumerate([(ends[0], 1), (ends[1], 3), (middle, 0), ("free", 0)]):
            prompts.add(str(n), "", said)
            groups.add(split, Firm.ASSIGNED if split else Firm.FREE)
        prompts.complete()
        join_near(prompts, groups)
    assert set(groups.out) == {2}
    assert {groups.out[2].here, groups.out[2].there} == {1, 3}
    assert {groups.out[2].of, groups.out[2].to} == {0, 1}
    assert [groups.split(n) for n in (0, 1, 3)] == [1, 3, 0]


class OneBucket(Prompts):
    """All prompts in one bucket, in the order in which they were added."""

    def buckets(self):
        yield list(range(len(self)))


def test_one_that_joins_a_group_late_is_compared_with_what_stood_before_it():
    rng = random.Random(6)
    words = text(rng, 20).split()
    first, last = " ".join([*words[:15], *"vwxyz"]), " ".join([*"abcde", *words[5:]])
    assert not alike([first], [last])
    groups = Groups()
    with OneBucket() as prompts:
        for n, said in enumerate([last, first, " ".join(words)]):
            groups.add()
            prompts.add(str(n), "", said)
        prompts.complete()
        groups.join(1, 2)
        join_near(prompts, groups)
    assert groups.find(0) == groups.find(2)


def test_one_that_is_bound_elsewhere_is_compared_with_each_of_a_large_group():
    rng = random.Random(7)
    said = text(rng, 20)
    groups = Groups()
    with OneBucket() as prompts:
        for n, question in enumerate([said, *(text(rng, 20) for _ in range(40)), f"{said} now"]):
            groups.add(3 if n == 41 else 1, Firm.WISHED if n == 41 else Firm.ASSIGNED)
            prompts.add(str(n), "", question)
            if 0 < n < 41:
                groups.join(0, n)
        prompts.complete()
        join_near(prompts, groups)
    assert set(groups.out) == {41}
