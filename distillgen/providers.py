"""Know the providers: from `--teacher` to a name, from a name to a URL and a checked key."""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from distillgen.errors import UserError

PROVIDERS: dict[str, tuple[str, str | None]] = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "together": ("https://api.together.ai/v1", "TOGETHER_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "fireworks": ("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "ollama": ("http://127.0.0.1:11434/v1", None),
    "vllm": ("http://127.0.0.1:8000/v1", None),
    "lmstudio": ("http://127.0.0.1:1234/v1", None),
}
"""Base URL of each provider's OpenAI-compatible API, and the variable that holds its key. A server
of one's own that wants a key is `openai:MODEL` with `--base-url` and `OPENAI_API_KEY`."""

KEY_STARTS = {
    "sk-ant-": "anthropic",
    "sk-or-": "openrouter",
    "sk-proj-": "openai",
    "gsk_": "groq",
    "AIza": "gemini",
    "fw_": "fireworks",
}
"""How keys begin that can be told apart; a bare `sk-` is used by several providers."""


class TeacherName(NamedTuple):
    """Who is asked: `provider:model`."""

    provider: str
    """A key of `PROVIDERS`, or `local`, or `scripted`."""
    model: str
    """The provider's name for the model, a path for `scripted`; empty for the default `local`."""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}" if self.model else self.provider


class Endpoint(NamedTuple):
    """Where requests go, and with which key."""

    url: str
    """Base URL without a slash at its end; `/chat/completions` is added to it."""
    key: str | None
    """The key to send: never over plain http to another machine, even if there is one."""
    key_variable: str | None
    """The variable that holds the key or would; None where the provider has none."""
    own_server: bool
    """The URL is not the provider's own: a key may not be needed, its prices do not hold."""
    withheld: bool = False
    """There is a key, and it is not sent: anybody on the way could read it."""

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, key {'from' if self.key else 'not in'} {self.key_variable})"


def parse_teacher(text: str, option: str = "--teacher") -> TeacherName:
    """Read `openai:gpt-4.1-mini`, `ollama:qwen2.5:1.5b`, `local`, `local:NAME`, `scripted:FILE`.

    Raises:
        UserError: the provider is unknown, or the model is missing.
    """
    provider, colon, model = (part.strip() for part in text.partition(":"))
    provider = provider.lower()
    if provider == "local" and not colon:
        return TeacherName("local", "")
    known = [*PROVIDERS, "local", "scripted"]
    if provider not in known:
        near = difflib.get_close_matches(re.split(r"[:/]", provider)[0], known, n=3)
        raise UserError(
            f"{option} {text}: unknown provider `{provider}`; "
            + (f"near: {', '.join(near)}; " if near else "")
            + f"write PROVIDER:MODEL, such as openai:gpt-4.1-mini (providers: {', '.join(known)})"
        )
    if not model:
        wanted = {"local": "NAME or local:/path/model.gguf", "scripted": "FILE"}
        raise UserError(
            f"{option} {text}: `{provider}:` needs a model; "
            f"write {provider}:{wanted.get(provider, 'MODEL')}"
        )
    return TeacherName(provider, model)


def endpoint(name: TeacherName, base_url: str | None, env: Mapping[str, str]) -> Endpoint:
    """Where to reach a provider of `PROVIDERS`; no key is judged here, `doctor` does that.

    `--base-url` wins, then `OPENAI_BASE_URL` for `openai`, then the table. A key that is set is
    sent to any server over https and to this machine, as `--base-url` was given on purpose; over
    plain http to another machine it would be readable on the way, and stays at home.

    Raises:
        UserError: the URL is not one.
    """
    own_url, variable = PROVIDERS[name.provider]
    url = own_url
    if base_url:
        url = clean_url(base_url, "--base-url")
    elif name.provider == "openai" and env.get("OPENAI_BASE_URL"):
        url = clean_url(env["OPENAI_BASE_URL"], "OPENAI_BASE_URL")
    safe = url.startswith("https:") or is_loopback(url)
    key = (env.get(variable) if variable else None) or None
    own_server = url != own_url or variable is None
    if key and not safe:
        return Endpoint(url, None, variable, own_server, withheld=True)
    return Endpoint(url, key, variable, own_server)


