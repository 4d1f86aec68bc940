"""What holds for every strategy and every mix of them, and what is particular to each."""

import json
from collections import Counter
from functools import cache

import pytest
from jobs import balanced, content, lines, material, seeds, sent_again, teacher

from distillgen import replies
from distillgen.prompts import find
from distillgen.records import Completion, Example, Seed, Terms
from distillgen.strategies import Setting, Turn, evolve, names, personas, turns
from distillgen.task import Task

MIX = "few_shot=0.4,evolve=0.2,personas=0.2,augment=0.1,transform=0.1"
ALL = [*names(), "few_shot=0.5,evolve=0.3,personas=0.2", "topics=0.5,attributes=0.2,few-shot=0.3",
       MIX]  # fmt: skip
OF_ONE = ("evolve", "augment", "transform", "images")
SEED_SETS = {"augment": "arithmetic", "transform": "arithmetic"}
SEEDS = tuple(
    Seed(user_context=f"I am a {who}, and save for years.", question=f"Is {what} a good idea?")
    for who, what in (("baker", "gold"), ("nurse", "a flat"), ("judge", "a loan"))
)


@cache
def setting(name: str, per_call: int = 2, generations: int = 3) -> Setting:
    return Setting(
        terms=Terms("t"), task=Task(name="t"), prompt=find(f"expand.{name}", "", False, []),
        seeds=SEEDS, per_call=per_call, shots=3, human_shots=3, steady=1, short=False,
        random_seed=0, generations=generations, per_parent=2,
    )  # fmt: skip


@pytest.mark.parametrize("strategy", ALL)
def test_the_sequence_is_fixed_goes_on_and_is_asked_once(cli, server, tmp_path, strategy):
    """Equal at any concurrency; a smaller -n is a prefix; nothing is asked the second time."""
    server.set(latency_s=0.002, spread=0.6, useless_share=0.05)
    job = ["expand", seeds(tmp_path, SEED_SETS.get(strategy, "stock_advisor")), "--strategy",
           strategy, "--per-call", 4, "--per-parent", 40, "--patience", 0,
           *material(tmp_path, strategy), *teacher(server), "--json"]  # fmt: skip
    for concurrency in (1, 32):
        told = cli(*job, "-n", 120, "--concurrency", concurrency, "-o", f"at-{concurrency}").told
        assert balanced(told)
        assert told["counts"]["kept"] == 120
    whole = content(tmp_path / "at-32")
    assert content(tmp_path / "at-1") == whole

    with server.counting() as asked:
        cli(*job, "-n", 50, "-o", "grown")
        first = content(tmp_path / "grown")["inputs.jsonl"].splitlines()
        assert first == whole["inputs.jsonl"].splitlines()[:50]
        cli(*job, "-n", 120, "-o", "grown")
    assert sent_again(asked) == 0
    assert content(tmp_path / "grown") == whole
    with server.counting() as asked:
        cli(*job, "-n", 120, "-o", "grown")
    assert asked == []
    assert content(tmp_path / "grown") == whole


@pytest.mark.parametrize("strategy", ALL)
def test_every_example_says_how_it_was_made_and_so_does_its_answer(cli, server, tmp_path, strategy):
    cli("run", seeds(tmp_path, SEED_SETS.get(strategy, "stock_advisor")), "-n", 60, "--per-call", 4,
        "--per-parent", 40, "--strategy", strategy, *material(tmp_path, strategy),
        *teacher(server), "-o", "run")  # fmt: skip
    run = tmp_path / "run"
    made, answers = lines(run / "inputs.jsonl"), lines(run / "answers.jsonl")
    known = {row["id"] for row in made} | {row["parents"][0] for row in made}
    for row, answer in zip(made, answers, strict=True):
        assert row["parents"]
        assert set(row["parents"]) <= known | {p for r in made for p in r["parents"]}
        fields = ("strategy", "operation", "generation", "persona", "topic", "attributes",
                  "parents", "gold", "family", "images", "meta")  # fmt: skip
        assert {f: row.get(f) for f in fields} == {f: answer.get(f) for f in fields}
        of_one = row["strategy"] in OF_ONE
        assert bool(row.get("operation")) == bool(row.get("family")) == of_one
        assert len(row["parents"]) == 1 or not of_one
        assert bool(row.get("persona")) == (row["strategy"] == "personas")
        assert bool(row.get("topic")) == (row["strategy"] == "topics")
        assert bool(row.get("images")) == (row["strategy"] == "images")
        assert bool(row.get("attributes")) == (row["strategy"] == "attributes")


