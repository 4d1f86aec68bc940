"""Check a seeds file before money is spent, and hold a part of it out that no teacher sees."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from distillgen import dedupe
from distillgen.errors import UserError
from distillgen.files import Whole, is_ours
from distillgen.records import JSON, Seed
from distillgen.task import PARTS, Task, name_of

LEAST, ENOUGH = 3, 10
"""Fewer seeds are too few; fewer than enough give less variety. (Self-Instruct grew from 175,
the targeted set of Gudibande et al. 2023, "The False Promise", from 10.)"""
PERSON = {"i", "me", "my", "we", "us", "our", "he", "him", "his", "she", "her", "they", "their"}
"""English words by which a question takes up whoever the context tells of."""


def check(
    seeds: Sequence[Seed], task: Task, language: Callable[[str], str] | None
) -> dict[str, JSON]:
    """What `seeds --json` tells of them; seeds are numbered from 1."""
    copies = near_copies(seeds)
    alike = only_numbers_differ(seeds)
    unused = contexts_unused(seeds)
    told = [language(f"{seed.user_context} {seed.question}") for seed in seeds if language]
    found: dict[str, JSON] = {
        "counts": {
            "given": len(seeds),
            "with_answer": sum(bool(seed.answer) for seed in seeds),
            "near_copies": len(copies),
            "only_numbers_differ": sum(map(len, alike)),
            "context_unused": len(unused),
        },
        "near_copies": [{"seed": seed, "of": of} for seed, of in copies.items()],
        "only_numbers_differ": alike,
        "context_unused": unused,
        "labels": _counted(seed.label for seed in seeds if seed.label),
        "tags": _counted(tag for seed in seeds for tag in seed.tags),
        "languages": _counted(told) if language else None,
    }
    found["warnings"] = _warnings(seeds, task, found, told)
    return found


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def near_copies(seeds: Sequence[Seed]) -> dict[int, int]:
    """The number of each seed that repeats an earlier one, by the rule of `expand`, and of that."""
    index, found = dedupe.Index(), {}
    for n, seed in enumerate(seeds, 1):
        text = (seed.user_context, seed.question)
        verdict = index.verdict(text)
        if verdict and verdict.reason == "near_duplicate":
            found[n] = int(verdict.of)
        index.add(str(n), text, seed=True)
    return found


def only_numbers_differ(seeds: Sequence[Seed]) -> list[list[int]]:
    """The numbers of seeds whose contexts are equal but for their numbers, a list each."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    contexts: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for n, seed in enumerate(seeds, 1):
        words = dedupe.tokens(seed.user_context)
        template = tuple(re.sub(r".*\d.*", "#", word) for word in words)
        groups[template].append(n)
        contexts[template].add(" ".join(words))
    return [group for template, group in groups.items() if len(contexts[template]) > 1]


