"""The strategy that draws attributes: its file, its marginals, its covering array."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import lines, material, seeds, teacher
from test_strategies import setting

from distillgen.errors import UserError
from distillgen.records import Completion
from distillgen.strategies import Turn
from distillgen.strategies.attributes import (
    Attribute,
    Attributes,
    covering,
    drawn,
    parse,
    plan,
    read,
    text,
)

DRAWS = 2000
ALL = Attributes(
    (
        Attribute("horizon", ("a week", "a year", "ten years"), (1, 1, 1)),
        Attribute("risk", ("none", "some", "much"), (0.7, 0.2, 0.1)),
        Attribute("voice", tuple("abcdefgh"), (3, 1, 1, 1, 1, 1, 1, 1)),
    )
)


def critical(freedom: int) -> float:
    """The 99th percentile of chi-square (Wilson and Hilferty 1931); 0.1 % off at 2 degrees."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + 2.3263 * part**0.5) ** 3


def chi_square(found: Counter, wanted: dict) -> float:
    return sum((found[cell] - n) ** 2 / n for cell, n in wanted.items())


def written(folder, words):
    path = folder / "attributes.toml"
    path.write_text(words)
    return path


# -- independent draws -----------------------------------------------------------------------------


def test_the_bound_is_that_of_the_tables():
    assert critical(1) == pytest.approx(6.635, rel=0.02)
    assert critical(2) == pytest.approx(9.210, rel=0.01)
    assert critical(14) == pytest.approx(29.141, rel=0.001)


@pytest.mark.parametrize("random_seed", range(5))
def test_values_come_as_often_as_asked_for(random_seed):
    made = [drawn(ALL, slot, random_seed) for slot in range(DRAWS)]
    for name, values, weights in ALL.all:
        found = Counter(one[name] for one in made)
        wanted = {v: DRAWS * w / sum(weights) for v, w in zip(values, weights, strict=True)}
        assert chi_square(found, wanted) < critical(len(values) - 1)


def test_attributes_are_drawn_independently_of_each_other():
    made = [drawn(ALL, slot, 0) for slot in range(DRAWS)]
    for one, other in combinations(ALL.all, 2):
        found = Counter((draw[one.name], draw[other.name]) for draw in made)
        cells = product(*(zip(a.values, a.weights, strict=True) for a in (one, other)))
        total = sum(one.weights) * sum(other.weights)
        wanted = {(a, b): DRAWS * v * w / total for (a, v), (b, w) in cells}
        assert chi_square(found, wanted) < critical(len(wanted) - 1)


# -- pairwise --------------------------------------------------------------------------------------


@given(st.lists(st.integers(2, 6), min_size=2, max_size=7))
def test_every_two_values_meet_in_the_array(sizes):
    rows = covering(sizes)
    met = {pair for row in rows for pair in combinations(enumerate(row), 2)}
    first, second = sorted(sizes)[-2:]
    assert len(met) == sum(a * b for a, b in combinations(sizes, 2))
    assert first * second <= len(rows) <= 2 * first * second + len(sizes) * 2


def test_an_array_of_many_attributes_is_far_smaller_than_all_combinations():
    assert len(covering([5] * 8)) <= 50
    assert len(covering([3] * 13)) <= 25


def test_each_pass_through_the_array_covers_all_pairs_and_is_another():
    all = Attributes(ALL.all, pairwise=True)
    length, passes = len(all.array), []
    for n in range(3):
        made = [drawn(all, slot, 0) for slot in range(n * length, (n + 1) * length)]
        met = {pair for one in made for pair in combinations(sorted(one.items()), 2)}
        assert len(met) == 3 * 3 + 3 * 8 + 3 * 8
        passes.append([tuple(one.values()) for one in made])
    assert len({frozenset(rows) for rows in passes}) == 3
    assert passes[0] != sorted(passes[0])


# -- what is asked and read ------------------------------------------------------------------------


def test_the_prompt_shows_each_draw_as_constraints():
    planned = plan(Turn(7, 2), [], replace(setting("attributes", 3), material=ALL))
    draws = planned.lineage["draws"]
    assert draws == [drawn(ALL, slot, 0) for slot in (6, 7, 8)]
    said = planned.request.messages[-1].content
    for n, draw in enumerate(draws, 1):
        wanted = "\n".join([f"List {n}", *(f"- {name}: {value}" for name, value in draw.items())])
        assert wanted in said


