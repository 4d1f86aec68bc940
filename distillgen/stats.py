"""Measure a set of records: how varied, how near to the seeds, in which language, how damaged."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Generic, TypeVar

from distillgen import coverage, dedupe, diversity, lint, yields
from distillgen.inputs import Line, Records
from distillgen.language import detector
from distillgen.records import JSON, content_id
from distillgen.task import task_beside
from distillgen.yields import Yields

T = TypeVar("T")

SAMPLE = 200
"""Texts that each figure is of: it would depend on their number (Shaib et al. 2024)."""
FIELDS = ("question", "user_context", "answer", "rationale")
"""What is measured: the texts that vary, never a prompt that they were put into."""
GROWN = ("question", "user_context")
"""Those that grow from seeds, and are held against theirs."""
TOLD = (*FIELDS, "label")
"""What the rules for damage read."""
GROUPS = ("strategy", "operation", "teacher", "rationale_source", "label", "tags")
"""By these fields records are counted."""
MOST_GROUPS = 1000
"""A field with more values than this tells no groups apart."""
EVIDENCE = 5
"""Lines that are named for each kind of damage."""
FEW = 10
"""Of fewer texts nothing is said about what they have in common."""
START = 6
"""Characters of a beginning that texts may be said to share, at least."""


@dataclass
class Drawn(Generic[T]):
    """How many of a kind there are, and a sample of them, drawn once and for all."""

    of: int = 0
    sample: list[T] = field(default_factory=list)
    size: int = SAMPLE
    _rng: random.Random = field(default_factory=lambda: random.Random(0))

    def add(self, one: T) -> None:
        """Count one more; each of those added is in the sample with equal probability."""
        self.of += 1
        if len(self.sample) < self.size:
            self.sample.append(one)
        elif (place := self._rng.randrange(self.of)) < self.size:
            self.sample[place] = one


Texts = Drawn[str]
"""A field of all records."""


@dataclass
class Gathered:
    """What one walk over a file keeps of it, in bounded memory."""

    given: int = 0
    texts: dict[str, Texts] = field(default_factory=lambda: defaultdict(Texts))
    groups: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By field, then by value."""
    damage: dict[str, list[int]] = field(default_factory=dict)
    """By rule the lines of the first records that break it."""
    damaged: Counter[str] = field(default_factory=Counter)
    """By rule the number of those records."""
    covered: coverage.Counted = field(default_factory=coverage.Counted)


def of(
    path: Path, run: Path | None, against: Path | None, fields: Mapping[str, str]
) -> dict[str, JSON]:
    """What `stats --json` tells of a file; of one in a run folder, also what expand's proposals
    gave. Without `against`, a run is held against the seeds that it was made from.

    Raises:
        UserError: a file cannot be read.
    """
    if against is None and run and (run / "seeds.jsonl").is_file():
        against = run / "seeds.jsonl"
    seeds, questions = None, dict[str, str]()
    if against:
        rows = list(Records(against, task_beside(against).fields))
        seeds, questions = gather(rows), seed_ids(row.known for row in rows)
    records = Records(path, fields)
    found = gather(records)
    language = detector()
    measured = measure(found, seeds, language)
    made = yields.of(run, questions) if run else None
    covered = coverage.of(found.covered, run)
    return {
        "command": "stats",
        "run": str(run) if run else None,
        "file": str(path),
        "against": str(against) if against else None,
        "counts": {"given": found.given, "unusable": records.wrong_count},
        "unusable_lines": records.wrong,
        "fields": measured,
        "languages_told": language is not None,
        "groups": {
            name: dict(values.most_common())
            for name, values in found.groups.items()
            if 0 < len(values) <= MOST_GROUPS
        },
        "coverage": covered,
        "yield": _as_json(made, questions) if made else None,
        "damage": {
            rule.name: {"count": found.damaged[rule.name], "lines": found.damage[rule.name]}
            for rule in lint.RULES
            if rule.name in found.damage
        },
        "warnings": [*warnings(measured, made), *coverage.warnings(covered)],
    }


