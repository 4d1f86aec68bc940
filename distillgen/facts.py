"""Gather what is known of a run from its folder: counts, verdicts, figures, and records to read.

The page of `report` and the card of a dataset are made of it. Every file is walked as a stream, the
answers twice; what is kept of them does not grow with their number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from distillgen import answers, dedupe, files, stats
from distillgen.answered import Aspect, Lengths, Sample, Walk
from distillgen.calibration import Bar
from distillgen.checked import Outcome
from distillgen.decontaminate import FLAGS
from distillgen.deduped import DUPLICATES
from distillgen.errors import UserError
from distillgen.folder import RUNS, is_run, read_manifest
from distillgen.records import JSON, Entry, Manifest
from distillgen.reliability import Reliability
from distillgen.review.reviewed import Reviewed
from distillgen.sidecars import CHECKS, COMPARISONS, REVIEWS, SCORES
from distillgen.stats import Drawn
from distillgen.stored import Stored, Used

STAGES = (
    "expand", "answer", "check", "judge", "compare", "decontaminate", "dedupe", "select", "pairs",
    "export",
)  # fmt: skip
"""The commands that count records, in the order in which they are usually run."""
MADE_BY = {
    "inputs.jsonl": "expand", "answers.jsonl": "answer", "decontaminated.jsonl": "decontaminate",
    "deduped.jsonl": "dedupe", "selected.jsonl": "select",
}  # fmt: skip
"""The command that writes a file which another one takes up."""
LOST = {
    "expand": ("duplicate", "template", "capped", "invalid", "short", "failed", "surplus"),
    "answer": ("rejected", "failed", "open"),
    "check": ("failed",),
    "decontaminate": ("flagged",),
    "dedupe": ("duplicate", "template"),
    "judge": ("failed", "open"),
    "compare": ("failed", "open"),
    "export": ("rejected",),
}
"""What a command's ledger calls those that it did not keep; of others, all but `given` and
`kept`."""
READ = (
    "inputs.jsonl", "answers.jsonl", "seeds.jsonl", "rejected.jsonl", "failures.jsonl", CHECKS,
    SCORES, COMPARISONS, FLAGS, DUPLICATES, REVIEWS, "splits.jsonl",
)  # fmt: skip
"""The files of a run folder that facts are taken from, beside manifest and journal."""
REPEATS = 4
"""Near duplicates to read, of each of the two files that hold any."""
NEAREST_BINS = 20


@dataclass(frozen=True)
class Step:
    """What came into a command and what came out: given = kept + all that were lost."""

    stage: str
    given: int
    """Proposals for `expand`, else records."""
    kept: int
    """For `check` the answers that fail no check."""
    lost: Mapping[str, int]
    """The others by reason, as the ledger calls it; only those that there were."""
    passed_on: bool
    """What it kept is what the next command took up. A verdict leaves nothing out, and neither
    does a file that nobody went on with."""


@dataclass(frozen=True)
class CheckFacts:
    """What one check came to."""

    name: str
    applied: int
    """Answers that it says something of."""
    passed: int
    known: int
    """Those of `applied` that are known to be right or wrong."""
    precision: float | None
    """Share of right ones among the known that passed."""
    right_if_failed: float | None
    """Share of right ones among the known that failed."""


@dataclass(frozen=True)
class Repeat:
    """A text that was left out because it repeats another, with both."""

    stage: str
    reason: str
    """`near_duplicate` or `template`."""
    question: str
    user_context: str
    repeats: str
    """Question of the text that it repeats."""
    similarity: float
    """ROUGE-L F1, 0 to 1."""


@dataclass(frozen=True)
class FailureFacts:
    """Requests that brought nothing, of one kind."""

    stage: str
    kind: str
    count: int
    detail: str
    """What was said of the first of them."""


@dataclass(frozen=True)
class Facts:
    """What is known of a run. What never ran is empty, or None."""

    run: Path
    """Its folder."""
    source: Path
    """The file that `stats`, `lengths` and the samples are of; see `source_of`."""
    commands: Mapping[str, Entry]
    """The last entry of each command but `report`: options, prompts' digests, counts, times."""
    stats: Mapping[str, JSON]
    """As `stats --json`: figures by field, `groups`, `coverage`, `yield` and `warnings`."""
    records: int
    """Lines of `source`."""
    teachers: Mapping[str, int]
    """Answers by teacher."""
    strategies: Mapping[str, int]
    """Records by strategy; `` for those that distillgen did not make."""
    labels: Mapping[str, int]
    """Answers by label, of closed tasks."""
    flags: Mapping[str, int]
    """Answers by flag: `rationalized`, `refined` …"""
    lengths: Mapping[str, Lengths]
    """By field."""
    right: Mapping[bool, int]
    """Answers that are known to be right or wrong, by a person's review or the right answer."""
    checks: tuple[CheckFacts, ...]
    unfailing: int | None
    """Answers that fail no check; None where none was run."""
    outdated: int
    """Answers that changed since they were checked: their verdicts are left out."""
    aspects: tuple[Aspect, ...]
    """Of the answers themselves, not of their candidates."""
    judges: Mapping[str, int]
    """Scored answers by judge."""
    bars: Sequence[Bar]
    """What each bar on the scores would let pass; empty where nothing is known."""
    compared: Mapping[str, int]
    """`given` comparisons, and those `turned` with the order."""
    soft: Reliability | None
    soft_methods: Mapping[str, int]
    """Soft labels by how they were come by."""
    nearest: Mapping[str, Sequence[int]]
    """For `question` and `user_context` the texts of a sample by their ROUGE-L F1 with the nearest
    seed, in `NEAREST_BINS` equal intervals from 0 to 1."""
    failures: tuple[FailureFacts, ...]
    """The most frequent first."""
    rejected: Mapping[tuple[str, str], int]
    """Lines of rejected.jsonl by stage and reason."""
    contaminated: Mapping[tuple[str, str], int]
    """Records that give a test set away, by its path and the tier."""
    reviews: Mapping[str, int]
    """Decisions of people."""
    splits: Mapping[str, int]
    """Records by split, where splits.jsonl says."""
    formats: Mapping[str, Step]
    """What each format of the last export took of what it was given, and why not the rest."""
    exports: Mapping[str, Mapping[str, int]]
    """By format the bytes of each file that was written."""
    used: Sequence[Used]
    """What each teacher was asked and took, by the journal."""
    repeats: tuple[Repeat, ...]
    """Near duplicates, drawn at random."""
    samples: Mapping[str, tuple[Sample, ...]]
    """`random`, and the worst first: `judge` by their mean score, `checks` by how many fail,
    `context` by how little of it is taken up, `seed` by how near one is, `soft` by the
    probability of the likeliest label."""

    @cached_property
    def funnel(self) -> tuple[Step, ...]:
        """The commands that ran, in order."""
        way = _way(self.commands)
        return tuple(
            _step(stage, entry.counts, stage in way, self.formats)
            for stage in STAGES
            if (entry := self.commands.get(stage)) and entry.counts
        )

    @property
    def first(self) -> Entry | None:
        """The command that all began with."""
        return next((one for stage in STAGES if (one := self.commands.get(stage))), None)

    @property
    def task(self) -> Mapping[str, JSON]:
        """What the teacher was told of the field: `name`, `expert`, `language`, `labels`."""
        return self.first.options.get("task", {}) if self.first else {}

    @property
    def cost_usd(self) -> float | None:
        """Dollars for all that was asked; None where a price is not known."""
        costs = [one.cost for one in self.used]
        return None if None in costs else sum(cost or 0 for cost in costs) / 1e9

    @property
    def languages(self) -> Mapping[str, int]:
        """Those of the questions and answers of a sample, together; of the rationales, where
        answers are too short for half of them to be told. `?` is not sure."""
        said = self._told("answer") or self._told("rationale")
        return _ranked(self._told("question") + said)

    def _told(self, field: str) -> Counter[str]:
        """The languages of a field, where at least half of its texts tell theirs."""
        counts = Counter[str](self.stats["fields"].get(field, {}).get("languages") or {"?": 1})
        return counts if 2 * counts["?"] <= counts.total() else Counter()


