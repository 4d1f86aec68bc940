"""How the records came to be: the funnel, the yield, what was to be covered, the commands."""

from collections.abc import Mapping
from datetime import UTC, datetime

from distillgen import charts
from distillgen.charts import Point, Value
from distillgen.facts import Facts, Step
from distillgen.records import JSON
from distillgen.sections import (
    MOST_ROWS,
    STEPS,
    Page,
    Section,
    Table,
    listed,
    n,
    near,
    of,
    reason,
    share,
    took,
)


def funnel(page: Page) -> Section:
    """From what was asked for to what was exported."""
    bars, rows = [], []
    for name, facts in page.named:
        way = [step for step in facts.funnel if step.passed_on]
        first = way[0].given if way else 0
        for i, step in enumerate(way):
            if not i:
                bars.append(Value(STEPS[step.stage][0], step.given, n(step.given), name))
            told = f"{step.kept:,} ({share(step.kept, first)})"
            bars.append(Value(STEPS[step.stage][1], step.kept, told, name))
        for step in facts.funnel:
            said = _lost(step)
            said = said if step.passed_on or not said else f"{said} (marked, not left out)"
            rows.append((f"{step.stage} {name}".strip(), n(step.given), n(step.kept), said))
        rows += [
            (f"in {format} {name}".strip(), n(one.given), n(one.kept), _lost(one))
            for format, one in facts.formats.items()
            if len(facts.formats) > 1
        ]
    table = Table(("step", "given", "kept", "the others"), tuple(rows), prose=True)
    figure = page.figure(
        "How many are left after each step", listed(bars), table,
        lambda: charts.bars(bars, "How many are left after each step", listed(bars)), said=False,
    )  # fmt: skip
    how = (
        "Each bar is what is left after a step; what fell out, and why, stands in the table. Steps"
        " that mark records without leaving any out are in the table alone."
    )
    return Section("funnel", "From asked to exported", how, (figure,) if bars else ())


def _lost(step: Step) -> str:
    return ", ".join(f"{k:,} {reason(why, step.stage)}" for why, k in step.lost.items())


def course(page: Page) -> Section | None:
    """What further proposals gave."""
    made = [(name, facts.stats["yield"]) for name, facts in page.named if facts.stats["yield"]]
    if not made:
        return None
    points = [
        Point(one["proposals"], one["kept"], name) for name, found in made for one in found["curve"]
    ]
    told = "; ".join(
        of(name, f"{found['proposals']:,} proposals gave {found['kept']:,} new inputs")
        + _lately(found)
        for name, found in made
    )
    rows = tuple(
        (f"{strategy} {name}".strip(), n(one["proposals"]), n(one["kept"]),
         share(one["kept"], one["proposals"]))
        for name, found in made
        for strategy, one in found["by_strategy"].items()
    )  # fmt: skip
    table = Table(("strategy", "proposals", "new inputs", "share"), rows)
    title = "New inputs along the sequence"
    figure = page.figure(
        title, told, table,
        lambda: charts.lines(points, "proposals", "new inputs", title, told),
    )  # fmt: skip
    how = (
        "A line that flattens says that the teacher begins to repeat itself: more would cost more"
        " and bring less."
    )
    seeds = tuple(
        (one["question"], n(one["proposals"]), n(one["kept"]))
        for _, found in made[:1]
        for one in sorted(
            (one for one in found["by_seed"] if one["kept"] < one["proposals"]),
            key=lambda one: one["kept"] / one["proposals"],
        )[:5]
    )  # fmt: skip
    shown = Table(("seed that was shown", "proposals", "new inputs"), seeds)
    tables = (("The seeds that brought the least", shown),) if seeds and len(made) == 1 else ()
    return Section("yield", "Yield over the sequence", how, (figure,), tables)


def _lately(made: Mapping[str, JSON]) -> str:
    last = made["last"]
    if last["proposals"] == made["proposals"]:
        return ""
    return f", the last {last['proposals']:,} gave {last['kept']:,}"


