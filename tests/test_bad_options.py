"""Bad options, keys and prompts: told in a line before anything is asked, exit 2."""

import pytest
from conftest import KEY, ROOT
from jobs import content, seeds, teacher


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--teacher", "opnai:gpt-4.1"], "near: openai"),
        (["--teacher", "gpt-4.1-mini"], "write PROVIDER:MODEL"),
        (["--teacher", "openai:"], "needs a model"),
        (["--teacher", "local:no-such-model"], "no-such-model"),
        (["--base-url", "localhost"], "--base-url"),
        (["--format", "trl-mesages"], "trl-messages"),
        (["--strategy", "few-shots"], "few-shot"),
        (["--rationale", "thinking"], "think"),
        (["--split", "train=2"], "--split"),
        (["--temperature", "9"], "--temperature"),
        (["-n", "0"], "-n"),
        (["--per-call", "none"], "--per-call"),
        (["--field", "question"], "--field question"),
        (["--prompts", "nowhere"], "--prompts nowhere"),
        (["--max-cost", "1", "--price-in", "cheap", "--price-out", "1"], "--price-in cheap"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_a_bad_option_is_named(refused, server, tmp_path, option, said):
    words = refused("run", seeds(tmp_path), *teacher(server), *option)
    assert said in words
    assert not list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize("name", ["expand.few_shot", "answer"])
def test_an_unknown_variable_in_a_prompt_is_named_with_its_line(refused, server, tmp_path, name):
    folder = tmp_path / "p"
    folder.mkdir()
    text = (ROOT / "prompts" / f"{name}.j2").read_text().replace("{{ expert }}", "{{ exprt }}")
    (folder / f"{name}.j2").write_text(text)
    line = text[: text.index("exprt")].count("\n") + 1
    said = refused("run", seeds(tmp_path), *teacher(server), "--prompts", folder)
    assert f"{name}.j2:{line}: unknown variable `exprt`" in said


def test_a_bad_task_file_is_named_with_its_line(refused, server, tmp_path):
    source = seeds(tmp_path)
    source.with_suffix(".toml").write_text('expert = "a banker"\nlables = ["a", "b"]\n')
    said = refused("run", source, *teacher(server))
    assert "stock_advisor.toml:2:" in said
    assert "labels" in said


# -- keys ---------------------------------------------------------------------------------------

PAID = ["--teacher", "openai:gpt-4.1-mini"]


def test_a_missing_key_is_told_with_its_variable(refused, cli, tmp_path):
    del cli.env["OPENAI_API_KEY"]
    said = refused("run", seeds(tmp_path), *PAID)
    assert "set OPENAI_API_KEY" in said
    assert "--teacher local" in said


def test_a_key_that_stands_only_in_dotenv_is_told(refused, cli, tmp_path):
    del cli.env["OPENAI_API_KEY"]
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    said = refused("run", seeds(tmp_path), *PAID)
    assert ".env has one" in said
    assert "set -a; . ./.env; set +a" in said


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (KEY + " ", "ends with a blank"),
        (KEY + "\n", "ends with a newline"),
        (f'"{KEY}"', "stands in quotes"),
        ("sk-ant-0123456789", "looks like one of anthropic"),
    ],
)
def test_a_key_that_cannot_be_right_is_told_in_words(refused, tmp_path, key, said):
    words = refused("run", seeds(tmp_path), *PAID, OPENAI_API_KEY=key)
    assert said in words
    assert "OPENAI_API_KEY" in words
    assert key.strip() not in words


# -- what the provider refuses --------------------------------------------------------------------


def anywhere(folder, word: str) -> list[str]:
    """The files below a folder that hold a word."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if word.encode() in path.read_bytes()]


def test_a_wrong_key_costs_one_request_and_is_never_shown(cli, server, tmp_path):
    server.set(status=401, message=f"Incorrect API key provided: {KEY}.")
    ran = cli("run", seeds(tmp_path), *teacher(server), "--json", code=4)
    assert len(server.asked) == 1
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert "OPENAI_API_KEY" in ran.err
    assert "401" in ran.err
    assert KEY not in ran.err + ran.out
    assert anywhere(tmp_path, KEY) == []


def test_a_key_stands_nowhere_after_a_run(cli, server, tmp_path):
    ran = cli("run", seeds(tmp_path), "-n", 8, "--per-call", 4, *teacher(server), "--json")
    assert content(tmp_path / "runs/stock_advisor")
    assert KEY not in ran.err + ran.out
    assert anywhere(tmp_path, KEY) == []


def test_an_unknown_model_costs_one_request_and_near_names_are_told(cli, server, tmp_path):
    job = [*teacher(server, "teacher-I"), "--json"]
    ran = cli("run", seeds(tmp_path), *job, code=4)
    assert len(server.asked) == 1
    assert "does not serve teacher-I" in ran.err
    assert "teacher-1" in ran.err


def test_a_server_that_is_not_there_is_told(cli, tmp_path, nowhere):
    job = ["--teacher", "openai:teacher-1", "--base-url", nowhere]
    ran = cli("run", seeds(tmp_path), *job, code=4)
    assert f"cannot reach {nowhere}" in ran.err


def test_a_base_url_without_its_v1_is_told(cli, server, tmp_path):
    url = server.url.removesuffix("/v1")
    job = ["--teacher", "openai:teacher-1", "--base-url", url]
    ran = cli("run", seeds(tmp_path), *job, code=4)
    assert f"--base-url {server.url}" in ran.err


def test_three_useless_first_replies_stop_the_run_and_stay(cli, server, tmp_path):
    server.set(useless=-1)
    job = ["run", seeds(tmp_path), "-n", 40, "--per-call", 4, *teacher(server), "--json"]
    ran = cli(*job, code=4)
    assert len(server.asked) == 3
    assert "I am happy to help" in ran.err
    assert "Traceback" not in ran.err
    server.set(useless=0)
    cli(*job)
    seen = [str(asked.body) for asked in server.asked]
    assert len(set(seen)) == len(seen), "what was answered is not asked again"
