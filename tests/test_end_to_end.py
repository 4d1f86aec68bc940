"""The whole way through the command line, on a server that always says the same."""

import json

import pytest
from jobs import balanced, bodies, content, lines, questions, seeds, sent_again, teacher

SMALL = ["-n", 40, "--per-call", 4]


def test_the_same_job_at_any_concurrency_brings_the_same_bytes(cli, server, tmp_path):
    server.set(latency_s=0.002, spread=0.6, dress="mixed", useless_share=0.03)
    source = seeds(tmp_path)
    found = []
    for concurrency in (1, 8, 64):
        ran = cli(
            "run", source, "-n", 300, "-o", f"at-{concurrency}", "--concurrency", concurrency,
            "--format", "trl-prompt-completion", "--format", "step-by-step",
            *teacher(server), "--json", "--max-failed", 1,
        )  # fmt: skip
        assert balanced(ran.told)
        assert ran.told["counts"]["expand"]["kept"] == 300
        found.append(content(tmp_path / f"at-{concurrency}"))
    first, second, third = found
    assert first == second == third
    assert {"inputs.jsonl", "answers.jsonl", "rejected.jsonl"} <= first.keys()
    assert "export/step-by-step/train.jsonl" in first
    assert len(first["inputs.jsonl"].splitlines()) == 300


def test_a_finished_job_run_again_asks_nothing_and_changes_nothing(cli, server, tmp_path):
    job = ["run", seeds(tmp_path), *SMALL, *teacher(server), "--json"]
    cli(*job)
    before = content(tmp_path / "runs/stock_advisor")
    with server.counting() as asked:
        ran = cli(*job)
    assert asked == []
    assert balanced(ran.told)
    assert ran.told["usage"]["requests"] == 0
    assert content(tmp_path / "runs/stock_advisor") == before


def test_a_larger_n_goes_on_and_ends_where_it_would_have_at_once(cli, server, tmp_path):
    source = seeds(tmp_path)
    job = ["run", source, *teacher(server), "--json"]
    for n in (100, 300):
        ran = cli(*job, "-n", n, "-o", "grown")
        assert balanced(ran.told)
        if n == 100:
            first = content(tmp_path / "grown")
    assert sent_again(server.asked) == 0
    cli(*job, "-n", 300, "-o", "at_once")
    grown = content(tmp_path / "grown")
    assert grown == content(tmp_path / "at_once")
    for name in ("inputs.jsonl", "answers.jsonl"):
        assert grown[name].splitlines()[:100] == first[name].splitlines()
    with server.counting() as asked:
        cli(*job, "-n", 100, "-o", "grown")
    assert asked == []
    assert content(tmp_path / "grown") == first


def test_the_three_commands_make_what_run_makes(cli, server, tmp_path):
    source = seeds(tmp_path)
    cli("run", source, *SMALL, *teacher(server), "-o", "whole")
    for job in (
        ["expand", source, *SMALL, *teacher(server), "-o", "steps"],
        ["answer", "steps", *teacher(server)],
        ["check", "steps"],
        ["export", "steps"],
    ):
        assert balanced(cli(*job, "--json").told)
    assert content(tmp_path / "steps") == content(tmp_path / "whole")


def test_a_closed_task_is_answered_with_its_labels(cli, server, tmp_path):
    cli("run", seeds(tmp_path, "nli"), *SMALL, *teacher(server))
    answers = lines(tmp_path / "runs/nli/answers.jsonl")
    assert {row["label"] for row in answers} == {"entailment", "neutral", "contradiction"}
    assert all(row["rationale"] for row in answers)


def test_a_pilot_counts_for_the_full_run(cli, server, tmp_path):
    job = ["answer", questions(tmp_path / "mine.jsonl", 30), *teacher(server), "--json"]
    pilot = cli(*job, "--limit", 10).told
    assert (pilot["counts"]["given"], pilot["counts"]["kept"], len(server.asked)) == (10, 10, 10)
    with server.counting() as asked:
        whole = cli(*job).told
    assert balanced(whole)
    assert (whole["counts"]["kept"], len(asked)) == (30, 20)


def test_equal_inputs_are_asked_once_and_all_answered(cli, server, tmp_path):
    source = tmp_path / "twice.jsonl"
    source.write_text('{"question": "Buy gold?"}\n' * 3)
    told = cli("answer", source, *teacher(server), "--json").told
    assert told["counts"]["kept"] == 3
    assert len(server.asked) == 1
    ids = [row["id"] for row in lines(tmp_path / "runs/twice/answers.jsonl")]
    assert len(set(ids)) == 3


def test_nothing_is_asked_in_a_dry_run(cli, server, tmp_path):
    ran = cli("run", seeds(tmp_path), *SMALL, *teacher(server), "--dry-run")
    assert server.asked == []
    assert "following the same pattern" in ran.out
    assert not (tmp_path / "runs").exists()


# -- what a server can and cannot do ----------------------------------------------------------


