"""Measure how varied a set of texts is: repetition of words and phrases, and of whole texts.

All figures depend on how many texts there are and how long they are: compare samples of one size.
Words are those of `dedupe.tokens`; texts without any are not to be given.
"""

import gzip
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from operator import mul

Words = Sequence[str]
"""A text as its words, one at least."""

LONG = 4
"""Words of a phrase that two texts hardly share by chance."""
BLEU = 4
"""Self-BLEU counts phrases of up to so many words."""
SMOOTHED = 0.1
"""What stands for no common phrase of a length in BLEU (Chen and Cherry 2014, method 1)."""
VENDI = (1, 2)
"""Phrases that make two texts alike: the lengths of the reference implementation
(`vendi_score.text_utils.ngram_vendi_score`)."""
NOTHING = 1e-14
"""Beside entries of up to 1, a number as small as this is the rounding's."""


def phrases(words: Words, n: int) -> Iterator[tuple[str, ...]]:
    """The runs of `n` words of a text, in order; none if it is shorter."""
    return zip(*(words[i:] for i in range(n)), strict=False)


def distinct(texts: Sequence[Words], n: int) -> float:
    """Distinct-n: different phrases of `n` words over all of them, 0 to 1 (Li et al. 2016).

    >>> distinct([["a", "b"], ["a", "b"]], 1), distinct([["a", "b"], ["a", "b"]], 2)
    (0.5, 0.5)
    """
    found = Counter(chain.from_iterable(phrases(words, n) for words in texts))
    return len(found) / max(found.total(), 1)


def compression(texts: Sequence[str]) -> float:
    """Bytes of the texts over their bytes in gzip: the more, the more they repeat each other.

    Proposed by Shaib et al. 2024 (arXiv 2403.00553). Prompts that people wrote are at 2.4 to 2.7,
    word problems of a few patterns at 3.8 (benchmarks/stats.py).
    """
    data = "\n".join(texts).encode(errors="replace")
    return len(data) / len(gzip.compress(data, mtime=0))


def repetition(texts: Sequence[Words]) -> float:
    """Share of the texts with a phrase of `LONG` words that stands in another one, too, 0 to 1.

    Self-repetition as in Salkar et al. 2022, counted by texts.
    """
    own = [set(phrases(words, LONG)) for words in texts]
    among = Counter(chain.from_iterable(own))
    return sum(any(among[phrase] > 1 for phrase in one) for one in own) / len(texts)


def self_bleu(texts: Sequence[Words]) -> float:
    """Mean BLEU of each text with all others as references, 0 to 1 (Zhu et al. 2018).

    A text of less than `BLEU` words is judged by the phrases that it has. 1 if all are equal, 0
    if no two have a word in common, or there is one only.
    """
    if len(texts) < 2:
        return 0.0
    scores: list[list[float]] = [[] for _ in texts]
    for n in range(1, BLEU + 1):
        counts = [Counter(phrases(words, n)) for words in texts]
        most = _two_highest(counts)
        for mine, score in zip(counts, scores, strict=True):
            if not mine:
                continue
            common = 0
            for phrase, times in mine.items():
                first, second = most[phrase]
                common += min(times, second if times == first else first)
            score.append((common or SMOOTHED) / mine.total() if common or n > 1 else 0.0)
    lengths = Counter(map(len, texts))
    return sum(
        _brevity(len(words), lengths) * _geometric_mean(score)
        for words, score in zip(texts, scores, strict=True)
    ) / len(texts)


def _two_highest(counts: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], list[int]]:
    """For each phrase how often it stands in the text that has it most, and in the next."""
    found: dict[tuple[str, ...], list[int]] = {}
    for one in counts:
        for phrase, times in one.items():
            pair = found.setdefault(phrase, [0, 0])
            if times > pair[0]:
                pair[:] = times, pair[0]
            elif times > pair[1]:
                pair[1] = times
    return found


