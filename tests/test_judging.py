"""`judge` and `compare`: what is asked about an answer, what is a verdict, and how good it is."""

import json

import pytest
from jobs import answered, balanced, lines, rows_in, sent_again, teacher

from distillgen.calibration import Calibration

OUT = {"judge": "scores.jsonl", "compare": "comparisons.jsonl"}
ASPECTS = ["correct", "justified", "concrete", "safe"]
GOOD = {"analysis": "It holds.", "correct": 5, "justified": 4, "concrete": 3, "safe": 5}


def judge(server):
    """Another model than the one that answered."""
    return teacher(server, "teacher-1-mini")


def scripted(folder, *replies):
    """A judge that says these, each to a prompt that holds its words."""
    rows_in(folder / "said.jsonl", [{"when": when, "reply": reply} for when, reply in replies])
    return ["--teacher", f"scripted:{folder / 'said.jsonl'}"]


def prompts_of(server):
    """The texts of every request."""
    return ["\n".join(m["content"] for m in one.body["messages"]) for one in server.asked]


@pytest.fixture
def one(tmp_path):
    """A file with one answer."""
    row = {"question": "2 and 2?", "answer": "4", "rationale": "Count.", "gold": "four, 4"}
    return rows_in(tmp_path / "mine.jsonl", [row])


# -- asked once, always the same ---------------------------------------------------------------


@pytest.mark.parametrize("stage", OUT)
def test_verdicts_are_the_same_at_any_concurrency_and_asked_once(cli, server, tmp_path, stage):
    server.set(latency_s=0.002, spread=0.8, useless_share=0.1)
    job = [stage, answered(tmp_path / "mine.jsonl", 40), *judge(server), "--max-failed", 1]
    for concurrency in (1, 32):
        told = cli(*job, "-o", f"at-{concurrency}", "--concurrency", concurrency, "--json").told
        assert balanced(told)
        assert told["counts"]["kept"] > 30
    for name in (OUT[stage], "failures.jsonl"):
        assert lines(tmp_path / "at-1" / name) == lines(tmp_path / "at-32" / name)
    with server.counting() as asked:
        again = cli(*job, "-o", "at-1", "--json").told
    assert asked == []
    assert again["counts"] == told["counts"]


@pytest.mark.parametrize("stage", OUT)
def test_without_money_what_is_there_is_written_and_the_rest_is_asked_later(
    cli, server, tmp_path, stage
):
    job = [stage, answered(tmp_path / "mine.jsonl", 20), *judge(server), "--json",
           "--price-in", 1, "--price-out", 1]  # fmt: skip
    ran = cli(*job, "--max-cost", 0.008, "--concurrency", 1, code=3)
    assert balanced(ran.told)
    assert 0 < ran.told["counts"]["kept"] < 20
    assert ran.told["counts"]["open"] > 0
    part = lines(tmp_path / "runs/mine" / OUT[stage])
    told = cli(*job, "--max-cost", 1).told
    whole = lines(tmp_path / "runs/mine" / OUT[stage])
    assert told["counts"]["kept"] == len(whole) == 20
    assert part == whole[: len(part)]
    assert sent_again(server.asked) == 0


def test_a_limit_is_a_pilot_that_counts_later(cli, server, tmp_path):
    job = ["judge", answered(tmp_path / "mine.jsonl", 12), *judge(server), "--json"]
    assert cli(*job, "--limit", 5).told["counts"]["given"] == 5
    with server.counting() as asked:
        assert cli(*job).told["counts"]["given"] == 12
    assert len(asked) == 7


@pytest.mark.parametrize(("stage", "requests"), [("judge", 6), ("compare", 12)])
def test_a_dry_run_asks_nothing_and_counts_what_it_would(cli, server, tmp_path, stage, requests):
    source = answered(tmp_path / "mine.jsonl", 6)
    told = cli(stage, source, *judge(server), "--dry-run", "--json").told
    assert told["estimate"][stage]["requests"] == requests
    assert "It is 9." in json.dumps(told["prompts"])
    assert server.asked == []
    cli(stage, source, *judge(server))
    assert len(server.asked) == requests
    measured = cli(stage, source, *judge(server), "--dry-run", "--json", "--temperature", 1).told
    assert "as measured" in measured["estimate"][stage]["assumed"]
    told = cli("answer", source, *judge(server), "--dry-run", "--json").told
    assert "not yet measured" in told["estimate"]["answer"]["assumed"]