def of(run: Path, source: Path | None = None) -> Facts:
    """What is known of a run; reads only. `source` is the file of answers that it is of, where it
    is another than `source_of` finds.

    Raises:
        UserError: it is no run folder, holds no records yet, or a file in it cannot be read.
    """
    if not is_run(run):
        raise UserError(f"{run}: not a run folder")
    manifest = read_manifest(run)
    wholes = _wholes(run, source, manifest.commands) if source else {}
    source = source or source_of(run, manifest)
    commands = {name: one for name, one in manifest.commands.items() if name.isalpha()}
    commands.pop("report", None)
    measured = stats.of(source, run, None, {})
    check = manifest.commands.get("check")
    walk = Walk(run, check.options.get("checks", ()) if check else (), wholes)
    for record in answers.read(source):
        walk.add(record)
    seeds = _seeds(run)
    nearest = _nearest(walk.drawn.sample, seeds)
    rejected, repeats = _rejected(run)
    return Facts(
        run=run, source=source, commands=commands, stats=measured,
        records=walk.drawn.of, teachers=_ranked(walk.counts["teacher"]),
        strategies=_ranked(walk.counts["strategy"]), labels=_ranked(walk.counts["label"]),
        flags=_ranked(walk.counts["flag"]), lengths=walk.lengths(), right=dict(walk.right),
        checks=tuple(_checks(walk.outcome)) if walk.outcome else (),
        unfailing=walk.outcome.passed if walk.outcome else None, outdated=walk.outdated,
        aspects=walk.aspects(), judges=_ranked(walk.counts["judge"]),
        bars=walk.calibration.bars() if walk.calibration.known else [],
        compared=_compared(run), soft=walk.soft if walk.soft.count else None,
        soft_methods=_ranked(walk.counts["soft"]),
        nearest={
            name: _histogram(score for _, score, _ in found) for name, found in nearest.items()
        },
        failures=_failures(run), rejected=rejected, contaminated=_contaminated(run),
        reviews=_reviews(run), splits=_splits(run), formats=_formats(commands),
        exports=_exports(manifest), used=_used(run), repeats=repeats,
        samples=walk.samples(nearest.get("question", [])),
    )  # fmt: skip


