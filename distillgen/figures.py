"""Lay what `stats`, `seeds` and `check` found out for a terminal, 80 columns wide."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from distillgen import lint, show
from distillgen.checked import ENOUGH, TRUTH, Counts, Outcome
from distillgen.language import EXTRA
from distillgen.records import JSON

WIDTH = 80
LABEL, COLUMN = 22, 14
GROUPS_SHOWN = 30
"""Subjects that the screen shows."""
MOST_FAILED = 3
"""Checks that are named in brief."""
OVERLAPS = 3
"""Pairs of checks, those that fail the most answers both."""
SHOWN = 5
"""Seeds, and values of a field, that the screen shows; `--json` has all."""

_HOLDS = "\u00a0"
"""A blank at which no line ends."""

ROWS = {
    "sample": "texts looked at",
    "words": "words: median, most",
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "distinct_3": "distinct-3",
    "compression_ratio": "gzip ratio",
    "self_repetition": "4 words repeated",
    "self_bleu": "self-BLEU",
    "vendi": "Vendi score",
    "languages": "language",
    "nearest": "nearest seed",
    "copies": "copies of a seed",
}


def of_stats(found: Mapping[str, JSON]) -> Iterator[str]:
    """The screen of `stats`, line by line, from what `--json` prints."""
    counts = found["counts"]
    wrong = f", {counts['unusable']:,} without a usable question" if counts["unusable"] else ""
    against = f", against {found['against']}" if found["against"] else ""
    yield from hung(f"{found['file']}: {_many(counts['given'], 'record')}{wrong}{against}", "  ")
    yield ""
    yield from _table(found["fields"])
    if found["languages_told"] is False:
        yield f"language: not told; {EXTRA}"
    if groups := found["groups"]:
        yield ""
        for name, values in groups.items():
            yield from hung(f"{name:<{LABEL}}{_listed(values)}", " " * LABEL)
    yield from _coverage(found["coverage"])
    if made := found["yield"]:
        yield ""
        yield from _yield(made)
    yield ""
    yield from _damage(found["damage"])
    yield from said(found["warnings"])


def _many(n: int, thing: str) -> str:
    return f"{n:,} {thing}" + ("s" if n != 1 else "")


def _table(fields: Mapping[str, JSON]) -> Iterator[str]:
    yield (" " * LABEL + "".join(f"{name:>{COLUMN}}" for name in fields)).rstrip()
    for key, label in ROWS.items():
        cells = [_cell(key, figures) for figures in fields.values()]
        if any(cells):
            yield f"{label:<{LABEL}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells).rstrip()


def _cell(key: str, figures: Mapping[str, Any]) -> str:
    value = figures.get(key, figures.get("seeds", {}).get(key))
    if value is None:
        return ""
    if key == "sample":
        return f"{value:,} of {figures['given']:,}" if value < figures["given"] else f"{value:,}"
    if key == "words":
        return f"{value['median']:g}, {value['most']:,}"
    if key == "self_repetition":
        return f"{value:.0%}"
    if key == "languages":
        first, n = next(iter(value.items()))
        return f"{first} {n / figures['sample']:.0%}"
    if key == "vendi":
        return f"{value:.1f}"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _listed(values: Mapping[str, int]) -> str:
    """The first values with their numbers, none of them parted from its own by a line's end."""
    shown = [f"{n:,} {value}" for value, n in list(values.items())[:SHOWN]]
    if (more := len(values) - SHOWN) > 0:
        shown.append(f"{more:,} more values")
    return ", ".join(one.replace(" ", _HOLDS) for one in shown)


def _coverage(told: Mapping[str, JSON]) -> Iterator[str]:
    if found := told["topics"]:
        groups: dict[str, list[int]] = {}
        for one in found["counts"]:
            groups.setdefault(" > ".join(one["topic"][:2]), []).append(one["count"])
        yield ""
        yield f"{'topics':<{LABEL}}{found['covered']:,} of {found['leaves']:,} have records"
        for name, counts in list(groups.items())[:GROUPS_SHOWN]:
            have = f"{sum(n > 0 for n in counts):,} of {len(counts):,}"
            line = f"{_many(sum(counts), 'record'):>{COLUMN}} on {have:<10} {name}"
            yield from hung(line, " " * (COLUMN + 15))
        if (more := len(groups) - GROUPS_SHOWN) > 0:
            yield f"{'':{COLUMN}} and {more:,} more, see --json"
    if found := told["attributes"]:
        yield ""
        for name, values in found["values"].items():
            yield from hung(f"{name:<{LABEL - 1}} {_listed(values)}", " " * LABEL)
        yield f"{'pairs of values':<{LABEL}}{found['pairs_met']:,} of {found['pairs']:,} met"


def _yield(made: Mapping[str, JSON]) -> Iterator[str]:
    for name, one in made["by_strategy"].items():
        yield f"{name}: {one['proposals']:,} proposals gave {_kept(one)}"
    last = made["last"]
    if last["proposals"] < made["proposals"]:
        yield f"the last {last['proposals']:,} gave {_kept(last)}"
    seeds = sorted(made["by_seed"], key=lambda one: one["kept"] / max(one["proposals"], 1))
    if seeds:
        yield "by seed shown, the lowest first:"
    for one in seeds[:SHOWN]:
        line = f"  {one['kept']:>5,} of {one['proposals']:<6,} "
        question = " ".join(one["question"].split())
        first = next(show.wrap(question, WIDTH - len(line) - 2))
        yield line + first + (" …" if first != question else "")


def _kept(one: Mapping[str, int]) -> str:
    return f"{one['kept']:,} new inputs ({one['kept'] / max(one['proposals'], 1):.0%})"


