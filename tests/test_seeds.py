"""The seeds that come with distillgen: sound, varied, and right where that can be computed."""

import ast
import operator
import re
from collections import Counter
from fractions import Fraction
from itertools import combinations

import pytest

from distillgen.inputs import read_seeds
from distillgen.prompts import packaged, packaged_seeds
from distillgen.records import Seed
from distillgen.task import task_beside

SETS = sorted(path.stem for path in packaged("seeds").glob("*.jsonl"))
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def seeds(name: str) -> list[Seed]:
    return read_seeds(packaged_seeds(name))


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def value(node: ast.expr) -> Fraction:
    """The value of a calculation with + - * / only."""
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value(node.left), value(node.right))
    assert isinstance(node, ast.Constant)
    return Fraction(str(node.value))


def test_the_three_sets_are_there():
    assert SETS == ["arithmetic", "nli", "stock_advisor"]


@pytest.mark.parametrize("name", SETS)
def test_no_two_seeds_of_a_set_are_alike(name):
    for a, b in combinations(seeds(name), 2):
        ours, theirs = (words(f"{s.user_context} {s.question}") for s in (a, b))
        assert len(ours & theirs) / len(ours | theirs) < 0.35, (a, b)


@pytest.mark.parametrize("name", SETS)
def test_each_set_has_a_task_file_that_names_an_expert(name):
    task = task_beside(packaged_seeds(name))
    assert task.name == name
    assert task.expert != type(task)().expert


def test_the_stock_advisor_is_asked_by_many_people_in_many_ways():
    people = seeds("stock_advisor")
    assert people[0].user_context == "I am a 35-year-old business owner"
    assert people[0].question == "Is Dogcoin a good investment option?"
    assert len(people) >= 14
    openings = Counter(" ".join(seed.user_context.split()[:2]) for seed in people)
    assert max(openings.values()) == 1
    lengths = sorted(len(seed.user_context) for seed in people)
    assert lengths[-1] > 5 * lengths[0]
    assert all(seed.tags for seed in people)
    assert len({tag for seed in people for tag in seed.tags}) <= 10


def test_some_answers_about_stocks_show_how_a_good_one_looks():
    models = [seed for seed in seeds("stock_advisor") if seed.answer]
    assert 4 <= len(models) < len(seeds("stock_advisor")) / 2
    for seed in models:
        assert seed.rationale
        assert len(re.findall(r"[.!?](?:\s|$)", seed.answer or "")) <= 3
        assert len(words(seed.rationale) & words(seed.user_context)) >= 5


def test_every_calculation_is_right_and_ends_in_the_answer():
    problems = seeds("arithmetic")
    assert len(problems) >= 10
    assert (problems[0].rationale, problems[0].answer) == ("4 - 2 - 1 = 1", "1")
    for seed in problems:
        steps = re.findall(r"(\d[\d.]*(?: [-+*/] \d[\d.]*)+) = (\d+(?:\.\d+)?)", seed.rationale)
        assert len(steps) == (seed.rationale or "").count("=") > 0
        for calculation, result in steps:
            assert value(ast.parse(calculation, mode="eval").body) == Fraction(result), seed
        assert (seed.rationale or "").endswith(seed.answer or "?")


def test_an_equation_gives_the_answer():
    equations = {seed.answer: seed.meta["equation"] for seed in seeds("arithmetic") if seed.meta}
    assert len(equations) >= 9
    for answer, equation in equations.items():
        assert value(ast.parse(equation, mode="eval").body) == Fraction(answer)


def test_calculations_use_the_numbers_of_their_problem():
    for seed in seeds("arithmetic"):
        steps = (seed.rationale or "").split("; ")
        first = re.findall(r"\d[\d.]*", steps[0].split("=")[0])
        assert any(number in seed.user_context for number in first), seed


def test_inference_labels_are_balanced_and_have_their_reasons():
    pairs = seeds("nli")
    labels = Counter(seed.label for seed in pairs)
    assert set(labels) == set(task_beside(packaged_seeds("nli")).labels)
    assert set(labels) == {"entailment", "neutral", "contradiction"}
    assert len(set(labels.values())) == 1
    assert len(pairs) >= 12
    for seed in pairs:
        assert seed.user_context.startswith("Premise: ")
        assert seed.question.startswith("Hypothesis: ")
        assert seed.rationale
    assert pairs[0].user_context.endswith("A person on a horse jumps over a broken down airplane.")
    assert pairs[0].label == "neutral"
