"""Names of teachers, their URLs and keys: what is understood, and what is said to a mistake."""

from pathlib import Path

import pytest

from distillgen.errors import UserError
from distillgen.providers import (
    KEY_STARTS,
    PROVIDERS,
    Endpoint,
    TeacherName,
    doctor,
    endpoint,
    is_loopback,
    is_small,
    parse_teacher,
)

KEY = "sk-proj-abcdef0123456789"
OPENAI = TeacherName("openai", "gpt-4.1-mini")


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("openai:gpt-4.1-mini", "openai", "gpt-4.1-mini"),
        ("ollama:qwen2.5:1.5b", "ollama", "qwen2.5:1.5b"),
        ("openrouter:meta-llama/llama-3.3:free", "openrouter", "meta-llama/llama-3.3:free"),
        ("local", "local", ""),
        ("local:smollm2-135m", "local", "smollm2-135m"),
        ("local:/models/a b.gguf", "local", "/models/a b.gguf"),
        ("scripted:replies.jsonl", "scripted", "replies.jsonl"),
        (" OpenAI: gpt-4.1 ", "openai", "gpt-4.1"),
    ],
)
def test_a_teacher_is_provider_and_model(text: str, provider: str, model: str) -> None:
    assert parse_teacher(text) == TeacherName(provider, model)


@pytest.mark.parametrize("text", ["openai:gpt-4.1-mini", "ollama:qwen2.5:1.5b", "local"])
def test_a_name_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_teacher(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("opnai:gpt-4.1", "unknown provider `opnai`; near: openai"),
        ("openai/gpt-4.1", "near: openai"),
        ("gpt-4.1-mini", "write PROVIDER:MODEL"),
        ("", "write PROVIDER:MODEL"),
        ("openai", "write openai:MODEL"),
        ("openai:", "`openai:` needs a model"),
        ("local:", "local:NAME"),
        ("scripted:", "scripted:FILE"),
    ],
)
def test_a_mistaken_teacher_is_answered_with_the_way_to_write_it(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_teacher(text)
    assert said in str(caught.value)


# Where


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_a_url_that_is_encrypted_or_on_this_machine(provider: str) -> None:
    where = endpoint(TeacherName(provider, "m"), None, {})
    assert where.url == PROVIDERS[provider][0]
    assert where.url.startswith("https://") or is_loopback(where.url)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_comes_from_the_providers_own_variable(provider: str) -> None:
    env = {variable: f"key in {variable}" for _, variable in PROVIDERS.values() if variable}
    variable = PROVIDERS[provider][1]
    wanted = env[variable] if variable else None
    assert endpoint(TeacherName(provider, "m"), None, env).key == wanted


def test_the_option_wins_over_the_variable_and_the_variable_over_the_table() -> None:
    env = {"OPENAI_BASE_URL": "https://variable.example/v1"}
    assert endpoint(OPENAI, "https://option.example/v1", env).url == "https://option.example/v1"
    assert endpoint(OPENAI, None, env).url == "https://variable.example/v1"
    assert endpoint(OPENAI, None, {"OPENAI_BASE_URL": ""}).url == PROVIDERS["openai"][0]


def test_the_variable_holds_for_openai_only() -> None:
    env = {"OPENAI_BASE_URL": "https://variable.example/v1"}
    assert endpoint(TeacherName("groq", "m"), None, env).url == PROVIDERS["groq"][0]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/chat/completions/", "http://localhost:8000/v1"),
        ("http://localhost:8000", "http://localhost:8000"),
        (" HTTPS://API.Example/V1\n", "https://api.example/V1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_a_base_url_has_one_spelling(text: str, url: str) -> None:
    assert endpoint(OPENAI, text, {}).url == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("localhost:8000/v1", "no scheme; write http://localhost:8000/v1"),
        ("127.0.0.1:8000", "no scheme"),
        ("ftp://host/v1", "not a URL"),
        ("http://", "not a URL"),
        ("http:///v1", "not a URL"),
        ("http://host:port/v1", "not a URL"),
        ("http://[::1/v1", "not a URL"),
        ("http://ho st/v1", "not a URL"),
    ],
)
def test_what_is_no_url_is_refused_with_the_name_of_the_option(text: str, said: str) -> None:
    with pytest.raises(UserError, match="--base-url") as caught:
        endpoint(OPENAI, text, {})
    assert said in str(caught.value)


def test_a_bad_url_of_the_variable_names_the_variable() -> None:
    with pytest.raises(UserError, match="OPENAI_BASE_URL"):
        endpoint(OPENAI, None, {"OPENAI_BASE_URL": "localhost"})