def source_of(run: Path, manifest: Manifest) -> Path:
    """The file that tells most of a run: answers.jsonl, inputs.jsonl while there are no answers, or
    the file that was exported, where the run folder was made for that alone.

    Raises:
        UserError: there is none of them.
    """
    exported = manifest.commands.get("export")
    elsewhere = [Path(exported.source)] if exported and exported.source else []
    if elsewhere and run.resolve().parent.name == RUNS.name:  # where a name stands for runs/NAME
        elsewhere.append(run.resolve().parent.parent / elsewhere[0])
    for path in (run / "answers.jsonl", run / "inputs.jsonl", *elsewhere):
        if path.is_file():
            return path
    if elsewhere:
        raise UserError(f"{elsewhere[0]}: was exported, and is not there; put it back")
    raise UserError(f"{run}: no records yet; distillgen run SEEDS, or answer QUESTIONS")


# -- the other files ---------------------------------------------------------------------------


def _wholes(run: Path, source: Path, commands: Mapping[str, Entry]) -> dict[str, Path]:
    """The files that verdicts are of, where they are not of `source`."""
    looked_at = {by: Path(commands[by].source).name for by in ("check", "judge") if by in commands}
    return {by: run / name for by, name in looked_at.items() if name != source.name}


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())


def _way(commands: Mapping[str, Entry]) -> set[str]:
    """The commands that lead to the last file of the run, found from its end."""
    last = next((s for s in ("export", "select", "answer", "expand") if s in commands), None)
    way: set[str] = set()
    while last and last in commands and last not in way:
        way.add(last)
        source = Path(commands[last].source).name
        last = None if last == "expand" else MADE_BY.get(source)
    return way


def _step(
    stage: str, counts: Mapping[str, int], passed_on: bool, formats: Mapping[str, Step]
) -> Step:
    """Of an export in one format the reasons are those of the format."""
    given = counts["asked"] + counts["extra"] if stage == "expand" else counts.get("given", 0)
    kept = counts.get("passed" if stage == "check" else "kept", 0)
    names = LOST.get(stage, [name for name in counts if name not in ("given", "kept")])
    lost = {name: n for name in names if (n := counts.get(name))}
    if stage == "export" and len(formats) == 1:
        (lost,) = (dict(one.lost) for one in formats.values())
    return Step(stage, given, kept, lost, passed_on)


def _formats(commands: Mapping[str, Entry]) -> dict[str, Step]:
    """By format; nothing where an older version exported."""
    entry = commands.get("export")
    found = {}
    for name, one in (entry.settled.get("formats", {}) if entry else {}).items():
        kept, lost = sum(one["records"].values()), one["left_out"]
        found[name] = Step("export", kept + sum(lost.values()), kept, lost, passed_on=True)
    return found


def _checks(outcome: Outcome) -> Iterator[CheckFacts]:
    for name, counts in outcome.counts.items():
        told = counts.as_json()
        yield CheckFacts(
            name, counts.passed + counts.failed, counts.passed, told.get("known", 0),
            told.get("precision"), told.get("right_if_failed"),
        )  # fmt: skip


def _seeds(run: Path) -> list[dict[str, JSON]]:
    return list(files.rows_of(run / "seeds.jsonl"))


