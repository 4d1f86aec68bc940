"""`pairs`: which answer is better than which, how that is known, and what length tells."""

import pytest
from jobs import answered, balanced, lines, rows_in, teacher

from distillgen.contenders import Items


def candidate(answer, why="", who="a:b"):
    return {"teacher": who, "answer": answer, "rationale": why, "request": f"r-{answer}"}


def asked(*answers, gold=None, **more):
    """A question with these answers, the first of which was chosen."""
    made = {"question": "2 and 2?", "answer": answers[0], **more}
    made["candidates"] = [candidate(answer) for answer in answers]
    return made | ({"gold": gold} if gold else {})


@pytest.fixture
def pair(cli, tmp_path):
    """Runs the command on rows, with scores and comparisons by text; gives back what it told."""

    def run(rows, *options, scores=(), better=()):
        source = rows_in(tmp_path / "mine.jsonl", rows)
        digests = {}
        for item in Items(source):
            digests |= {one.answer: item.digest(one) for one in item.all}
        run = tmp_path / "runs/mine"
        run.mkdir(parents=True, exist_ok=True)
        said = [
            {"of": digests[text], "scores": {"a": n, "b": n}} for text, n in dict(scores).items()
        ]
        rows_in(run / "scores.jsonl", said)
        known = [{"of": [digests[t] for t in two], "first": 0, "second": 1, "better": 0}
                 for two in better]  # fmt: skip
        rows_in(run / "comparisons.jsonl", known)
        told = cli("pairs", source, *options, "--json").told
        assert balanced(told)
        return told

    return run


def made(tmp_path):
    """Of each pair the better answer, the worse, and how it is known."""
    rows = lines(tmp_path / "runs/mine/pairs.jsonl")
    return [(row["chosen"]["answer"], row["rejected"]["answer"], row["reason"]) for row in rows]


def test_the_right_answer_goes_before_whatever_judges_say(pair, tmp_path):
    pair([asked("5", "4", gold="4")], scores={"5": 5, "4": 1}, better=[("5", "4")])
    assert made(tmp_path) == [("4", "5", "right_wrong")]


def test_scores_go_before_a_comparison_where_they_are_far_enough_apart(pair, tmp_path):
    rows = [asked("x", "y", "z")]
    told = pair(rows, scores={"x": 3, "y": 2, "z": 4}, better=[("x", "y")])
    assert made(tmp_path) == [("z", "y", "judge_margin")]
    assert lines(tmp_path / "runs/mine/pairs.jsonl")[0]["margin"] == 2.0
    assert told["reasons"] == {"judge_margin": 1}
    pair(rows, "--margin", 2.5, scores={"x": 3, "y": 2, "z": 4}, better=[("x", "y")])
    assert made(tmp_path) == [("x", "y", "compared")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (asked("4"), "single"), (asked("4", "4"), "single"),
        (asked("4", "4.0", gold="4"), "all_right"), (asked("5", "6", gold="4"), "all_wrong"),
        (asked("x", "y"), "undecided"),
    ],
)  # fmt: skip
def test_a_question_without_a_pair_is_told_why(pair, tmp_path, row, reason):
    told = pair([row, asked("4", "5", gold="4", question="And?")], scores={"4": 3})
    assert told["counts"] == {"given": 2, "kept": 1, reason: 1}
    (out,) = lines(tmp_path / "runs/mine/unpaired.jsonl")
    assert (out["reason"], out["question"], out["line"]) == (reason, "2 and 2?", 1)


def test_of_equal_pairs_the_answers_nearest_in_length_are_taken(pair, tmp_path):
    pair([asked("4", "it is 4, as I said", "it is 5 for sure", "7" * 40, gold="4")])
    assert made(tmp_path) == [("it is 4, as I said", "it is 5 for sure", "right_wrong")]


def test_records_of_several_teachers_are_paired_and_both_sides_are_written_whole(pair, tmp_path):
    rows = [
        {"id": "1", "question": "2 and 2?", "answer": "4", "rationale": "Count.", "gold": "4",
         "teacher": "a:b", "request": "k1"},
        {"id": "1-2", "question": "2 and 2?", "answer": "5", "rationale": "I guess.", "gold": "4",
         "teacher": "a:c", "request": "k2"},
        {"id": "2", "question": "3 and 3?", "user_context": "I am 6", "answer": "6", "gold": "6"},
    ]  # fmt: skip
    told = pair(rows)
    assert told["counts"] == {"given": 2, "kept": 1, "single": 1}
    assert lines(tmp_path / "runs/mine/pairs.jsonl") == [{
        "question": "2 and 2?",
        "chosen": {"rationale": "Count.", "answer": "4", "teacher": "a:b", "id": "1",
                   "request": "k1"},
        "rejected": {"rationale": "I guess.", "answer": "5", "teacher": "a:c", "id": "1-2",
                     "request": "k2"},
        "reason": "right_wrong", "line": 1,
    }]  # fmt: skip


def test_a_judge_and_its_comparisons_are_gone_by(cli, server, tmp_path):
    rows = [line for line in lines(answered(tmp_path / "x.jsonl", 30)) if line.pop("gold", "") or 1]
    source = rows_in(tmp_path / "mine.jsonl", rows)
    cli("compare", source, *teacher(server))
    compared = lines(tmp_path / "runs/mine/comparisons.jsonl")
    cli("pairs", source)
    by_id = {row["chosen"]["id"]: row for row in lines(tmp_path / "runs/mine/pairs.jsonl")}
    for row in compared:
        if "better" in row:
            assert by_id[row["id"]]["chosen"]["candidate"] == row["better"]
        else:
            assert row["id"] not in by_id
    assert 0 < len(by_id) < 30
    cli("judge", source, *teacher(server), "--candidates")
    told = cli("pairs", source, "--json").told
    assert balanced(told)
    assert told["reasons"]["judge_margin"] > 0
    for row in lines(tmp_path / "runs/mine/pairs.jsonl"):
        assert row["reason"] == "compared" or row["margin"] >= 1


# -- length ------------------------------------------------------------------------------------


def test_the_figures_on_length_are_these(pair):
    """By hand: gaps 2 2 -1 0, of lengths 3 1, 4 2, 1 2, 1 1; r = 1.5 / √(8.875 · 2)."""
    both = [("444", "5"), ("4444", "55"), ("4", "55"), ("4", "5")]
    rows = [asked(*two, gold=two[0], question=f"Nr. {n}?") for n, two in enumerate(both)]
    length = pair(rows)["length"]
    assert (length["chosen_longer"], length["rejected_longer"]) == (0.5, 0.25)
    assert length["mean_difference"] == 0.8
    assert length["correlation"] == 0.356


@pytest.mark.parametrize(
    ("longer", "shorter", "said"),
    [(9, 1, "takes the longer one is right in 90%"), (7, 3, ""), (8, 1, ""),
     (1, 9, "takes the shorter one is right in 90%")],
)  # fmt: skip
def test_a_choice_that_length_alone_tells_is_warned_of(cli, tmp_path, longer, shorter, said):
    texts = [("44", "5")] * longer + [("4", "55")] * shorter
    rows = [asked(*two, gold=two[0], question=f"Nr. {n}?") for n, two in enumerate(texts)]
    ran = cli("pairs", rows_in(tmp_path / "mine.jsonl", rows))
    assert ("WARNING: whoever" in ran.err) == bool(said)
    assert said in " ".join(ran.err.split())