def coverage(page: Page) -> Section | None:
    """Topics and attributes."""
    tables, said = [], []
    for name, facts in page.named:
        told = facts.stats["coverage"]
        if found := told["topics"]:
            counts = sorted(found["counts"], key=lambda one: -one["count"])
            rows = tuple((" > ".join(one["topic"]), n(one["count"])) for one in counts[:MOST_ROWS])
            more = len(counts) - MOST_ROWS
            note = f"{more:,} more topics have fewer" if more > 0 else ""
            tables.append((f"Topics {name}".strip(), Table(("topic", "records"), rows, note=note)))
            covered = f"{found['covered']:,} of {found['leaves']:,} topics have a record"
            said.append(of(name, f"{covered}."))
        if found := told["attributes"]:
            rows = tuple(
                (f"{attribute} = {value}", n(count))
                for attribute, values in found["values"].items()
                for value, count in values.items()
            )
            shown = Table(("value", "records"), rows[:MOST_ROWS])
            tables.append((f"Attributes {name}".strip(), shown))
            met = f"{found['pairs_met']:,} of {found['pairs']:,} pairs of values met"
            said.append(of(name, f"{met}."))
    how = "What was to be covered, and how many records each part has."
    return Section("coverage", "Coverage", how, (), tuple(tables), tuple(said))


def origin(page: Page) -> Section:
    """The commands with their options and prompts."""
    tables = []
    for name, facts in page.named:
        rows = tuple(
            (stage, entry.started[:16].replace("T", " "), _lasted(entry.started, entry.finished),
             entry.version, near(entry.source), _options(stage, entry.options),
             ", ".join(f"{file} {digest[:8]}" for file, digest in entry.prompts.items()))
            for stage, entry in facts.commands.items()
        )  # fmt: skip
        head = ("command", "began, UTC", "took", "version", "read", "options", "prompts")
        tables.append((f"Commands {name}".strip(), Table(head, rows, prose=True)))
    how = "The last run of each command; manifest.json in the run folder has every option."
    return Section("origin", "How it was made", how, (), tuple(tables))


def _lasted(started: str, finished: str | None) -> str:
    if not finished:
        return "not finished"
    try:
        begun, ended = (datetime.fromisoformat(one) for one in (started, finished))
    except ValueError:
        return ""
    return took((ended - begun).total_seconds())


ASKS = ("teacher", "temperature", "top_p", "max_tokens", "random_seed")
TOLD: Mapping[str, tuple[str, ...]] = {
    "topics": ASKS, "attributes": ASKS,
    "expand": ("n", "strategy", "operations", "per_call", "shots", *ASKS),
    "answer": ("samples", "combine", "soft", "smooth", "style", "rationalize", "refine",
               "escalate", "also", *ASKS[:-1]),
    "check": ("checks",), "judge": ("rubric", "candidates", *ASKS[:-1]),
    "compare": ("rubric", *ASKS[:-1]), "decontaminate": ("against", "embeddings"),
    "dedupe": ("on", "embeddings"), "select": ("budget", "min", "require", "random_seed"),
    "pairs": ("margin",), "export": ("format", "rationale", "split", "layout", "random_seed"),
}  # fmt: skip
"""Options that say most of how a set came to be, by command."""


def value(found: JSON) -> str:
    """What an option was given, in words; empty for nothing."""
    if found in (None, "", [], {}, (), False):
        return ""
    given = found if isinstance(found, list | tuple) else [found]
    return ", ".join(near(one) if one[:1] == "/" else one for one in map(str, given))


def _options(stage: str, options: Mapping[str, JSON]) -> str:
    told = ((name, value(options.get(name))) for name in TOLD.get(stage, ()))
    return ", ".join(f"{name.replace('_', '-')} {found}" for name, found in told if found)


def made_at(facts: Facts) -> str:
    """The day on which the last command of a run ended."""
    ended = [entry.finished or entry.started for entry in facts.commands.values()]
    return max(ended, default=datetime.now(UTC).isoformat())[:10]
