"""How often the interval of a review's estimate holds the truth, on simulated reviews.

`python benchmarks/review_estimate.py [TIMES]`: a line for each size of the set and number of wrong
records; in it, for each share that is reviewed, in how many of the orders the interval holds the
number of wrong ones, as the least over sets with and without scores, of one label, of three, and of
four uneven ones of which the rare are the worst. Ends with 1 if any is below 91 %, or an interval
has what cannot be. With 200 TIMES it takes a minute.
"""

import math
import random
import sys
from array import array

from distillgen.review.estimate import Seen, estimate
from distillgen.review.order import order

SETS = {10: (0, 1, 2, 5, 9), 30: (1, 3, 9, 20), 100: (2, 10, 40), 1500: (5, 30, 300)}
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
LEAST = 0.91
WORSE = {"a": 0.3, "b": 1, "c": 2, "d": 6}


class Sheaf:
    """As much of a pile as an order needs: scores of few values, lower where a record is wrong."""

    def __init__(self, label: list[str], wrong: set[int], scored: bool, dice: random.Random):
        self.label, self.topic, self.strategy = label, [()] * len(label), [""] * len(label)
        scores = ((0.33, 0.67) if n in wrong and dice.random() < 0.6 else (1, 1, 0.67)
                  for n in range(len(label)))  # fmt: skip
        self.confidence = array("f", (dice.choice(one) if scored else math.nan for one in scores))

    def __len__(self) -> int:
        return len(self.label)


def held(n: int, bad: int, labels: str, scored: bool, times: int) -> list[float]:
    """By share reviewed, in how many of the orders the interval holds the truth."""
    found = [0] * len(SHARES)
    for seed in range(times):
        dice = random.Random(f"{n} {bad} {labels} {scored} {seed}")
        label = [labels[place % len(labels)] for place in range(n)]
        weight = [1.0] * n
        if labels == "abcd":
            label = dice.choices("abcd", (60, 25, 10, 5), k=n)
            weight = [WORSE[name] for name in label]
        keys = [dice.random() ** (1 / one) for one in weight]  # Efraimidis and Spirakis 2006
        wrong = set(sorted(range(n), key=keys.__getitem__)[n - bad :])
        drawn = order(Sheaf(label, wrong, scored, dice), random_seed=seed)
        for place, share in enumerate(SHARES):
            fate: dict[int, Seen] = {
                one: "wrong" if one in wrong else "right"
                for one in drawn.places[: round(n * share)]
            }
            got = estimate(drawn, fate)
            low, high = round(got.low * n), round(got.high * n)
            if not got.wrong <= low <= high <= got.wrong + n - got.reviewed:
                sys.exit(f"impossible: {got}")
            found[place] += low <= bad <= high
    return [one / times for one in found]


def main() -> int:
    """0 when the interval holds."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    worst = 1.0
    print("records  wrong  " + "  ".join(f"{share:.0%} seen" for share in SHARES))
    for n, many in SETS.items():
        for bad in many:
            sets = [(labels, scored) for labels in ("a", "abc", "abcd") for scored in (False, True)]
            each = [held(n, bad, labels, scored, times) for labels, scored in sets]
            least = [min(column) for column in zip(*each, strict=True)]
            worst = min(worst, *least)
            print(f"{n:7}  {bad:5}  " + "  ".join(f"{one:8.1%}" for one in least), flush=True)
    print(f"least: {worst:.1%}")
    return worst < LEAST


if __name__ == "__main__":
    sys.exit(main())