def clean_url(text: str, source: str) -> str:
    """A base URL in its one spelling: no slash at the end, no `/chat/completions`.

    Raises:
        UserError: names `source` (an option or a variable). A URL with a password is not shown.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as e:
        raise UserError(f"{source}: not a URL: {e}") from e
    if parts.username is not None or parts.query or parts.fragment:
        raise UserError(
            f"{source}: a base URL has no password, no `?` and no `#`; a key belongs into "
            "the key variable, such as OPENAI_API_KEY"
        )
    if "://" not in text:
        raise UserError(f"{source} {text}: no scheme; write http://{text} or https://{text}")
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise UserError(f"{source} {text!r}: not a URL such as http://127.0.0.1:8000/v1")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def is_loopback(url: str) -> bool:
    """Whether a cleaned URL points to this very machine, so that nothing leaves it."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def doctor(where: Endpoint, folder: Path, env: Mapping[str, str]) -> str | None:
    """What is wrong with the key, in a line for a `UserError`, or None; the key is never shown.

    A missing key, and one that looks like another provider's, are wrong at the provider's own URL
    only: a server of one's own may need none, and a proxy takes what it likes.
    """
    variable = where.key_variable
    if variable is None or (where.own_server and where.key is None):
        return None
    if where.key is None or not where.key.strip():
        return _missing(variable, folder, env)
    fault = _unsendable(where.key)
    if fault:
        return f"{variable} {fault}; set it again without"
    if where.own_server:
        return None
    for start, provider in KEY_STARTS.items():
        owner = PROVIDERS[provider][1]
        if where.key.startswith(start) and owner != variable:
            return (
                f"{variable} holds a key that looks like one of {provider} (it begins with "
                f"{start}); set {variable}, or put this one into {owner} and use "
                f"--teacher {provider}:MODEL"
            )
    return None


def _missing(variable: str, folder: Path, env: Mapping[str, str]) -> str:
    if _stands_in(folder / ".env", variable):
        remedy = (
            f"set {variable} (./.env has one; distillgen does not read it: "
            "set -a; . ./.env; set +a)"
        )
    elif variable in env:
        remedy = f"{variable} is set but empty; give it a value"
    else:
        remedy = f"set {variable}"
    return f"no API key: {remedy}, or use the embedded teacher with --teacher local"


def _stands_in(file: Path, variable: str) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(rf"(?m)^\s*(?:export\s+)?{variable}\s*=\s*[^\s#]", text) is not None


def _unsendable(key: str) -> str | None:
    """Why a key cannot stand in an HTTP header, or not as it is meant, as the end of a sentence."""
    if key[-1] in "\r\n" or key[0] in "\r\n":
        side = "ends" if key[-1] in "\r\n" else "begins"
        return f"{side} with a newline, which cannot be sent in a header"
    if key != key.strip():
        side = "ends" if key != key.rstrip() else "begins"
        return f"{side} with a blank, which the shell keeps and no server takes"
    if key[0] in "'\"`“”‘’" or key[-1] in "'\"`“”‘’":
        return "stands in quotes, which belong to the shell and not to the key"
    odd = re.search(r"[^\x21-\x7e]", key)
    if odd is None:
        return None
    what = "a blank" if odd[0].isspace() else "a control character"
    if ord(odd[0]) > 0x7E:
        what = "a character outside ASCII"
    return f"has {what} at position {odd.start() + 1}, which no key has"


SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:[.p]\d+)?)([bm])(?![a-z0-9])")
"""A number of parameters in a model's name: `1.5b`, `135m`, `1p5b`; not `8x7b`, `a3b`, `4bit`."""


def is_small(name: TeacherName) -> bool:
    """Whether prompts take their small form, which goes by the teacher's name and nothing else.

    True for the embedded teacher, and for a name that states at most 4 billion parameters. Of
    several sizes the largest counts; less than ten million is no size (`1m` is a context length).
    """
    if name.provider not in PROVIDERS:
        return name.provider == "local"
    sizes = [
        float(number.replace("p", ".")) * (1000 if unit == "b" else 1)
        for number, unit in SIZE.findall(name.model.lower())
    ]
    sizes = [millions for millions in sizes if millions >= 10]
    return bool(sizes) and max(sizes) <= 4000
