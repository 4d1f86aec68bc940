"""Tell a stranger what a run holds, and how good it is: one page that needs nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distillgen import __version__, page
from distillgen.charts import EXTRA
from distillgen.facts import Facts
from distillgen.files import Whole
from distillgen.prices import dollars
from distillgen.reading import Shelf, shelves
from distillgen.records import JSON, Entry
from distillgen.sections import Page, Section, costs, n, near, origins, quality, share, texts
from distillgen.sections.origins import TOLD, made_at, value
from distillgen.stats import FEW

FILE = "report.html"
TEMPLATE = "report.html.j2"
SECTIONS = (
    origins.funnel, origins.course, texts.lengths, texts.variety, texts.nearest, origins.coverage,
    texts.damage, quality.labels, quality.soft, quality.verdicts, quality.scores,
    quality.contamination, costs.spent, costs.failures, origins.origin,
)  # fmt: skip
"""In the order of the page."""
MANY = 0.05
"""Share of inputs without an answer that is told."""
OFTEN = 0.2
"""Share of answers that fail a check which is told."""
RARE = 1 / 3
"""A label with less than this of an even share is told."""
TURNED = 0.3
"""Share of comparisons that go by the order which is told."""
UNSURE = 0.1
"""A calibration error above this is told."""


@dataclass(frozen=True)
class Key:
    """One of the few figures that matter most."""

    figure: str
    words: str


@dataclass(frozen=True)
class Notice:
    """What stands out, and the section that shows it."""

    words: str
    section: str


@dataclass(frozen=True)
class Run:
    """A run as the page calls it."""

    letter: str
    """Empty where there is only one."""
    path: str
    about: str
    keys: tuple[Key, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Report:
    """All that stands on the page, as plain text."""

    title: str
    runs: tuple[Run, ...]
    differences: tuple[str, ...]
    """What differs between two runs."""
    sections: tuple[Section, ...]
    shelves: tuple[Shelf, ...]
    extra: str
    """What to install for charts; empty where they are drawn."""
    version: str = __version__


def write(path: Path, found: Sequence[Facts]) -> None:
    """Write the page of one run, or of two to compare."""
    with Whole(path) as out:
        out.write_text(page.render(TEMPLATE, report=of(found)))


def of(found: Sequence[Facts]) -> Report:
    """The page of one run, or of two."""
    told = Page(found)
    runs = tuple(
        Run(name, near(str(one.run.resolve())), about(one), tuple(keys(one)), tuple(notices(one)))
        for name, one in told.named
    )
    made = (section(told) for section in SECTIONS)
    names = " and ".join(one.run.resolve().name for one in found)
    return Report(
        title=names,
        runs=runs,
        differences=tuple(differences(*found)) if len(found) == 2 else (),
        sections=tuple(one for one in made if one and one.holds),
        shelves=tuple(shelves(list(told.named))),
        extra="" if told.drawn else EXTRA,
    )


# -- the first lines -------------------------------------------------------------------------


def about(one: Facts) -> str:
    """What it is, in a few sentences."""
    words = [f"{_field(one)}{_what(one)}, finished on {made_at(one)}."]
    if expert := one.task.get("expert"):
        words.append(f"The teacher was asked to be {expert}.")
    seeds = one.stats["fields"].get("question", {}).get("seeds", {}).get("given")
    made = {name.replace("_", "-"): k for name, k in one.strategies.items() if name}
    if made:
        how = ", ".join(
            f"{name}" + (f" ({k:,})" if len(made) > 1 else "") for name, k in made.items()
        )
        words.append(f"The questions were made from {_seeds(one, seeds)} with {how}.")
    if others := one.strategies.get(""):
        words.append(f"{others:,} of the questions were brought along{_from(one)}.")
    if one.teachers:
        several = len(one.teachers) > 1
        told = [name + (f" ({k:,})" if several else "") for name, k in one.teachers.items()]
        words.append(f"The answers are by {', '.join(told)}.")
    words.append(
        "The texts are a model's: they can be wrong however sure they sound, and nobody need have"
        " checked them."
    )
    return " ".join(words)


def _field(one: Facts) -> str:
    return f"{name}: " if (name := one.task.get("name")) else ""


def _what(one: Facts) -> str:
    if one.source == one.run / "inputs.jsonl":
        return f"{one.records:,} questions"
    kind = "labelled texts" if one.labels else "questions with answers"
    return f"{one.records:,} {kind}"


def _seeds(one: Facts, count: int | None) -> str:
    name = Path(one.first.source).name if one.first else ""
    return f"{'the' if count is None else f'{count:,}'} seeds" + (f" of {name}" if name else "")


def _from(one: Facts) -> str:
    made = one.first and "expand" not in one.commands
    return f", from {Path(one.first.source).name}" if made and one.first else ""


def keys(one: Facts) -> Iterator[Key]:
    """The three or four figures that matter."""
    way = [step for step in one.funnel if step.passed_on]
    if way and way[-1].stage == "export":
        yield Key(n(way[-1].kept), "records exported")
    else:
        yield Key(n(one.records), "records")
    if way and way[0].given:
        yield Key(share(way[-1].kept, way[0].given), f"of the {way[0].given:,} asked for")
    if known := sum(one.right.values()):
        yield Key(share(one.right.get(True, 0), known), f"right, of {known:,} that are known")
    if one.aspects:
        mean = sum(aspect.mean for aspect in one.aspects) / len(one.aspects)
        yield Key(f"{mean:.1f} of 5", "mean score of the judge")
    elif one.unfailing is not None:
        yield Key(share(one.unfailing, one.records), "of the answers pass every check")
    if one.cost_usd is not None and one.used:
        yield Key(dollars(round(one.cost_usd * 1e9)), "spent")


def notices(one: Facts) -> Iterator[Notice]:
    """What a person should look at."""
    for warning in one.stats["warnings"]:
        yield Notice(_sentence(warning), "variety")
    for step in one.funnel:
        lost = step.lost.get("failed", 0) if step.stage == "answer" else 0
        if lost > MANY * step.given:
            yield Notice(f"{lost:,} of {step.given:,} inputs got no answer.", "failures")
        if step.lost.get("open"):
            yield Notice(f"{step.stage}: {step.lost['open']:,} are not asked yet.", "funnel")
        if step.lost.get("flagged") and not step.passed_on:
            yield Notice(
                f"{step.lost['flagged']:,} records give items of a test set away, and are still"
                " in it.", "contamination",
            )  # fmt: skip
    if one.outdated:
        yield Notice(
            f"{one.outdated:,} answers changed since they were checked: what the checks said of"
            " them does not count. distillgen check looks anew.", "checks",
        )  # fmt: skip
    for check in (check for check in one.checks if check.applied >= FEW):
        if check.applied - check.passed > OFTEN * check.applied:
            yield Notice(
                f"{check.applied - check.passed:,} of {check.applied:,} answers fail the check"
                f" {check.name.replace('_', ' ')}.", "checks",
            )  # fmt: skip
    yield from _of_judge(one)
    even = sum(one.labels.values()) / max(1, len(one.labels))
    for label, count in one.labels.items():
        if count < RARE * even:
            yield Notice(f"Few have the label {label}: {count:,}.", "labels")
    if one.soft and one.soft.ece is not None and one.soft.ece > UNSURE:
        yield Notice(f"Soft labels are off by {one.soft.ece:.2f} on average.", "soft")
    damaged = {name: found["count"] for name, found in one.stats["damage"].items()}
    if damaged:
        told = ", ".join(f"{k:,} {name.replace('_', ' ')}" for name, k in damaged.items())
        yield Notice(f"Signs of damage: {told}.", "damage")


def _of_judge(one: Facts) -> Iterator[Notice]:
    if own := sum(k for judge, k in one.judges.items() if judge in one.teachers):
        yield Notice(
            f"The judge is also the teacher ({own:,} answers): models favour what they wrote.",
            "judge",
        )
    if one.bars and not any(bar.best for bar in one.bars):
        yield Notice("No bar on the scores tells right from wrong better than chance.", "judge")
    if one.compared and one.compared["turned"] > TURNED * one.compared["given"]:
        yield Notice(
            f"{share(one.compared['turned'], one.compared['given'])} of the comparisons turned with"
            " the order of the two.", "judge",
        )  # fmt: skip


def _sentence(words: str) -> str:
    ended = words if words[-1] in ".?!" else f"{words}."
    return ended[0].upper() + ended[1:]


# -- two runs --------------------------------------------------------------------------------


def differences(a: Facts, b: Facts) -> Iterator[str]:
    """What was done otherwise, and what came out otherwise beyond chance."""
    yield from _by_origin(a, b)
    for stage, options in TOLD.items():
        mine, theirs = a.commands.get(stage), b.commands.get(stage)
        if mine and theirs:
            yield from _by_options(stage, options, mine, theirs)
        elif mine or theirs:
            yield f"{stage}: only in {'A' if mine else 'B'}"
    yield from _by_figures(a, b)


def _by_origin(a: Facts, b: Facts) -> Iterator[str]:
    """The field, the file that all began with, who answered."""
    for words in ("name", "expert", "language", "labels"):
        told = (value(_listed(one.task.get(words))) for one in (a, b))
        yield from _otherwise("task" if words == "name" else words, *told)
    if a.first and b.first:
        names = [Path(one.source).name for one in (a.first, b.first)]
        if names[0] != names[1]:
            yield from _otherwise("made from", *names)
        elif a.first.source_sha256 != b.first.source_sha256:
            yield f"made from {names[0]}, which is another file in B"
    yield from _otherwise("answered by", *(", ".join(sorted(one.teachers)) for one in (a, b)))


def _listed(found: JSON) -> JSON:
    """Labels go with what they mean."""
    return list(found) if isinstance(found, dict) else found


def _otherwise(words: str, one: str, other: str) -> Iterator[str]:
    if one != other:
        yield f"{words}: {one or 'nothing'} (A) and {other or 'nothing'} (B)"


def _by_options(stage: str, names: Sequence[str], a: Entry, b: Entry) -> Iterator[str]:
    for name in names:
        one, other = value(a.options.get(name)), value(b.options.get(name))
        yield from _otherwise(f"{stage} --{name.replace('_', '-')}", one, other)
    for file in sorted(a.prompts.keys() | b.prompts.keys()):
        if file not in b.prompts or file not in a.prompts:
            yield f"{stage}: {file} only in {'A' if file in a.prompts else 'B'}"
        elif a.prompts[file] != b.prompts[file]:
            yield f"{stage}: another {file}"


def _by_figures(a: Facts, b: Facts) -> Iterator[str]:
    """Shares that differ by more than twice their standard error."""
    mine, theirs = ({one.name: one for one in facts.checks} for facts in (a, b))
    for name in (name for name in mine if name in theirs):
        one, other = mine[name], theirs[name]
        yield from _apart(f"pass {name.replace('_', ' ')}", (one.passed, one.applied),
                          (other.passed, other.applied))  # fmt: skip
    right = [(f.right.get(True, 0), sum(f.right.values())) for f in (a, b)]
    yield from _apart("of the known answers are right", *right)
    yield from _by_scores(a, b)


def _by_scores(a: Facts, b: Facts) -> Iterator[str]:
    for one in a.aspects:
        for other in (aspect for aspect in b.aspects if aspect.name == one.name):
            if abs(one.mean - other.mean) > 2 * (one.error**2 + other.error**2) ** 0.5:
                yield f"judge, {one.name}: mean {one.mean:.2f} (A) and {other.mean:.2f} (B)"


def _apart(words: str, a: tuple[int, int], b: tuple[int, int]) -> Iterator[str]:
    if not (a[1] and b[1]):
        return
    p, q = a[0] / a[1], b[0] / b[1]
    pooled = (a[0] + b[0]) / (a[1] + b[1])
    if abs(p - q) > 2 * (pooled * (1 - pooled) * (1 / a[1] + 1 / b[1])) ** 0.5:
        yield f"{share(*a)} (A) and {share(*b)} (B) {words}"
