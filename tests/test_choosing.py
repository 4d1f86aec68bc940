"""`select`: who is chosen, who is not and why, and what chance would have chosen."""

import json
import random

import pytest
from jobs import balanced, lines, rows_in, teacher

SUBJECTS = """bread rising overnight|rent in a small town|tides at full moon|bees in winter
|glass that breaks|tax on a second job|wolves near a farm|paint on wet wood|rust below a car
|yeast without sugar|silk from Japan|tea at noon""".replace("\n", "").split("|")


def row(n, score=None, **more):
    """An answer about a subject of its own, with a score in each of two aspects."""
    one, other = SUBJECTS[n % 12], SUBJECTS[5 * n % 11]
    question = f"What is known of {one}?" if n < 12 else f"{one} or {other}?"
    made = {"id": f"n{n}", "question": question, "answer": "So."}
    if score is not None:
        made["scores"] = {"correct": score, "safe": 5}
    return made | more


def passed(**checks):
    """Verdicts as they stand in a row."""
    return {name: {"passed": said} for name, said in checks.items()}


def excluded(run):
    return {line["id"]: line["reason"] for line in lines(run / "excluded.jsonl")}


def chosen(run):
    return [line["id"] for line in lines(run / "selected.jsonl")]


@pytest.fixture
def select(cli, tmp_path):
    """Runs the command on rows and gives back what it told; the ledger adds up."""

    def run(rows, *options):
        source = rows_in(tmp_path / "mine.jsonl", rows)
        told = cli("select", source, *options, "--json").told
        assert balanced(told)
        assert told["counts"]["given"] == len(rows)
        assert told["counts"]["kept"] == len(chosen(tmp_path / "runs/mine"))
        return told

    return run


# -- who is good enough ------------------------------------------------------------------------


def test_everybody_who_is_out_is_told_why(select, tmp_path):
    rows = [
        row(0, 5, checks=passed(gold=True)), row(1, 3, checks=passed(gold=True)),
        row(2, checks=passed(gold=True)), row(3, 5, checks=passed(gold=False)),
        row(4, 5, checks=passed(arithmetic=True)), row(5, 4, checks=passed(gold=True)),
        row(6, 4.5, checks=passed(gold=True)),
        row(7, 5, checks=passed(gold=True), scores={"correct": 5, "safe": 2}),
    ]  # fmt: skip
    told = select(rows, "--min", "correct=4", "--min", 3, "--require", "gold", "--budget", 2)
    run = tmp_path / "runs/mine"
    assert chosen(run) == ["n0", "n6"]
    assert excluded(run) == {
        "n1": "below_min", "n2": "not_judged", "n3": "check_failed", "n4": "check_silent",
        "n5": "over_budget", "n7": "below_min",
    }  # fmt: skip
    details = {line["id"]: line["detail"] for line in lines(run / "excluded.jsonl")}
    assert details["n1"] == "correct is 3, below 4"
    assert details["n7"] == "safe is 2, below 3"
    assert details["n4"] == "gold says nothing of it"
    assert told["counts"] == {
        "given": 8, "kept": 2, "not_judged": 1, "below_min": 2, "check_silent": 1,
        "check_failed": 1, "over_budget": 1,
    }  # fmt: skip


def test_rows_are_kept_whole_in_their_order_and_all_without_any_wish(select, tmp_path):
    rows = [row(n, 1 + n % 5, meta={"n": n}, candidates=[]) for n in range(6)]
    select(rows)
    assert lines(tmp_path / "runs/mine/selected.jsonl") == rows
    assert lines(tmp_path / "runs/mine/excluded.jsonl") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--min", "kind=4"], "--min kind: there is correct, safe"),
        (["--min", "correct=good"], "write ASPECT=SCORE"),
        (["--require", "gold"], "--require: nothing to go by yet; distillgen check comes before"),
        (["--budget", 0], "--budget: "),
        (["--compare", "best"], "--compare: "),
    ],
)
def test_a_wish_that_nothing_can_meet_is_refused(refused, tmp_path, options, said):
    assert said in refused("select", rows_in(tmp_path / "mine.jsonl", [row(0, 4)]), *options)
    assert not (tmp_path / "runs/mine/selected.jsonl").exists()


