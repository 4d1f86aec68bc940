"""Near duplicates: the rule, and that the index decides as comparing all with all would."""

import random
import re
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillgen.dedupe import ALL, Index, Verdict, tokens

Fields = tuple[str, ...]


def verdicts(*texts: Fields) -> list[Verdict | None]:
    """What is said of each text, where those that are new are added and named by their place."""
    index, said = Index(), []
    for place, fields in enumerate(texts):
        said.append(index.verdict(fields))
        if said[-1] is None:
            index.add(str(place), fields)
    return said


def test_what_is_kept_apart_repeats_nothing_however_alike():
    index = Index()
    texts = [("I keep bees by the sea.", f"What is written on sign {n}?") for n in range(300)]
    for n, fields in enumerate(texts):
        assert index.verdict(fields, f"{n}.png") is None
        index.add(str(n), fields, f"{n}.png")
    said = ("I keep bees at the sea.", "What is written on sign 7?")
    assert index.verdict(said) is None
    assert index.verdict(said, "8.png") is None
    assert index.verdict(said, "7.png").of == "7"
    for n in range(3):
        index.add(f"more {n}", ("I keep bees by the sea.", f"What is on {n + 400}?"), "9.png")
    assert index.verdict(("I keep bees by the sea.", "What is on 500?"), "9.png").of == "more 0"


@cache
def places(text: str) -> dict[str, int]:
    """For each word of a text, a bit for each place where it stands."""
    found: dict[str, int] = {}
    for i, x in enumerate(text.split()):
        found[x] = found.get(x, 0) | 1 << i
    return found


def rouge_l(a: str, b: str) -> float:
    """From the longest common subsequence, counted in the zeros of `row`."""
    n, m = a.count(" ") + bool(a), b.count(" ") + bool(b)
    row = full = (1 << n) - 1
    for y in b.split():
        common = row & places(a).get(y, 0)
        row = (row + common | row - common) & full
    return 2 * (n - row.bit_count()) / (n + m) if n + m else 1.0


def plainly(texts: list[Fields]) -> list[tuple[str, str, float] | None]:
    """The same by comparing each text with each; for words and digits with single blanks."""
    accepted: list[tuple[str, Fields, Counter[str], list[str]]] = []
    said: list[tuple[str, str, float] | None] = []
    for place, fields in enumerate(texts):
        numbers = Counter(re.findall(r"\d+", " ".join(fields)))
        template = [re.sub(r"\d+", "#", field) for field in fields]
        near = {
            id: min(map(rouge_l, fields, f))
            for id, f, n, _ in accepted
            if n == numbers and all(score > 0.7 for score in map(rouge_l, fields, f))
        }
        alike = [(id, f) for id, f, _, t in accepted if t == template]
        if near:
            of = max(near, key=lambda id: near[id])  # the first of the highest
            said.append(("near_duplicate", of, round(near[of], 4)))
        elif len(alike) >= 3:
            lowest = min(map(rouge_l, fields, alike[0][1]))
            said.append(("template", alike[0][0], round(lowest, 4)))
        else:
            said.append(None)
            accepted.append((str(place), fields, numbers, template))
    return said


word = st.sampled_from(["a", "b", "c", "d", "e", "5", "7"])
field = st.lists(word, max_size=9).map(" ".join)


@given(st.lists(st.tuples(field, field), max_size=25))
def test_the_index_decides_as_comparing_all_with_all_would(texts):
    assert verdicts(*texts) == plainly(texts)


def edited(rng: random.Random, text: str, words: list[str]) -> str:
    share = rng.uniform(0, 0.45)
    return " ".join(rng.choice(words) if rng.random() < share else w for w in text.split())


def test_minhash_finds_what_comparing_all_with_all_would():
    rng = random.Random(5)
    words = ["".join(rng.choices("bdfgklmnprst", k=3)) for _ in range(400)]
    texts: list[Fields] = []
    for _ in range(800):
        if texts and rng.random() < 0.35:
            texts.append(tuple(edited(rng, f, words) for f in rng.choice(texts)))
        else:
            texts.append(tuple(" ".join(rng.choices(words, k=k)) for k in (8, 6)))
    expected = plainly(texts)
    assert expected.count(None) > ALL + 20
    assert sum(e is not None for e in expected) > 100
    assert verdicts(*texts) == expected