def test_each_input_has_the_values_of_the_list_that_it_names():
    lineage = {"parents": ["s"], "draws": [{"a": "1"}, {"a": "2"}]}
    said = (
        '{"examples": [{"number": "2.", "user_context": "I fish", "question": "Which boat?"},'
        ' {"number": "x", "user_context": "I sail", "question": "Which rope?"}]}'
    )
    found = parse(Completion(said, finish_reason="stop"), lineage)
    assert found[0].origin == {"attributes": {"a": "2"}, "parents": ("s",)}
    assert "number x" in found[1].problem


def test_stats_counts_values_and_pairs(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 4, "--per-call", 2, "--strategy", "attributes",
        *material(tmp_path, "attributes"), *teacher(server))  # fmt: skip
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    told = cli("stats", "runs/stock_advisor", "--json").told
    found = told["coverage"]["attributes"]
    assert list(found["values"]["horizon"]) == ["a week", "ten years", "for the children"]
    for name, values in found["values"].items():
        assert Counter(values) == Counter(row["attributes"][name] for row in made)
    pairs = {p for row in made for p in combinations(sorted(row["attributes"].items()), 2)}
    assert (found["pairs"], found["pairs_met"]) == (9 + 6 + 6, len(pairs))
    empty = [v for values in found["values"].values() for v, n in values.items() if not n]
    assert any("no record has" in one for one in told["warnings"]) == bool(empty)
    screen = cli("stats", "runs/stock_advisor").out
    assert f"pairs of values       {len(pairs)} of 21 met" in screen


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line", "what"),
    [
        ('a = ["b", "c"', 1, "not TOML"),
        ('a = ["b", "c"]\na = ["d", "e"]', 2, "not TOML: Cannot overwrite a value"),
        ('a = ["b", "c"]\n\nb = ["d"]', 3, "`b`: one value is no choice"),
        ('a = ["b", "c"]\nb = ["d", "D"]', 2, "`b`: a value stands twice"),
        ('a = ["b", "c"]\nb = ["d", " "]', 2, "`b`: a value is empty"),
        ("a = [20, 40]", 1, "`a`: each value must be a text in quotes"),
        ("a = 5", 1, "`a`: must be a list of texts"),
        ('"" = ["b", "c"]', 1, "``: a name is empty"),
        ("a = { b = 1, c = 0 }", 1, "`a`: each weight must be a number above 0"),
        ("a = { b = 1, c = true }", 1, "`a`: each weight must be a number above 0"),
        ("a = { b = 1, c = inf }", 1, "`a`: each weight must be a number above 0"),
        ('b = ["x", "y"]\n[a]\nb = 1\nc = "2"', 2, "`a`: each weight must be a number above 0"),
        ('coverage = "triple"\na = ["b", "c"]', 1, "coverage: there are 'independent' and 'pairw"),
        ('coverage = "pairwise"\na = ["b", "c"]', 1, "pairwise coverage needs two attributes"),
        ('coverage = "pairwise"\na = ["b", "c"]\nd = { e = 1, f = 2 }', 3, "`d` has weights"),
        ("# nothing\n", 1, "no attribute in it"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path, words, line, what):
    path = written(tmp_path, words)
    with pytest.raises(UserError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: {what}")


def test_lists_weights_and_coverage_are_read(tmp_path):
    found = read(written(tmp_path, 'b = ["x", "y"]\na = { "low" = 3, high = 0.5 }'))
    assert found == Attributes(
        (Attribute("b", ("x", "y"), (1, 1)), Attribute("a", ("low", "high"), (3, 0.5)))
    )
    assert read(written(tmp_path, 'coverage = "pairwise"\na = ["1", "2"]\nb = ["3", "4"]')).pairwise


@pytest.mark.parametrize("name", ["risk", "coverage", 'a "b".c\x7f'])
def test_what_is_drafted_reads_the_same(tmp_path, name):
    draft = {name: ["low", "high"], "long": ["many words " * 5 + str(n) for n in range(4)]}
    found = read(written(tmp_path, text(draft)))
    assert {one.name: list(one.values) for one in found.all} == draft
    assert not found.pairwise