@pytest.mark.parametrize(
    "can",
    [
        {"structured": "json_object"},
        {"structured": "text"},
        {"structured": "text", "says_why": False},
        {"structured": "text", "dress": "mixed"},
    ],
)
def test_the_same_command_works_whatever_structure_a_server_knows(cli, server, tmp_path, can):
    source = questions(tmp_path / "mine.jsonl", 20)
    job = ["answer", source, *teacher(server), "--json"]
    cli(*job, "-o", "with_schema")
    server.set(**can)
    told = cli(*job, "-o", "without").told
    assert balanced(told)
    assert told["counts"]["kept"] == 20
    assert content(tmp_path / "without") == content(tmp_path / "with_schema")


def test_a_server_that_refuses_a_seed_is_asked_without(cli, server, tmp_path):
    server.set(takes_seed=False, structured="text", says_why=False)
    told = cli("run", seeds(tmp_path), *SMALL, *teacher(server), "--json").told
    assert balanced(told)
    assert told["counts"]["answer"]["kept"] == 40
    assert all("seed" not in asked.body for asked in server.asked if asked.status == 200)


def test_a_model_that_wants_max_completion_tokens_gets_it(cli, server, tmp_path):
    server.set(limit_name="max_completion_tokens")
    told = cli("answer", questions(tmp_path / "m.jsonl", 5), *teacher(server), "--json").told
    assert told["counts"]["kept"] == 5
    assert [asked.status for asked in server.asked] == [400, 200, 200, 200, 200, 200]


@pytest.mark.parametrize(
    ("dress", "source"),
    [
        ("plain", "requested"), ("fence", "requested"), ("prose", "requested"),
        ("think", "requested"), ("reasoning", "native"), ("thinking", "native"),
    ],
)  # fmt: skip
def test_a_reply_in_any_dress_ends_as_an_answer(cli, server, tmp_path, dress, source):
    server.set(dress=dress)
    ran = cli("answer", questions(tmp_path / "mine.jsonl", 6), *teacher(server))
    answers = lines(tmp_path / "runs/mine/answers.jsonl")
    assert len(answers) == len(server.asked) == 6
    assert {row["rationale_source"] for row in answers} == {source}
    assert all(row["rationale"] and row["answer"].startswith("Put ") for row in answers)
    assert all("<think" not in row["answer"] + row["rationale"] for row in answers)
    assert "without a rationale" not in ran.err


def test_answers_without_rationale_are_told_loudly(cli, server, tmp_path):
    server.set(dress="bare")
    ran = cli("answer", questions(tmp_path / "mine.jsonl", 6), *teacher(server))
    assert "WARNING: 6 of 6 answers came without a rationale" in ran.err
    sources = [row["rationale_source"] for row in lines(tmp_path / "runs/mine/answers.jsonl")]
    assert sources == ["none"] * 6


def test_a_truncated_answer_is_a_failure_and_never_data(cli, server, tmp_path):
    server.set(dress="uneven")
    source = questions(tmp_path / "mine.jsonl", 20)
    told = cli("answer", source, *teacher(server), "--json", code=1).told
    assert balanced(told)
    failures = lines(tmp_path / "runs/mine/failures.jsonl")
    assert {row["kind"] for row in failures} == {"truncated"}
    assert told["counts"]["failed"] == len(failures) == 20 - told["counts"]["kept"]
    assert len(server.asked) == 20, "to draw again would be paid for to no avail"


def test_a_truncated_batch_keeps_its_whole_items(cli, server, tmp_path):
    server.set(dress="cut")
    job = ["expand", seeds(tmp_path), *teacher(server), "--per-call", 6, "-n", 30, "--json"]
    told = cli(*job).told
    assert balanced(told)
    assert told["counts"]["kept"] == 30
    assert told["counts"]["short"] > 0


def test_derived_files_hold_nothing_that_differs_from_run_to_run(cli, server, tmp_path):
    """The server's reply ids and times, and its port, stand in the journal alone."""
    cli("run", seeds(tmp_path), *SMALL, *teacher(server))
    port = server.url.split(":")[2].removesuffix("/v1")
    for text in content(tmp_path / "runs/stock_advisor").values():
        for word in ("chatcmpl", port, str(tmp_path)):
            assert word.encode() not in text


def test_every_seed_asks_for_something_else(cli, server, tmp_path):
    """Equal shots must not bring equal replies: each request of expand is its own draw."""
    cli("expand", seeds(tmp_path), *SMALL, *teacher(server))
    assert max(bodies(server.asked).values()) == 1
    assert len({asked.body["seed"] for asked in server.asked}) == len(server.asked)


def test_seeds_take_no_place_of_inputs_that_differ_in_their_numbers_alone(cli, tmp_path):
    def case(age):
        return {"user_context": f"I am {age} years old.", "question": "Should I buy gold?"}

    (tmp_path / "gold.jsonl").write_text("\n".join(json.dumps(case(n)) for n in (30, 40, 50)))
    reply = {"examples": [case(n) for n in (61, 62, 63, 64)]}
    (tmp_path / "script.jsonl").write_text(json.dumps({"reply": reply}))
    job = ["expand", "gold.jsonl", "-n", 3, "--per-call", 4, "--json"]
    counts = cli(*job, "--teacher", "scripted:script.jsonl").told["counts"]
    assert (counts["kept"], counts["template"]) == (3, 0)
