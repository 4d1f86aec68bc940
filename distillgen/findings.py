"""Lay what judges, choices and pairs came to out for a terminal, 80 columns wide."""

from collections.abc import Iterator, Mapping

from distillgen.calibration import FEW
from distillgen.records import JSON

SUMS: Mapping[str, Mapping[str, str]] = {
    "judge": {"kept": "judged", "open": "not asked yet", "failed": "failed"},
    "compare": {"kept": "compared", "open": "not asked yet", "failed": "failed"},
}  # fmt: skip
"""What the ledger calls each sum."""

Found = Mapping[str, JSON]


def of_judge(stage: str, counts: Mapping[str, int], found: Found) -> Iterator[str]:
    """What `judge` or `compare` found, a line each."""
    if found["own"]:
        yield (
            f"{found['judge']} judged {_many(found['own'], 'answer')} of its own: models favour"
            " what they wrote (Panickssery et al. 2024); another judge is fairer"
        )
    if stage == "compare":
        yield from _of_compare(counts, found)
        return
    for name, scores in found["scores"].items():
        total = sum(scores.values())
        mean = sum(int(score) * n for score, n in scores.items()) / max(1, total)
        shares = "  ".join(f"{score}: {n:,}" for score, n in scores.items())
        yield f"{name:<12} mean {mean:.2f}   {shares}"
    if found["threshold"]:
        yield (
            f"{_many(found['at_threshold'], 'answer')} of {counts['kept']:,} reach"
            f" {found['threshold']:g} in every aspect"
        )
    yield from _calibration(found)


def _of_compare(counts: Mapping[str, int], found: Found) -> Iterator[str]:
    if without := found["records"] - counts["given"]:
        yield f"{_many(without, 'record')} without two candidates that differ"
    if counts["kept"]:
        share = found["inconsistent"] / counts["kept"]
        yield (
            f"{found['inconsistent']:,} of {counts['kept']:,} verdicts ({share:.0%}) turned with"
            " the order, and count for nothing"
        )
    if (known := found["known"])["given"]:
        yield (
            f"where one of the two is right, {known['right']:,} of {known['given']:,} verdicts"
            f" name it, {known['wrong']:,} the other" + _few(known["given"])
        )


def _calibration(found: Found) -> Iterator[str]:
    """The sweep as a table, and the bar to take."""
    known = found["known"]
    if not known["given"]:
        yield "how far to trust the scores is not known: no right answers, and no reviews.jsonl"
        return
    base = known["right"] / known["given"]
    yield (
        f"of {known['given']:,} answers whose truth is known {known['right']:,} are right"
        f" ({base:.0%})" + _few(known["given"])
    )
    yield f"{'score':<14}{'pass':>8}{'precision':>12}{'recall':>9}"
    for bar in found["calibration"]:
        name = f"{bar['by']} >= {bar['at_least']:g}"
        shares = [_two_digits(bar[figure]) for figure in ("precision", "recall")]
        best = "   best" if bar["best"] else ""
        yield f"{name:<14}{bar['passed']:>8,}{shares[0]:>12}{shares[1]:>9}{best}"
    if known["right"] in (0, known["given"]):
        yield f"all of them are {'right' if known['right'] else 'wrong'}: nothing to tell apart"
    elif not any(bar["best"] for bar in found["calibration"]):
        yield "WARNING: no bar tells right from wrong better than chance does"


def _few(n: int) -> str:
    return f"; fewer than {FEW} are too few to go by" if n < FEW else ""


def _two_digits(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"


def _many(n: int, thing: str) -> str:
    return f"{n:,} {thing}" + ("s" if n != 1 else "")
