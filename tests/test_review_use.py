"""What people decide counts wherever records are chosen, exported, or known to be right."""

import json
from pathlib import Path

import pytest
from jobs import rows_in

from distillgen import facts
from distillgen.records import digest


def row(i, **more):
    return {
        "question": f"What is {i}?", "user_context": f"I am {i} years old", "rationale": "Count.",
        "answer": f"It is {i}.", "rationale_source": "requested", "id": f"r{i}",
        "teacher": "openai:t", "request": "k",
    } | more  # fmt: skip


def said(i, decision, reviewer="Anna", **more):
    return {"id": f"r{i}", "reviewer": reviewer, "decision": decision} | more


def edit(i, was, **fields):
    return said(i, "edit", fields=fields, was=was)


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.fixture
def run(cli):
    """Makes a run folder of answers and decisions."""

    def make(rows, reviews, **others):
        folder = cli.folder / "run"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text("{}")
        for name, found in {"answers": rows, "reviews": reviews, **others}.items():
            rows_in(folder / f"{name}.jsonl", found)
        return folder

    return make


def exported(cli, target="run", *more):
    """The rows of all splits by id, and what was left out."""
    told = cli("export", target, "--format", "jsonl", "--json", *more).told
    folder = cli.folder / "run/export/jsonl"
    rows = {}
    for path in folder.glob("*.meta.jsonl"):
        data = lines(folder / path.name.replace(".meta", ""))
        rows |= {m["id"]: (data[m["row"] - 1], m) for m in lines(path)}
    return rows, told["exports"]["jsonl"]["left_out"], told


# -- export ----------------------------------------------------------------------------------


def test_the_rejected_are_left_out_and_the_edits_taken(cli, run):
    run([row(i) for i in range(4)], [
        said(0, "reject", reason="wrong"), said(1, "accept"),
        edit(2, {"answer": "It is 2."}, answer="It is two.", question="What is two?"),
    ])  # fmt: skip
    rows, left_out, told = exported(cli)
    assert set(rows) == {"r1", "r2", "r3"}
    assert left_out == {"rejected_by_review": 1}
    data, meta = rows["r2"]
    assert (data["answer"], data["question"]) == ("It is two.", "What is two?")
    assert meta["edited_by"] == "Anna"
    assert "edited_by" not in rows["r1"][1]
    assert told["reviewed"] == {"reject": 1, "accept": 1, "edit": 1}
    assert lines(cli.folder / "run/answers.jsonl")[2]["answer"] == "It is 2."


def test_a_conflict_is_left_out_until_it_is_settled(cli, run):
    reviews = [said(0, "accept"), said(0, "reject", "Ben"), said(1, "accept")]
    folder = run([row(0), row(1)], reviews)
    rows, left_out, _ = exported(cli)
    assert set(rows) == {"r1"}
    assert left_out == {"review_conflict": 1}
    rows_in(folder / "reviews.jsonl", [*reviews, said(0, "accept", settles=True)])
    assert set(exported(cli)[0]) == {"r0", "r1"}


def test_undo_and_skip_bring_a_record_back(cli, run):
    run([row(0), row(1)], [said(0, "reject"), said(0, "undo"), said(1, "skip")])
    assert set(exported(cli)[0]) == {"r0", "r1"}


def test_an_edit_without_texts_says_that_the_record_is_wrong(cli, run):
    run([row(0), row(1)], [said(0, "edit")])
    assert exported(cli)[1] == {"rejected_by_review": 1}


def test_decisions_about_other_texts_do_not_count_and_that_is_said(cli, run):
    run([row(0), row(1)], [said(0, "reject", version="0123456789abcdef.0")])
    assert set(exported(cli)[0]) == {"r0", "r1"}
    assert "1 reviewed records have other texts now" in cli("export", "run").err


def test_an_edited_label_takes_the_odds_of_the_teachers_away(cli, run):
    rows = [row(i, answer="", label="no", soft_label={"no": 0.9, "yes": 0.1},
                soft_method="verbal") for i in range(2)]  # fmt: skip
    run(rows, [edit(0, {"label": "no"}, label="yes")])
    cli("export", "run", "--format", "soft-labels")
    meta = [one["id"] for path in (cli.folder / "run/export/soft-labels").glob("*.meta.jsonl")
            for one in lines(path)]  # fmt: skip
    assert "r0" not in meta


# -- select ----------------------------------------------------------------------------------


def test_select_never_takes_a_rejected_one_and_takes_edits(cli, run):
    folder = run([row(i) for i in range(5)], [
        said(0, "reject", reason="out of date"), said(1, "accept"), said(1, "reject", "Ben"),
        edit(2, {"answer": "It is 2."}, answer="It is two."), said(3, "accept"),
    ])  # fmt: skip
    told = cli("select", "run", "--json").told
    assert told["counts"] == {
        "given": 5, "kept": 3, "rejected_by_review": 1, "review_conflict": 1,
    }  # fmt: skip
    out = {one["id"]: (one["reason"], one["detail"]) for one in lines(folder / "excluded.jsonl")}
    assert out == {"r0": ("rejected_by_review", "out of date"),
                   "r1": ("review_conflict", "Anna and Ben differ")}  # fmt: skip
    kept = {one["id"]: one for one in lines(folder / "selected.jsonl")}
    assert kept["r2"]["answer"] == "It is two."
    assert kept["r2"]["edited_by"] == "Anna"
    assert kept["r2"]["edited_from"] == {"answer": "It is 2."}