# -- what counts as a verdict ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [None, 0, 6, -1, 3.5, "good", "4/5", "", True, {"score": 4}, "missing"]
)
def test_a_score_that_is_none_is_a_failure_and_never_a_default(cli, tmp_path, one, wrong):
    reply = GOOD | {"concrete": wrong}
    if wrong == "missing":
        del reply["concrete"]
    ran = cli("judge", one, *scripted(tmp_path, ("", reply)), "--json", code=1)
    assert balanced(ran.told)
    assert ran.told["counts"]["failed"] == 1
    assert not lines(tmp_path / "runs/mine/scores.jsonl")
    (lost,) = lines(tmp_path / "runs/mine/failures.jsonl")
    assert (lost["stage"], lost["kind"], lost["question"]) == ("judge", "schema", "2 and 2?")
    assert "concrete" in lost["detail"]


@pytest.mark.parametrize("said", [4, "4", 4.0, " 4 "])
def test_a_score_may_be_spelled_as_a_number_or_as_text(cli, tmp_path, one, said):
    cli("judge", one, *scripted(tmp_path, ("", GOOD | {"correct": said})))
    (row,) = lines(tmp_path / "runs/mine/scores.jsonl")
    assert row["scores"] == {"correct": 4, "justified": 4, "concrete": 3, "safe": 5}
    assert (row["analysis"], row["line"], row["judge"]) == ("It holds.", 1, "scripted")


def test_what_cannot_be_read_is_drawn_again_as_often_as_is_said(cli, server, one):
    server.set(useless=1)
    assert cli("judge", one, *judge(server), "--json").told["counts"]["kept"] == 1
    assert len(server.asked) == 2
    server.set(useless=-1)
    job = ["judge", one, *judge(server), "--temperature", 1, "--resample", 2, "--json"]
    assert cli(*job, code=None).code in (1, 4)
    assert len(server.asked) == 5


def test_what_could_not_be_read_is_asked_again_where_more_draws_are_allowed(cli, server, one):
    server.set(useless=1)
    job = ["judge", one, *judge(server), "--json"]
    assert cli(*job, "--resample", 0, code=1).told["counts"]["failed"] == 1
    assert cli(*job, "--resample", 0, code=1).told["counts"]["failed"] == len(server.asked) == 1
    assert cli(*job, "--resample", 1).told["counts"]["kept"] == 1
    assert len(server.asked) == 2


@pytest.mark.parametrize("better", ["both", "third", "", 1])
def test_a_comparison_that_names_neither_is_a_failure(cli, tmp_path, better):
    source = answered(tmp_path / "mine.jsonl", 1)
    judged = scripted(tmp_path, ("", {"analysis": "Hm.", "better": better}))
    job = ["compare", source, *judged, "--json", "--resample", 0]
    assert cli(*job, code=1).told["counts"]["failed"] == 1
    assert lines(tmp_path / "runs/mine/failures.jsonl")[0]["stage"] == "compare"


def test_only_what_is_said_in_both_orders_counts(cli, tmp_path):
    """The first sum's right answer is named in both orders, of the second whatever stands first."""
    source = answered(tmp_path / "mine.jsonl", 2)
    right_first, wrong_first = (
        f"<first>\nReason: {why}"
        for why in ("So it is.\nAnswer: It is 7", "I guess.\nAnswer: It is 8")
    )
    say = {name: {"analysis": f"I saw {name}.", "better": name} for name in ("first", "second")}
    judged = scripted(tmp_path, (right_first, say["first"]), (wrong_first, say["second"]),
                      ("What is 1 and 8?", say["first"]))  # fmt: skip
    told = cli("compare", source, *judged, "--json").told
    clear, unclear = lines(tmp_path / "runs/mine/comparisons.jsonl")
    assert (clear["first"], clear["second"], clear["better"]) == (0, 1, 0)
    assert clear["analyses"] == ["I saw first.", "I saw second."]
    assert "better" not in unclear
    assert (told["consistent"], told["inconsistent"]) == (1, 1)
    assert told["known"] == {"given": 2, "right": 1, "wrong": 0}
    assert "1 of 2 verdicts (50%) turned with the order" in cli("compare", source, *judged).err