def _as_json(made: Yields, questions: Mapping[str, str]) -> dict[str, JSON]:
    def pair(proposals: int, kept: int) -> dict[str, JSON]:
        return {"proposals": proposals, "kept": kept}

    return {
        **pair(made.proposals, made.kept),
        "last": pair(*made.lately),
        "curve": [pair(*of) for of in made.curve],
        "by_strategy": {name: pair(*of) for name, of in made.by_strategy.items()},
        "by_seed": [
            {"id": id, "question": questions[id], **pair(*of)} for id, of in made.by_seed.items()
        ],
    }


def gather(records: Iterable[Line]) -> Gathered:
    """Walk over records once."""
    found = Gathered()
    for line, record, _ in records:
        found.given += 1
        texts = {name: record[name] for name in TOLD if name in record}
        if _is_answer(record) and not (texts.get("answer") or texts.get("label")):
            texts["answer"] = ""
        for rule in lint.check(texts):
            found.damaged[rule] += 1
            if found.damaged[rule] <= EVIDENCE:
                found.damage.setdefault(rule, []).append(line)
        for name in FIELDS:
            if texts.get(name, "").strip():
                found.texts[name].add(texts[name])
        _count(found.groups, record)
        found.covered.add(record)
    return found


def _is_answer(record: Mapping[str, JSON]) -> bool:
    """Whether it is an answer of ours, of which empty fields are left out."""
    return "teacher" in record or "rationale" in record


def _count(groups: dict[str, Counter[str]], record: Mapping[str, JSON]) -> None:
    for name in GROUPS:
        group = groups[name]
        if (values := record.get(name)) and len(group) <= MOST_GROUPS:
            group.update([values] if isinstance(values, str) else values)


def seed_ids(records: Iterable[Mapping[str, JSON]]) -> dict[str, str]:
    """The questions of seeds by their ids."""
    found = {}
    for seed in records:
        own = content_id(seed.get("user_context", ""), seed["question"], seed.get("images", ()))
        found[seed.get("id") or own] = seed["question"]
    return found


# -- figures --------------------------------------------------------------------------------


def measure(
    found: Gathered, seeds: Gathered | None, language: Callable[[str], str] | None
) -> dict[str, JSON]:
    """The figures as `--json` has them, by field; `seeds` is what they are held against."""
    return {
        name: _figures(texts, seeds.texts.get(name) if seeds and name in GROWN else None, language)
        for name in FIELDS
        if (texts := found.texts.get(name))
    }


def _figures(
    texts: Texts, seeds: Texts | None, language: Callable[[str], str] | None
) -> dict[str, JSON]:
    words = list(map(dedupe.tokens, texts.sample))
    lengths = sorted(map(len, words))
    figures: dict[str, JSON] = {
        "given": texts.of,
        "sample": len(words),
        "words": {"least": lengths[0], "median": median(lengths), "most": lengths[-1]},
        "distinct_1": round(diversity.distinct(words, 1), 4),
        "distinct_2": round(diversity.distinct(words, 2), 4),
        "distinct_3": round(diversity.distinct(words, 3), 4),
        "compression_ratio": round(diversity.compression(texts.sample), 3),
        "self_repetition": round(diversity.repetition(words), 4),
        "self_bleu": round(diversity.self_bleu(words), 4),
        "vendi": round(diversity.vendi(words), 2),
    }
    if language:
        figures["languages"] = dict(Counter(map(language, texts.sample)).most_common())
    start, share = beginning(texts.sample)
    if start and not (seeds and _share(seeds.sample, start) >= 1 / 3):
        figures["beginning"] = {"text": start, "share": round(share, 4)}
    if seeds:
        figures["seeds"] = _against(texts.sample, words, seeds.sample)
    return figures


def _against(texts: list[str], words: list[list[str]], seeds: list[str]) -> dict[str, JSON]:
    """How near the texts are to the seeds, how near these to each other, and both as templates."""
    theirs = list(map(dedupe.tokens, seeds))
    near = dedupe.nearest(words, theirs)
    among = [dedupe.nearest([t], theirs[:i] + theirs[i + 1 :])[0] for i, t in enumerate(theirs)]
    same = min(len(texts), len(seeds))
    return {
        "given": len(seeds),
        "nearest": round(sum(near) / len(near), 4),
        "nearest_of_seeds": round(sum(among) / len(among), 4),
        "copies": sum(score > dedupe.NEAR for score in near),
        "compared": same,
        "compression_ratio": round(diversity.compression(texts[:same]), 3),
        "compression_ratio_of_seeds": round(diversity.compression(seeds[:same]), 3),
    }


