"""Children that resemble their example on purpose: without a teacher, and with one."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from itertools import takewhile

import pytest
from conftest import KEY, ROOT
from jobs import balanced, content, lines, seeds, teacher

from distillgen import asides, dedupe, first_names
from distillgen.equations import numbers, read
from distillgen.records import Completion, Example, Seed
from distillgen.strategies import augment

FREE = ["--strategy", "augment", "--operations", "numbers,names,irrelevant"]
SHOP = Seed(
    user_context="Ida sells 12 hats for 3 euros each.", question="How many euros has she then?",
    answer="36", meta={"equation": "12 * 3", "Answer": 36},
)  # fmt: skip


def made(operation: str, parent: Seed | Example = SHOP, throw: int = 0) -> augment.Made | None:
    return augment.made(operation, parent, random.Random(throw))


# -- without a teacher -----------------------------------------------------------------------------


def test_without_a_teacher_nothing_is_asked_nor_a_key_needed(cli, server, tmp_path):
    """Not even the teacher that is named is contacted; a larger -n walks on."""
    job = ["expand", seeds(tmp_path, "arithmetic"), *FREE, "--json"]
    told = cli(*job, "-n", 60, *teacher(server), "-o", "named", OPENAI_API_KEY="").told
    assert server.asked == []
    assert balanced(told)
    assert (told["counts"]["kept"], told["usage"]["requests"], told["cost_usd"]) == (60, 0, 0)
    whole = content(tmp_path / "named")["inputs.jsonl"]
    cli(*job, "-n", 25, "-o", "grown", XDG_CACHE_HOME=str(tmp_path / "no weights"))
    first = content(tmp_path / "grown")["inputs.jsonl"]
    assert whole.startswith(first)
    assert first.count(b"\n") == 25
    cli(*job, "-n", 60, "-o", "grown")
    assert content(tmp_path / "grown")["inputs.jsonl"] == whole
    assert not (tmp_path / "no weights").exists()
    made = lines(tmp_path / "named/inputs.jsonl")
    assert {row["operation"] for row in made} == {"numbers", "names", "irrelevant"}
    assert not any(row.get("request") for row in made)


def test_each_right_answer_is_that_of_the_equation_and_of_the_text(cli, tmp_path):
    cli("expand", seeds(tmp_path, "arithmetic"), *FREE, "-n", 100)
    rows = lines(tmp_path / "runs/arithmetic/inputs.jsonl")
    chains = Counter(row["operation"] for row in rows if row["generation"] > 1)
    assert chains["numbers"] > 5
    for row in rows:
        assert row["gold"]
        if equation := row.get("meta", {}).get("equation"):
            known = read(equation)
            assert known
            assert known.result == Fraction(row["gold"]) > 0
            there = {n.value for n in numbers(f"{row['user_context']} {row['question']}")}
            assert {leaf.value for leaf in known.leaves} <= there


def test_children_of_one_example_are_capped_and_none_is_asked_for_in_vain(cli, tmp_path):
    job = ["expand", seeds(tmp_path, "arithmetic"), *FREE, "-n", 400]
    ran = cli(*job, "--json", code=1)
    assert (ran.told["ended"], ran.told["counts"]["capped"]) == ({"expand": "saturated"}, 0)
    assert "2 inputs of one example are kept at most; more: --per-parent N" in " ".join(
        cli(*job, code=1).err.split()
    )
    rows = lines(tmp_path / "runs/arithmetic/inputs.jsonl")
    children = Counter(row["parents"][0] for row in rows)
    assert max(children.values()) == 2
    assert max(row["generation"] for row in rows) == 3
    assert len(rows) > 12 * (2 + 4 + 8) * 0.9
    assert len({(row.get("user_context"), row["question"]) for row in rows}) == len(rows)
    cli(*job, "--per-parent", 5, "-o", "more")
    children = Counter(row["parents"][0] for row in lines(tmp_path / "more/inputs.jsonl"))
    assert max(children.values()) == 5


def test_what_is_known_of_the_parent_and_no_longer_true_is_not_carried_on():
    child = made("numbers")
    assert child
    assert [name for name, _ in child.meta] == ["equation"]
    assert child.gold != "36"
    for operation in ("names", "irrelevant", "rephrase"):
        child = made(operation)
        assert child
        assert (child.gold, dict(child.meta)) == ("36", {"equation": "12 * 3"})


def test_a_name_in_the_answer_is_exchanged_as_well():
    who = Seed(
        user_context="Peter has 3 eggs and Anna 2.", question="Who has more?", answer="Peter"
    )
    child = made("names", who)
    assert child
    assert child.gold == child.user_context.split()[0] != "Peter"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ida paints her door.", False),
        ("Peter Lynch bought shares.", True),
        ("We moved to Port Louis.", True),
        ("St. Peter is far away.", True),
        ("He drives an Aston Martin.", True),
        ("Lenas Hund schläft, und Lena liest.", True),
        ("Danny runs, and danny wins.", True),
        ("Nobody here has a name.", True),
        ("Yesterday Uncle Tom, Ida and I swam.", False),
    ],
)
def test_names_are_exchanged_where_that_is_sound(text, kept):
    found = first_names.swapped([text], random.Random(1))
    assert (found is None) == kept


def test_pronouns_stay_right_and_one_name_stays_one():
    women = set(first_names._WOMEN.split())
    for throw in range(40):
        (text,) = first_names.swapped(
            ["Ida met Peter. She told Peter of Ida's plan."], random.Random(throw)
        ) or [""]
        her, him = text.split()[0], text.split()[2].rstrip(".")
        assert text == f"{her} met {him}. She told {him} of {her}'s plan."
        assert her in women - {"Ida"}
        assert him not in women


@pytest.mark.parametrize(
    ("context", "question", "before"),
    [
        ("Ida has 4 eggs. She eats 2. The dog sleeps.", "How many does she have?",
         {"", "Ida has 4 eggs. She eats 2."}),
        ("I am a baker", "Is gold the right thing?", {"", "I am a baker"}),
        ("Ida has 4 eggs. If Eva eats 2", "How many are there in the end?",
         {"", "Ida has 4 eggs."}),
        ("Premise: The sun shines on the lake.", "Hypothesis: It is dark.", set()),
        ("Ich habe 4 Eier. Mein Hund ist alt.", "Wie viele sind es?", set()),
        ("", "How many eggs are there in the basket?", {""}),
    ],
)  # fmt: skip
def test_an_idle_sentence_stands_where_no_pronoun_is_misled(context, question, before):
    found = set()
    plain = f"{context} {question}".strip()
    for throw in range(100):
        if with_it := asides.inserted(context, question, random.Random(throw)):
            whole = " ".join(with_it).strip()
            equal = takewhile(lambda pair: pair[0] == pair[1], zip(whole, plain, strict=False))
            start = "".join(letter for letter, _ in equal)
            found.add(start.strip())
            new = whole.removeprefix(start).removesuffix(plain.removeprefix(start))
            assert re.fullmatch(r"\.? ?(A|My) [\w ]+\. ?", new)
            taken_up = set(dedupe.tokens(plain)) & set(dedupe.tokens(new))
            assert taken_up <= {"a", "the", "is", "in", "has"}
    assert found == before


def test_of_derived_texts_only_equal_ones_are_duplicates():
    index = dedupe.Index()
    for n in range(6):
        index.add(str(n), (f"Ida sells {n + 2} hats.", "How many euros?"))
    others = ("Ida sells 99 hats.", "How many euros?"), ("Eva sells 2 hats.", "How many euros?")
    for text, reason in zip(others, ("template", "near_duplicate"), strict=True):
        found = index.verdict(text)
        assert found
        assert found.reason == reason
        assert index.verdict(text, equal=True) is None
    equal = index.verdict(("Ida sells two hats!", "how many euros"), equal=True)
    assert equal
    assert (equal.reason, equal.of) == ("near_duplicate", "0")


def test_the_benchmark_finds_every_recomputed_answer_right(cli, tmp_path):
    problems = [
        ("Ida has 14 hats in 2 boxes", "How many are in a box?", "( 14.0 / 2.0 )", 7.0),
        ("Tom, 40, had 81 stamps. He lost 19", "How many has he left?", "( 81.0 - 19.0 )", 62.0),
        ("8 boys carry 12 chairs each and 9 more.", "How many?", "( ( 8.0 * 12.0 ) + 9.0 )", 105.0),
        ("Eva cuts 2.5 metres off 9.75 metres", "How much is left?", "( 9.75 - 2.5 )", 7.25),
        ("36 eggs fill 3 crates; 5 more stay", "How many a crate?", "( 36.0 / 3.0 )", 12.0),
        ("A dozen eggs cost 6 euros", "How many eggs for 9 euros?", "( 12.0 * 9.0 / 6.0 )", 18.0),
    ]
    names = ("Body", "Question", "Equation", "Answer")
    rows = [dict(zip(names, problem, strict=True)) for problem in problems]
    (tmp_path / "svamp").mkdir()
    (tmp_path / "svamp/SVAMP.json").write_text(json.dumps(rows))
    ran = subprocess.run(
        [sys.executable, ROOT / "benchmarks/augment.py", tmp_path],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "5 of 6 problems = 83.3% can be changed; 15 changed, wrong: none" in ran.stdout
    assert ran.stdout.count("\n- ") == 15


# -- with a teacher --------------------------------------------------------------------------------


def test_backwards_a_number_of_the_equation_is_asked_for():
    seen = set()
    for throw in range(20):
        child = made("backward", throw=throw)
        assert child
        assert (child.answer, child.meta) == ("36", ())
        assert child.user_context == SHOP.user_context.replace(child.gold, "x")
        seen.add(child.gold)
    assert seen == {"12", "3"}


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": None},
        {"answer": "36 euros"},
        {"answer": "37"},
        {"user_context": "Ida sells 12 hats for 3 euros each, and 3 coats."},
        {"user_context": "Ida sells 12 hats for 3 euros each and x coats."},
    ],
)
def test_backwards_nothing_is_asked_without_a_known_answer_or_what_determines_x(changes):
    parent = SHOP.model_copy(update=changes)
    kept = [made("self_verification", parent, throw) for throw in range(20)]
    if "and 3 coats" in parent.user_context:
        assert {one.gold for one in kept if one} == {"12"}
    else:
        assert not any(kept)


@pytest.mark.parametrize(
    ("operation", "texts", "why"),
    [
        ("rephrase", ("At 3 euros each Ida sells a dozen hats.", "Her money?"), "other numbers"),
        ("rephrase", ("At three euros each Ida sells 12 hats.", "Her money?"), ""),
        ("backward", ("Ida sells x hats for 3 euros each.", "36 is right. What is x?"), ""),
        ("backward", ("Ida sells x hats for 3 euros each.", "36 is right. How many?"), "for x"),
        ("backward", ("Ida sells x hats.", "36 is right. What is x?"), "lacks a number"),
        ("backward", ("Ida sells x hats for 3 euros each.", "What is x?"), "what the answer is"),
        ("backward", ("Ida sells 12 hats for 3 euros each: 36.", "What is x?"), "gives away"),
    ],
)
def test_what_a_teacher_lost_or_gave_away_is_no_use(operation, texts, why):
    wanted = {"user_context": SHOP.user_context, "question": SHOP.question, "gold": "36"}
    if operation == "backward":
        wanted |= {
            "user_context": "Ida sells x hats for 3 euros each.",
            "gold": "12",
            "answer": "36",
        }
    lineage = {"operation": operation, "parents": ["a"], "generations": [1], "made": [wanted]}
    lineage["made"][0]["meta"] = {}
    said = {"examples": [dict(zip(("user_context", "question"), texts, strict=True))]}
    (found,) = augment.parse(Completion(json.dumps(said), finish_reason="stop"), lineage)
    assert why in found.problem
    assert bool(found.problem) == bool(why)
    assert not found.near
    origin = {"operation": operation, "generation": 2, "parents": ("a",), "gold": wanted["gold"]}
    assert found.origin == origin | {"meta": {}}


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("augment --operations numbers,nonsense", "`nonsense`; there are: numbers, names, irrel"),
        ("evolve --operations numbers", "`numbers`; there are: constraints, deepen"),
        ("few-shot --operations numbers", "`numbers`; there are: none for few-shot"),
        ("evolve=0.5,augment=0.5 --operations deepen,", "no operation ``; there are: constraints"),
        ("augment --operations numbers", "augment: numbers: nothing of this applies to any seed"),
    ],
)
def test_operations_are_checked_before_anything_is_asked(refused, server, tmp_path, asked, said):
    """The stock advisor's seeds have no equations."""
    job = ["run", seeds(tmp_path), *teacher(server), "--strategy", *asked.split()]
    assert said in refused(*job)


def test_only_the_operations_that_are_named_are_used(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 40, *teacher(server), "--strategy",
        "evolve=0.5,augment=0.5", "--operations", "breadth,self-verification,deepen,names",
        "--per-parent", 9, "--per-call", 2)  # fmt: skip
    rows = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    assert {row["operation"] for row in rows} <= {"breadth", "deepen", "names"}
    assert {row["operation"] for row in rows if row["strategy"] == "evolve"} == {
        "breadth",
        "deepen",
    }
    assert KEY not in json.dumps(rows)