# -- the best that are not too near ------------------------------------------------------------


def test_the_best_come_first_and_what_is_too_near_to_them_is_passed_over(select, tmp_path):
    rows = [
        row(0, 5), row(1, 4), row(0, 4.8, id="near", question="What is known of bread rising now?"),
        row(2, 3), row(3, 2),
    ]  # fmt: skip
    select(rows, "--budget", 3)
    run = tmp_path / "runs/mine"
    assert chosen(run) == ["n0", "n1", "n2"]
    assert excluded(run) == {"near": "too_near", "n3": "over_budget"}
    (near,) = [line for line in lines(run / "excluded.jsonl") if line["id"] == "near"]
    assert near["of"] == "n0"
    # "what is known of bread rising overnight" and "… now": six of seven words in order.
    assert near["similarity"] == 0.8571


def test_what_was_passed_over_fills_a_budget_that_nothing_else_fills(select, tmp_path):
    sums = [row(n, 5 - n / 10, question=f"What do {n} and {n + 1} make together?")
            for n in range(5)]  # fmt: skip
    select([*sums, row(7, 1)], "--budget", 3)
    assert chosen(tmp_path / "runs/mine") == ["n0", "n1", "n7"]
    assert set(excluded(tmp_path / "runs/mine").values()) == {"too_near"}


def test_the_order_of_the_file_changes_nothing(select, tmp_path):
    dice = random.Random(3)
    rows = [row(n, dice.randint(1, 5), question=f"Is {dice.choice(SUBJECTS)} worth {n % 7} coins?")
            for n in range(60)]  # fmt: skip
    found = []
    for _ in range(3):
        told = select(rows, "--budget", 15, "--min", "correct=2")
        found.append((sorted(chosen(tmp_path / "runs/mine")), excluded(tmp_path / "runs/mine")))
        assert told["compared"]["selected"]["records"] == 15
        dice.shuffle(rows)
    assert found[0] == found[1] == found[2]


def test_the_score_is_the_mean_of_scores_checks_and_votes(select, tmp_path):
    """By hand: 0.75 | (1 + 0.5)/2 = 0.75 -> id | (0.875 + 0.5 + 0.9)/3 = 0.758 | 0.7."""
    rows = [
        row(1, 3, id="b"), row(2, 5, id="a", checks=passed(x=True, y=False)),
        row(3, 4, id="c", checks=passed(x=True, y=False), vote_share=0.9),
        row(4, id="d", vote_share=0.7), row(5, id="e"),
    ]  # fmt: skip
    for budget, best in enumerate(["c", "ca", "cab", "cabd", "cabde"], 1):
        told = select(rows, "--budget", budget)
        assert set(chosen(tmp_path / "runs/mine")) == set(best)
    assert told["compared"]["selected"]["score"] == round((0.7583 + 0.75 * 2 + 0.7) / 4, 4)


# -- chance ------------------------------------------------------------------------------------


def test_as_many_drawn_at_random_are_shown_beside_always_the_same(select, cli, tmp_path):
    rows = [row(n, 1 + n % 5, checks=passed(x=n % 2 > 0), gold="so" if n % 5 > 2 else "no")
            for n in range(50)]  # fmt: skip
    one, again = (select(rows, "--budget", 10)["compared"] for _ in range(2))
    assert one == again
    assert {name: figures["records"] for name, figures in one.items()} == {
        "selected": 10, "random": 10, "given": 50,
    }  # fmt: skip
    assert one["given"]["scores"] == {"correct": 3.0, "safe": 5.0}
    assert one["given"]["checks"] == {"x": 0.5}
    assert one["given"]["right"] == 0.4
    assert one["selected"]["right"] == one["selected"]["checks"]["x"] == 1.0
    for figures in one.values():
        assert 0 < figures["distinct_2"] <= 1 < figures["compression_ratio"]
    other = select(rows, "--budget", 10, "--random-seed", 1)["compared"]
    assert other["selected"]["scores"] == one["selected"]["scores"]
    assert other["random"] != one["random"]