def _damage(damage: Mapping[str, JSON]) -> Iterator[str]:
    if not damage:
        yield "damage: none of the known kinds found"
        return
    yield "damage, which nothing was removed for:"
    explains = {rule.name: rule.explains for rule in lint.RULES}
    for name, one in damage.items():
        lines = ", ".join(map(str, one["lines"]))
        more = ", …" if one["count"] > len(one["lines"]) else ""
        line = "line" if one["count"] == 1 else "lines"
        yield f"  {name:<19} {one['count']:>6,}  {explains[name]}"
        yield f"{'':30}{line} {lines}{more}"


def of_seeds(found: Mapping[str, JSON]) -> Iterator[str]:
    """The screen of `seeds`, line by line, from what `--json` prints."""
    counts = found["counts"]
    yield f"{found['file']}: {_many(counts['given'], 'seed')}"
    yield ""
    for name, label in (("with_answer", "with an answer"), ("near_copies", "near copies"),
                        ("only_numbers_differ", "alike but for numbers"),
                        ("context_unused", "context not taken up")):  # fmt: skip
        yield f"{label:<{LABEL}} {counts[name]:>5,}"
    for name in ("labels", "tags", "languages"):
        if found[name]:
            yield from hung(f"{name:<{LABEL}} {_listed(found[name])}", " " * (LABEL + 1))
    if found["languages"] is None:
        yield f"language: not told; {EXTRA}"
    yield from said(found["warnings"])
    if found["files"]:
        yield ""
        yield f"files    {found['files'][0]}  {counts['held_out']:,}, for the end"
        yield f"         {found['files'][1]}  {counts['rest']:,}, for the teacher"


def of_checks(outcome: Outcome, *, brief: bool = False) -> Iterator[str]:
    """The ledger of `check`, a line a check that applies, and what they are worth together; in
    brief only the ledger, with the checks that most answers fail."""
    given, failed = outcome.given, outcome.given - outcome.passed
    worst = sorted(outcome.counts.items(), key=lambda item: -item[1].failed)[:MOST_FAILED]
    named = ", ".join(f"{name} {counts.failed:,}" for name, counts in worst if counts.failed)
    why = f" ({named})" if brief and named else ""
    yield (
        f"check    {given:,} given = {outcome.passed:,} pass all + {failed:,} fail one or more{why}"
    )
    if brief:
        return
    apply = {name: c for name, c in outcome.counts.items() if c.passed or c.failed}
    known = any(counts.truth for counts in apply.values())
    head = f"{'':16}{'passed':>9}{'failed':>9}{'n/a':>9}{'pass':>6}"
    yield head + (f"{'precision':>11}{'recall':>8}{'if failed':>11}" if known else "")
    for name, counts in apply.items():
        yield _verdicts(name, counts)
    if others := [name for name in outcome.names if name not in apply]:
        yield from hung(f"{'':9}do not apply: {', '.join(others)}", " " * 9)
    for pair, both in outcome.overlap.most_common(OVERLAPS):
        either = sum(outcome.counts[name].failed for name in pair) - both
        yield f"         {' and '.join(pair)}: {both:,} fail both, {either:,} either"
    yield from _worth(outcome)
    yield from _worst(apply)


def _verdicts(name: str, counts: Counts) -> str:
    applies = counts.passed + counts.failed
    line = f"{name:<16}{counts.passed:>9,}{counts.failed:>9,}{counts.not_applicable:>9,}"
    line += f"{counts.passed / applies:>6.0%}"
    told = counts.as_json()
    if "known" in told:
        line += f"{_share(told['precision']):>11}{_share(told['recall']):>8}"
        line += f"{_share(told['right_if_failed']):>11}"
    return line


def _worth(outcome: Outcome) -> Iterator[str]:
    """What is left without the answers that fail, where it is known what is right."""
    if not outcome.known:
        return
    told = outcome.selection()
    by = f"{outcome.reviewed:,} by review" if outcome.reviewed else "by gold"
    yield (
        f"right    {told['right']:.3f} of {outcome.known:,} known ({by}); without those that fail"
        f" a check ({TRUTH} aside): {_share(told['right_of_kept'])}, {told['kept']:.0%} are left"
    )
    if outcome.known < ENOUGH:
        yield f"         too few to judge a check by: {ENOUGH} or more would tell"
    elif told["p_star"]:
        yield (
            f"         that keeps {told['keeps_right']:.0%} of the right and"
            f" {_share(told['keeps_wrong'])} of the wrong: p* {told['p_star']:.2f} (docs/checks.md)"
        )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _worst(apply: Mapping[str, Counts]) -> Iterator[str]:
    """An answer that fails the check that fails most, to read."""
    others = [name for name in apply if name != TRUTH] or [*apply]
    name = max(others, key=lambda name: apply[name].failed, default="")
    if name and (first := apply[name].first):
        answer, verdict = first
        yield f"fails {name}, {answer.id}: {_cut(verdict.value)}"
        yield f"         {_cut(answer.question)}"
        yield f"         {_cut(answer.label or answer.answer)}"


def _cut(value: JSON) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return textwrap.shorten(text, WIDTH - 25, placeholder=" …")


def said(warnings: list[str]) -> Iterator[str]:
    """What to look at; a line that says so when there is nothing."""
    yield ""
    if not warnings:
        yield "nothing stands out"
        return
    yield "look at:"
    for words in warnings:
        yield from hung(f"- {words}", "  ")


def hung(line: str, indent: str) -> Iterator[str]:
    """A line, broken at the width, those below set in."""
    for part in textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    ):
        yield part.replace(_HOLDS, " ")