def _nearest(
    sample: Sequence[Sample], seeds: Sequence[Mapping[str, JSON]]
) -> dict[str, list[tuple[Sample, float, str]]]:
    """For each field that grows from seeds the records that have it, each with its ROUGE-L F1 to
    the nearest seed, and the text of that one."""
    found = {}
    for name in stats.GROWN:
        theirs = [text for seed in seeds if (text := str(seed.get(name) or "").strip())]
        words = list(map(dedupe.tokens, theirs))
        ours = [one for one in sample if getattr(one.record, name).strip()]
        if not words or not ours:
            continue
        texts = [dedupe.tokens(getattr(one.record, name)) for one in ours]
        found[name] = [
            (one, score, _same(text, score, words, theirs))
            for one, text, score in zip(ours, texts, dedupe.nearest(texts, words), strict=True)
        ]
    return found


def _same(
    text: Sequence[str], score: float, seeds: Sequence[Sequence[str]], theirs: Sequence[str]
) -> str:
    """The first seed with that score."""
    pairs = zip(seeds, theirs, strict=True)
    return next((said for words, said in pairs if dedupe.nearest([text], [words])[0] >= score), "")


def _histogram(scores: Iterator[float]) -> tuple[int, ...]:
    counts = Counter(min(NEAREST_BINS - 1, int(score * NEAREST_BINS)) for score in scores)
    return tuple(counts[n] for n in range(NEAREST_BINS))


def _rejected(run: Path) -> tuple[dict[tuple[str, str], int], tuple[Repeat, ...]]:
    """Counts of rejected.jsonl, and of both files near duplicates to read."""
    counts = Counter[tuple[str, str]]()
    drawn, dropped = Drawn[Repeat](size=REPEATS), Drawn[Repeat](size=REPEATS)
    for row in files.rows_of(run / "rejected.jsonl"):
        counts[row["stage"], row["reason"]] += 1
        if row.get("repeats"):
            drawn.add(_repeat(row["stage"], row))
    for row in files.rows_of(run / DUPLICATES):
        dropped.add(_repeat("dedupe", row))
    return dict(counts.most_common()), (*drawn.sample, *dropped.sample)


def _repeat(stage: str, row: Mapping[str, JSON]) -> Repeat:
    return Repeat(
        stage, row["reason"], row.get("question", ""), row.get("user_context", ""),
        row["repeats"], row.get("similarity") or 0.0,
    )  # fmt: skip


def _failures(run: Path) -> tuple[FailureFacts, ...]:
    counts = Counter[tuple[str, str]]()
    first: dict[tuple[str, str], str] = {}
    for row in files.rows_of(run / "failures.jsonl"):
        what = row["stage"], row["kind"]
        counts[what] += 1
        first.setdefault(what, row.get("detail", ""))
    return tuple(
        FailureFacts(stage, kind, n, first[stage, kind])
        for (stage, kind), n in counts.most_common()
    )


def _compared(run: Path) -> dict[str, int]:
    counts = Counter(row.get("better") is None for row in files.rows_of(run / COMPARISONS))
    return {"given": counts.total(), "turned": counts[True]} if counts else {}


def _contaminated(run: Path) -> dict[tuple[str, str], int]:
    matches = (match for row in files.rows_of(run / FLAGS) for match in row["matches"])
    return dict(Counter((str(one["against"]), str(one["tier"])) for one in matches).most_common())


def _reviews(run: Path) -> dict[str, int]:
    reviewed = Reviewed.beside(run)
    found = (reviewed.outcome(id) for id in reviewed.decisions.ids())
    return _ranked(Counter(one.verdict for one in found if one))


def _splits(run: Path) -> dict[str, int]:
    return dict(Counter(str(row["split"]) for row in files.rows_of(run / "splits.jsonl")))


def _exports(manifest: Manifest) -> dict[str, dict[str, int]]:
    """The files of the last export, wherever it went: its folders are called like the formats."""
    entry = manifest.commands.get("export")
    found: dict[str, dict[str, int]] = {}
    for name, stamp in manifest.files.items() if entry else ():
        folder = Path(name).parent.name
        if entry and folder in entry.options.get("format", ()):
            found.setdefault(folder, {})[name] = stamp.size
    return found


def _used(run: Path) -> list[Used]:
    if not (run / "journal.sqlite").exists():
        return []
    journal = Stored(run / "journal.sqlite")
    used = journal.used()
    journal.close()
    # An embedded teacher calls itself by the path of its weights, which is nobody's business.
    return [one._replace(model=Path(one.model).name.removesuffix(".gguf")) for one in used]
