"""What the texts are like: lengths, variety, how near to the seeds, known damage."""

from collections.abc import Callable, Mapping, Sequence

from distillgen import charts, lint
from distillgen.charts import Interval
from distillgen.facts import NEAREST_BINS, Facts
from distillgen.language import EXTRA
from distillgen.records import JSON
from distillgen.sections import FIELDS, MEASURES, Page, Row, Section, Table, head, n, of, share


def lengths(page: Page) -> Section:
    """How long the texts are."""
    figures = []
    for field, plural in FIELDS.items():
        found = [
            (name, facts.lengths[field]) for name, facts in page.named if field in facts.lengths
        ]
        if not found:
            continue
        values = [
            Interval(one.edge(k), one.edge(k + 1), count, name)
            for name, one in found
            for k, count in one.bins.items()
            if one.edge(k) < one.edge(k + 1)
        ]  # fmt: skip
        told = "; ".join(
            of(name, f"{one.count:,}, half of them below about {one.median:,} characters, the")
            + f" longest {one.longest:,}"
            for name, one in found
        )
        edges = sorted({k for _, one in found for k in one.bins})
        rows = tuple(
            (f"{found[0][1].edge(k):,} to {found[0][1].edge(k + 1) - 1:,}",
             *(n(one.bins.get(k, 0)) for _, one in found))
            for k in edges if found[0][1].edge(k) < found[0][1].edge(k + 1)
        )  # fmt: skip
        columns = [f"{plural} {name}".strip() for name, _ in found]
        table = Table(("characters", *columns), rows)
        draw = _histogram(values, plural, told)
        figures.append(page.figure(plural.capitalize(), told, table, draw))
    how = (
        "A token is about four characters of English. Lengths that are all the same are a sign of a"
        " template; a few very long ones are worth a look."
    )
    return Section("lengths", "Lengths", how, tuple(figures))


def _histogram(values: Sequence[Interval], plural: str, told: str) -> Callable[[], str]:
    return lambda: charts.lengths(values, f"Length of {plural}", told)


def variety(page: Page) -> Section:
    """How varied the texts are."""
    rows: list[Row] = []
    fields = [f for f in FIELDS if any(f in facts.stats["fields"] for facts in page.runs)]
    for key, (label, meaning) in MEASURES.items():
        cells = [
            _measure(key, facts.stats["fields"].get(field))
            for _, facts in page.named
            for field in fields
        ]
        rows.append((f"{label}: {meaning}", *cells))
    names = (FIELDS[field] for field in fields)
    table = Table(head("figure", page.names, *names), tuple(rows))
    sample = max((f["sample"] for facts in page.runs for f in facts.stats["fields"].values()),
                 default=0)  # fmt: skip
    said = [_languages(name, facts) for name, facts in page.named]
    for name, facts in page.named:
        for field, found in facts.stats["fields"].items():
            if start := found.get("beginning"):
                said.append(
                    of(name, f"{share(start['share'], 1)} of the {FIELDS[field]} start with")
                    + f" “{start['text'].strip()}”."
                )
    how = (
        f"Figures of {sample:,} texts drawn at random: they depend on number and length of the"
        " texts, so compare only what is alike."
    )
    return Section("variety", "Variety", how, (), (("", table),) if fields else (), tuple(said))


def _measure(key: str, found: Mapping[str, JSON] | None) -> str:
    if not found:
        return ""
    value = found[key]
    return share(value, 1) if key == "self_repetition" else f"{value:.2f}"


def _languages(name: str, facts: Facts) -> str:
    if not facts.stats["languages_told"]:
        return of(name, f"languages are not told; {EXTRA}")
    told = ", ".join(
        f"{'not sure' if code == '?' else code} {count:,}"
        for code, count in facts.languages.items()
    )
    return of(name, f"language of a sample: {told or 'not sure'}.")


def nearest(page: Page) -> Section | None:
    """How near the inputs are to the seeds."""
    figures = []
    for field in ("question", "user_context"):
        found = [(name, f.nearest[field]) for name, f in page.named if field in f.nearest]
        if not found:
            continue
        width = 1 / NEAREST_BINS
        values = [
            Interval(round(i * width, 4), round((i + 1) * width, 4), count, name)
            for name, counts in found
            for i, count in enumerate(counts)
        ]
        told = "; ".join(filter(None, (_near(name, f, field) for name, f in page.named)))
        rows = tuple(
            (f"{i * width:.2f} to {(i + 1) * width:.2f}", *(n(counts[i]) for _, counts in found))
            for i in range(NEAREST_BINS)
            if any(counts[i] for _, counts in found)
        )
        plural = FIELDS[field]
        table = Table(("similarity", *(f"{plural} {name}".strip() for name, _ in found)), rows)
        title = f"{plural.capitalize()} and their nearest seed"
        figures.append(page.figure(title, told, table, _nearness(values, title, told)))
    how = (
        "1 is a copy of a seed, 0 has no word in common with any (ROUGE-L). Far to the right the"
        " teacher copies. Well below what the seeds are to each other, it has left the subject."
    )
    return Section("seeds", "How near to the seeds", how, tuple(figures)) if figures else None


def _nearness(values: Sequence[Interval], title: str, told: str) -> Callable[[], str]:
    return lambda: charts.histogram(values, "ROUGE-L with the nearest seed", title, told)


def _near(name: str, facts: Facts, field: str) -> str:
    found = facts.stats["fields"].get(field, {}).get("seeds")
    if not found:
        return ""
    return (
        of(name, f"on average {found['nearest']:.2f}; the seeds are at")
        + f" {found['nearest_of_seeds']:.2f} to each other"
    )


def damage(page: Page) -> Section | None:
    """Known damage."""
    explained = {rule.name: rule.explains for rule in lint.RULES}
    names = [rule for rule in explained if any(rule in f.stats["damage"] for f in page.runs)]
    rows = tuple(
        (name.replace("_", " "), explained[name],
         *(n(facts.stats["damage"].get(name, {}).get("count", 0)) for facts in page.runs),
         *(_lines(facts, name) for facts in page.runs[:1]))
        for name in names
    )  # fmt: skip
    heading = ("damage", "what it is", *(f"records {name}".strip() for name in page.names),
            "lines of the first")  # fmt: skip
    how = "Signs of damage that made-up sets are known for. A sign is no proof: read the lines."
    tables = (("", Table(heading, rows, prose=True)),) if rows else ()
    said = () if rows else ("No rule found any.",)
    return Section("damage", "Known damage", how, (), tables, said)


def _lines(facts: Facts, name: str) -> str:
    found = facts.stats["damage"].get(name, {}).get("lines", [])
    return ", ".join(f"{line:,}" for line in found)