@pytest.mark.parametrize(
    "text", ["https://me:hunter2@host/v1", "https://host/v1?key=hunter2", "https://host/#hunter2"]
)
def test_a_secret_in_a_url_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UserError) as caught:
        endpoint(OPENAI, text, {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8000/v1", True),
        ("http://api.localhost/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example/v1", False),
        ("http://127.0.0.1.example/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


# The key


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://gateway.example/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://gateway.example/v1", False),
        ("http://192.168.1.7:8000/v1", False),
    ],
)
def test_a_key_never_goes_over_plain_http_to_another_machine(url: str, sent: bool) -> None:
    where = endpoint(OPENAI, url, {"OPENAI_API_KEY": KEY})
    assert (where.key == KEY) is sent


def test_a_key_is_not_in_the_text_of_an_endpoint() -> None:
    where = endpoint(OPENAI, None, {"OPENAI_API_KEY": KEY})
    assert KEY not in repr(where) + str(where)


def diagnosis(key: str | None, folder: Path, base_url: str | None = None) -> str | None:
    env = {} if key is None else {"OPENAI_API_KEY": key}
    return doctor(endpoint(OPENAI, base_url, env), folder, env)


@pytest.mark.parametrize("key", [KEY, "sk-abc", "anything-else"])
def test_a_good_key_gets_no_diagnosis(key: str, tmp_path: Path) -> None:
    assert diagnosis(key, tmp_path) is None


def test_a_missing_key_is_named_with_both_ways_out(tmp_path: Path) -> None:
    said = diagnosis(None, tmp_path) or ""
    assert "no API key: set OPENAI_API_KEY" in said
    assert "--teacher local" in said
    assert ".env" not in said


@pytest.mark.parametrize(
    "line",
    [f"OPENAI_API_KEY={KEY}", f'export OPENAI_API_KEY="{KEY}"', f"A=1\n OPENAI_API_KEY = {KEY}"],
)
def test_a_key_that_stands_only_in_dotenv_is_said_to(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(line + "\n")
    said = diagnosis(None, tmp_path) or ""
    assert "./.env has one; distillgen does not read it: set -a; . ./.env; set +a" in said
    assert KEY not in said


@pytest.mark.parametrize("line", ["# OPENAI_API_KEY=x", "OPENAI_API_KEY=", "MY_OPENAI_API_KEY=x"])
def test_a_dotenv_without_the_key_is_not_mentioned(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(line + "\n")
    assert ".env" not in (diagnosis(None, tmp_path) or "")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "set but empty"),
        (" \n", "set but empty"),
        (f"{KEY} ", "ends with a blank"),
        (f" {KEY}", "begins with a blank"),
        (f"{KEY}\n", "ends with a newline"),
        (f"{KEY}\r\n", "ends with a newline"),
        (f"'{KEY}'", "stands in quotes"),
        (f'"{KEY}"', "stands in quotes"),
        (f"Bearer {KEY}", "has a blank at position 7"),
        ("sk-\x1babc", "has a control character at position 4"),
        ("sk-…abc", "has a character outside ASCII at position 4"),
        ("sk-ant-abc", "looks like one of anthropic"),
        ("gsk_abc", "looks like one of groq"),
        ("sk-or-v1-abc", "looks like one of openrouter"),
        ("AIzaabc", "looks like one of gemini"),
    ],
)
def test_a_bad_key_is_diagnosed_and_never_shown(key: str, said: str, tmp_path: Path) -> None:
    found = diagnosis(key, tmp_path) or ""
    assert said in found
    assert "OPENAI_API_KEY" in found
    assert "\n" not in found
    assert "abc" not in found


@pytest.mark.parametrize(("start", "provider"), KEY_STARTS.items())
def test_a_provider_takes_its_own_keys(start: str, provider: str, tmp_path: Path) -> None:
    env = {PROVIDERS[provider][1] or "": f"{start}abc"}
    assert doctor(endpoint(TeacherName(provider, "m"), None, env), tmp_path, env) is None


@pytest.mark.parametrize("key", [None, "", "sk-or-v1-abc", "gsk_abc"])
def test_a_server_of_ones_own_takes_no_key_and_any_key(key: str | None, tmp_path: Path) -> None:
    assert diagnosis(key, tmp_path, "https://gateway.example/v1") is None


def test_a_key_that_cannot_be_sent_is_wrong_for_any_server(tmp_path: Path) -> None:
    assert diagnosis(f"{KEY} ", tmp_path, "https://gateway.example/v1") is not None


def test_the_providers_own_url_given_by_option_still_needs_its_key(tmp_path: Path) -> None:
    assert diagnosis(None, tmp_path, "https://api.openai.com/v1/") is not None


@pytest.mark.parametrize("provider", ["ollama", "vllm", "lmstudio"])
def test_a_server_on_this_machine_needs_no_key(provider: str, tmp_path: Path) -> None:
    where = endpoint(TeacherName(provider, "m"), None, {})
    assert where == Endpoint(PROVIDERS[provider][0], None, None, own_server=True)
    assert doctor(where, tmp_path, {}) is None


# Small or strong


@pytest.mark.parametrize(
    "text",
    [
        "local",
        "local:/models/llama-70b.gguf",
        "ollama:qwen2.5:1.5b",
        "ollama:qwen3:0.6b",
        "ollama:hf.co/someone/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
        "vllm:HuggingFaceTB/SmolLM2-135M",
        "vllm:Qwen/Qwen3-4B",
        "fireworks:accounts/fireworks/models/qwen2p5-1p5b-instruct",
        "lmstudio:gemma-2-2b-it",
    ],
)
def test_a_small_teacher_is_known_by_its_name(text: str) -> None:
    assert is_small(parse_teacher(text))


@pytest.mark.parametrize(
    "text",
    [
        "openai:gpt-4.1-mini",
        "openai:gpt-4o",
        "openai:o3-mini",
        "anthropic:claude-sonnet-4-5",
        "mistral:open-mixtral-8x7b",
        "groq:llama-3.3-70b-versatile",
        "vllm:Qwen/Qwen2.5-7B-Instruct-1M",
        "vllm:Qwen/Qwen3-30B-A3B",
        "ollama:llama3.1:8b",
        "ollama:moe-8x3b",
        "vllm:someone/Big-70B-with-1B-draft",
        "ollama:phi4",
        "ollama:model-4bit",
        "gemini:gemini-2.5-flash-1m",
        "scripted:qwen-1.5b.jsonl",
    ],
)
def test_every_other_teacher_gets_the_strong_form(text: str) -> None:
    assert not is_small(parse_teacher(text))
