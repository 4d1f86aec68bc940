"""Find the manners of answering that `--style` names: texts in a file that people edit."""

import hashlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from distillgen import toml
from distillgen.errors import UserError
from distillgen.prompts import packaged
from distillgen.records import Example

FILE = "styles.toml"
PROBE, ALL = "probe", "all"
"""In place of names: the best one by trial, or each in turn."""
EXAMPLE = 'direct = "Be as brief as you can."'


def find(task: str, folders: Sequence[Path]) -> tuple[dict[str, str], dict[str, str]]:
    """The texts by their names, and the digest by the file's name.

    The file of the task goes before the general one, and both before the packaged one.

    Raises:
        UserError: the file holds anything but texts.
    """
    rooms = [room for folder in folders for room in (folder / task, folder)]
    path = next(p for p in (*(r / FILE for r in rooms), packaged("prompts") / FILE) if p.is_file())
    table, text = toml.load(path, EXAMPLE)
    faults = [
        ((name,), f"`{name}` must be a text: {EXAMPLE}")
        for name, said in table.items()
        if not (isinstance(said, str) and said.strip())
    ]
    faults += [((n,), f"`{n}` is a word of --style") for n in (PROBE, ALL) if n in table]
    toml.refuse(path, text, faults)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {name: said.strip() for name, said in table.items()}, {FILE: digest}


def named(option: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """The styles that `--style` names; all of them for `all` and `probe`.

    Raises:
        UserError: there is no such style.
    """
    if option in (PROBE, ALL):
        return tuple(known)
    names = tuple(dict.fromkeys(name.strip() for name in option.split(",")))
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise UserError(
                f"--style {name}: no such style{f', do you mean {near[0]}?' if near else ''};"
                f" there are {', '.join(known)}; or {PROBE}, or {ALL}"
            )
    return names


def order(names: Sequence[str], example: Example) -> Sequence[str]:
    """The styles as one input takes them in turn, draw by draw: it decides where they begin.

    >>> order(["a", "b", "c"], Example(question="Buy gold?", id="7"))
    ['b', 'c', 'a']
    """
    if len(names) < 2:
        return names
    start = int(hashlib.sha256(example.id.encode()).hexdigest()[:8], 16) % len(names)
    return [*names[start:], *names[:start]]


def group(example: Example) -> str:
    """What inputs are told apart by when styles are tried: the first tag, else the topic's root.

    >>> group(Example(question="Buy gold?", id="7", meta={"tags": ["risk", "gold"]}))
    'risk'
    """
    tags = example.meta.get("tags")
    if isinstance(tags, list | tuple) and tags:
        return str(tags[0])
    if isinstance(tags, str) and tags.strip():
        return tags.split(";")[0].strip()
    return example.topic[0] if example.topic else ""
