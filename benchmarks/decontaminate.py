"""Measure decontamination: `python benchmarks/decontaminate.py DIR`, or without DIR the scale.

After DIR may stand an embedded model, or URL and model, as for `known_pairs.py`.

DIR holds public data: `gsm8k/train.jsonl` (openai/grade-school-math) and, from
lm-sys/llm-decontaminator, `rephrased/` with HumanEval and MMLU sociology beside their paraphrases.
The first 1,319 problems of GSM8K stand for a test set of that size, the others for a dataset that
has nothing of it; a few are near duplicates all the same, so the true share is lower.

Without DIR, 100,000 texts made here are compared with 10,000: words as frequent as in a language,
half with numbers; every hundredth is one of the 10,000.
"""

import csv
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path

from dedupe import texts
from known_pairs import Asked, asked, vectors

from distillgen import meaning
from distillgen.overlap import Found, Index, Item

ITEMS = 1319
"""As many as GSM8K's test split has."""


def index(given: Iterable[str]) -> Index:
    """Texts as a test set; the line is the place from 1."""
    return Index(Item(line, "", text, "") for line, text in enumerate(given, 1))


def column(path: Path, name: str) -> list[str]:
    """One field of JSON lines, or the first column of a CSV file without a heading."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return [row[0] for row in csv.reader(file)]
        return [json.loads(line)[name] for line in file]


Find = Callable[[str], Found | None]
Finder = Callable[[Index, list[str]], Find]


def by_words(whole: Index, texts: list[str]) -> Find:
    """As `distillgen decontaminate` finds what texts give away."""
    return lambda text: whole.find("", text)


def by_meaning(of: Asked, whole: Index, texts: list[str]) -> Find:
    """The same with `--embeddings`."""
    doubtful = [meaning.said("", text) for text in texts if meaning.in_doubt(whole, "", text)]
    if not doubtful:
        return by_words(whole, texts)
    found = vectors(of, sorted({*meaning.items(whole), *doubtful}))
    above = meaning.measured(whole, found) or 1.0
    print(f"{'':<16} {len(found):,} texts embedded, cosine above {above:.3f}")

    def find(text: str) -> Found | None:
        near = whole.find("", text) or meaning.nearest(whole, "", text, found)
        return near if near and (near.cosine is None or near.cosine > above) else None

    return find


def paraphrases(name: str, finder: Finder, items: list[str], reworded: list[str]) -> None:
    """Print how many paraphrases are flagged; line n of both lists is the same item."""
    find = finder(index(items), reworded)
    found = [find(text) for text in reworded]
    right = sum(one is not None and one.item.line == n for n, one in enumerate(found, 1))
    flagged = sum(one is not None for one in found)
    print(
        f"{name:<16} {len(items):>6,} items, {flagged:,} of {len(reworded):,} paraphrases flagged"
        f" = {flagged / len(reworded):.1%}, {right:,} by their own item"
    )


def strangers(name: str, finder: Finder, items: list[str], others: list[str]) -> None:
    """Print how many unrelated texts are flagged."""
    find = finder(index(items), others)
    start = time.process_time()
    tiers = Counter(found.tier for text in others if (found := find(text)))
    took = (time.process_time() - start) / len(others)
    print(
        f"{name:<16} {len(items):>6,} items, {tiers.total():,} of {len(others):,} others flagged"
        f" = {tiers.total() / len(others):.2%} {dict(tiers)}, {took * 1e3:.2f} ms each"
    )


def scale(records: int, items: int) -> None:
    """Print what many records against many items cost."""
    made = (" ".join(fields) for fields in texts(records + items, with_numbers=0.5))
    test = list(islice(made, items))
    start = time.process_time()
    whole = index(test)
    indexed = time.process_time()
    flagged = sum(
        whole.find("", test[n % items] if n % 100 == 0 else text) is not None
        for n, text in enumerate(made)
    )
    took = time.process_time() - indexed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{items:,} items indexed in {indexed - start:.1f} CPU-s; {records:,} records in"
        f" {took:.0f} CPU-s, {flagged:,} flagged; peak memory {peak:,.0f} MB"
    )


if __name__ == "__main__":
    if len(sys.argv) == 1:
        scale(100_000, 10_000)
        raise SystemExit
    data = Path(sys.argv[1])
    problems = column(data / "gsm8k/train.jsonl", "question")
    common = column(data / "cqa/cqa_train_first_2000.json", "question")
    there = data / "rephrased"
    sociology = column(there / "sociology_test.csv", "")
    asked_anew = column(there / "sociology_test_rephrase_english_filtered_question.jsonl", "text")
    programs = column(there / "HumanEval.jsonl", "text")
    written_anew = column(there / "humaneval_python.jsonl", "text")
    with asked(sys.argv[2:]) as of:
        for way, finder in (
            ("by the words", by_words),
            (f"with --embeddings, {of.model}", partial(by_meaning, of)),
        ):
            print(way)
            strangers("GSM8K", finder, problems[:ITEMS], problems[ITEMS:])
            strangers("CommonsenseQA", finder, common[:ITEMS], common[ITEMS:])
            paraphrases("MMLU sociology", finder, sociology, asked_anew)
            paraphrases("HumanEval", finder, programs, written_anew)