def contexts_unused(seeds: Sequence[Seed]) -> list[int]:
    """The numbers of seeds in which nothing takes the context up.

    Taken up is it by a word that question, answer or rationale share with it, unless a third of
    the seeds have that word, or by an English word for the person in the question. A question
    may still need the context: only many such seeds tell something.
    """
    texts = [set(dedupe.tokens(f"{seed.user_context} {seed.question}")) for seed in seeds]
    common = Counter(word for words in texts for word in words)
    usual = {word for word, n in common.items() if n > max(1, len(seeds) // 3)}
    unused = []
    for n, seed in enumerate(seeds, 1):
        question = set(dedupe.tokens(seed.question))
        said = question | set(dedupe.tokens(f"{seed.answer or ''} {seed.rationale or ''}"))
        shared = said & set(dedupe.tokens(seed.user_context)) - usual
        if not shared and PERSON.isdisjoint(question):
            unused.append(n)
    return unused


def _warnings(
    seeds: Sequence[Seed], task: Task, found: dict[str, JSON], told: list[str]
) -> list[str]:
    """What to mend before anything is paid, in plain words."""
    said = []
    n = len(seeds)
    if n < LEAST:
        said.append(f"{n} {'seed is' if n == 1 else 'seeds are'} too few; write {LEAST} at least")
    elif n < ENOUGH:
        said.append(f"{n} seeds are few: {ENOUGH} or more bring more variety")
    said += [
        f"seed {one['seed']} is a near copy of seed {one['of']}" for one in found["near_copies"]
    ]
    for group in found["only_numbers_differ"]:
        said.append(f"the contexts of seeds {_numbers(group)} differ in their numbers alone")
    if n >= LEAST and len({seed.user_context for seed in seeds}) == 1:
        said.append("all seeds have the same context: the teacher will hardly vary it")
    unused = found["context_unused"]
    if len(unused) * 2 > n >= LEAST:
        said.append(
            f"in seeds {_numbers(unused)} nothing takes the context up: would the answers change"
            " with it?"
        )
    languages = [code for code in found["languages"] or {} if code != "?"]
    for code in languages[1:]:
        others = [i for i, one in enumerate(told, 1) if one == code]
        said.append(f"most seeds are {languages[0]}; {code} is in {_numbers(others)}")
    untagged = [i for i, seed in enumerate(seeds, 1) if not seed.tags]
    if found["tags"] and untagged:
        said.append(f"seeds {_numbers(untagged)} have no tag, the others have")
    return said + _on_labels(seeds, task)


def _on_labels(seeds: Sequence[Seed], task: Task) -> list[str]:
    given = {seed.label for seed in seeds if seed.label}
    if not task.labels:
        return []
    said = [f"no seed shows the label `{label}`" for label in task.labels if label not in given]
    others = sorted(given - task.labels.keys())
    return said + [f"the label `{label}` is not in the task file" for label in others]


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (f" and {len(numbers) - 8:,} more" if len(numbers) > 8 else "")


# -- the held-out part ----------------------------------------------------------------------


def hold_out(seeds: Sequence[Seed], share: float) -> tuple[list[Seed], list[Seed]]:
    """The seeds that no teacher is to see, and the rest, both in order; neither is empty.

    The hash of a seed decides, so that it stays on its side when others are added, and the share
    is met on average; of very few seeds the one or other is moved over. A near copy goes with what
    it repeats.

    Raises:
        UserError: the share is none, or the seeds cannot be parted.
    """
    if not 0 < share < 1:
        raise UserError(f"--holdout {share:g}: give a share between 0 and 1, such as 0.2")
    first = {n: n for n in range(1, len(seeds) + 1)}
    for n, of in near_copies(seeds).items():
        first[n] = first[of]
    points = {n: _point(seeds[n - 1]) for n in set(first.values())}
    if len(points) < 2:
        raise UserError("--holdout: there are no two different seeds; write more before you part")
    lowest, highest = min(points, key=points.__getitem__), max(points, key=points.__getitem__)
    held = {n for n, point in points.items() if point < share} | {lowest}
    held.discard(highest)
    sides: tuple[list[Seed], list[Seed]] = [], []
    for n, seed in enumerate(seeds, 1):
        sides[first[n] not in held].append(seed)
    return sides


def _point(seed: Seed) -> float:
    """Where a seed stands between 0 and 1."""
    return int.from_bytes(hashlib.sha256(f"holdout\n{seed.id}".encode()).digest()[:8]) / 2**64


def write(source: Path, parts: tuple[list[Seed], list[Seed]]) -> list[Path]:
    """Write the held-out part and the rest as JSON lines beside the source; the two paths.

    Raises:
        UserError: a file there is not ours to write over, or cannot be written.
    """
    if str(source) == "-":
        raise UserError("--holdout: the parts go beside the seeds; give a file, not -")
    name = name_of(source)
    paths = [source.with_name(f"{name}{ending}.jsonl") for ending in PARTS]
    if any(source.name.startswith(path.stem) for path in paths):
        raise UserError(f"{source}: is a part itself; hold seeds out of the whole file")
    for path in paths:
        if path.exists() and not is_ours(path):
            raise UserError(f"{path}: was written or changed by hand; move it away")
    for path, seeds in zip(paths, parts, strict=True):
        with Whole(path) as out:
            for seed in seeds:
                out.write(seed.row())
    return paths
