"""Read the TOML files that people edit, and spell what we draft for them."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from distillgen.errors import UserError
from distillgen.records import JSON

_PART = r"""(?:[\w-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_KEY = re.compile(rf"\s*(?P<table>\[\s*)?(?P<key>{_PART}(?:\s*\.\s*{_PART})*)\s*(?(table)\]|=)")
"""A line that begins a table, or that gives a key its value."""
WIDTH = 100

Keys = tuple[str, ...]
"""The keys that lead to a value, from the top."""


def load(path: Path, example: str) -> tuple[dict[str, JSON], str]:
    """What a file holds, and its text; `example` is a line that shows how it looks.

    Raises:
        UserError: it cannot be read, or is no TOML.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        return tomllib.loads(text), text
    except ValueError as error:
        raise UserError(_not_toml(path, text, str(error), example)) from error
    except RecursionError as error:
        raise UserError(f"{path}: nested too deeply; write it flatter") from error


def _not_toml(path: Path, text: str, message: str, example: str) -> str:
    """tomllib's message as ours; it ends with `(at line 3, column 7)` or `(at end of document)`."""
    reason, _, place = message.partition(" (at ")
    line = re.match(r"line (\d+)", place)
    n = line[1] if line else max(1, len(text.splitlines()))
    return f"{path}:{n}: not TOML: {reason}; a line looks like {example}"


def refuse(path: Path, text: str, faults: Sequence[tuple[Keys, str]]) -> None:
    """Name what is wrong with the values of a file, each with its line.

    Raises:
        UserError: there is anything.
    """
    if faults:
        lines = _lines(text)
        found = {(_line(lines, keys), fault) for keys, fault in faults}
        raise UserError("\n".join(f"{path}:{n}: {fault}" for n, fault in sorted(found)))


def _lines(text: str) -> dict[Keys, int]:
    """Where each key is given its value, or its table begins: tomllib does not tell."""
    found: dict[Keys, int] = {}
    table: Keys = ()
    for n, line in enumerate(text.splitlines(), 1):
        if match := _KEY.match(line):
            keys = _keys(match["key"])
            table = keys if match["table"] else table
            keys = keys if match["table"] else table + keys
            for length in range(1, len(keys) + 1):
                found.setdefault(keys[:length], n)
    return found


def _keys(spelled: str) -> Keys:
    """A dotted key as its parts; none where it is part of a text that looks like one."""
    keys = []
    with suppress(ValueError):
        table = tomllib.loads(f"{spelled} = 0")
        while isinstance(table, dict):
            ((key, table),) = table.items()
            keys.append(key)
    return tuple(keys)


def _line(lines: Mapping[Keys, int], keys: Keys) -> int:
    """The line of a key, else of the table it belongs to."""
    while keys and keys not in lines:
        keys = keys[:-1]
    return lines.get(keys, 1)


def quoted(text: str) -> str:
    """A text as TOML spells it, also where it is a key.

    >>> print(quoted('"Bulls" & bears'))
    "\\"Bulls\\" & bears"
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(name: str, texts: Sequence[str]) -> str:
    """A key with a list of texts, on one line if there is room, else a line each.

    >>> print(listed("risk", ["low", "high"]))
    "risk" = ["low", "high"]
    """
    items = [quoted(text) for text in texts]
    line = f"{quoted(name)} = [{', '.join(items)}]"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{quoted(name)} = [", *(f"    {item}," for item in items), "]"])
