"""Spell the commands that make an export again, from what the manifest says of those that made it.

They hold what changes the content, and nothing else: no price, no time-out, no key. Of paths the
names are left, and in place of the address of a server of one's own a mark to write over.
"""

import ipaddress
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from distillgen import checks
from distillgen.facts import MADE_BY
from distillgen.folder import folder_of
from distillgen.formats import Format
from distillgen.formats import Options as Told
from distillgen.records import JSON, Entry
from distillgen.settings import Settings

SERVER = "http://YOUR-SERVER/v1"
"""In place of the address of a server of one's own."""
_SAMPLING = ("server", "temperature", "top_p", "max_tokens", "prompts", "resample")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "expand": (
        "n", "strategy", "operations", "generations", "per_parent", "topics", "attributes",
        "images", "vision", "per_call", "shots", "human_shots", "patience", "max_requests",
        "random_seed", *_SAMPLING,
    ),
    "answer": (
        "limit", "samples", "combine", "soft", "smooth", "style", "rationalize", "refine",
        "vision", "skip_invalid", *_SAMPLING,
    ),
    "check": ("checks",),
    "judge": ("rubric", "candidates", "limit", *_SAMPLING),
    "compare": ("rubric", "limit", *_SAMPLING),
    "decontaminate": ("against", "embeddings", "drop"),
    "dedupe": ("on", "embeddings"),
    "select": ("budget", "min", "require", "compare", "random_seed"),
    "pairs": ("margin",),
    "export": (
        "rationale", "split", "seeds_for_test", "preset", "label_weight", "soft_temperature",
        "hard_weight", "system", "max_length", "long", "shuffle", "curriculum", "stages",
        "license", "random_seed",
    ),
}  # fmt: skip
"""By command, those of its options that change what it writes, as the manifest calls them."""
LOOK = ("check", "judge", "compare", "decontaminate")
"""Commands that say something of a file, and leave it as it is."""
PATHS = frozenset({"prompts", "topics", "attributes", "images", "rubric", "against"})
FILES = {made_by: name for name, made_by in MADE_BY.items()}

Entries = Mapping[str, Entry]


def way(entries: Entries) -> list[str]:
    """The commands that led to the file that was exported, in their order; `export` is none."""
    found: list[str] = []
    name = Path(entries["export"].source).name if "export" in entries else ""
    while (stage := MADE_BY.get(name, "")) in entries and stage not in found:
        found.append(stage)
        name = Path(entries[stage].source).name if stage != "expand" else ""
    return found[::-1]


def looked(entries: Entries) -> dict[str, str]:
    """The commands that looked at one of the files on that way, and the name of the file."""
    if "export" not in entries:
        return {}
    names = {Path(entries[stage].source).name for stage in (*way(entries), "export")}
    names |= {FILES[stage] for stage in way(entries)}
    found = {stage: Path(entries[stage].source).name for stage in LOOK if stage in entries}
    on_the_way = way(entries)
    return {
        stage: name for stage, name in found.items() if name in names and stage not in on_the_way
    }


def first_source(entries: Entries) -> str:
    """The name of the file that all began with; empty where nothing is known."""
    stages = [*way(entries), *(["export"] if "export" in entries else [])]
    return Path(entries[stages[0]].source).name if stages else ""


def commands(entries: Entries, found: Format, told: Told) -> list[str]:
    """The commands, quoted for the shell, of an export of this format alone."""
    if "export" not in entries:
        return []
    first, stages = first_source(entries), way(entries)
    verdicts = looked(entries)
    order: list[str] = []
    for name in dict.fromkeys([first, *(FILES[stage] for stage in stages)]):
        order += [stage for stage in stages if FILES[stage] == name]
        order += [stage for stage, of in verdicts.items() if of == name]
    if found.of_pairs(told) and "pairs" in entries:
        order.append("pairs")
    run = str(folder_of(first))
    return [_command(stage, entries, first, run, found, told) for stage in (*order, "export")]


def _command(
    stage: str, entries: Entries, first: str, run: str, found: Format, told: Told
) -> str:  # fmt: skip
    entry = entries[stage]
    name = Path(entry.source).name
    words = ["distillgen", stage, _argument(stage, name, first, run)]
    if stage == "export":
        words += ["--format", found.name]
        if told.layout and told.layout != found.layouts[0]:
            words += ["--layout", told.layout]
    words += _teachers(stage, entry)
    for option in OPTIONS[stage]:
        words += _spelled(option, _value(stage, option, entry), entry)
    words += _columns(stage, entry, entries)
    return " ".join(map(quoted, words))


