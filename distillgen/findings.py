"""Lay what judges, choices and pairs came to out for a terminal, 80 columns wide."""

from collections.abc import Iterator, Mapping

from distillgen.calibration import FEW
from distillgen.records import JSON

SUMS: Mapping[str, Mapping[str, str]] = {
    "judge": {"kept": "judged", "open": "not asked yet", "failed": "failed"},
    "compare": {"kept": "compared", "open": "not asked yet", "failed": "failed"},
    "select": {
        "kept": "kept", "not_judged": "not judged", "below_min": "below --min",
        "check_silent": "not checked", "check_failed": "failed a check",
        "too_near": "too near to better ones", "over_budget": "over the budget",
        "rejected_by_review": "rejected by reviewers", "review_conflict": "reviewers differ",
    },
    "pairs": {
        "kept": "paired", "single": "with one answer only", "all_right": "all right",
        "all_wrong": "all wrong", "undecided": "undecided",
    },
}  # fmt: skip
"""What the ledger calls each sum."""
LEFT_OUT: Mapping[str, str] = {
    "no_question": "no question", "no_answer": "no answer", "no_rationale": "no rationale",
    "no_label": "no label", "no_soft_label": "no soft label",
    "other_labels": "other labels than the rest", "same_answer": "both answers are the same",
    "images": "images, which the format cannot hold", "no_rows": "nothing in it for the format",
    "too_long": "longer than --max-length", "no_split": "of no split",
    "bridges_splits": "belongs with records of two splits",
    "edited_by_review": "the better answer was changed in review since it was paired",
    "outdated": "its answers are no longer in the file",
    "rejected_by_review": "rejected by reviewers", "review_conflict": "reviewers differ",
    "rejected": "in no format",
}  # fmt: skip
"""Why a format of an export does not have a record."""
DECIDED: Mapping[str, str] = {
    "accept": "accepted", "edit": "changed", "reject": "rejected",
    "conflict": "decided otherwise by each reviewer",
}  # fmt: skip
"""What people said of a record."""

PREDICTS = 0.7
"""Above this share of pairs length alone tells the better answer, which is warned of."""
FEWEST = 10
"""Of fewer pairs it may be chance."""

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


def of_select(figures: Mapping[str, Found]) -> Iterator[str]:
    """What was chosen beside what chance would choose, as a table, and whether it is better."""
    yield f"{'':<22}" + "".join(f"{name:>12}" for name in figures)
    rows = {"score, 0 to 1": "score", "right": "right", "distinct-2": "distinct_2",
            "gzip ratio": "compression_ratio"}  # fmt: skip
    cells = {label: [one[name] for one in figures.values()] for label, name in rows.items()}
    for kind in ("scores", "checks"):
        for name in figures["given"][kind]:
            label = name if kind == "scores" else f"passed {name}"
            cells[label] = [one[kind].get(name) for one in figures.values()]
    for label, values in cells.items():
        if any(value is not None for value in values):
            yield f"{label:<22}" + "".join(f"{_two_digits(value):>12}" for value in values)
    yield from _better(figures["selected"], figures["given"])


def _better(selected: Found, given: Found) -> Iterator[str]:
    """Whether more are right than chance would have: two standard errors count as chance."""
    if not selected["records"] or selected["records"] == given["records"]:
        return
    if not selected["known"]:
        yield (
            "whether these are better than a random choice is not known: the scores are what they"
            " were chosen by, and there are no right answers to count"
        )
        return
    base, share = given["right"], selected["right"]
    chance = 2 * (base * (1 - base) / selected["known"]) ** 0.5
    if share - base <= chance:
        yield (
            f"a random choice is as good: {share:.0%} are right, of all {base:.0%}, and chance"
            f" alone makes a difference of up to {chance:.0%}"
        )
    else:
        yield f"{share:.0%} are right, of all {base:.0%}: more than chance would have"


def of_pairs(found: Found, kept: int) -> Iterator[str]:
    """How the better ones are known, and what length alone tells."""
    if not kept:
        return
    words = {
        "edited": "a reviewer's text against the teacher's",
        "right_wrong": "right against wrong", "judge_margin": "by the judge's scores",
        "compared": "by comparison in both orders",
    }  # fmt: skip
    yield ", ".join(f"{n:,} {words[reason]}" for reason, n in found["reasons"].items())
    length = found["length"]
    told = "" if length["correlation"] is None else f", correlation {length['correlation']:.2f}"
    yield (
        f"length: the better one is longer in {length['chosen_longer']:.0%}, shorter in"
        f" {length['rejected_longer']:.0%}, by {length['mean_difference']:+,.0f} characters on"
        f" average{told}"
    )
    share, which = max((length["chosen_longer"], "longer"), (length["rejected_longer"], "shorter"))
    if share > PREDICTS and kept >= FEWEST:
        yield (
            f"WARNING: whoever takes the {which} one is right in {share:.0%} of the pairs: a model"
            f" may learn to be {which}, and nothing else"
        )
