"""Lay the figures of a dataset card out: what was left out, verdicts, variety, test sets."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from distillgen import checks, findings, remake
from distillgen.delivery import Delivery
from distillgen.facts import Facts, Step
from distillgen.markdown import Cell, code, table
from distillgen.records import Entry

WHY: Mapping[str, Mapping[str, str]] = {
    "expand": {
        "duplicate": "nearly the same as an earlier one", "capped": "too many of one example",
        "template": "like earlier ones but for the numbers", "invalid": "a field was missing",
        "short": "missing from lists that came short", "failed": "no usable reply came",
    },
    "answer": {
        "failed": "no usable reply came", "open": "not asked yet", "rejected": "rejected",
    },
    "decontaminate": {"flagged": "gives a test set away"},
    "dedupe": {
        "duplicate": "nearly the same as an earlier one",
        "template": "like earlier ones but for the numbers",
    },
    "select": findings.SUMS["select"],
}  # fmt: skip
"""What the reasons of each ledger mean."""
FORMATS: Mapping[str, str] = {
    "no_question": "no question", "no_answer": "no answer", "no_rationale": "no rationale",
    "images": "images, which the format cannot hold", "no_rows": "nothing in it for the format",
    "too_long": "longer than --max-length", "no_soft_label": "no soft label",
    "other_labels": "other labels than the rest", "same_answer": "both answers are the same",
    "bridges_splits": "belongs to two splits", "no_split": "of no split",
}  # fmt: skip
"""The same, of what a format leaves out."""
KNOWN_BY: Mapping[str, str] = {
    "right_wrong": "a right answer against a wrong one", "judge_margin": "by a judge's scores",
    "compared": "compared by a judge, the same in both orders",
}  # fmt: skip
FIELDS = {"question": "questions", "user_context": "contexts", "answer": "answers",
          "rationale": "rationales"}  # fmt: skip


# -- what was left out --------------------------------------------------------------------------


def left_out(folder: Delivery, found: Facts | None) -> str:
    """A row for each reason, step by step; what came in is what is kept and what is left out."""
    rows: list[Sequence[Cell]] = []
    for step in found.funnel if found else ():
        if step.passed_on and step.stage != "export":
            rows += _step(step, found) if found else ()
    kept = sum(folder.records.values())
    rows.append(("export", "given", kept + folder.left_out.total()))
    rows += [
        (None, f"left out: {FORMATS.get(why, code(why))}", n)
        for why, n in sorted(folder.left_out.items())
    ]
    rows.append((None, "**in this set**", kept))
    return table(("step", "what became of them", "records"), rows)


def _step(step: Step, found: Facts) -> Iterator[Sequence[Cell]]:
    """What stands on the screen alone, as it depends on timing, is in no card."""
    surplus = step.lost.get("surplus", 0)
    given = "proposed" if step.stage == "expand" else "given"
    yield step.stage, given, step.given - surplus
    for why, n in step.lost.items():
        if why != "surplus":
            words = WHY.get(step.stage, {}).get(why, code(why))
            yield None, f"left out: {words}{_kinds(step.stage, why, found)}", n
    yield None, "kept", step.kept


def _kinds(stage: str, why: str, found: Facts) -> str:
    """Of failed and rejected answers the reasons, which files hold."""
    counts: Mapping[str, int] = {}
    if stage == "answer" and why == "failed":
        counts = {one.kind: one.count for one in found.failures if one.stage == stage}
    if stage == "answer" and why == "rejected":
        counts = {reason: n for (by, reason), n in found.rejected.items() if by == stage}
    said = (f"{code(kind)} {n:,}" for kind, n in sorted(counts.items()))
    return f" ({', '.join(said)})" if counts else ""


# -- which answer is better, and how good they are ----------------------------------------------


def preferences(folder: Delivery) -> str:
    """Of pairs, how it is known which answer is better, and whether length tells it."""
    if not folder.reasons:
        return ""
    rows = [(KNOWN_BY.get(why, code(why)), n) for why, n in sorted(folder.reasons.items())]
    pairs = folder.longer.total()
    shares = {sign: folder.longer[sign] / pairs for sign in (1, -1)}
    said = f"The better answer is longer in {shares[1]:.0%}, shorter in {shares[-1]:.0%} of them."
    if pairs >= findings.FEWEST and max(shares.values()) > findings.PREDICTS:
        which = "longer" if shares[1] > shares[-1] else "shorter"
        said += f" **A student may learn to be {which}, and nothing else.**"
    return f"{table(('which is better is known', 'pairs'), rows)}\n\n{said}"


def verdicts(found: Facts | None, closed: bool) -> str:
    """Checks, scores, right answers, reviews."""
    if found is None:
        return "Nothing is known of these answers."
    parts = [_labels(found) if closed else "", _checks(found), _judge(found), _right(found)]
    if found.soft:
        methods = ", ".join(f"{code(name)} {n:,}" for name, n in found.soft_methods.items())
        parts.append(f"Soft labels: {found.soft.count:,} ({methods}).")
    if found.flags:
        flags = ", ".join(f"{code(name)} {n:,}" for name, n in sorted(found.flags.items()))
        parts.append(f"Answers with a flag: {flags}.")
    if found.reviews:
        said = ", ".join(f"{code(name)} {n:,}" for name, n in sorted(found.reviews.items()))
        parts.append(f"People reviewed records of this run: {said}.")
    return "\n\n".join(part for part in parts if part)


def _labels(found: Facts) -> str:
    rows = sorted(found.labels.items(), key=lambda one: (-one[1], one[0]))
    shown = [(code(label), n) for label, n in rows[:MOST]]
    if rest := sum(n for _, n in rows[MOST:]):
        shown.append((f"{len(rows) - MOST} others", rest))
    return table(("label", "answers"), shown) if shown else ""


MOST = 20
"""Labels that are shown."""


def _checks(found: Facts) -> str:
    applied = [one for one in found.checks if one.applied]
    if not applied:
        return "No check was run on these answers."
    known = any(one.known for one in applied)
    head = ["check", "what it looks at", "answers", "passed"]
    head += ["right if passed", "right if failed"] * known
    rows = [
        [
            code(one.name), _help(one.name), one.applied, one.passed,
            *[_share(one.precision), _share(one.right_if_failed)] * known,
        ]
        for one in applied
    ]  # fmt: skip
    return (
        f"{found.unfailing or 0:,} of {found.records:,} answers are known to fail none of these"
        f" checks, which need no teacher. A check leaves nothing out by itself.\n\n"
        + table(head, rows)
    )


def _help(name: str) -> str:
    """What a check of ours says of itself."""
    return checks.load(name).help.replace("<", "&lt;") if name in checks.names() else ""


def _judge(found: Facts) -> str:
    if not found.aspects:
        return "No judge scored these answers."
    who = ", ".join(f"{code(name)} ({n:,} answers)" for name, n in sorted(found.judges.items()))
    rows: list[Sequence[Cell]] = [
        (code(one.name), round(one.mean, 2), *(one.counts.get(score, 0) for score in range(1, 6)))
        for one in sorted(found.aspects, key=lambda one: one.name)
    ]
    said = f"Scored from 1 to 5 by {who}:\n\n"
    said += table(("aspect", "mean", "1", "2", "3", "4", "5"), rows)
    if own := sorted(found.judges.keys() & found.teachers.keys()):
        said += (
            f"\n\n{', '.join(map(code, own))} judged answers of its own: models favour what they"
            " wrote (Panickssery et al. 2024)."
        )
    return said


def _right(found: Facts) -> str:
    known = sum(found.right.values())
    if not known:
        return "Whether the answers are right is not known: there was nothing to hold them against."
    right = found.right.get(True, 0)
    return (
        f"Of {known:,} answers whose truth is known, from a right answer in the data or a person's"
        f" review, {right:,} are right ({right / known:.0%})."
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


# -- variety and test sets ----------------------------------------------------------------------


def diversity(found: Facts | None) -> str:
    """Figures by field, and what stands out."""
    fields = found.stats["fields"] if found else {}
    if not (found and fields):
        return ""
    columns = [name for name in FIELDS if name in fields]
    figures = [fields[name] for name in columns]
    seeds = [one.get("seeds") or {} for one in figures]
    rows: list[Sequence[Cell]] = [
        ("texts", *(one["given"] for one in figures)),
        ("looked at", *(one["sample"] for one in figures)),
        ("words, median", *(one["words"]["median"] for one in figures)),
        ("compression ratio", *(round(one["compression_ratio"], 2) for one in figures)),
        ("distinct-1", *(round(one["distinct_1"], 3) for one in figures)),
        ("distinct-2", *(round(one["distinct_2"], 3) for one in figures)),
        ("Vendi score", *(round(one["vendi"], 1) for one in figures)),
    ]
    if any(seeds):
        rows += [
            ("nearest seed, mean", *(_rounded(one.get("nearest")) for one in seeds)),
            ("the same among seeds", *(_rounded(one.get("nearest_of_seeds")) for one in seeds)),
            ("near copies of seeds", *(one.get("copies") for one in seeds)),
        ]
    said = [
        table(("figure", *(FIELDS[name] for name in columns)), rows),
        _READ + _SEEDS * any(seeds),
    ]
    by_language = found.languages
    told = ", ".join(f"{code(name)} {n:,}" for name, n in by_language.items() if name != "?")
    if told:
        unsure = by_language.get("?", 0)
        said.append(f"Languages: {told}{f'; not sure of {unsure:,}' if unsure else ''}.")
    if lines := found.stats["warnings"]:
        said.append("\n".join(f"- {code(line)}" for line in lines))
    return "\n\n".join(said)


_READ = """\
A compression ratio (gzip) says how much the texts repeat each other; texts of people are at 2.4 to
2.7. Distinct-n is the share of different words, or pairs of words. A Vendi score of 9 means that
they vary as much as 9 texts with nothing in common."""
_SEEDS = """ How near a seed is, is told by ROUGE-L, from 0 to 1."""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def contamination(found: Facts | None, entries: Mapping[str, Entry]) -> str:
    """Against which test sets it was held, and what was found."""
    entry = entries.get("decontaminate")
    on_the_way = "decontaminate" in remake.way(entries)
    if not (found and entry and (on_the_way or "decontaminate" in remake.looked(entries))):
        return (
            "This set was not compared with any test set. Before a student is measured on a public"
            " one: `distillgen decontaminate FILE --against TEST-SET`."
        )
    against = [str(path) for path in entry.options.get("against", ())]
    rows: list[Sequence[Cell]] = [
        (code(Path(path).name), *(found.contaminated.get((path, tier), 0) for tier in TIERS))
        for path in against
    ]
    flagged, given = entry.counts.get("flagged", 0), entry.counts.get("given", 0)
    fate = "they are left out" if on_the_way else "no step has left them out for that"
    return (
        f"Compared with {len(against):,} test set{'s' if len(against) != 1 else ''}: {flagged:,} of"
        f" {given:,} records give an item away; {fate if flagged else 'none had to go'}.\n\n"
        + table(("test set", "same text", "8-grams", "in other words"), rows)
    )


TIERS = ("exact", "ngram", "paraphrase")
"""How a record gives an item away."""