def test_candidates_that_come_to_the_same_are_not_compared(cli, server, tmp_path):
    rows = [json.loads(line) for line in answered(tmp_path / "x.jsonl", 2).read_text().splitlines()]
    rows[0]["candidates"][1]["answer"] = "7.0 it is"
    rows.append({"question": "Why?", "answer": "So."})
    ran = cli("compare", rows_in(tmp_path / "mine.jsonl", rows), *judge(server), "--json")
    assert ran.told["counts"] == {"given": 1, "kept": 1, "failed": 0, "open": 0}
    assert "2 records without two candidates that differ" in ran.err


# -- what the judge is told --------------------------------------------------------------------


def test_the_judge_reads_context_reason_and_answer_and_never_the_right_answer(cli, server, one):
    cli("judge", one, *judge(server))
    (text,) = prompts_of(server)
    assert "<reason>\nCount.\n</reason>\n<answer>\n4\n</answer>" in text
    assert "four" not in text
    (asked,) = server.asked
    form = asked.body["response_format"]["json_schema"]["schema"]
    assert form["required"] == list(form["properties"]) == ["analysis", *ASPECTS]
    assert form["properties"]["safe"] == {"type": "integer", "enum": [1, 2, 3, 4, 5]}


def test_candidates_are_scored_where_it_is_asked_for_equal_ones_once(cli, server, tmp_path):
    rows = [json.loads(line) for line in answered(tmp_path / "x.jsonl", 3).read_text().splitlines()]
    rows[0]["candidates"].append({"teacher": "a:d", "problem": "schema: no answer", "request": "r"})
    for name in ("answer", "rationale"):
        rows[1][name] = rows[1]["candidates"][1][name]
    source = rows_in(tmp_path / "mine.jsonl", rows)
    told = cli("judge", source, *judge(server), "--candidates", "--json").told
    assert told["counts"]["given"] == len(server.asked) == 3 + 2 + 3
    found = lines(tmp_path / "runs/mine/scores.jsonl")
    assert [(row["line"], row.get("candidate")) for row in found] == [
        (1, None), (1, 0), (1, 1), (2, None), (2, 0), (3, None), (3, 0), (3, 1),
    ]  # fmt: skip


RUBRIC = '[kind]\ndescription = "Is it kind?"\n1 = "no"\n5 = "yes"\n'


def test_a_rubric_of_ones_own_says_what_is_scored_and_asks_anew(cli, server, tmp_path, one):
    cli("judge", one, *judge(server))
    own = tmp_path / "prompts/mine/rubric.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f"threshold = 3\n{RUBRIC}")
    ran = cli("judge", one, *judge(server), "--json")
    assert "rubric.toml changed since the last judge: 1 requests are asked anew" in ran.err
    assert "Is it kind?\n  1: no\n  5: yes" in prompts_of(server)[-1]
    assert list(ran.told["scores"]) == ["kind"]
    (row,) = lines(tmp_path / "runs/mine/scores.jsonl")
    assert ran.told["at_threshold"] == (row["scores"]["kind"] >= 3)
    (tmp_path / "other.toml").write_text(RUBRIC.replace("kind", "brief"))
    told = cli("judge", one, *judge(server), "--rubric", "other.toml", "--json").told
    assert list(told["scores"]) == ["brief"]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no aspect in it"),
        ("threshold = 9\n" + RUBRIC, ":1: threshold: write a number from 1 to 5"),
        ("[Kind]\ndescription = 'x'", ":1: `Kind` cannot name an aspect"),
        ("[analysis]\ndescription = 'x'", "another name than `analysis`"),
        ("[kind]\n5 = 'yes'", ":1: [kind] has no description"),
        (RUBRIC + "7 = 'wow'\n", ":5: `7` is neither a description nor a score"),
        ("[kind]\ndescription = 3", ":2: `description` must be a text"),
        ("kind = 'x'", ":1: `kind` must be a table"),
        ("[kind", ":1: not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_rubric_that_cannot_be_used_is_named_with_its_line(
    refused, server, tmp_path, one, text, said
):
    if text is not None:
        (tmp_path / "own.toml").write_text(text)
    assert (
        f"own.toml{said}"
        if said[0] == ":"
        else said in refused("judge", one, *judge(server), "--rubric", "own.toml")
    )


