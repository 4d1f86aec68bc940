"""Write one format's files: rows by split and stage, sidecars, what goes beside them, the card."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from distillgen import formats, sinks
from distillgen.difficulty import Curriculum
from distillgen.errors import UserError
from distillgen.files import Whole
from distillgen.formats import Broken, Format, LeftOut, Made, Rationale
from distillgen.limits import advice, refusal
from distillgen.records import JSON, Answer, FileStamp, Preference, Side
from distillgen.splits import SPLITS, Split

Said = TypeVar("Said", Answer, Side)

SHOWN = 10
"""Broken rows that are named."""


@dataclass(frozen=True)
class Wanted:
    """What holds for all formats of an export."""

    max_length: int | None = None
    """Tokens of a row, as `tokens` counts them, above which it is too long."""
    long: Literal["drop", "warn"] = "drop"
    """What becomes of a record with a row that is too long; none is ever cut."""
    stages: int = 0
    """So many files from easy to hard beside the shuffled whole; 0 for none."""


@dataclass(frozen=True)
class Exported:
    """What one format came to: the records of all splits and those left out are all there were."""

    format: str
    """Its name."""
    rationale: Rationale | None
    """The form used; None where the format has a fixed place for it."""
    records: dict[Split, int]
    """Records by split, empty splits left out."""
    rows: int
    """Rows of all splits; a format may make several of a record."""
    left_out: dict[str, int]
    """Records left out, by reason."""
    files: dict[Path, FileStamp]
    """Every file written."""
    warnings: tuple[str, ...] = ()
    """What the consumer advises and this does not keep to."""
    card: Path | None = None
    """The README, which is a dataset card."""
    teachers: tuple[str, ...] = ()
    """Who wrote the answers, sorted."""
    measure: str = ""
    """What the stages go by, one of `difficulty.MEASURES`; empty without stages."""

    def as_json(self) -> dict[str, JSON]:
        """What `--json` says of it."""
        return {
            "records": dict(self.records), "rows": self.rows, "left_out": self.left_out,
            "warnings": list(self.warnings),
        }  # fmt: skip


@dataclass
class Delivery:
    """One format's files, while they are written and after."""

    path: Path
    """The folder."""
    found: Format
    told: formats.Options
    wanted: Wanted
    files: ExitStack
    """All files of the export: they appear when it ends well."""
    records: Counter[Split] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    made: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records by teacher and strategy; of pairs by the teacher of the better answer alone."""
    worse: Counter[str] = field(default_factory=Counter)
    """Pairs by the teacher of the worse answer."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Pairs by how the better answer is known."""
    longer: Counter[int] = field(default_factory=Counter)
    """Pairs whose better answer is longer (1), shorter (-1) or as long (0)."""
    longest: int = 0
    """Tokens of the longest row, as `tokens` counts them."""
    edited: int = 0
    """Records with texts of a reviewer."""
    long: int = 0
    """Records with a row above `max_length` that were written all the same."""
    both: int = 0
    """Records with an answer and a label, of which one is taken."""
    stages: Curriculum | None = None
    """Where the records that it takes belong between easy and hard."""
    broken: list[str] = field(default_factory=list)
    """The first rows that break a rule, in words."""
    broken_count: int = 0

    def __post_init__(self) -> None:
        schema = self.found.schema(self.told)
        self.data = {s: self._sink(s, schema) for s in SPLITS}
        self.meta = {s: self._whole(f"{s}.meta.jsonl") for s in SPLITS}
        stages = range(1, 0 if self.found.of_pairs(self.told) else self.wanted.stages + 1)
        self.staged = {n: self._sink("train", schema, n) for n in stages}
        self.staged_meta = {n: self._whole(f"train.stage-{n}.meta.jsonl") for n in stages}
        self.beside: list[Whole] = []

    def _sink(self, split: str, schema: Mapping[str, JSON], stage: int = 0) -> sinks.Sink:
        path = self.path / self.found.file(split, self.told)
        if stage:
            path = path.with_name(f"{path.stem}.stage-{stage}{path.suffix}")
        return sinks.open_sink(path, schema, self.files)

    def _whole(self, name: str) -> Whole:
        return self.files.enter_context(Whole(self.path / name))

    def takes(self, record: Answer) -> bool:
        """Whether rows come of it."""
        try:
            return bool(self._rows(record))
        except (LeftOut, Broken):
            return False

    def take(self, record: Answer | Preference, split: Split | LeftOut) -> bool:
        """Write the rows of one record, or count why there are none; whether there are any."""
        self.both += self._has_both(record)
        if isinstance(split, LeftOut):
            self.left_out[str(split)] += 1
            return False
        try:
            rows = self._rows(record)
        except LeftOut as why:
            self.left_out[str(why)] += 1
            return False
        except Broken as problem:
            self.broken_count += 1
            if len(self.broken) < SHOWN:
                id = record.id if isinstance(record, Answer) else record.chosen.id
                self.broken.append(f"{self.found.name}: record {id}: {problem}")
            return False
        self.records[split] += 1
        length = max(map(tokens, rows))
        self.longest = max(self.longest, length)
        self.long += bool(self.wanted.max_length and length > self.wanted.max_length)
        self._count(record)
        side = record if isinstance(record, Answer) else record.chosen
        self.edited += bool(side.edited_by)
        self._write(rows, record, self.data[split], self.meta[split])
        if self.stages and isinstance(record, Answer) and split == "train":
            stage = self.stages.stage(record)
            self._write(rows, record, self.staged[stage], self.staged_meta[stage])
        return True

    def _count(self, record: Answer | Preference) -> None:
        if isinstance(record, Answer):
            self.made[record.teacher, record.strategy] += 1
            if record.soft_method:
                self.methods[record.soft_method] += 1
            return
        better, worse = record.chosen, record.rejected
        self.made[better.teacher, ""] += 1
        self.worse[worse.teacher] += 1
        self.reasons[record.reason] += 1
        self.longer[(better.length > worse.length) - (better.length < worse.length)] += 1

    def _write(
        self, rows: list[dict[str, JSON]], record: Answer | Preference, data: sinks.Sink,
        meta: Whole,
    ) -> None:  # fmt: skip
        for row in rows:
            data.write(row)
            meta.write({"row": data.rows, **lineage(record)})

    def _rows(self, record: Answer | Preference) -> list[dict[str, JSON]]:
        """A trainer would take a row with nothing to learn without a word: none gets there."""
        if isinstance(record, Answer) and record.soft_label and not self.told.labels:
            self.told = replace(self.told, labels=tuple(record.soft_label))
        if self._has_both(record) and not self.told.closed:
            record = record.model_copy(update={"label": None})
        record = _reasoned(record)
        if not formats.prompt(record):
            raise LeftOut("no_question")
        sides = (record,) if isinstance(record, Answer) else (record.chosen, record.rejected)
        if not all(formats.target(side) for side in sides):
            raise LeftOut("no_answer")
        if record.images and not self.found.images:
            raise LeftOut("images")
        for image in record.images:
            if "://" not in image and not Path(image).is_file():
                raise Broken(f"image {image}: no such file, as seen from the folder you are in")
        rows = list(self._made(record))
        if not rows:
            raise LeftOut("no_rows")
        most = self.wanted.max_length
        if most and self.wanted.long == "drop" and max(map(tokens, rows)) > most:
            raise LeftOut("too_long")
        for row in rows:
            if problem := self.found.broken(row, self.told):
                raise Broken(problem)
        return rows

    def _has_both(self, record: Answer | Preference) -> bool:
        both = isinstance(record, Answer) and record.label and record.answer
        return bool(both and not self.found.labels)

    def _made(self, record: Answer | Preference) -> Iterator[dict[str, JSON]]:
        if isinstance(record, Answer):
            return self.found.rows(record, self.told) if self.found.rows else iter(())
        return self.found.pairs(record, self.told) if self.found.pairs else iter(())

    # -- the end -----------------------------------------------------------------------------

    def refuse(self) -> None:
        """Stop before anything is written, where the consumer would not take it.

        Raises:
            UserError: names the rows, or the limit.
        """
        name, limits = self.found.name, self.found.limit(self.told)
        if self.broken:
            more = self.broken_count - len(self.broken)
            rest = [f"… and {more:,} more"] if more else []
            raise UserError("\n".join([
                *self.broken, *rest,
                f"{name}: {self.broken_count:,} records break its rules; nothing was written. Mend"
                " the answers, or leave these out of the file",
            ]))  # fmt: skip
        if not self.records:
            raise UserError(
                f"{name}: no record for it; nothing was written, of no format{self._left()}. Mend"
                " that, or leave the format away"
            )
        if problem := refusal(limits, self._sizes()):
            raise UserError(f"{name}: {problem}{self._left()}")
        if self.stages and not all(sink.rows for sink in self.staged.values()):
            raise UserError(
                f"--stages {self.wanted.stages}: {name} has {self.records['train']} records to"
                f" train on, and a stage would be empty; nothing was written{self._left()}"
            )

    def _left(self) -> str:
        why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self.left_out.items()))
        return f". Left out: {why}" if why else ""

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and bytes by split."""
        return {split: (sink.rows, sink.wholes[0].bytes) for split, sink in self.data.items()}

    def warnings(self) -> tuple[str, ...]:
        """What is not as advised."""
        name, limits = self.found.name, self.found.limit(self.told)
        found = [f"{name}: {one}" for one in advice(limits, self._sizes())]
        if self.long:
            found.append(
                f"{name}: {self.long:,} records are longer than {self.wanted.max_length:,} tokens;"
                " a trainer that cuts there loses their ends"
            )
        if self.both:
            which = ("label", "answer") if self.told.closed else ("answer", "label")
            found.append(
                f"{name}: {self.both:,} records have an answer and a label; the {which[0]} is what"
                f" a student learns, and the {which[1]} is left away"
            )
        return tuple(found)

    def finish(self, name: str, card: str) -> None:
        """Write the card, and what else goes beside the data."""
        made = Made(self.told, name, self.given(), self.methods)
        for path, value in self.found.beside(made).items():
            self.beside.append(file := self._whole(path))
            plain = isinstance(value, str)
            text = value if plain else json.dumps(value, ensure_ascii=False, indent=1) + "\n"
            file.write_text(text)
        self.beside.append(readme := self._whole("README.md"))
        readme.write_text(card)

    def given(self) -> dict[str, str]:
        """The path of each split that has rows, from the folder."""
        return {s: self.found.file(s, self.told) for s in SPLITS if self.records[s]}

    def exported(self) -> Exported:
        """What it came to, once all files stand in their places."""
        sinks = (*self.data.values(), *self.staged.values())
        wholes = [
            *(whole for sink in sinks for whole in sink.wholes),
            *self.meta.values(), *self.staged_meta.values(), *self.beside,
        ]  # fmt: skip
        return Exported(
            format=self.found.name,
            rationale=self.told.rationale if self.found.rationales else None,
            records={split: self.records[split] for split in SPLITS if self.records[split]},
            rows=sum(sink.rows for sink in self.data.values()),
            left_out=dict(sorted(self.left_out.items())),
            files={whole.path: whole.stamp for whole in wholes if whole.stamp},
            warnings=self.warnings(),
            card=self.path / "README.md",
            measure=self.stages.measure if self.stages else "",
            teachers=tuple(sorted({teacher for teacher, _ in self.made} | set(self.worse))),
        )


def _reasoned(record: Answer | Preference) -> Answer | Preference:
    """The same, the thoughts of its answers in their rationales, where they have one form."""
    if isinstance(record, Preference):
        sides = {"chosen": _apart(record.chosen), "rejected": _apart(record.rejected)}
        return record.model_copy(update=sides)
    return _apart(record)


def _apart(said: Said) -> Said:
    rationale, answer = formats.thought_apart(said)
    changed = answer != said.answer
    return said.model_copy(update={"rationale": rationale, "answer": answer}) if changed else said


def lineage(record: Answer | Preference) -> dict[str, JSON]:
    """What the sidecar says of a record's rows."""
    if isinstance(record, Answer):
        return {
            "id": record.id, "teacher": record.teacher, "strategy": record.strategy,
            "parents": list(record.parents), "request": record.request,
            **({"edited_by": record.edited_by} if record.edited_by else {}),
        }  # fmt: skip
    better, worse = record.chosen, record.rejected
    return {
        "id": better.id, "teacher": better.teacher, "request": better.request,
        "rejected_id": worse.id, "rejected_teacher": worse.teacher,
        "rejected_request": worse.request, "reason": record.reason,
        **({"edited_by": better.edited_by} if better.edited_by else {}),
    }  # fmt: skip


def tokens(value: JSON) -> int:
    """What the texts of a row take, roughly: a token for 4 characters of English, and one for each
    that is not ASCII, as in Chinese; another student counts otherwise.

    >>> tokens({"text": "Buy gold", "label": True})
    2
    """
    if isinstance(value, str):
        plain = len(value.encode("ascii", "ignore"))
        return -(-plain // 4) + len(value) - plain
    if isinstance(value, dict):
        return sum(map(tokens, value.values()))
    return sum(map(tokens, value)) if isinstance(value, list | tuple) else 0
