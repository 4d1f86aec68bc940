"""What a change asks anew: exactly the requests whose meaning it changes, and no other."""

import json
import shutil

import pytest
from conftest import ROOT
from jobs import balanced, bodies, content, lines, questions, seeds, teacher
from teacher_server import TeacherServer

N = 12


@pytest.fixture
def answered(cli, server, tmp_path):
    """A finished `answer`, as the words of a command that can be changed."""
    job = ["answer", questions(tmp_path / "mine.jsonl", N), *teacher(server), "--json"]
    cli(*job)
    return job


def prompt(folder, name, old, new):
    """A copy of a prompt with one change, as `--prompts` takes it."""
    folder.mkdir()
    text = (ROOT / "prompts" / f"{name}.j2").read_text()
    assert old in text
    (folder / f"{name}.j2").write_text(text.replace(old, new, 1))
    return ["--prompts", folder]


@pytest.mark.parametrize(
    "change",
    [
        ["--temperature", 0.9], ["--top-p", 0.5], ["--max-tokens", 700], ["--server", "other"],
    ],
    ids=lambda change: change[0],
)  # fmt: skip
def test_an_option_that_changes_the_meaning_asks_all_anew(cli, server, answered, change):
    with server.counting() as asked:
        told = cli(*answered, *change).told
    assert balanced(told)
    assert len(asked) == N


def test_an_option_changed_back_asks_nothing(cli, server, answered):
    cli(*answered, "--temperature", 0.9)
    with server.counting() as asked:
        cli(*answered)
    assert asked == []


def test_a_changed_model_asks_all_anew(cli, server, answered):
    with server.counting() as asked:
        cli(*answered, *teacher(server, "teacher-1-mini"))
    assert len(asked) == N


def test_options_that_change_nothing_ask_nothing(cli, server, answered):
    change = ["--concurrency", 3, "--timeout", 7, "--resample", 4, "--rpm", 6000]
    with server.counting() as asked:
        cli(*answered, *change)
    assert asked == []


def test_another_base_url_asks_nothing_and_is_told(cli, server, answered):
    second = TeacherServer()
    try:
        ran = cli(*(second.url if word == server.url else word for word in answered))
        assert second.asked == []
    finally:
        second.close()
    words = " ".join(ran.err.split())
    assert f"replies from {server.url} are reused for {second.url}" in words
    assert "--server NAME keeps servers apart" in words


def test_a_named_server_is_not_told_of_anothers_replies(cli, server, answered):
    ran = cli(*answered, "--server", "other")
    assert "are reused for" not in ran.err


def test_a_changed_system_text_asks_all_anew(cli, server, answered, tmp_path):
    change = prompt(tmp_path / "p", "answer", "You are {{ expert }}.", "You are {{ expert }}!")
    with server.counting() as asked:
        cli(*answered, *change)
    assert len(asked) == N


def test_a_changed_prompt_asks_exactly_the_requests_it_touches(cli, server, answered, tmp_path):
    touch = "{% if 'number 7' in question %}Be brief.{% endif %}\n<question>"
    change = prompt(
        tmp_path / "p", "answer", "<question>\n{{ question }}", touch + "\n{{ question }}"
    )
    with server.counting() as asked:
        told = cli(*answered, *change).told
    (one,) = asked
    assert "Be brief." in one.body["messages"][-1]["content"]
    assert told["counts"]["kept"] == N


@pytest.mark.parametrize("name", ["answer", "expand.few_shot"])
def test_a_changed_comment_in_a_prompt_asks_nothing(cli, server, tmp_path, name):
    job = ["run", seeds(tmp_path), "-n", 12, "--per-call", 3, *teacher(server), "--json"]
    cli(*job)
    before = content(tmp_path / "runs/stock_advisor")
    with server.counting() as asked:
        told = cli(*job, *prompt(tmp_path / "p", name, "{#", "{# Mine. ")).told
    assert asked == []
    assert balanced(told)
    after = content(tmp_path / "runs/stock_advisor")
    changed = {file for file in before if after[file] != before[file]}
    assert changed == {"export/trl-prompt-completion/README.md"}  # it names the prompts' digests
    assert after.keys() == before.keys()


@pytest.mark.parametrize(
    "change", [["--temperature", 0.5], ["--random-seed", 1]], ids=lambda change: change[0]
)
def test_a_change_to_expand_walks_another_sequence(cli, server, tmp_path, change):
    job = ["expand", seeds(tmp_path), "-n", 12, "--per-call", 3, *teacher(server), "--json"]
    cli(*job)
    with server.counting() as asked:
        told = cli(*job, *change).told
    assert balanced(told)
    assert len(asked) == told["counts"]["asked"] / 3