# -- how good the judge is ---------------------------------------------------------------------


def test_the_figures_of_a_calibration_are_these():
    """By hand: right ones have the lowest scores 5 4 2 and the means 5 4.5 3.5, wrong ones 4 2 1
    and 4 3 1."""
    known = Calibration()
    for right, scores in [
        (True, (5, 5)), (True, (4, 5)), (True, (2, 5)),
        (False, (4, 4)), (False, (2, 4)), (False, (1, 1)),
    ]:  # fmt: skip
        known.add(right, scores)
    bars = {(bar.by, bar.at_least): bar for bar in known.bars()}
    figures = {at: (bar.passed, bar.right, bar.precision, bar.recall) for at, bar in bars.items()}
    assert figures["lowest", 2] == (5, 3, 0.6, 1.0)
    assert figures["lowest", 3] == figures["lowest", 4] == (3, 2, 0.6667, 0.6667)
    assert figures["lowest", 5] == (1, 1, 1.0, 0.3333)
    assert figures["mean", 2] == (5, 3, 0.6, 1.0)
    assert figures["mean", 3.5] == (4, 3, 0.75, 1.0)
    assert figures["mean", 4] == (3, 2, 0.6667, 0.6667)
    assert figures["mean", 4.5] == (2, 2, 1.0, 0.6667)
    # Recall less false alarms: 1 - 1/3 at 3.5, 2/3 - 0 at 4.5; of equals the lower bar.
    assert [at for at, bar in bars.items() if bar.best] == [("mean", 3.5)]


@pytest.mark.parametrize(
    "answers",
    [
        [(True, 3), (False, 3)], [(True, 2), (False, 4)], [(True, 4)],
        [(n % 2 > 0, score) for n in range(8) for score in (2, 2, 4, 2 + n % 2)],
    ],
    ids=["equal", "turned", "one kind", "chance"],
)  # fmt: skip
def test_no_bar_is_called_best_that_tells_no_more_than_chance(answers):
    known = Calibration()
    for right, score in answers:
        known.add(right, [score])
    assert not any(bar.best for bar in known.bars())


def scores_by_answer(folder):
    """A judge that gives what says "7" or an odd figure ending in 9 a high score."""
    high, low = ({**GOOD, **dict.fromkeys(ASPECTS, n)} for n in (5, 2))
    return scripted(folder, *((f"<answer>\nIt is {n}.", high if n % 2 else low) for n in range(80)))


def test_a_judge_is_held_against_right_answers_and_then_against_people(cli, tmp_path):
    """A judge that is always right: the right sums are odd."""
    source = answered(tmp_path / "mine.jsonl", 35)
    ran = cli("judge", source, *scores_by_answer(tmp_path), "--json")
    rights = sum(i % 3 > 0 for i in range(35) if i % 5 != 4)
    assert ran.told["known"] == {"given": 28, "right": rights}
    assert "fewer than 30 are too few to go by" in " ".join(ran.err.split())
    best = [bar for bar in ran.told["calibration"] if bar["best"]]
    assert [(bar["by"], bar["at_least"]) for bar in best] == [("lowest", 3)]
    assert (best[0]["precision"], best[0]["recall"]) == (1.0, 1.0)
    decided = [("1", "reject"), ("4", "accept"), ("9", "edit"), ("14", "reject"), ("1", "accept"),
               ("2", "reject"), ("2", "skipped")]  # fmt: skip
    rows_in(tmp_path / "runs/mine/reviews.jsonl", [{"id": i, "decision": d} for i, d in decided])
    told = cli("judge", source, *scores_by_answer(tmp_path), "--json").told
    assert told["known"] == {"given": 28 + 3, "right": rights + 1 - 1}
    assert "too few" not in cli("judge", source, *scores_by_answer(tmp_path)).err


