"""Soft labels: what a teacher thinks of every label of a closed task, not of the best alone. Pure.

A soft label is collected at the teacher's own temperature and stored so; `tempered` gives it
another one when it is exported.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from distillgen.errors import ParseError, UserError
from distillgen.records import JSON, SoftMethod

MOST_LABELS = 20
"""Servers tell at most so many tokens at a position (`top_logprobs` of OpenAI's chat API)."""
MOST_ROTATIONS = 4
"""Requests that are asked of one input against the teacher's liking for a position."""
LEAST_COVERED = 0.5
"""Labels that hold less of the probability were not what the teacher was about to say."""
TOLERANCE = 0.02
"""By so much a distribution may miss 1: what a few shares that are rounded to two places miss."""
HARD_SHARE = 0.9
"""Probability that the virtual teacher gives to the hard label (Tf-KD, Yuan et al. 2020)."""

_AROUND = " \t\r\n\"'`*_.,:;()[]{}<>\u2581\u0120\u010a"
"""What stands around a letter in a token; the last three are blanks as tokenizers spell them."""
_STATED = re.compile(r"[~<>≈]?\s*(\d+(?:[.,]\d+)?)\s*(%|per ?cent)?", re.I | re.ASCII)


class Soft(NamedTuple):
    """A soft label and how it was come by."""

    probabilities: dict[str, float]
    """Of each label in the order of the task; 1 together."""
    covered: float | None
    """What the labels had of the probability before they were made 1; for `logprobs` alone."""
    method: SoftMethod


class Uncovered(ParseError):
    """The labels have too little of the probability to be made a distribution."""

    def __init__(self, covered: float) -> None:
        super().__init__(
            "uncovered",
            f"the labels have {covered:.2f} of the probability, less than {LEAST_COVERED:.2f}",
        )
        self.covered = covered


def rotations(labels: Sequence[str]) -> list[dict[str, str]]:
    """Which letter stands for which label, once for each request that is to be asked.

    Of up to four labels each stands under each letter once; of more, four rotations that are
    spread evenly.

    >>> rotations(["yes", "no"])
    [{'A': 'yes', 'B': 'no'}, {'A': 'no', 'B': 'yes'}]

    Raises:
        UserError: there are more labels than a server tells probabilities of.
    """
    count = len(labels)
    if count > MOST_LABELS:
        raise UserError(
            f"{count} labels: probabilities can be had of {MOST_LABELS} at most; "
            "take soft labels by votes, or fewer labels"
        )
    times = min(count, MOST_ROTATIONS)
    starts = [time * count // times for time in range(times)]
    return [
        dict(zip(ascii_uppercase, [*labels[start:], *labels[:start]], strict=False))
        for start in starts
    ]


def of_logprobs(tops: Sequence[Mapping[str, float]], letters: Sequence[Mapping[str, str]]) -> Soft:
    """From the log-probabilities of the likeliest tokens at the place of the letter, draw by draw.

    `tops` maps tokens to natural logarithms, `letters` the draw's letters to labels, as from
    `rotations`. ` A`, `a` and `A.` all speak for A. Each draw counts the same, however much the
    labels have in it; one in which they have nothing says nothing of them, and lowers `covered`.

    Raises:
        Uncovered: the labels have less than half of the probability.
    """
    draws = [_masses(top, names) for top, names in zip(tops, letters, strict=True)]
    sums = [sum(draw.values()) for draw in draws]
    covered = sum(min(1.0, total) for total in sums) / max(1, len(sums))
    _bar(covered)
    means = dict.fromkeys(letters[0].values(), 0.0)
    for draw, total in zip(draws, sums, strict=True):
        for label, mass in draw.items():
            means[label] += mass / total if total else 0.0
    return Soft(_made_one(means), covered, "logprobs")


def _masses(top: Mapping[str, float], letters: Mapping[str, str]) -> dict[str, float]:
    """The probability of each label in one draw, all spellings of its letter together."""
    masses = dict.fromkeys(letters.values(), 0.0)
    for token, logprob in top.items():
        if (letter := token.strip(_AROUND).upper()) in letters:
            masses[letters[letter]] += math.exp(min(0.0, logprob))
    return masses


def _bar(covered: float) -> None:
    if covered < LEAST_COVERED:
        raise Uncovered(covered)


def of_votes(drawn: Iterable[str], labels: Sequence[str], pseudo: float = 1.0) -> Soft:
    """The shares of the labels among draws, each label with `pseudo` votes beforehand (Laplace).

    >>> of_votes(["yes", "yes", "no"], ["yes", "no"]).probabilities
    {'yes': 0.6, 'no': 0.4}

    Raises:
        ParseError: `empty`, no draw has a label.
    """
    votes = Counter(label for label in drawn if label in labels)
    if not votes:
        raise ParseError("empty", "no draw has a label")
    return Soft(_made_one({label: votes[label] + pseudo for label in labels}), None, "votes")


def of_verbal(stated: Mapping[str, JSON], labels: Sequence[str]) -> Soft:
    """From probabilities that the teacher stated: as shares or in percent, numbers or text.

    They need not make 1; case and blanks of labels do not count.

    >>> of_verbal({"Yes": "80 %", "no": "20 %"}, ["yes", "no"]).probabilities
    {'yes': 0.8, 'no': 0.2}

    Raises:
        ParseError: `schema`, a label has no probability or one that is none.
        Uncovered: other labels than the task's have more than half.
    """
    given = {name.strip().casefold(): value for name, value in stated.items()}
    shares = {}
    for label in labels:
        value = given.get(label.strip().casefold())
        if value is None:
            raise ParseError("schema", f"no probability of `{label}`")
        shares[label] = _share(value, label)
    known = {label.strip().casefold() for label in labels}
    others = sum(_share(value, name) for name, value in given.items() if name not in known)
    if not (total := sum(shares.values())):
        raise ParseError("schema", "all probabilities are 0")
    _bar(total / (total + others))
    return Soft(_made_one(shares), None, "verbal")


def _share(value: JSON, label: str) -> float:
    """A stated probability, 0 to 100: percent and shares alike, as they are made 1 together."""
    number = value
    if isinstance(value, str) and (read := _STATED.fullmatch(value.strip())):
        number = float(read[1].replace(",", "."))
    if type(number) in (int, float) and 0 <= number <= 100:
        return float(number)
    raise ParseError("schema", f"the probability of `{label}` is none: {str(value)[:40]}")


def smoothed(label: str, labels: Sequence[str], share: float = HARD_SHARE) -> Soft:
    """A virtual teacher: `share` for the label, the rest evenly for the others.

    >>> smoothed("no", ["yes", "no", "perhaps"], 0.5).probabilities
    {'yes': 0.25, 'no': 0.5, 'perhaps': 0.25}

    Raises:
        ValueError: it is none of the labels.
    """
    if label not in labels:
        raise ValueError(f"{label!r} is none of {', '.join(labels)}")
    others = (1 - share) / max(1, len(labels) - 1)
    shares = {one: share if one == label else others for one in labels}
    return Soft(_made_one(shares), None, "smooth")


def problem(probabilities: Mapping[str, float]) -> str:
    """Why these are no distribution over the labels; empty if they are one.

    >>> problem({"yes": 0.7, "no": 0.7})
    'the probabilities make 1.4, not 1'
    """
    for label, p in probabilities.items():
        if not 0 <= p <= 1:
            return f"the probability of `{label}` is {p:g}"
    total = math.fsum(probabilities.values())
    return "" if abs(total - 1) <= TOLERANCE else f"the probabilities make {total:g}, not 1"


def tempered(probabilities: Mapping[str, float], temperature: float) -> dict[str, float]:
    """The distribution at another temperature: p^(1/T), made 1 again; what is 0 stays 0.

    A probability is the softmax of its own logarithm, so that log p is what T divides. A softmax
    of p / T instead takes shares for logits and flattens them: 0.9 and 0.1 would become 0.69 and
    0.31 at T = 1 already, and 0.60 and 0.40 at T = 2.

    >>> rounded(tempered({"yes": 0.9, "no": 0.1}, 2))
    {'yes': 0.75, 'no': 0.25}

    Raises:
        ValueError: the temperature is not above 0, or no label has a probability.
    """
    best = max(probabilities.values(), default=0.0)
    if not (temperature > 0 and best > 0):
        raise ValueError(f"no distribution at temperature {temperature}")
    powers = {
        label: math.exp((math.log(p) - math.log(best)) / temperature) if p > 0 else 0.0
        for label, p in probabilities.items()
    }
    return _made_one(powers)


def mixed(probabilities: Mapping[str, float], hard_label: str, weight: float) -> dict[str, float]:
    """`weight` of the hard label and the rest of the soft one, for losses that take one target."""
    return {
        label: weight * (label == hard_label) + (1 - weight) * p
        for label, p in probabilities.items()
    }


def rounded(probabilities: Mapping[str, float], places: int = 6) -> dict[str, float]:
    """With so many decimal places, and still 1 together: the likeliest takes what is over."""
    short = {label: round(p, places) for label, p in probabilities.items()}
    likeliest = max(short, key=short.__getitem__)
    short[likeliest] = round(short[likeliest] + 1 - math.fsum(short.values()), places)
    return short


def _made_one(shares: Mapping[str, float]) -> dict[str, float]:
    total = math.fsum(shares.values())
    return {label: share / total for label, share in shares.items()}
