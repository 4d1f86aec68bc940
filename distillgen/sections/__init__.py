"""Tell the facts of one run, or of two side by side, as the sections of a page: tables and charts.

Each section has one sentence on how to read it. What a run does not have is left out. Texts are
plain here: whoever writes the page escapes them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from distillgen import charts, findings
from distillgen.charts import Value
from distillgen.facts import Facts

Row = tuple[str, ...]
LETTERS = ("A", "B")
MOST_ROWS = 30
"""Rows of a table; the others are counted."""
MOST_BARS = 12
"""Bars of a chart; the table has more."""

FIELDS = {"question": "questions", "user_context": "contexts", "rationale": "rationales",
          "answer": "answers"}  # fmt: skip
STEPS = {
    "expand": ("asked for", "new inputs"), "answer": ("inputs", "answered"),
    "check": ("answers", "pass every check"), "judge": ("answers", "scored"),
    "compare": ("records with two answers", "compared"),
    "decontaminate": ("records", "give no test item away"),
    "dedupe": ("records", "repeat no other"), "select": ("records", "chosen"),
    "pairs": ("questions", "paired"), "export": ("records", "exported"),
}  # fmt: skip
"""What comes into a command and what comes out, in words."""
REASONS = {
    "duplicate": "near duplicates", "template": "alike but for numbers or names",
    "capped": "too many made of one example", "invalid": "unusable",
    "short": "missing from short lists", "surplus": "more than was wanted", "open": "not asked yet",
    "flagged": "give a test item away", "not_judged": "not judged", "below_min": "below the score",
    "check_silent": "not checked", "check_failed": "failed a required check",
    "too_near": "too near to better ones", "over_budget": "over the budget",
    "single": "one answer only", "all_right": "all right", "all_wrong": "all wrong",
    "rejected_by_review": "rejected by reviewers", "review_conflict": "reviewers differ",
}  # fmt: skip
MEASURES = {
    "distinct_2": ("pairs of words that differ", "distinct-2, 0 to 1; more is more varied"),
    "compression_ratio": ("gzip ratio", "people's prompts are at 2.4 to 2.7; more repeats more"),
    "self_repetition": ("share 4 words with another", "by chance alone it is rare"),
    "self_bleu": ("self-BLEU", "0 to 1; less is more varied"),
    "vendi": ("Vendi score", "so many quite different texts would be as varied"),
}


@dataclass(frozen=True)
class Table:
    """Cells under a heading; figures stand to the right, unless it is `prose`."""

    head: Row
    rows: tuple[Row, ...]
    prose: bool = False
    note: str = ""


def filled(head: Row, rows: Sequence[Row]) -> Table:
    """A table of figures without the columns that are empty."""
    kept = [i for i in range(len(head)) if not i or any(row[i] for row in rows)]
    return Table(tuple(head[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows))


@dataclass(frozen=True)
class Figure:
    """A chart with its figures as a table."""

    title: str
    told: str
    """What the chart shows, in words."""
    table: Table
    caption: str = ""
    """What is said below the title."""
    svg: str = ""
    """Empty where charts cannot be drawn: then the table stands in its place."""


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    how: str
    """How to read it, in a sentence."""
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()
    """Each with its title."""
    said: tuple[str, ...] = ()
    """What else there is to say, a sentence each."""

    @property
    def holds(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.figures or self.tables or self.said)


class Page:
    """One run, or two to compare, and whether charts are drawn."""

    def __init__(self, runs: Sequence[Facts]) -> None:
        self.runs = tuple(runs)
        self.names = LETTERS[: len(runs)] if len(runs) > 1 else ("",)
        self.drawn = charts.there()

    @property
    def named(self) -> Iterator[tuple[str, Facts]]:
        """The runs, each with its letter; that of a single one is empty."""
        return zip(self.names, self.runs, strict=True)

    def across(self, rows: Mapping[str, Callable[[Facts], str]]) -> tuple[Row, ...]:
        """Rows with a cell for each run; those that say nothing of any are left out."""
        found = ((label, *map(cell, self.runs)) for label, cell in rows.items())
        return tuple(row for row in found if any(row[1:]))

    def figure(
        self, title: str, told: str, table: Table, draw: Callable[[], str], *, said: bool = True
    ) -> Figure:
        """A chart, drawn where that is possible; `said` are its words also for those who see."""
        return Figure(title, told, table, told if said else "", draw() if self.drawn else "")


def share(part: float, whole: float) -> str:
    """A part in percent.

    >>> share(577, 600), share(599, 600), share(1, 0)
    ('96\xa0%', '99.8\xa0%', '')
    """
    if not whole:
        return ""
    percent = 100 * part / whole
    places = 0 if 1 <= percent <= 99 or part in (0, whole) else 1
    return f"{percent:.{places}f}\u00a0%"


def of(letter: str, told: str) -> str:
    """A sentence's beginning, of one run or of the one that is called by that letter.

    >>> of("A", "none"), of("", "none")
    ('A: none', 'None')
    """
    return f"{letter}: {told}" if letter else told[:1].upper() + told[1:]


def n(count: int | None) -> str:
    """A count; empty where there is none."""
    return "" if count is None else f"{count:,}"


def reason(name: str, stage: str = "") -> str:
    """What a ledger calls it, in words."""
    known = findings.LEFT_OUT if stage == "export" else REASONS
    return known.get(name, name.replace("_", " "))


def head(first: str, names: Iterable[str], *columns: str) -> Row:
    """A heading with these columns for each of the runs, which are called by their letters."""
    return (first, *(f"{column} {name}".strip() for name in names for column in columns))


def listed(bars: Sequence[Value]) -> str:
    """Bars in words."""
    return "; ".join(f"{one.name} {one.series}".strip() + f": {one.told}" for one in bars)


def words(name: str) -> str:
    """A name without its underscores."""
    return name.replace("_", " ")


def near(path: str) -> str:
    """A path without the folders that only its owner knows.

    >>> near("/home/me/runs/gold/answers.jsonl"), near("test.csv")
    ('gold/answers.jsonl', 'test.csv')
    """
    return "/".join(path.split("/")[-2:])


def took(seconds: float) -> str:
    """A time in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