def _brevity(length: int, lengths: Counter[int]) -> float:
    """BLEU's penalty for a text that is shorter than the other one nearest to it in length."""
    others = [other for other, n in lengths.items() if n > (other == length)]
    nearest = min(others, key=lambda other: (abs(other - length), other))
    return min(1.0, math.exp(1 - nearest / length))


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) else 0.0


def vendi(texts: Sequence[Words]) -> float:
    """Vendi score: how many quite different texts would be as varied, 1 to their number.

    exp(-Σ λ log λ) over the eigenvalues λ of K/n (Friedman and Dieng 2022, arXiv 2210.02410). K
    holds the similarities: the cosine of the phrases' counts, the mean over the lengths `VENDI`;
    a shorter text is one phrase.
    """
    n = len(texts)
    matrix = [[0.0] * i + [1 / n] + [0.0] * (n - i - 1) for i in range(n)]
    for length in VENDI:
        places: dict[tuple[str, ...], list[tuple[int, float]]] = {}
        for i, words in enumerate(texts):
            found = Counter(phrases(words, min(length, len(words))))
            norm = math.sqrt(sum(times * times for times in found.values()))
            for phrase, times in found.items():
                places.setdefault(phrase, []).append((i, times / norm))
        for there in places.values():
            for (i, a), (j, b) in combinations(there, 2):
                matrix[i][j] += a * b / len(VENDI) / n
    for i in range(n):
        for j in range(i):
            matrix[i][j] = matrix[j][i]
    return math.exp(-sum(x * math.log(x) for x in eigenvalues(matrix) if x > NOTHING))


def eigenvalues(matrix: list[list[float]]) -> list[float]:
    """The eigenvalues of a symmetric matrix with entries of up to 1, in no order.

    Householder's reduction to three diagonals, then implicit QL steps (Golub and Van Loan, Matrix
    Computations, sections 8.3.1 and 8.3.3). It takes n³ multiplications, half a second for 200
    rows in plain Python; Jacobi's rotations would take twenty times as many.
    """
    diagonal, beside = [], []
    rows = matrix
    while len(rows) > 1:
        (first, *x), rows = rows[0], [row[1:] for row in rows[1:]]
        norm = math.sqrt(sum(map(mul, x, x)))
        diagonal.append(first)
        beside.append(norm)
        if norm > NOTHING:
            rows = _reflected(rows, [x[0] + math.copysign(norm, x[0]), *x[1:]])
    diagonal += [row[0] for row in rows]
    return _ql(diagonal, [*beside, 0.0])


def _reflected(rows: list[list[float]], v: list[float]) -> list[list[float]]:
    """H rows H for Householder's reflection H = I - 2 v vᵀ / vᵀv."""
    square = sum(map(mul, v, v))
    p = [2 / square * sum(map(mul, row, v)) for row in rows]
    half = sum(map(mul, p, v)) / square
    w = [a - half * b for a, b in zip(p, v, strict=True)]
    return [
        [x - vi * wj - wi * vj for x, vj, wj in zip(row, v, w, strict=True)]
        for row, vi, wi in zip(rows, v, w, strict=True)
    ]


def _ql(d: list[float], e: list[float]) -> list[float]:
    """The eigenvalues of a matrix with the diagonal `d`, and `e` on both sides of it."""
    for low in range(len(d)):
        while (high := next(m for m in range(low, len(e)) if abs(e[m]) < NOTHING)) > low:
            g = (d[low + 1] - d[low]) / (2 * e[low])
            g = d[high] - d[low] + e[low] / (g + math.copysign(math.hypot(g, 1), g))
            sine = cosine = 1.0
            moved = 0.0
            for i in reversed(range(low, high)):
                f, b = sine * e[i], cosine * e[i]
                e[i + 1] = r = math.hypot(f, g)
                if r < NOTHING:
                    d[i + 1] -= moved
                    break
                sine, cosine = f / r, g / r
                g = d[i + 1] - moved
                r = (d[i] - g) * sine + 2 * cosine * b
                moved = sine * r
                d[i + 1] = g + moved
                g = cosine * r - b
            else:
                d[low] -= moved
                e[low] = g
            e[high] = 0.0
    return d