def test_what_only_repeats_the_form_of_the_prompt_is_no_input(cli, tmp_path):
    (tmp_path / "p").mkdir()
    form = (
        '{"examples": [{"user_context": "who it is, and the facts", "question": "one question"}]}'
    )
    prompt = (
        f"{{% block system %}}Reply so: {form}{{% endblock %}}"
        "{% block user %}{{ shots[0].question }}{% endblock %}"
    )
    (tmp_path / "p/expand.few_shot.j2").write_text(prompt)
    said = [
        ("I am a nurse.", "Is a small car enough?"), ("Who it is and the facts", "May I fly?"),
        ("I am a cook.", "One question?"), ("I am a smith.", "One question: may I sail?"),
    ]  # fmt: skip
    examples = [{"user_context": context, "question": question} for context, question in said]
    (tmp_path / "said.jsonl").write_text(json.dumps({"reply": {"examples": examples}}))
    (tmp_path / "mine.jsonl").write_text(json.dumps({"user_context": "I", "question": "Why?"}))
    cli("expand", "mine.jsonl", "--teacher", "scripted:said.jsonl", "--prompts", "p", "-n", 2,
        "--per-call", 4, "-o", "run")  # fmt: skip
    kept = [row["user_context"] for row in lines(tmp_path / "run/inputs.jsonl")]
    assert kept == ["I am a nurse.", "I am a smith."]
    out = lines(tmp_path / "run/rejected.jsonl")
    assert [row["detail"] for row in out] == ["repeats the prompt"] * 2


def test_a_mix_gives_each_its_share_from_the_beginning(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 200, "--per-call", 4, "--strategy",
        "few_shot=0.5,evolve=0.3,personas=0.2", *teacher(server))  # fmt: skip
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    told = cli("stats", "runs/stock_advisor", "--json").told["yield"]["by_strategy"]
    kept = Counter(row["strategy"] for row in made)
    assert {name: of["kept"] for name, of in told.items()} == kept
    for n in (40, 200):
        found = Counter(row["strategy"] for row in made[:n])
        for name, share in (("few_shot", 0.5), ("evolve", 0.3), ("personas", 0.2)):
            assert abs(found[name] / n - share) <= 0.11


@pytest.mark.parametrize(
    ("model", "per_call", "shots"), [("teacher-1", 10, 8), ("tiny-135m", 1, 3)]
)
def test_the_manifest_says_what_the_size_of_the_teacher_settled(
    cli, server, tmp_path, model, per_call, shots
):
    server.set(model=model)
    cli("run", seeds(tmp_path), "-n", 10, *teacher(server, model))
    manifest = json.loads((tmp_path / "runs/stock_advisor/manifest.json").read_text())
    settled = manifest["commands"]["expand"]["settled"]
    assert (settled["per_call"], settled["shots"]) == (per_call, shots)
    assert manifest["commands"]["answer"]["settled"]["shots"] == 2


def test_turns_follow_the_shares_and_count_what_each_had():
    drawn = [turn for _, turn in zip(range(100), turns([0.6, 0.3, 0.1]), strict=False)]
    assert Counter(part for part, _ in drawn) == {0: 60, 1: 30, 2: 10}
    for part in range(3):
        assert [had for which, had in drawn if which == part] == list(range(len(
            [1 for which, _ in drawn if which == part])))  # fmt: skip


