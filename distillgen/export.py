"""Write the answers as files for trainers: any number of formats, train, validation and test."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from distillgen import formats
from distillgen.errors import UserError
from distillgen.files import Whole
from distillgen.formats import Format, Layout, LeftOut, Preset, Rationale
from distillgen.records import JSON, Answer, FileStamp, content_id

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
DEFAULT_SHARES: Mapping[Split, float] = {"train": 0.9, "validation": 0.05, "test": 0.05}


@dataclass(frozen=True)
class Options:
    """What the user wants exported, and how."""

    formats: tuple[str, ...] = ("trl-prompt-completion",)
    rationale: Rationale | None = None
    """None: each format's own default, else `after` for open questions, `none` for labels."""
    layout: Layout = "rows"
    preset: Preset = "paper"
    label_weight: float = 0.5
    shares: Mapping[Split, float] = field(default_factory=lambda: DEFAULT_SHARES)
    """Share of the records that each split gets; they make 1 together."""
    random_seed: int = 0
    """Another seed, another split."""
    images: bool = False
    """Images belong to some of the answers."""
    soft_temperature: float = 1.0
    hard_weight: float = 0.5


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


def shares(text: str) -> dict[Split, float]:
    """The shares in `train=0.8,validation=0.1,test=0.1`; a split not named gets nothing.

    Raises:
        UserError: a part cannot be read, or they do not make 1.
    """
    found: dict[Split, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        split = next((one for one in SPLITS if one == name), None)
        if split is None or split in found:
            raise UserError(
                f"--split: `{part.strip()}`: name each of {', '.join(SPLITS)} once at most, "
                "as in train=0.8,validation=0.1,test=0.1"
            )
        try:
            found[split] = float(number)
        except ValueError as error:
            raise UserError(f"--split: `{part.strip()}` needs a number, as in train=0.8") from error
    total = sum(found.values())
    if not (all(share >= 0 for share in found.values()) and abs(total - 1) < 1e-6):
        raise UserError(f"--split: the shares make {total:g}; each is 0 to 1, together they make 1")
    return found


def kin(answer: Answer) -> str:
    """What keeps together in a split: the first ancestor of a record, else the record itself.

    So an example and all that was made of it are together, also when they come from several runs,
    and so are equal prompts, unless they were made of different examples.
    """
    own = content_id(answer.user_context.strip(), answer.question.strip(), answer.images)
    return answer.family or own


def split_of(kin: str, shares: Mapping[Split, float], random_seed: int) -> Split:
    """The split of a record: by a hash alone, so that it stays there whatever else is exported.

    The shares are met on average, not exactly.
    """
    seeded = hashlib.sha256(f"{random_seed}\n{kin}".encode()).digest()
    point = int.from_bytes(seeded[:8]) / 2**64
    last = SPLITS[0]
    for split in SPLITS:
        if share := shares.get(split):
            point, last = point - share, split
            if point < 0:
                break
    return last


def settle(options: Options, closed: bool) -> list[tuple[Format, formats.Options]]:
    """Each format once, with what it will be told. Reads no data: call it before anything is paid.

    Raises:
        UserError: there is no such format, or it cannot take `--rationale` as given.
    """
    settled = []
    for name in dict.fromkeys(options.formats):
        found = formats.load(name)
        if options.rationale and options.rationale not in found.rationales:
            raise UserError(_misfit(found, options.rationale))
        form = options.rationale or found.default or ("none" if closed else "after")
        told = formats.Options(
            form, options.layout, options.preset, options.label_weight, options.images,
            options.soft_temperature, options.hard_weight,
        )  # fmt: skip
        settled.append((found, told))
    return settled


def _misfit(found: Format, form: Rationale) -> str:
    if found.rationales:
        known = ", ".join(sorted(found.rationales))
        return f"--rationale {form}: {found.name} has no place for it; it takes {known}"
    return (
        f"--rationale {form} does not go with {found.name}: there the rationale is never joined to "
        "the answer; leave the option away, or export that format by itself"
    )


def paths(out: Path, names: Iterable[str]) -> list[Path]:
    """Every file that an export of these formats may write, or remove because it came out empty."""
    return [
        out / name / file
        for name in dict.fromkeys(names)
        for file in (*_FILES, *formats.load(name).beside(formats.Options(), {}))
    ]


_FILES = (*(f"{s}{end}" for s in SPLITS for end in (".jsonl", ".meta.jsonl")), "README.md")


def export(answers: Iterable[Answer], closed: bool, options: Options, out: Path) -> list[Exported]:
    """Write `out/<format>/<split>.jsonl`, the sidecars `<split>.meta.jsonl`, and a README.

    One pass over the answers for all formats, in bounded memory. No file changes before the last
    answer is read; then each appears whole, and an empty split has none.

    Raises:
        UserError: see `settle`.
    """
    settled = settle(options, closed)
    made = Counter[tuple[str, str]]()
    with ExitStack() as files:
        folders = [_Folder(out / found.name, found, told, files) for found, told in settled]
        for answer in answers:
            made[answer.teacher, answer.strategy] += 1
            prompt = formats.prompt(answer)
            split = split_of(kin(answer), options.shares, options.random_seed)
            for folder in folders:
                folder.take(answer, prompt, split)
    return [folder.finish(made, options) for folder in folders]


class _Folder:
    """One format's files, while they are written and after."""

    def __init__(self, path: Path, found: Format, told: formats.Options, files: ExitStack) -> None:
        self.path, self.found, self.told = path, found, told
        self.records = Counter[Split]()
        self.left_out = Counter[str]()
        self.methods = Counter[str]()
        self.data = {s: files.enter_context(Whole(path / f"{s}.jsonl")) for s in SPLITS}
        self.meta = {s: files.enter_context(Whole(path / f"{s}.meta.jsonl")) for s in SPLITS}

    def take(self, answer: Answer, prompt: str, split: Split) -> None:
        """Write the rows of one answer, or count why there are none."""
        if answer.soft_label and not self.told.labels:
            self.told = replace(self.told, labels=tuple(answer.soft_label))
        try:
            rows = self.rows(answer, prompt)
        except LeftOut as why:
            self.left_out[str(why)] += 1
            return
        self.records[split] += 1
        if answer.soft_method:
            self.methods[answer.soft_method] += 1
        data, meta = self.data[split], self.meta[split]
        for row in rows:
            data.write(row)
            meta.write(
                {
                    "row": data.rows,
                    "id": answer.id,
                    "teacher": answer.teacher,
                    "strategy": answer.strategy,
                    "parents": list(answer.parents),
                    "request": answer.request,
                }
            )

    def rows(self, answer: Answer, prompt: str) -> list[dict[str, JSON]]:
        """A trainer would take a row with nothing to learn without a word: none gets there."""
        if not prompt:
            raise LeftOut("no_question")
        if not formats.target(answer):
            raise LeftOut("no_answer")
        if answer.images and not self.found.images:
            raise LeftOut("images")
        rows = list(self.found.rows(answer, self.told))
        if not rows:
            raise LeftOut("no_rows")
        return rows

    def finish(self, made: Counter[tuple[str, str]], options: Options) -> Exported:
        """Write the README and what else goes beside the finished files, and sum up."""
        with Whole(self.path / "README.md") as readme:
            readme.write_text(_readme(self, made, options))
        opened = [*self.data.values(), *self.meta.values(), readme]
        for name, value in self.found.beside(self.told, self.methods).items():
            with Whole(self.path / name) as file:
                if self.records:
                    file.write(value)
            opened.append(file)
        return Exported(
            format=self.found.name,
            rationale=self.told.rationale if self.found.rationales else None,
            records={split: self.records[split] for split in SPLITS if self.records[split]},
            rows=sum(file.rows for file in self.data.values()),
            left_out=dict(sorted(self.left_out.items())),
            files={file.path: file.stamp for file in opened if file.stamp},
        )


_PLACES = {
    "first": "The rationale stands before the answer, in the same text.",
    "after": "The rationale stands behind the answer, in the same text.",
    "think": "The rationale stands before the answer, between `<think>` and `</think>`.",
    "field": "The rationale stands in a field of its own.",
    "none": "The rationale is not in it.",
}

_NOT = """\
The texts are a model's. They can be wrong, out of date or one-sided, however sure they sound, and
nobody need have checked them. They are not advice, in whatever field they speak of, and no
professional stands behind them. A student learns the teacher's errors with the rest. What may be
trained with these texts is for the teacher's licence or terms to say."""


def _readme(folder: _Folder, made: Counter[tuple[str, str]], options: Options) -> str:
    """The page beside the data: what it is, how to load it, how it was made, what it is not."""
    found, given = folder.found, [split for split in SPLITS if folder.records[split]]
    counts = [f"| {s} | {folder.records[s]:,} | {folder.data[s].rows:,} |" for s in given]
    left = [f"| left out: {why} | {n:,} | |" for why, n in sorted(folder.left_out.items())]
    origins = [
        f"- {n:,} answers of `{teacher}` to questions "
        + (f"made by `{strategy}`" if strategy else "that came from elsewhere")
        for (teacher, strategy), n in sorted(made.items())
    ]
    files = json.dumps({split: f"{split}.jsonl" for split in given})
    snippet = (options.images and found.images) or found.snippet
    shares = ", ".join(f"{split} {options.shares.get(split, 0):g}" for split in SPLITS)
    sections = [
        f"# Fine-tuning data: {found.name}",
        found.help,
        "\n".join(["| split | records | rows |", "|---|---:|---:|", *counts, *left]),
        _PLACES[folder.told.rationale] if found.rationales else "",
        "The hash of a record, or of the example that it was made of, decides the split "
        f"({shares}; random seed {options.random_seed}). Equal prompts are in the same one, and an "
        "example with all that was rewritten or derived from it. Line n of `<split>.meta.jsonl` "
        "says where row n of `<split>.jsonl` comes from.",
        f"## Load it\n\n```python\nfiles = {files}\n{snippet}```" if snippet else "",
        "\n".join(["## How it was made", "", *origins]),
        f"## What it is not\n\n{_NOT}",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"
