"""Hold near duplicates against Self-Instruct's: `python benchmarks/dedupe_data.py DIR [TEXTS]`.

DIR holds public data: `self_instruct/` with `seed_tasks.jsonl` and
`user_oriented_instructions.jsonl` (yizhongw/self-instruct), and `svamp/SVAMP.json`
(arkilpatel/SVAMP).

Self-Instruct drops an instruction above ROUGE-L F1 0.7 to any kept before, numbers as words
(`bootstrap_instructions.py`; rouge_score without a stemmer takes runs of a-z and 0-9 in lower case
as tokens). The same is done here by comparing all with all, plainly, and by our index without its
guard for numbers; then come our rule and, with planted near duplicates, what the index misses.
"""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from dedupe import texts
from rapidfuzz.distance import LCSseq

from distillgen.dedupe import NEAR, Index

PLANTED = 10_000
"""Texts among which near duplicates are planted, unless TEXTS says otherwise; each fifth is one."""


def by_hand(given: Iterable[str]) -> list[bool]:
    """Which texts Self-Instruct keeps."""
    kept: list[list[str]] = []
    said = []
    for text in given:
        tokens = re.findall(r"[a-z0-9]+", text.lower())
        said.append(all(_rouge_l(tokens, other) <= NEAR for other in kept))
        kept += [tokens] if said[-1] else []
    return said


def _rouge_l(one: list[str], other: list[str]) -> float:
    common = LCSseq.similarity(one, other)
    return 2 * common / (len(one) + len(other)) if common else 0.0


def by_index(given: Iterable[tuple[str, ...]], index: Index) -> list[bool]:
    """Which texts an index keeps."""
    said = []
    for place, fields in enumerate(given):
        said.append(index.verdict(fields) is None)
        if said[-1]:
            index.add(str(place), fields)
    return said


def compare(name: str, given: list[str]) -> None:
    """Print what the three rules keep, and where the first two differ."""
    theirs = by_hand(given)
    same = by_index([(text,) for text in given], Index(guard=False))
    ours = by_index([(text,) for text in given], Index())
    differ = sum(a != b for a, b in zip(theirs, same, strict=True))
    print(
        f"{name:<22} {len(given):>5,} texts: Self-Instruct keeps {sum(theirs):,}, the index"
        f" {sum(same):,} ({differ} decisions differ); with the guard for numbers {sum(ours):,}"
    )


def planted(count: int) -> None:
    """Print how many near duplicates of each kind are found by the index and by comparing all."""
    rng = random.Random(3)
    words = {word for context, _ in texts(500, with_numbers=0) for word in context.split()}
    kinds = edits(sorted(words), rng)
    given: list[str] = []
    names: list[str] = []
    for n, fields in enumerate(texts(count, with_numbers=0.5)):
        name = rng.choice(sorted(kinds)) if n % 5 == 4 else ""
        given.append(kinds[name](rng.choice(given)) if name else " ".join(fields))
        names.append(name)
    wanted = by_index([(text,) for text in given], Index(sketched=False))
    found = by_index([(text,) for text in given], Index())
    there, here = Counter[str](), Counter[str]()
    for name, all_, ours in zip(names, wanted, found, strict=True):
        if name and not all_:
            there[name] += 1
            here[name] += not ours
    for name, n in sorted(there.items()):
        print(f"planted, {name:<13} {here[name]:>5,} of {n:,} found that comparing all finds")


def edits(words: list[str], rng: random.Random) -> dict[str, Callable[[str], str]]:
    """The kinds of near duplicates, each as what it does to a text."""

    def one_word(text: str) -> str:
        parts = text.split()
        places = [n for n, part in enumerate(parts) if not part.isdigit()]
        parts[rng.choice(places)] = rng.choice(words)
        return " ".join(parts)

    def order(text: str) -> str:
        parts = text.split()
        start = rng.randrange(len(parts) - 1)
        parts[start], parts[start + 1] = parts[start + 1], parts[start]
        return " ".join(parts)

    return {
        "case": lambda text: text.title(),
        "one word": one_word,
        "punctuation": lambda text: (
            re.sub(r" (?=\w)", lambda _: rng.choice([" ", ", "]), text) + "!"
        ),
        "word order": order,
    }


def column(path: Path, name: str) -> list[str]:
    """One field of JSON lines."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)[name] for line in file]


if __name__ == "__main__":
    data = Path(sys.argv[1])
    there = data / "self_instruct"
    compare("self-instruct seeds", column(there / "seed_tasks.jsonl", "instruction"))
    compare("self-instruct user", column(there / "user_oriented_instructions.jsonl", "instruction"))
    problems = json.loads((data / "svamp/SVAMP.json").read_text("utf-8"))
    compare("SVAMP", [f"{one['Body']} {one['Question']}" for one in problems])
    planted(int(sys.argv[2]) if len(sys.argv) > 2 else PLANTED)