# -- evolve ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (("I am 40.", "Sorry, I cannot rewrite this."), "apology"),
        (("I am 40.", "#Rewritten Prompt#: is gold good?"), "words of the prompt"),
        (("I am 40.", "Is the given prompt about gold?"), "words of the prompt"),
        (("I am 40.", "Is it so?!"), "stop words"),
        (("I am 40 years old!", "Should I buy some gold now"), "no more than its parent"),
        (("I am 41 years old.", "Should I buy some gold now?"), "no more than its parent"),
        (("I am 40 and must pay a debt by May.", "Should I buy some gold, or pay it first?"), ""),
        (("I owe my sorry brother " + "a sum of money and " * 40, "Should I pay?"), ""),
    ],
)
def test_the_eliminator_refuses_what_is_no_use(made, why):
    found = evolve.eliminated(made, ("I am 40 years old.", "Should I buy some gold now?"))
    assert why in found
    assert bool(found) == bool(why)


def test_what_was_rewritten_often_enough_is_not_rewritten_again():
    old = [Example(question=f"Q{i}", id=str(i), generation=3) for i in range(50)]
    young = [Example(question=f"Y{i}", id=f"y{i}", generation=2) for i in range(50)]
    drawn = Counter()
    for place in range(300):
        planned = evolve.plan(Turn(place, place), [*old, *young], setting("evolve"))
        drawn.update(planned.lineage["parents"])
    assert not any(example.id in drawn for example in old)
    assert len([id for id in drawn if id.startswith("y")]) > 45
    assert {seed.id for seed in SEEDS} <= drawn.keys()


def test_each_operation_comes_up_about_as_often():
    drawn = Counter(
        evolve.plan(Turn(place, place), (), setting("evolve")).lineage["operation"]
        for place in range(1400)
    )
    assert drawn.keys() == set(evolve.OPERATIONS)
    assert all(150 < n < 250 for n in drawn.values())


def test_a_rewritten_input_belongs_to_the_sample_it_names():
    lineage = {
        "operation": "deepen", "parents": ["a", "b"], "generations": [0, 2],
        "texts": [["I am 1", "Why?"], ["c", "d"]],
    }  # fmt: skip
    said = (
        '{"examples": [{"sample": 2, "user_context": "I fish", "question": "Which boat holds?"},'
        ' {"sample": "#1", "user_context": "I bake", "question": "Which flour lasts?"},'
        ' {"sample": 3, "user_context": "I sail", "question": "Which rope?"}]}'
    )
    found = evolve.parse(Completion(said, finish_reason="stop"), lineage)
    assert [(p.origin["parents"], p.origin["generation"]) for p in found[:2]] == [
        (("b",), 3),
        (("a",), 1),
    ]
    assert "sample" in found[2].problem


# -- personas --------------------------------------------------------------------------------------


def test_a_persona_that_was_there_already_is_rejected(cli, server, tmp_path):
    server.set(twins=0.5)
    cli("expand", seeds(tmp_path), "-n", 40, "--per-call", 4, "--strategy", "personas",
        *teacher(server))  # fmt: skip
    made = lines(tmp_path / "runs/stock_advisor/inputs.jsonl")
    assert len({row["persona"] for row in made}) == len(made)


def test_personas_are_told_which_were_there():
    pool = [Example(question=f"Q{i}", id=str(i), persona=f"person {i}") for i in range(200)]
    planned = personas.plan(Turn(500, 500), pool, setting("personas"))
    asked = planned.request.messages[-1].content
    assert "person 199" in asked
    assert "person 150" not in asked


def test_a_reply_without_a_persona_is_no_proposal():
    said = '{"examples": [{"user_context": "I fish", "question": "Which boat?"}]}'
    with pytest.raises(replies.ParseError, match="persona"):
        personas.parse(Completion(said, finish_reason="stop"), {"parents": []})