def test_what_people_took_goes_before_scores_and_checks(cli, run):
    rows = [row(i, scores={"correct": s}, checks={"language": {"passed": i != 1}})
            for i, s in enumerate((4, 1, 4, 1))]  # fmt: skip
    folder = run(rows, [said(1, "accept"), edit(3, {"answer": "It is 3."}, answer="Three.")])
    cli("select", "run", "--min", 4, "--require", "language")
    kept = {one["id"]: one for one in lines(folder / "selected.jsonl")}
    assert set(kept) == {"r0", "r1", "r2", "r3"}
    assert "scores" not in kept["r3"]
    cli("select", "run", "--budget", 2)
    assert {one["id"] for one in lines(folder / "selected.jsonl")} == {"r1", "r3"}


def test_an_edit_that_select_took_is_taken_back_with_the_decision(cli, run):
    reviews = [edit(0, {"answer": "It is 0."}, answer="Nought.")]
    folder = run([row(0), row(1)], reviews)
    cli("select", "run")
    rows, _, _ = exported(cli, "run/selected.jsonl")
    assert rows["r0"][0]["answer"] == "Nought."
    assert rows["r0"][1]["edited_by"] == "Anna"
    rows_in(folder / "reviews.jsonl", [*reviews, said(0, "undo")])
    rows, _, _ = exported(cli, "run/selected.jsonl")
    assert rows["r0"][0]["answer"] == "It is 0."
    assert "edited_by" not in rows["r0"][1]


# -- pairs -----------------------------------------------------------------------------------


def drawn(*answers):
    return [{"teacher": "openai:t", "sample": n, "rationale": "Count.", "answer": text,
             "request": "k"} for n, text in enumerate(answers)]  # fmt: skip


def test_an_edited_answer_is_better_than_the_teachers(cli, run):
    folder = run([row(0), row(1)], [edit(0, {"answer": "It is 0."}, answer="Nought.")])
    assert cli("pairs", "run", "--json").told["reasons"] == {"edited": 1}
    (pair,) = lines(folder / "pairs.jsonl")
    assert (pair["chosen"]["answer"], pair["rejected"]["answer"]) == ("Nought.", "It is 0.")
    assert pair["chosen"]["edited_by"] == "Anna"
    assert "teacher" not in pair["chosen"]
    cli("export", "run", "--format", "trl-dpo")


def test_an_edit_of_the_question_alone_is_no_pair_of_answers(cli, run):
    run([row(0)], [edit(0, {"question": "What is 0?"}, question="What is nought?")])
    assert cli("pairs", "run", "--json").told["reasons"] == {}


def test_a_persons_decision_tells_right_from_wrong(cli, run):
    rows = [row(0, gold="7", answer="It is 7.", candidates=drawn("It is 7.", "It is 8."))]
    folder = run(rows, [])
    cli("pairs", "run")
    assert lines(folder / "pairs.jsonl")[0]["chosen"]["answer"] == "It is 7."
    rows_in(folder / "reviews.jsonl", [said(0, "reject")])
    cli("pairs", "run")
    assert not (folder / "pairs.jsonl").exists()


def test_a_judge_does_not_prefer_what_a_person_rejected(cli, run):
    one = row(0, candidates=drawn("It is 0.", "Nought."))
    scores = [
        {"id": "r0", "line": 1, "scores": {"correct": n}, "judge": "j", "request": "k",
         "question": "q", "analysis": "a",
         "of": digest([one["user_context"], one["question"], "Count.", text])[:16]}
        for n, text in ((5, "It is 0."), (2, "Nought."))
    ]  # fmt: skip
    folder = run([one], [], scores=scores)
    cli("pairs", "run")
    assert lines(folder / "pairs.jsonl")[0]["chosen"]["answer"] == "It is 0."
    rows_in(folder / "reviews.jsonl", [said(0, "reject")])
    cli("pairs", "run")
    assert not (folder / "pairs.jsonl").exists()


def test_a_pair_whose_better_side_was_rejected_since_is_left_out(cli, run):
    rows = [row(i, gold="7", answer="It is 7.", candidates=drawn("It is 7.", "It is 8."))
            for i in range(2)]  # fmt: skip
    folder = run(rows, [])
    cli("pairs", "run")
    rows_in(folder / "reviews.jsonl", [said(0, "reject")])
    told = cli("export", "run", "--format", "trl-dpo", "--json").told
    assert told["exports"]["trl-dpo"]["left_out"] == {"rejected_by_review": 1}


