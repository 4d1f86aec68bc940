"""How good the answers are, as far as anything tells: labels, soft labels, checks, a judge."""

from collections.abc import Sequence

from distillgen import charts
from distillgen.charts import Interval, Point, Value
from distillgen.facts import Facts
from distillgen.sections import (
    MOST_BARS,
    MOST_ROWS,
    Figure,
    Page,
    Section,
    Table,
    filled,
    head,
    listed,
    n,
    near,
    of,
    share,
    words,
)


def labels(page: Page) -> Section | None:
    """How the labels are spread."""
    names = list(dict.fromkeys(label for facts in page.runs for label in facts.labels))
    if not names:
        return None
    totals = {name: sum(facts.labels.values()) for name, facts in page.named}
    bars = [
        Value(label, facts.labels.get(label, 0) / max(1, totals[name]),
              share(facts.labels.get(label, 0), totals[name]), name)
        for label in names[:MOST_BARS]
        for name, facts in page.named
    ]  # fmt: skip
    rows = tuple(
        (label, *(n(facts.labels.get(label, 0)) for facts in page.runs))
        for label in names[:MOST_ROWS]
    )
    more = len(names) - MOST_ROWS
    note = f"{more:,} more labels are rarer" if more > 0 else ""
    table = Table(head("label", page.names, "answers"), rows, note=note)
    figure = page.figure(
        "Labels",
        listed(bars),
        table,
        lambda: charts.bars(bars, "Labels", listed(bars)),
        said=False,
    )
    how = "A student learns the shares along with the labels: a rare label is seldom learnt."
    return Section("labels", "Labels", how, (figure,))


def soft(page: Page) -> Section | None:
    """Soft labels, and whether they can be believed."""
    found = [(name, facts, facts.soft) for name, facts in page.named if facts.soft]
    if not found:
        return None
    names = [name for name, _, _ in found]
    values = [
        Interval(one.low, one.high, one.given, name)
        for name, _, soft in found
        for one in soft.bins()
    ]
    told = "; ".join(
        of(name, f"{soft.count:,} soft labels, {soft.entropy:.2f} bits on average")
        for name, _, soft in found
    )
    table = filled(
        head("probability of the likeliest label", names, "records", "known", "right"),
        tuple(
            (f"{row[0].low:.1f} to {row[0].high:.1f}",
             *(cell for one in row
               for cell in (n(one.given), n(one.known or None),
                            "" if one.right is None else share(one.right, 1))))
            for row in zip(*(soft.bins() for _, _, soft in found), strict=True)
            if any(one.given for one in row)
        ),
    )  # fmt: skip
    title = "How sure the teacher is"
    figures = [
        page.figure(
            title, told, table,
            lambda: charts.histogram(values, "probability of the likeliest label", title, told),
        )
    ]  # fmt: skip
    points = [
        Point(one.confidence or 0, one.right, name)
        for name, _, soft in found
        for one in soft.bins()
        if one.right is not None
    ]
    if points:
        figures.append(_reliability(page, points))
    rows = page.across({
        "come by": lambda f: ", ".join(f"{how} {k:,}" for how, k in f.soft_methods.items()),
        "entropy, bits": lambda f: _two(f.soft.entropy if f.soft else None),
        "known to be right or wrong": lambda f: n(f.soft.known) if f.soft and f.soft.known else "",
        "likeliest label right": lambda f: _two(f.soft.accuracy if f.soft else None),
        "calibration error (ECE)": lambda f: _two(f.soft.ece if f.soft else None),
        "Brier score": lambda f: _two(f.soft.brier if f.soft else None),
        "negative log-likelihood": lambda f: _two(f.soft.nll if f.soft else None),
        "best temperature": lambda f: _two(f.soft.best_temperature if f.soft else None),
    })  # fmt: skip
    how = (
        "A soft label gives each label a probability. It can be believed where what is said to be"
        " 80\u00a0% likely is right in 80\u00a0% of the cases: on the dashed line."
    )
    said = () if points else ("No right labels are known, so nobody can say how far to trust it.",)
    figure_table = Table(head("figure", page.names, "value"), rows)
    return Section("soft", "Soft labels", how, tuple(figures), (("", figure_table),), said)


def _reliability(page: Page, points: Sequence[Point]) -> Figure:
    title = "Said to be likely, and right"
    told = "; ".join(of(one.series, f"said {one.x:.0%}, right {one.y:.0%}") for one in points)
    rows = tuple((f"{one.x:.0%} {one.series}".strip(), f"{one.y:.0%}") for one in points)
    return page.figure(
        title, told, Table(("said to be likely", "right"), rows),
        lambda: charts.reliability(points, title, told), said=False,
    )  # fmt: skip


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


_CHECKS = (
    "Checks need no model. Each says something of the answers it applies to; a failed one is a"
    " reason to look, not yet an error."
)