def beginning(texts: Sequence[str]) -> tuple[str, float]:
    """The longest beginning of `START` characters or more that a third of the texts share.

    With the share that has it; empty and 0 if there is none, or of fewer than `FEW` texts.

    >>> beginning([f"I am a {age}-year-old" for age in range(30, 40)] * 3 + ["Nurse, 40"] * 9)[0]
    'I am a 3'
    """
    best, share = "", 0.0
    size = START
    alike = list(texts) if len(texts) >= FEW else []
    while starts := Counter(text[:size] for text in alike if len(text) >= size):
        start, n = starts.most_common(1)[0]
        if n * 3 < len(texts):
            break
        best, share = start, n / len(texts)
        alike = [text for text in alike if text.startswith(best)]
        size += 1
    return best, share


def _share(texts: Sequence[str], start: str) -> float:
    return sum(text.startswith(start) for text in texts) / max(len(texts), 1)


# -- warnings -------------------------------------------------------------------------------

PLURAL = {"question": "questions", "user_context": "contexts", "answer": "answers",
          "rationale": "rationales"}  # fmt: skip
TEMPLATED = 1.4
"""So many times the seeds' compression ratio tells a template. Human prompts are at 2.4 to 2.7,
word problems of a few patterns at 3.8 (benchmarks/stats.py): 1.4 lies between."""
DRIFT = 0.75
"""Inputs are off the seeds' field when their nearest seed is so much farther than the seeds are
from each other; an unrelated set of human instructions is at 0.92 (benchmarks/stats.py)."""
COPIES = 0.1
"""Share of near copies of seeds that is told."""
DRY = 0.1
"""Share of the last proposals that were new, below which the teacher runs dry."""
FOREIGN = 0.05
"""Share of texts in other languages that is told."""


def warnings(fields: Mapping[str, JSON], made: Yields | None) -> list[str]:
    """What a person should look at, in plain words; empty when nothing stands out."""
    said = []
    if made and made.lately[0] >= SAMPLE and made.lately[1] <= DRY * made.lately[0]:
        said.append(f"the last {made.lately[0]} proposals gave {made.lately[1]} new inputs")
    for name, figures in fields.items():
        texts, n = PLURAL[name], figures["sample"]
        if start := figures.get("beginning"):
            said.append(f"{_part(start['share'])} {texts} start with '{start['text'].strip()}'")
        told = {code: k for code, k in figures.get("languages", {}).items() if code != "?"}
        sure = sum(told.values())
        if sure >= FEW and sure - max(told.values()) > FOREIGN * sure:
            ranked = sorted(told.items(), key=lambda one: -one[1])
            listed = ", ".join(f"{k} {code}" for code, k in ranked)
            said.append(f"the {texts} are in several languages: of {n} looked at {listed}")
        if seeds := figures.get("seeds"):
            said += _warnings_on_seeds(texts, n, seeds)
    return said


def _warnings_on_seeds(texts: str, n: int, seeds: Mapping[str, JSON]) -> list[str]:
    said = []
    if n >= FEW and seeds["copies"] > COPIES * n:
        said.append(f"{seeds['copies']} of {n} {texts} are near copies of seeds")
    near, own = seeds["nearest"], seeds["nearest_of_seeds"]
    if n >= FEW and seeds["given"] >= 3 and near < DRIFT * own:
        said.append(
            f"the {texts} are farther from the seeds ({near:.2f}) than the seeds are from each"
            f" other ({own:.2f}): has the subject drifted?"
        )
    ratio, base = seeds["compression_ratio"], seeds["compression_ratio_of_seeds"]
    if seeds["compared"] >= FEW and ratio > TEMPLATED * base:
        said.append(
            f"the {texts} repeat each other more than the seeds do (gzip {ratio:.2f} against"
            f" {base:.2f} on {seeds['compared']} texts each)"
        )
    return said


def _part(share: float) -> str:
    parts = {0.95: "nearly all", 0.71: "three quarters of the", 0.58: "two thirds of the",
             0.42: "half of the", 0.0: "a third of the"}  # fmt: skip
    return next(words for least, words in parts.items() if share >= least)