def test_it_is_said_whether_chance_would_have_done_as_well(cli, tmp_path):
    def said(right):
        rows = [row(n, 5 if n < 20 else 2, gold="so" if right(n) else "no") for n in range(80)]
        if right(0) is None:
            rows = [{k: v for k, v in one.items() if k != "gold"} for one in rows]
        ran = cli("select", rows_in(tmp_path / "mine.jsonl", rows), "--budget", 20)
        return " ".join(ran.err.split())

    assert "more than chance would have" in said(lambda n: n < 30)
    by_chance = said(lambda n: n % 2 > 0 or n == 0)
    assert "a random choice is as good: 55% are right, of all 51%" in by_chance
    assert "better than a random choice is not known" in said(lambda n: None)


# -- what a judge said -------------------------------------------------------------------------


def test_scores_of_a_judge_are_gone_by_and_never_taken_for_those_of_another_answer(
    cli, server, tmp_path
):
    rows = [row(n) for n in range(8)]
    source = rows_in(tmp_path / "mine.jsonl", rows)
    cli("judge", source, *teacher(server))
    scores = [line["scores"] for line in lines(tmp_path / "runs/mine/scores.jsonl")]
    told = cli("select", source, "--min", "correct=3", "--json").told
    good = {f"n{n}" for n, one in enumerate(scores) if one["correct"] >= 3}
    assert set(chosen(tmp_path / "runs/mine")) == good
    assert 0 < len(good) < 8
    kept = lines(tmp_path / "runs/mine/selected.jsonl")
    assert all(line["scores"] == scores[int(line["id"][1:])] for line in kept)
    rows_in(tmp_path / "runs/mine/part.jsonl", [rows[int(i[1:])] for i in sorted(good)][::-1])
    told = cli("select", "runs/mine/part.jsonl", "--min", "correct=3", "--json").told
    assert told["counts"] == {"given": len(good), "kept": len(good)}
    rows = [one | {"answer": "Other."} if one["id"] in good else one for one in rows]
    rows_in(source, rows)
    told = cli("select", source, "--min", "correct=3", "--json").told
    assert told["counts"] == {
        "given": 8, "kept": 0, "not_judged": len(good), "below_min": 8 - len(good),
    }  # fmt: skip


def test_verdicts_of_checks_are_found_by_line_and_else_by_an_id_that_stands_once(select, tmp_path):
    run = tmp_path / "runs/mine"
    run.mkdir(parents=True)
    said = [{"id": i, "line": n, "checks": passed(gold_too=n != 2)}
            for n, i in enumerate(("a", "a", "b"), 1)]  # fmt: skip
    rows_in(run / "checks.jsonl", said)
    rows = [row(0, id="a"), row(1, id="a"), row(2, id="b")]
    select(rows, "--require", "gold-too")
    assert [one["question"] for one in lines(run / "selected.jsonl")] == [
        rows[0]["question"], rows[2]["question"],
    ]  # fmt: skip
    assert lines(run / "selected.jsonl")[1]["checks"] == passed(gold_too=True)
    select([rows[2], rows[0], row(3, id="c"), rows[1]], "--require", "gold_too")
    assert excluded(run) == {"a": "check_silent", "c": "check_silent"}
    assert chosen(run) == ["b"]


def test_what_is_selected_is_exported(cli, tmp_path):
    rows = [row(n, 1 + n % 5) for n in range(10)]
    ran = cli("select", rows_in(tmp_path / "mine.jsonl", rows), "--min", 4)
    assert "export runs/mine/selected.jsonl" in ran.err
    told = cli("export", "runs/mine/selected.jsonl", "--json").told
    assert told["counts"]["kept"] == 4
    (tmp_path / "mine.csv").write_text("question,answer\nWhy?,So.\nHow?,7\n")
    assert cli("select", "mine.csv", "--budget", 1, "--json").told["counts"]["kept"] == 1
    assert json.loads((tmp_path / "runs/mine/selected.jsonl").read_text())["answer"] in ("So.", "7")