def verdicts(page: Page) -> Section | None:
    """What the checks said."""
    names = list(
        dict.fromkeys(one.name for facts in page.runs for one in facts.checks if one.applied)
    )
    outdated = tuple(
        of(name, f"{f.outdated:,} answers changed since they were checked.")
        for name, f in page.named
        if f.outdated
    )
    if not names:
        return Section("checks", "Checks", _CHECKS, said=outdated) if outdated else None
    found = [(name, {one.name: one for one in facts.checks}) for name, facts in page.named]
    bars, rows = [], []
    for check in names:
        cells: list[str] = []
        for name, checks in found:
            one = checks.get(check)
            if one and one.applied:
                passed = one.passed / one.applied
                bars.append(Value(words(check), passed, share(one.passed, one.applied), name))
                known = share(one.precision, 1) if one.precision is not None else ""
                cells += [n(one.applied), n(one.passed), known]
            else:
                cells += ["", "", ""]
        rows.append((words(check), *cells))
    heading = head("check", page.names, "applied", "passed", "right, where known")
    title = "Answers that pass"
    figure = page.figure(
        title, listed(bars), filled(heading, rows),
        lambda: charts.bars(bars, title, listed(bars), most=1.0), said=False,
    )  # fmt: skip
    said = [
        of(name, f"{f.unfailing:,} of {f.records:,} answers pass every check that applies.")
        for name, f in page.named
        if f.unfailing is not None
    ]
    said += outdated
    said += _truth(page)
    return Section("checks", "Checks", _CHECKS, (figure,), (), tuple(said))


def _truth(page: Page) -> list[str]:
    said = []
    for name, facts in page.named:
        if known := sum(facts.right.values()):
            right = facts.right.get(True, 0)
            said.append(
                of(name, f"{right:,} of {known:,} answers whose truth is known are right")
                + f" ({share(right, known)})."
            )
        if facts.reviews:
            told = ", ".join(f"{count:,} {what}" for what, count in facts.reviews.items())
            said.append(of(name, f"reviewed by people: {told}."))
    return said


def scores(page: Page) -> Section | None:
    """What a judge said."""
    found = [(name, facts) for name, facts in page.named if facts.aspects]
    compared = [(name, facts.compared) for name, facts in page.named if facts.compared]
    if not (found or compared):
        return None
    figures = []
    parted = {
        f"{aspect.name} {name}".strip(): {
            score: count / sum(aspect.counts.values()) for score, count in aspect.counts.items()
        }
        for name, facts in found
        for aspect in facts.aspects
    }
    rows = tuple(
        (f"{aspect.name} {name}".strip(), f"{aspect.mean:.2f}",
         *(n(aspect.counts[score]) for score in range(1, 6)))
        for name, facts in found
        for aspect in facts.aspects
    )  # fmt: skip
    if found:
        table = Table(("aspect", "mean", "1", "2", "3", "4", "5"), rows)
        told = "; ".join(f"{row[0]}: mean {row[1]}" for row in rows)
        title = "Scores by aspect, 1 to 5"
        figures.append(
            page.figure(title, told, table, lambda: charts.shares(parted, title, told), said=False)
        )
    said = [
        of(name, f"judged by {', '.join(facts.judges)}.") for name, facts in found
    ]  # fmt: skip
    said += [
        of(name, f"{told['turned']:,} of {told['given']:,} comparisons turned with the order of")
        + " the two, and count for nothing."
        for name, told in compared
    ]
    tables = [
        (f"What a bar would let pass {name}".strip(), _bars(f)) for name, f in found if f.bars
    ]
    if found and not tables:
        said.append("No right answers are known, so nobody can say how far to trust the scores.")
    how = (
        "A model scored each answer from 1 to 5. It is worth something where high scores go with"
        " right answers, which only known answers can tell."
    )
    return Section("judge", "Judge", how, tuple(figures), tuple(tables), tuple(said))


def _bars(facts: Facts) -> Table:
    rows = tuple(
        (f"{bar.by} score at least {bar.at_least:g}" + (", best" if bar.best else ""),
         n(bar.passed), _two(bar.precision), _two(bar.recall))
        for bar in facts.bars
    )  # fmt: skip
    return Table(("bar", "known answers that pass", "of these right", "of the right ones"), rows)


def contamination(page: Page) -> Section | None:
    """What gives test items away."""
    rows = tuple(
        (near(path), tier, n(count))
        for _, facts in page.named
        for (path, tier), count in facts.contaminated.items()
    )
    asked = [facts for facts in page.runs if "decontaminate" in facts.commands]
    if not asked:
        return None
    how = (
        "Records that give away an item of a test set would make a student look better than it is."
    )
    tables = (("", Table(("test set", "how", "records"), rows, prose=True)),) if rows else ()
    said = () if rows else ("None of the records gives a test item away.",)
    return Section("contamination", "Test sets", how, (), tables, said)
