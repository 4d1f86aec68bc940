"""Time the near-duplicate index and count what it misses: `python benchmarks/dedupe.py [TEXTS]`.

The texts are made here: two fields of 12 to 33 and 10 to 20 words, the words as frequent as in a
language (Zipf), so that strangers are as alike as two problems of GSM8K (a median Jaccard
similarity of 0.1). Every tenth is an earlier one with up to 45 % of its words changed. Half hold an
age, half of those an amount; and once more without any number, which is the hardest case: then
nothing but MinHash tells who is to be compared.
"""

import itertools
import random
import resource
import sys
import time
from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import Indel

from distillgen.dedupe import NEAR, Index, tokens

Text = tuple[str, str]
SAMPLE = 10_000


def texts(count: int, with_numbers: float) -> Iterator[Text]:
    """Synthetic texts, always the same ones."""
    rng = random.Random(7)
    syllables = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er")]
    words = ["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3, 3, 4)))) for _ in range(8000)]
    weights = list(itertools.accumulate(1 / (rank + 6) for rank in range(len(words))))
    made: list[Text] = []

    def draw(k: int) -> list[str]:
        return rng.choices(words, cum_weights=weights, k=k)

    def edited(text: str) -> str:
        share, out = rng.uniform(0, 0.45), []
        for word in text.split():
            kind = rng.random() / share if share and not word.isdigit() else 9
            out += draw(1) if kind < 0.4 else [] if kind < 0.7 else [word]
            out += draw(1) if 0.7 <= kind < 1 else []
        return " ".join(out or draw(1))

    for _ in range(count):
        if made and rng.random() < 0.1:
            context, question = map(edited, rng.choice(made))
        else:
            who = ["i", "am", "a", *draw(rng.randint(9, 30))]
            if rng.random() < with_numbers:
                who[2:2] = [str(rng.randint(18, 80))]
                who += [str(rng.randint(1, 40) * 5000)] if rng.random() < 0.5 else []
            context = " ".join(who)
            question = " ".join(["should", "i", *draw(rng.randint(8, 18))])
        made.append((context, question))
        yield context, question


def timed(count: int, with_numbers: float) -> None:
    """Print what `count` texts cost."""
    given = list(texts(count, with_numbers))
    index, new, start = Index(), 0, time.process_time()
    for place, text in enumerate(given):
        if index.verdict(text) is None:
            index.add(str(place), text)
            new += 1
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:>8,} texts, {with_numbers:.0%} with numbers: {seconds:6.1f} CPU-s,"
        f" {new:,} new, peak memory of the process so far {peak:,.0f} MB",
        flush=True,
    )


def recall() -> None:
    """Print how many of the near duplicates that comparing all with all finds are found."""
    index, accepted, there, found = Index(), [], 0, 0
    vocabulary: dict[str, str] = {}
    for place, text in enumerate(texts(SAMPLE, with_numbers=0)):
        context, question = (
            "".join(vocabulary.setdefault(t, chr(len(vocabulary))) for t in tokens(field))
            for field in text
        )
        alike = process.extract(
            question,
            [q for _, q in accepted],
            scorer=Indel.normalized_similarity,
            score_cutoff=NEAR,
            limit=None,
        )
        if any(
            s > NEAR and Indel.normalized_similarity(context, accepted[i][0]) > NEAR
            for _, s, i in alike
        ):
            there += 1
            found += index.verdict(text) is not None
        else:
            accepted.append((context, question))
            index.add(str(place), text)
    print(f"{SAMPLE:>8,} texts without numbers: {found} of {there} near duplicates found")


if __name__ == "__main__":
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    recall()
    for with_numbers in (0.5, 0.0):
        for count in (most // 4, most // 2, most):
            timed(count, with_numbers)