@pytest.mark.parametrize("format", ["trl-dpo", "trl-kto"])
def test_a_pair_takes_the_question_that_a_person_wrote_and_not_an_answer_that_was_mended(
    cli, run, format
):
    rows = [row(i, gold="7", answer="It is 7.", candidates=drawn("It is 7.", "It is 8."))
            for i in range(3)]  # fmt: skip
    folder = run(rows, [])
    cli("pairs", "run")
    asked, mended = {"question": "What is 0 + 7?"}, {"answer": "Seven."}
    rows_in(folder / "reviews.jsonl", [
        edit(0, {"answer": "It is 7."}, **asked), edit(1, {"answer": "It is 7."}, **mended),
    ])  # fmt: skip
    told = cli("export", "run", "--format", format, "--split", "train=1", "--json").told
    assert told["exports"][format]["left_out"] == {"edited_by_review": 1}
    found = {r["prompt"][0]["content"].split("\n\n")[-1]
             for r in lines(folder / f"export/{format}/train.jsonl")}  # fmt: skip
    assert found == {"What is 0 + 7?", rows[2]["question"]}
    cli("pairs", "run")
    told = cli("export", "run", "--format", format, "--json").told
    assert told["exports"][format]["left_out"] == {}


def test_where_no_pair_was_found_nobody_is_sent_in_a_circle(cli, run):
    run([row(0)], [])
    cli("pairs", "run")
    said = cli("export", "run", "--format", "trl-dpo", code=2).err
    assert "`pairs` found no two answers" in said
    assert "no pairs yet" not in said


# -- what is known to be right ---------------------------------------------------------------


def test_checks_are_held_against_what_people_decided(cli, run):
    run([row(i) for i in range(6)], [
        said(0, "accept"), said(1, "reject"), edit(2, {"answer": "x"}, answer="Two."),
        edit(3, {"question": "x"}, question="What is three?"),
        said(4, "accept"), said(4, "reject", "Ben"),
    ])  # fmt: skip
    told = cli("check", "run", "--checks", "refused", "--json").told["without_failed"]
    assert (told["known"], told["reviewed"], told["right"]) == (4, 4, 0.5)


def test_a_report_counts_what_people_decided(run):
    folder = run([row(i) for i in range(4)], [
        said(0, "accept"), said(1, "reject"), said(2, "accept"), said(2, "reject", "Ben"),
        said(3, "reject"), said(3, "undo"),
    ])  # fmt: skip
    found = facts.of(folder)
    assert found.reviews == {"accept": 1, "reject": 1, "conflict": 1}
    assert found.right == {True: 1, False: 1}


# -- the command -----------------------------------------------------------------------------


def test_the_command_sends_records_out_and_takes_decisions_in(cli, run):
    folder = run([row(i) for i in range(3)], [said(0, "accept")])
    (folder / "reviews.jsonl").unlink()
    told = cli("review", "run", "--export", "out.csv", "--json").told
    assert (told["counts"]["given"], told["files"]) == (3, ["out.csv"])
    path = cli.folder / "out.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").replace("It is 1.", "It is one."))
    told = cli("review", "run", "--import", "out.csv", "--reviewer", "Anna", "--json").told
    assert told["imported"] == {
        "given": 3, "taken": 1, "there": 0, "left": 0, "open": 2, "refused": 0, "warnings": [],
    }  # fmt: skip
    assert told["counts"] == {
        "given": 3, "accept": 0, "edit": 1, "reject": 0, "conflict": 0, "open": 2,
    }  # fmt: skip
    (line,) = lines(folder / "reviews.jsonl")
    assert (line["reviewer"], line["fields"]) == ("Anna", {"answer": "It is one."})


def test_the_command_names_what_it_could_not_take_and_ends_with_1(cli, run):
    run([row(0)], [])
    rows_in(cli.folder / "in.jsonl", [said(0, "accept"), said(7, "accept")])
    ran = cli("review", "run", "--import", "in.jsonl", code=1)
    assert "2 rows = 1 taken + 0 there already + 0 open + 1 refused" in ran.err
    assert "in.jsonl:2: unknown id r7" in ran.err


@pytest.mark.parametrize(
    ("option", "words"),
    [(["--order", "best"], "--order best"), (["--double", 2], "--double 2"),
     (["--export", "x.pdf"], "x.pdf"), (["--import", "none.csv"], "none.csv")],
)  # fmt: skip
def test_a_bad_option_of_the_command_is_named(cli, run, option, words):
    run([row(0)], [])
    assert words in cli("review", "run", *option, code=2).err


def test_a_summary_is_one_object(cli, run):
    run([row(i) for i in range(3)], [said(0, "accept"), said(0, "accept", "Ben")])
    told = cli("review", "run", "--json").told
    assert told["command"] == "review"
    assert told["kappa"][0]["records"] == 1
    assert set(told["estimate"]) >= {"error", "low", "high", "more"}


def test_without_its_packages_the_page_says_what_to_install(cli, run):
    run([row(0)], [])
    patched = cli.patched("import sys; sys.modules['distillgen.review.server'] = None")
    assert "distillgen[review]" in cli("review", "run", code=2, **patched).err