def test_a_changed_task_file_asks_all_anew(cli, server, tmp_path):
    source = questions(tmp_path / "mine.jsonl", N)
    task = tmp_path / "mine.toml"
    task.write_text('expert = "a banker"\n')
    job = ["answer", source, *teacher(server)]
    cli(*job)
    assert "You are a banker" in str(server.asked[0].body)
    task.write_text('expert = "a broker"\n')
    with server.counting() as asked:
        cli(*job)
    assert len(asked) == N


def test_an_edited_input_asks_only_for_the_changed_rows(cli, server, answered, tmp_path):
    rows = lines(tmp_path / "mine.jsonl")
    rows[4]["question"] = "What is a share?"
    rows.append({"question": "What is a bond?"})
    del rows[0]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with server.counting() as asked:
        told = cli(*answered).told
    assert balanced(told)
    assert (told["counts"]["given"], len(asked)) == (N, 2)


def test_inputs_changed_by_hand_are_fine_as_input(cli, server, tmp_path):
    job = [*teacher(server), "--json"]
    cli("expand", seeds(tmp_path), "-n", 8, "--per-call", 4, *job)
    inputs = tmp_path / "runs/stock_advisor/inputs.jsonl"
    inputs.write_bytes(b"".join(inputs.read_bytes().splitlines(keepends=True)[:5]))
    assert cli("answer", "runs/stock_advisor", *job).told["counts"]["kept"] == 5


def test_a_file_changed_by_hand_is_not_written_over(cli, server, tmp_path):
    job = ["run", seeds(tmp_path), "-n", 8, "--per-call", 4, *teacher(server)]
    cli(*job)
    answers = tmp_path / "runs/stock_advisor/answers.jsonl"
    mine = answers.read_bytes().replace(b"Put ", b"Lay ")
    answers.write_bytes(mine)
    with server.counting() as asked:
        ran = cli(*job, "-n", 16, code=2)
    assert asked == []
    assert answers.read_bytes() == mine
    assert "changed by hand" in ran.err
    assert "--overwrite" in ran.err
    cli(*job, "-n", 16, "--overwrite")
    assert b"Lay " not in answers.read_bytes()


def test_changed_seeds_stop_before_anything_is_paid(cli, server, tmp_path):
    source = seeds(tmp_path)
    job = ["expand", source, "-n", 8, "--per-call", 4, *teacher(server)]
    cli(*job)
    with source.open("a") as file:
        file.write('{"user_context": "I am new here", "question": "What is a share?"}\n')
    with server.counting() as asked:
        ran = cli(*job, code=2)
        assert asked == []
    assert "-o" in ran.err
    assert "--overwrite" in ran.err
    with server.counting() as asked:
        cli(*job, "--overwrite")
    assert len(asked) >= 2


def test_a_source_may_move_but_not_be_another(cli, server, tmp_path):
    source = seeds(tmp_path)
    job = ["-n", 8, "--per-call", 4, *teacher(server)]
    cli("expand", source, *job)
    shutil.copytree(tmp_path, tmp_path / "moved", ignore=shutil.ignore_patterns("runs", "moved"))
    moved = tmp_path / "moved/stock_advisor.jsonl"
    with server.counting() as asked:
        cli("expand", moved, *job)
        moved.write_bytes(moved.read_bytes().split(b"\n", 1)[1])
        ran = cli("expand", moved, *job, code=2)
    assert asked == []
    assert "-o" in ran.err


def test_replies_of_another_run_are_taken_before_asking(cli, server, tmp_path):
    source = seeds(tmp_path)
    job = ["run", source, "-n", 40, "--per-call", 4, *teacher(server), "--json"]
    cli(*job, "-o", "old")
    with server.counting() as asked:
        ran = cli(*job, "-o", "new", "--reuse", "old")
    assert asked == []
    assert "replies taken from old" in ran.err
    assert ran.told["counts"] == cli(*job, "-o", "old").told["counts"]
    assert content(tmp_path / "new") == content(tmp_path / "old")
    shutil.rmtree(tmp_path / "old")
    with server.counting() as asked:
        cli(*job, "-o", "new")
    assert asked == [], "what was taken is kept here"


def test_only_what_no_other_run_has_is_asked(cli, server, tmp_path):
    first = questions(tmp_path / "first.jsonl", 10)
    second = questions(tmp_path / "second.jsonl", 25)
    server.set(useless_share=0.3)
    cli("answer", first, *teacher(server), "-o", "first", code=None)
    server.set(useless_share=0.0)
    with server.counting() as asked:
        told = cli(
            "answer", second, *teacher(server), "--reuse", "first", "--price-in", 1,
            "--price-out", 2, "--json", code=None,
        ).told  # fmt: skip
    assert len(bodies(asked)) == 15
    assert balanced(told)
    assert told["spent_usd"] == told["cost_usd"]


def test_a_folder_to_reuse_must_be_a_run(refused, server, tmp_path):
    said = refused("answer", questions(tmp_path / "q.jsonl", 3), *teacher(server), "--reuse", "no")
    assert "--reuse no: no run folder" in said
    assert not (tmp_path / "runs").exists()
