"""What came of each stage, in lines whose sums add up, and the same as data for `--json`."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from distillgen import findings, leakage
from distillgen.boilerplate import NO_FRAME
from distillgen.deduped import Deduped
from distillgen.draft import KINDS
from distillgen.figures import of_checks
from distillgen.leakage import Leakage
from distillgen.prices import dollars
from distillgen.records import JSON, Tier
from distillgen.screen import WIDTH, short
from distillgen.stages.check import Checking
from distillgen.work import Result


def of(result: Result, *, brief: bool = False) -> list[str]:
    """A line a stage, with sums that add up; two for each format. In brief `check` too has one."""
    counts = result.counts
    if result.command == "expand":
        asked, extra = counts["asked"], counts["extra"]
        parts = [
            _n(counts, "kept", "kept"), _n(counts, "duplicate", "duplicate", "duplicates"),
            _n(counts, "template", "alike but for numbers"),
            _n(counts, "capped", "too many of one example"), _n(counts, "invalid", "unusable"),
            _n(counts, "short", "missing from short lists"),
            _n(counts, "failed", "failed") + _kinds(result), _n(counts, "surplus", "surplus"),
        ]  # fmt: skip
        more = f" + {extra:,} extra" if extra else ""
        return [f"expand   {asked:,} asked{more} = " + " + ".join(p for p in parts if p)]
    if result.command == "answer":
        parts = [
            _n(counts, "kept", "kept"), _n(counts, "rejected", "rejected"),
            _n(counts, "failed", "failed") + _kinds(result), _n(counts, "open", "not asked yet"),
        ]  # fmt: skip
        return [f"answer   {counts['given']:,} given = " + " + ".join(p for p in parts if p)]
    if result.command in KINDS:
        parts = [
            _n(counts, "kept", "answered"), _n(counts, "failed", "failed") + _kinds(result),
            _n(counts, "open", "not asked yet"),
        ]  # fmt: skip
        sums = " + ".join(p for p in parts if p)
        return [f"{result.command:<8} {_n(counts, 'given', 'request', 'requests')} = {sums}"]
    if words := findings.SUMS.get(result.command):
        parts = [_n(counts, name, said) for name, said in words.items()]
        sums = " + ".join(part for part in parts if part) + _kinds(result)
        return [f"{result.command:<8} {counts['given']:,} given = {sums}"]
    if result.decontaminated:
        parts = [_n(counts, "kept", "kept"), _n(counts, "flagged", "flagged")]
        sums = f"decontaminate   {counts['given']:,} given = {' + '.join(p for p in parts if p)}"
        return [sums, *_table(result), *_evidence(result)]
    if isinstance(result, Checking):
        return list(of_checks(result.outcome, brief=brief))
    if result.deduped:
        return _of_dedupe(result, result.deduped)
    lines = []
    for one in result.exported:
        parts = [f"{n:,} {split}" for split, n in one.records.items()]
        parts += [f"{n:,} left out ({reason})" for reason, n in one.left_out.items()]
        total = sum(one.records.values()) + sum(one.left_out.values())
        form = _FORMS.get(one.rationale or "", "")
        lines.append(f"export   {total:,} = {' + '.join(parts) or 'none'}")
        lines.append(f"         {one.format}{form}")
    return [*lines, *_leaks(result.leakage, brief=brief)]


def _leaks(found: Leakage, *, brief: bool) -> list[str]:
    """What splits have in common: all of it, or in one line whether there is anything."""
    if not found.leaks:
        return []
    if not brief:
        return ["", "leakage  what a split has in common with another, in records and ROUGE-L F1",
                *(f"         {line}" for line in leakage.lines(found))]  # fmt: skip
    shared = sum(one.near + one.kin for one in found.leaks)
    most = max(one.nearest_highest for one in found.leaks)
    return [
        f"         splits: {shared or 'no'} near duplicates or kin in two of them; the questions"
        f" most alike: {most:.2f}"
    ]


def verdicts(result: Result) -> dict[str, JSON]:
    """What check found: figures by check, how many fail both of two, and what is left without those
    that fail any."""
    if not isinstance(result, Checking):
        return {}
    outcome = result.outcome
    return {
        "checks": {name: counts.as_json() for name, counts in outcome.counts.items()},
        "overlap": [{"checks": pair, "both": n} for pair, n in outcome.overlap.most_common()],
        "without_failed": outcome.selection() if outcome.known else None,
    }


def compared(result: Result) -> dict[str, JSON]:
    """How dedupe compared: the number of `clusters`, what was left out of fields (`frames`), and
    the `bar` of the cosine, if any."""
    if (done := result.deduped) is None:
        return {}
    frames = {
        name: {"share": round(frame.share, 4), "words": frame.shown}
        for name, frame in done.frames.items() if frame.runs
    }  # fmt: skip
    bar = done.bar and {**done.bar._asdict(), "above": round(done.bar.above, 4)}
    return {"clusters": done.clusters, "frames": frames, "bar": bar}


def tested(result: Result) -> list[dict[str, JSON]]:
    """What decontaminate found against each test set: `file`, its `items`, records by tier."""
    if result.decontaminated is None:
        return []
    return [
        {
            "file": str(one.path), "items": len(one.index.items),
            **{tier: one.flagged[tier] for tier in get_args(Tier)}, "flagged": one.flagged.total(),
            "above": one.above,
        }
        for one in result.decontaminated.eval_sets
    ]  # fmt: skip


def _of_dedupe(result: Result, done: Deduped) -> list[str]:
    """The sums, what was not compared, the bar, and the first duplicates with both texts."""
    counts = result.counts
    parts = [
        _n(counts, "kept", "kept"), _n(counts, "duplicate", "duplicate", "duplicates"),
        _n(counts, "template", "alike but for numbers"),
    ]  # fmt: skip
    lines = [f"dedupe   {counts.get('given', 0):,} given = {' + '.join(p for p in parts if p)}"]
    if done.clusters:
        several = f"{done.clusters:,} clusters, the largest" if done.clusters > 1 else "1 cluster"
        lines.append(f"         {several} of {done.largest:,}")
    for name, frame in done.frames.items():
        if frame.runs:
            shown = textwrap.shorten(frame.shown, 60, placeholder=" …")
            lines.append(
                f"         not compared, as {frame.share:.0%} of the rows share it in {name}:"
                f" {shown!r} ({len(frame.shown.split())} words)"
            )
    if (bar := done.bar) and bar.found:
        lines.append(
            f"         cosine above {bar.above:.2f}: of 100 known pairs that say the same it takes"
            f" {bar.found} for the same, of 100 others {bar.wrong}"
        )
    elif bar:
        lines.append(
            "         WARNING: these embeddings do not tell known pairs apart, so nothing is taken"
            " for the same in other words; name a model made for it"
        )
    for one in done.first:
        how = one.reason.replace("_", " ")
        cosine = "" if one.cosine is None else f", cosine {one.cosine:.2f}"
        lines.append(f"line {one.line}, {how} {one.similarity:.2f}{cosine}:")
        question = done.frames.get("question", NO_FRAME)
        for where, text in (("", one.question), (f"line {one.of_line}: ", one.repeats)):
            shown = textwrap.shorten(where + question.rest(text), WIDTH - 10, placeholder=" …")
            lines.append(f"         {shown}")
    return lines


def _table(result: Result) -> list[str]:
    rows = tested(result)
    width = min(24, max(len(row["file"]) for row in rows))
    lines = [f"{'':<{width}}    items    exact    ngram  paraphrase  flagged"]
    for row in rows:
        file = row["file"] if len(row["file"]) <= width else f"…{row['file'][1 - width :]}"
        line = f"{file:<{width}}{row['items']:>9,}{row['exact']:>9,}{row['ngram']:>9,}"
        lines.append(f"{line}{row['paraphrase']:>12,}{row['flagged']:>9,}")
    return lines


def _evidence(result: Result) -> list[str]:
    """The first flags with both texts, cut at a line each."""
    lines = []
    for flag in result.decontaminated.first if result.decontaminated else ():
        match = flag.matches[0]
        more = "" if match.numbers is None else f", numbers {match.numbers:.2f}"
        more += "" if match.cosine is None else f", cosine {match.cosine:.2f}"
        lines.append(f"line {flag.line}, {match.tier} {match.score:.2f}{more}:")
        for text in (flag.question, f"{Path(match.against).name}:{match.line} {match.question}"):
            lines.append("         " + textwrap.shorten(text, WIDTH - 10, placeholder=" …"))
    return lines


_FORMS = {
    "after": ", answer, then the reason",
    "first": ", the reason, then the answer",
    "think": ", the reason in <think>",
    "field": ", the reason in a field of its own",
    "none": ", without the reason",
}


def _n(counts: dict[str, int], name: str, word: str, words: str = "") -> str:
    n = counts.get(name, 0)
    if not n and name != "kept":
        return ""
    return f"{n:,} {words if words and n != 1 else word}"


def _kinds(result: Result) -> str:
    if not result.kinds:
        return ""
    kinds = sorted(result.kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    return f" ({', '.join(f'{n:,} {kind}' for kind, n in kinds)})".replace("_", " ")


def used(results: Iterable[Result], spent: int | None, pairs: int) -> str:
    """Tokens of this command, and the money of the run folder."""
    totals = {"requests": 0, "input_tokens": 0, "cached_tokens": 0, "output_tokens": 0}
    for result in results:
        for name in totals:
            totals[name] += result.usage.get(name, 0)
    line = f"used     {totals['requests']:,} requests"
    if totals["requests"]:
        tokens_in = totals["input_tokens"] + totals["cached_tokens"]
        line += f", {short(tokens_in)} tokens in, {short(totals['output_tokens'])} out"
    if spent is None:
        return line + "; price unknown"
    line += f"; {dollars(spent)} spent in this run folder"
    return line + (f" = {dollars(spent // pairs)} a pair" if spent and pairs else "")


def shown_files(paths: Iterable[Path]) -> str:
    """The files that were written, those for readers of records aside; a line a folder."""
    folders: dict[Path, list[str]] = {}
    for path in dict.fromkeys(paths):
        if path.exists() and not path.name.endswith((".meta.jsonl", "README.md")):
            folders.setdefault(path.parent, []).append(path.name)
    lines = [f"{folder}/  {' '.join(names)}" for folder, names in folders.items()]
    return "\n".join(f"{'' if i else 'files':<8} {line}" for i, line in enumerate(lines))