def test_without_any_truth_the_trust_is_said_to_be_unknown(cli, server, tmp_path):
    source = rows_in(tmp_path / "mine.jsonl", [{"question": "Why?", "answer": "So."}])
    ran = cli("judge", source, *judge(server), "--json")
    assert ran.told["calibration"] == []
    assert "how far to trust the scores is not known" in ran.err


def test_a_judge_that_is_its_own_teacher_is_said_so(cli, server, tmp_path):
    source = answered(tmp_path / "mine.jsonl", 3)
    own = cli("judge", source, *teacher(server), "--json")
    assert own.told["own"] == 3
    assert "openai:teacher-1 judged 3 answers of its own" in own.err
    other = cli("judge", source, *judge(server), "--json", "-o", "other")
    assert other.told["own"] == 0
    assert "of its own" not in other.err


# -- files -------------------------------------------------------------------------------------


def test_any_table_with_questions_and_answers_is_judged(cli, server, tmp_path):
    (tmp_path / "mine.csv").write_text('body,reply,why\n"Why, then?",So.,Because.\nHow?,7,\n')
    fields = [w for pair in ("question=body", "answer=reply", "rationale=why")
              for w in ("--field", pair)]  # fmt: skip
    told = cli("judge", "mine.csv", *fields, *judge(server), "--json").told
    assert told["counts"]["kept"] == 2
    assert ["<reason>\n" in text for text in prompts_of(server)].count(True) == 1
    assert [row["line"] for row in lines(tmp_path / "runs/mine/scores.jsonl")] == [2, 3]


def test_rows_that_cannot_be_judged_are_named_before_anything_is_asked(refused, server, tmp_path):
    rows = [{"question": "Why?", "answer": "So."}, {"question": "Why?"},
            {"question": "Why?", "answer": "So.", "candidates": [{"answer": "So."}]},
            {"question": "Why?", "answer": "So.", "candidates": ["Ann", "Bob"]}]  # fmt: skip
    said = refused("judge", rows_in(tmp_path / "mine.jsonl", rows), *judge(server))
    assert "mine.jsonl:2: no `answer`, and no `label`" in said
    assert "mine.jsonl:3: `candidates.0.teacher`: field required" in said
    assert "2 of 4 rows are wrong" in said


@pytest.mark.parametrize("command", ["judge", "compare", "select", "pairs"])
def test_answers_are_in_a_file_or_a_run_that_has_some(refused, tmp_path, command):
    assert "-: answers are read more than once" in refused(command, "-")
    (tmp_path / "runs/mine").mkdir(parents=True)
    (tmp_path / "runs/mine/manifest.json").write_text("{}")
    assert "no answers yet; distillgen answer runs/mine" in refused(command, "runs/mine")
    assert "nowhere.jsonl: no such file" in refused(command, "nowhere.jsonl")


def test_trace_tells_what_the_judge_was_asked_and_said(cli, server, tmp_path):
    cli("judge", answered(tmp_path / "mine.jsonl", 3), *judge(server))
    (_, score, _) = lines(tmp_path / "runs/mine/scores.jsonl")
    said = cli("trace", "1", "--run", "runs/mine").out
    assert "<answer>\nIt is 9.\n</answer>" in said
    assert score["analysis"] in said


def test_failures_of_other_commands_stay(cli, server, tmp_path):
    source = answered(tmp_path / "mine.jsonl", 2)
    server.set(useless=-1)
    job = [*judge(server), "--resample", 0, "--concurrency", 1]
    for stage in OUT:
        cli(stage, source, *job, code=None)
    server.set(useless=0)
    cli("judge", source, *judge(server), "--temperature", 1)
    lost = lines(tmp_path / "runs/mine/failures.jsonl")
    assert {row["stage"] for row in lost} == {"compare"}
