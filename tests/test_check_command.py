"""`check`: verdicts beside any file of answers, and what each check is worth on them."""

import pytest
from jobs import lines, rows_in, seeds, teacher

SUMS = [
    {"question": "3 eggs and 4 eggs?", "rationale": "3 + 4 = 7", "answer": "(3 + 4)", "gold": "7"},
    {"question": "9 eggs, 2 break?", "rationale": "9 - 2 = 6", "answer": "(9 - 2)", "gold": "7"},
    {"question": "5 bags of 2?", "rationale": "5 * 3 = 15", "answer": "(5 * 3)", "gold": "10"},
    {"question": "8 eggs for 2?", "rationale": "8 / 2 = 4", "answer": "(8 / 2)", "gold": "4"},
]
TWO = ("--checks", "arithmetic,grounded")


def known(n):
    """Answers whose gold is known, three of four of them right."""
    return [{**SUMS[i % 4], "id": i} for i in range(n)]


@pytest.fixture
def sums(tmp_path):
    return rows_in(tmp_path / "sums.jsonl", SUMS)


def test_every_answer_has_its_line_of_verdicts_in_order_and_the_file_stays(cli, tmp_path, sums):
    before = sums.read_bytes()
    told = cli("check", sums, *TWO, "--json").told
    found = lines(tmp_path / "runs/sums/checks.jsonl")
    assert [row["question"] for row in found] == [row["question"] for row in SUMS]
    assert [row["line"] for row in found] == [1, 2, 3, 4]
    assert [row["checks"]["arithmetic"]["passed"] for row in found] == [True, False, True, True]
    assert found[2]["checks"]["grounded"] == {"passed": False, "value": ["3"]}
    assert told["counts"] == {"given": 4, "passed": 2, "failed": 2}
    assert told["checks"]["grounded"]["passed"] == 3
    assert told["checks"]["grounded"]["not_applicable"] == 0
    assert told["files"] == ["runs/sums/checks.jsonl"]
    assert sums.read_bytes() == before


def test_without_names_all_checks_are_asked_and_those_that_do_not_apply_are_said(cli, sums):
    ran = cli("check", sums)
    assert "do not apply:" in ran.err
    assert "label_in_set" in ran.err
    assert "states_answer" in ran.err


def test_what_each_check_is_worth_is_told_by_gold(cli, tmp_path):
    more = [{**SUMS[2], "id": i} for i in range(40, 50)]
    file = rows_in(tmp_path / "known.jsonl", [*known(40), *more])
    told = cli("check", file, *TWO, "--json").told
    assert told["checks"]["grounded"] == {
        "passed": 30, "failed": 20, "not_applicable": 0, "known": 50, "precision": 1.0,
        "recall": 1.0, "right_if_failed": 0.0,
    }  # fmt: skip
    assert told["checks"]["arithmetic"]["precision"] == 0.5
    assert told["checks"]["arithmetic"]["recall"] == 0.6667
    assert told["overlap"] == []
    assert told["without_failed"] == {
        "known": 50, "reviewed": 0, "right": 0.6, "kept": 0.4, "right_of_kept": 1.0,
        "keeps_right": 0.6667, "keeps_wrong": 0.0, "p_star": 1.0,
    }  # fmt: skip
    said = cli("check", file, *TWO).err
    assert "0.600 of 50 known (by gold)" in said
    assert "too few" not in said
    assert all(len(line) <= 80 for line in said.splitlines() if not line.startswith("Next"))


def test_few_known_answers_are_called_too_few(cli, sums):
    assert "too few to judge a check by" in cli("check", sums, *TWO).err


def test_a_review_outweighs_gold_and_the_last_word_holds(cli, tmp_path):
    file = rows_in(tmp_path / "known.jsonl", known(4))
    cli("check", file, *TWO)
    decisions = [("0", "accept"), ("0", "reject"), ("1", "edit"), ("2", "accept")]
    rows_in(tmp_path / "runs/known/reviews.jsonl",
            [{"id": id, "decision": decision} for id, decision in decisions])  # fmt: skip
    told = cli("check", file, *TWO, "--json").told["without_failed"]
    assert (told["reviewed"], told["right"]) == (3, 0.5)


def test_answers_that_fail_two_checks_are_counted(cli, tmp_path):
    both = {"question": "5 bags?", "rationale": "5 * 9 = 15", "answer": "15"}
    told = cli("check", rows_in(tmp_path / "a.jsonl", [both]), *TWO, "--json").told
    assert told["overlap"] == [{"checks": ["arithmetic", "grounded"], "both": 1}]


def test_columns_of_a_table_are_mapped(cli, tmp_path):
    (tmp_path / "mine.csv").write_text("q,a,truth\nHow many?,It is 7.,7\nHow few?,It is 8.,9\n")
    fields = [
        word for pair in ("question=q", "answer=a", "gold=truth") for word in ("--field", pair)
    ]
    told = cli("check", "mine.csv", *fields, "--checks", "gold", "--json").told
    assert told["checks"]["gold"] == {"passed": 1, "failed": 1, "not_applicable": 0}


def test_a_file_without_answers_is_refused(refused, cli, tmp_path):
    file = rows_in(tmp_path / "q.jsonl", [{"question": "Why?"}])
    assert "--field answer=COLUMN" in refused("check", file)
    assert not (tmp_path / "runs/q/checks.jsonl").exists()


def test_an_unknown_check_is_refused_with_the_near_name(refused, sums):
    assert "did you mean grounded" in refused("check", sums, "--checks", "gronded")


def test_answers_of_a_run_are_checked_there_with_its_labels_and_votes(cli, server, tmp_path):
    cli("run", seeds(tmp_path), "-n", "4", *teacher(server))
    run = tmp_path / "runs/stock_advisor"
    told = cli("check", run, "--json").told
    assert told["counts"]["given"] == 4
    assert told["run"] == "runs/stock_advisor" or told["run"] == str(run)
    ids = [row["id"] for row in lines(run / "answers.jsonl")]
    assert [row["id"] for row in lines(run / "checks.jsonl")] == ids
    before = (run / "checks.jsonl").read_bytes()
    cli("check", run)
    assert (run / "checks.jsonl").read_bytes() == before


def test_what_our_own_answers_carry_is_checked(cli, tmp_path):
    row = {"question": "Up?", "answer": "yes", "vote_share": 0.4, "agreement": 1.0, "teacher": "t",
           "request": "r", "id": "1", "rationale_source": "none"}  # fmt: skip
    file = rows_in(tmp_path / "a.jsonl", [row])
    told = cli("check", file, "--checks", "votes,teachers-agree", "--json").told
    assert told["checks"]["votes"]["failed"] == told["checks"]["teachers_agree"]["passed"] == 1