def _argument(stage: str, name: str, first: str, run: str) -> str:
    """The file, or the run folder that stands for it."""
    stands_for = "inputs.jsonl" if stage == "answer" else "answers.jsonl"
    if name == first:
        return f"./{name}" if name.startswith("-") and name != "-" else name
    return run if name == stands_for else f"{run}/{name}"


def _teachers(stage: str, entry: Entry) -> Iterator[str]:
    """Who was asked, and where."""
    options = entry.options
    if stage not in ("expand", "answer", "judge", "compare"):
        return
    also = options.get("also") or () if stage == "answer" else ()
    if also or options.get("teacher", "local") != "local" or _preset("teacher", entry):
        for name in (options.get("teacher", "local"), *also):
            yield from ("--teacher", _teacher(name))
    if stage == "answer" and options.get("escalate"):
        yield from ("--escalate", _teacher(options["escalate"]))
    if urls := options.get("base_url"):
        yield from ("--base-url", _url(urls[0]))


def _teacher(name: str) -> str:
    """The name without the way to a file, and without the address of a machine.

    >>> _teacher("local:/home/ann/qwen.gguf"), _teacher("vllm:qwen@http://10.0.0.7:8000/v1")
    ('local:qwen.gguf', 'vllm:qwen@http://YOUR-SERVER/v1')
    """
    provider, _, model = name.partition(":")
    if provider in ("local", "scripted") and model:
        return f"{provider}:{Path(model).name}"
    who, at, url = name.rpartition("@")
    return f"{who}@{_url(url)}" if at and url.startswith(("http://", "https://")) else name


def _url(url: str) -> str:
    """The address of a public service; a mark in place of any other.

    >>> _url("https://api.example.com/v1"), _url("http://127.0.0.1:8000/v1")
    ('https://api.example.com/v1', 'http://YOUR-SERVER/v1')
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
        named = False
    except ValueError:
        named = "." in host and not host.endswith((".local", ".lan", ".internal", ".localhost"))
    public = named and parts.scheme == "https" and "@" not in parts.netloc
    return url if public else SERVER


def _value(stage: str, option: str, entry: Entry) -> JSON:
    """What was given; None where that is the default."""
    value = entry.options.get(option)
    if option == "checks":
        return None if list(value or ()) == checks.names() else ",".join(value or ())
    if option in ("topics", "attributes", "images") and value is None:
        suffix = "jsonl" if option == "images" else "toml"
        return f"{option}.{suffix}" if f"{option}.{suffix}" in entry.prompts else None
    if option in ("n", "against") or _preset(option, entry):
        return value
    field = Settings.model_fields.get(option)
    return None if field and value == field.default else value


def _preset(option: str, entry: Entry) -> bool:
    """Whether the task file says something of it: then a default has to be said, too."""
    defaults = entry.options.get("task", {}).get("defaults", {})
    return option in {name.replace("-", "_") for name in defaults}


def _spelled(option: str, value: JSON, entry: Entry) -> list[str]:
    if value is None or value is False or value in ([], ()):
        return []
    name = "-n" if option == "n" else f"--{option.replace('_', '-')}"
    if value is True:
        return [name]
    values: Sequence[JSON] = value if isinstance(value, list | tuple) else [value]
    texts = [Path(one).name if option in PATHS else str(one) for one in values]
    return [word for text in texts for word in (name, text)]


def _columns(stage: str, entry: Entry, entries: Entries) -> Iterator[str]:
    """The columns that were named, and the labels where the task file need not have them."""
    task = entry.options.get("task", {})
    for ours, theirs in (task.get("fields") or entry.options.get("field") or {}).items():
        if stage not in ("select", "pairs", "export"):
            yield from ("--field", f"{ours}={theirs}")
    expanded = entries.get("expand")
    known = expanded.options.get("task", {}).get("labels") if expanded else None
    if stage == "answer" and (labels := task.get("labels")) and labels != known:
        yield from ("--labels", ",".join(labels))


def quoted(word: str) -> str:
    """A word for the shell, in one line whatever it holds.

    >>> print(quoted("it's"), quoted("two\\nlines"))
    'it'"'"'s' $'two\\u000alines'
    """
    if word.isprintable():
        return shlex.quote(word)
    spelled = (
        ("\\" + c if c in "\\'" else c) if c.isprintable() else f"\\U{ord(c):08x}"
        if ord(c) > 0xFFFF else f"\\u{ord(c):04x}"
        for c in word
    )  # fmt: skip
    return f"$'{''.join(spelled)}'"
