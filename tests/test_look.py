"""Commands that only look, and what every command leaves on stdout and stderr."""

import json
import signal

import pytest
from jobs import lines, questions, seeds, teacher
from test_resume import wait_for

SMALL = ["-n", 12, "--per-call", 3]


@pytest.fixture
def done(cli, server, tmp_path):
    """The folder of a finished run."""
    cli("run", seeds(tmp_path), *SMALL, *teacher(server))
    return tmp_path / "runs/stock_advisor"


def test_words_go_to_stderr_and_one_object_to_stdout(cli, server, tmp_path):
    ran = cli("run", seeds(tmp_path), *SMALL, *teacher(server), "--json")
    assert ran.out.count("\n") == 1
    assert {"command", "run", "counts", "usage", "cost_usd", "files"} <= ran.told.keys()
    assert "kept" in ran.err
    files = ran.told["files"]
    assert all((tmp_path / name).is_file() for name in files)
    assert len(set(files)) == len(files)


def test_without_json_stdout_stays_empty(cli, server, tmp_path):
    assert cli("run", seeds(tmp_path), *SMALL, *teacher(server)).out == ""


def test_quiet_says_nothing_when_all_goes_well(cli, server, tmp_path):
    ran = cli("run", seeds(tmp_path), *SMALL, *teacher(server), "--quiet")
    assert (ran.out, ran.err) == ("", "")


def test_every_command_prints_the_same_keys(cli, server, done):
    found = []
    for job in (["expand", "stock_advisor.jsonl", *SMALL], ["answer", "runs/stock_advisor"]):
        found.append(cli(*job, *teacher(server), "--json").told.keys())
    found.append(cli("export", "runs/stock_advisor", "--json").told.keys())
    found.append(cli("retry", "runs/stock_advisor", "--json").told.keys())
    measured = {"answers", "labels", "exports", "leakage"}
    assert all(keys - measured == found[0] for keys in found)


def test_an_answer_can_be_traced_to_its_prompt_and_its_raw_reply(cli, server, done):
    answer = lines(done / "answers.jsonl")[4]
    out = cli("trace", answer["id"]).out
    assert "answers.jsonl:5" in out
    assert "inputs.jsonl:5" in out
    assert f"request {answer['request']}" in out
    assert "You are an expert for stock markets" in out
    assert "chatcmpl" in out
    assert answer["answer"] in out


def test_a_failed_answer_can_be_traced_with_each_of_its_sends(cli, server, tmp_path):
    source = questions(tmp_path / "mine.jsonl", 6)
    server.set(fail_share=0.5, fail_status=413, message="This is too much for me.")
    cli("answer", source, *teacher(server), code=1)
    failure = lines(tmp_path / "runs/mine/failures.jsonl")[0]
    out = cli("trace", failure["id"]).out
    assert "failed: too large" in out
    assert "This is too much for me." in out
    assert failure["question"] in out


def test_what_is_not_there_cannot_be_traced(cli, done):
    assert "--run names the folder" in cli("trace", "0123456789abcdef", code=2).err


def test_status_tells_how_runs_stand(cli, done):
    told = json.loads(cli("status", "--json").out)
    (run,) = told["runs"]
    assert run["run"] == "runs/stock_advisor"
    assert run["requests"] == {"answered": 16, "failed": 0, "open": 0, "in_flight": 0}
    assert {name: entry["ended"] for name, entry in run["commands"].items()} == dict.fromkeys(
        ("expand", "answer", "check", "export", "report"), "done"
    )
    assert "16 answered" in cli("status").out


def test_status_can_be_asked_while_a_run_is_at_work(cli, server, tmp_path):
    server.set(latency_s=30)
    process = cli.start("answer", questions(tmp_path / "mine.jsonl", 6), *teacher(server))
    wait_for(lambda: len(server.asked) == 1)
    (run,) = json.loads(cli("status", "--json").out)["runs"]
    assert run["working_pid"] == process.pid
    assert run["requests"]["in_flight"] == 1
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "broken off; the same command goes on" in cli("status").out


def test_show_reads_answers_on_stdout(cli, done):
    first, second = lines(done / "answers.jsonl")[:2]
    out = cli("show", "runs/stock_advisor", "--limit", 1).out
    assert first["question"].split(" ", 1)[0] in out
    assert first["id"] in out
    assert second["id"] not in out


def test_output_may_be_piped_into_head(cli, done):
    process = cli.start("show", "runs/stock_advisor", "--limit", 0)
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=100)
    assert err == ""
