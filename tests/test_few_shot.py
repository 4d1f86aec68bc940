"""What a request of `expand` shows, and what an answer's request shows."""

from functools import cache

from distillgen.asking import pick_shots
from distillgen.prompts import find
from distillgen.records import Seed, Terms
from distillgen.strategies import Setting, Turn
from distillgen.strategies.few_shot import plan
from distillgen.task import Task

SEEDS = tuple(
    Seed(user_context=f"I am {age}." + " I save." * age, question=f"Buy {age}?")
    for age in range(20, 40)
)


@cache
def setting(short: bool) -> Setting:
    prompt = find("expand.few_shot", "", False, [])
    return Setting(
        terms=Terms("t"), task=Task(name="t"), prompt=prompt, seeds=SEEDS,
        per_call=1, shots=4, human_shots=4, steady=1, short=short, random_seed=0, generations=3,
        per_parent=2,
    )  # fmt: skip


def length_shown(short: bool) -> int:
    """Characters of all seeds that 50 places show."""
    length = {seed.id: len(seed.user_context or "") for seed in SEEDS}
    return sum(
        length[id]
        for i in range(50)
        for id in plan(Turn(i, i), [], setting(short)).lineage["parents"]
    )


def test_small_teachers_are_shown_the_shorter_half_of_what_is_drawn():
    assert length_shown(short=True) < 0.9 * length_shown(short=False)


def test_most_seeds_come_up_for_small_teachers_too():
    shown = {
        id
        for i in range(200)
        for id in plan(Turn(i, i), [], setting(short=True)).lineage["parents"]
    }
    assert shown >= {seed.id for seed in SEEDS[:12]}


def test_a_place_shows_the_same_however_often_it_is_planned():
    for short in (False, True):
        places = [plan(Turn(i, i), [], setting(short)) for i in range(5)]
        assert places == [plan(Turn(i, i), [], setting(short)) for i in range(5)]
        assert len({place.request.key for place in places}) == 5


def test_small_teachers_are_shown_the_shortest_worked_examples():
    told = [
        Seed(user_context="c", question=f"Q{n}?", answer="a" * n, rationale="r" * n)
        for n in (30, 10, 20)
    ]
    assert [len(seed.answer or "") for seed in pick_shots(told, [])] == [30, 10]
    assert [len(seed.answer or "") for seed in pick_shots(told, [], short=True)] == [10, 20]