def test_case_punctuation_and_blanks_do_not_make_a_text_new():
    given = verdicts(("I am 40.", "Buy gold?"), ("i  am 40", "“BUY”, gold"))
    assert given == [None, Verdict("near_duplicate", "0", 1.0)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("My shop made a loss of 500 this year", "My shop made a loss of 900 this year"),
        ("My shop made a loss of 1.5 percent now", "My shop made a loss of 1.7 percent now"),
        ("I have two small kids and a dog at home", "I have three small kids and a dog at home"),
        ("My pension plan of Q3 looks bad to me", "My pension plan of Q4 looks bad to me"),
    ],
)
def test_other_numbers_make_another_text(first, second):
    assert verdicts((first,), (second,)) == [None, None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("I put aside 1,000 dollars a month", "I put aside 1000 dollars a month"),
        ("Both of my two kids go to school", "Both of my 2 kids go to school"),
        ("From 5 to 7 years at the very most", "From 7 to 5 years at the very most"),
    ],
)
def test_equal_numbers_however_they_are_written_do_not(first, second):
    assert [v.reason for v in verdicts((first,), (second,)) if v] == ["near_duplicate"]


def test_exactly_seven_tenths_is_no_near_duplicate():
    assert verdicts(("a b c d e f g h i j",), ("a b c d e f g x y z",)) == [None, None]


def test_each_field_has_to_be_alike():
    nurse, baker = "I am a nurse with a small flat", "We run a bakery in the old town"
    assert verdicts((nurse, "Should I buy gold now?"), (baker, "Should I buy gold now?"))[1] is None
    assert verdicts((nurse, "Should I buy gold now?"), (nurse, "What about a pension?"))[1] is None


def test_a_field_that_only_one_text_has_tells_them_apart():
    with_context, without = ("I am a nurse", "Should I buy gold?"), ("", "Should I buy gold?")
    assert verdicts(with_context, without, with_context, without)[:2] == [None, None]
    assert [v.of for v in verdicts(with_context, without, with_context, without) if v] == ["0", "1"]


def test_the_similarity_is_the_lowest_over_the_fields_and_the_text_is_the_most_alike():
    said = verdicts(("a b c d", "w x y z"), ("k l m n", "w x y z"), ("a b c d e", "w x y z"))
    assert said[2] == Verdict("near_duplicate", "0", 0.8889)
    index = Index()
    index.add("far", ("a b c d e f", "q"))
    index.add("near", ("a b c d e g", "q"))
    index.add("later", ("a b c d e g", "q"))
    assert index.verdict(("a b c d e g", "q")) == Verdict("near_duplicate", "near", 1.0)


def test_three_texts_may_be_equal_but_for_their_numbers():
    ages = [(f"I am {age}", "What should I do with 100 dollars?") for age in (20, 31, 42, 53)]
    said = verdicts(*ages)
    assert said[:3] == [None, None, None]
    assert said[3] is not None
    assert (said[3].reason, said[3].of) == ("template", "0")


def test_seeds_take_no_place_of_a_template():
    index = Index()
    for age in (20, 31, 42):
        index.add(f"seed {age}", (f"I am {age}",), seed=True)
    assert index.verdict(("I am 42",)) == Verdict("near_duplicate", "seed 42", 1.0)
    for age in (50, 51, 52):
        assert index.verdict((f"I am {age}",)) is None
        index.add(str(age), (f"I am {age}",))
    said = index.verdict(("I am 60",))
    assert said is not None
    assert (said.reason, said.of) == ("template", "50")


@pytest.mark.parametrize(
    ("first", "second", "new"),
    [
        ("我应该现在买黄金还是买股票", "我应该现在买黄金还是买债券", False),
        ("我应该现在买黄金还是买股票", "明天下雨的时候学校会关门吗", True),
        ("ฉันควรซื้อทองคำตอนนี้ไหม", "ฉันควรซื้อทองคำตอนนี้ไหมคะ", False),
        ("Ich möchte früher in Rente gehen", "Ich möchte später ein Haus bauen", True),
        ("क्या मुझे अभी सोना खरीदना चाहिए", "क्या मुझे अभी घर बेचना चाहिए", True),
        ("Curso de ingle\u0301s", "curso de ingl\u00e9s", False),
        ("???", "!!!", True),
        ("👍", "👍", False),
    ],
)
def test_the_rule_serves_every_script(first, second, new):
    assert (verdicts((first,), (second,))[1] is None) == new


def test_numbers_and_words_are_the_tokens():
    said = tokens("Two of my 1,000 shares fell by 3.5%!")
    assert said == ["2", "of", "my", "1000", "shares", "fell", "by", "3.5"]
