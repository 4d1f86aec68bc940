"""Write the answers as files for trainers: any number of formats, train, validation and test."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from distillgen import card, formats, sinks, tables
from distillgen.current import Current
from distillgen.delivery import Delivery, Exported, Wanted
from distillgen.difficulty import curriculum
from distillgen.errors import UserError
from distillgen.files import is_ours
from distillgen.formats import Format, LeftOut, Preset, Rationale
from distillgen.records import Answer, Preference
from distillgen.review.reviewed import Reviewed
from distillgen.splits import DEFAULT_SHARES, SPLITS, Split

__all__ = ["Exported", "Options", "export", "paths", "settle"]


@dataclass(frozen=True)
class Options:
    """What the user wants exported, and how."""

    formats: tuple[str, ...] = ("trl-prompt-completion",)
    rationale: Rationale | None = None
    """None: each format's own default, else `after` for open questions, `none` for labels."""
    layout: str | None = None
    """Goes to each format that knows it; None: each format's own choice."""
    preset: Preset = "paper"
    label_weight: float = 0.5
    system: Mapping[str, str] = field(default_factory=dict)
    """As in `formats.Options`."""
    own_system: bool = False
    """As in `formats.Options`."""
    shares: Mapping[Split, float] = field(default_factory=lambda: DEFAULT_SHARES)
    """Share of the records that each split gets; they make 1 together."""
    random_seed: int = 0
    """Another seed, another split, and another order with `--shuffle`."""
    images: bool = False
    """Images belong to some of the answers."""
    mixed: bool = False
    """As in `formats.Options`."""
    soft_temperature: float = 1.0
    hard_weight: float = 0.5
    wanted: Wanted = field(default_factory=Wanted)


def settle(options: Options, closed: bool) -> list[tuple[Format, formats.Options]]:
    """Each format once, with what it will be told. Reads no data: call it before anything is paid.

    Raises:
        UserError: there is no such format, or it cannot take an option as given.
    """
    found = [formats.load(name) for name in dict.fromkeys(options.formats)]
    layout = options.layout
    if layout and not any(layout in one.layouts for one in found):
        raise UserError(_no_layout(layout, found))
    settled = []
    for one in found:
        if options.rationale and options.rationale not in one.rationales:
            raise UserError(_misfit(one, options.rationale))
        if (options.system or options.own_system) and not one.system:
            raise UserError(
                f"--system: {one.name} has no place for a system prompt; leave the option away, or"
                " export that format by itself"
            )
        form = options.rationale or one.default or ("none" if closed else "after")
        told = formats.Options(
            rationale=form,
            layout=layout if layout in one.layouts and layout else next(iter(one.layouts), ""),
            system=options.system,
            own_system=options.own_system,
            preset=options.preset,
            label_weight=options.label_weight,
            images=options.images and bool(one.images),
            closed=closed,
            mixed=options.mixed,
            soft_temperature=options.soft_temperature,
            hard_weight=options.hard_weight,
        )
        if one.file("train", told).endswith(".parquet"):
            tables.need_parquet()
        given = {str(split) for split, share in options.shares.items() if share}
        if none := [split for split in one.limit(told).needs if split not in given]:
            raise UserError(
                f"--split: {one.name} needs records in {none[0]}; give it a share, or leave the"
                " format away"
            )
        settled.append((one, told))
    return settled


def _misfit(found: Format, form: Rationale) -> str:
    if found.rationales:
        known = ", ".join(sorted(found.rationales))
        return f"--rationale {form}: {found.name} has no place for it; it takes {known}"
    return (
        f"--rationale {form} does not go with {found.name}: there the rationale is never joined to "
        "the answer; leave the option away, or export that format by itself"
    )


def _no_layout(layout: str, found: list[Format]) -> str:
    known = [f"{one.name}: {', '.join(one.layouts)}" for one in found if one.layouts]
    there = "; ".join(known) if known else f"{', '.join(one.name for one in found)} has none"
    return f"--layout {layout}: no such layout; {there}"


def paths(
    out: Path, settled: Iterable[tuple[Format, formats.Options]], stages: int = 0
) -> list[Path]:
    """The files that an export of these formats may write."""
    found = []
    for one, told in settled:
        folder = out / one.name
        rows = [Path(one.file(split, told)) for split in SPLITS]
        names = [*rows, *(Path(f"{split}.meta.jsonl") for split in SPLITS), Path("README.md")]
        for stage in range(1, stages + 1):
            staged = rows[0].with_name(f"{rows[0].stem}.stage-{stage}{rows[0].suffix}")
            names += [staged, Path(f"train.stage-{stage}.meta.jsonl")]
        names += [beside for name in names for beside in sinks.batches(name)]
        names += map(Path, one.beside(formats.Made(told, "", {}, {})))
        found += [folder / name for name in names]
    return found


def export(
    answers: Iterable[Answer],
    pairs: Iterable[Preference],
    closed: bool,
    options: Options,
    out: Path,
    split_of: Callable[[str], Split | LeftOut],
    about: card.About,
    of_train: Callable[[], Iterable[Answer]] = tuple,
    reviewed: Reviewed | None = None,
    counts: Counter[str] | None = None,
) -> list[Exported]:
    """Write a folder for each format: rows by split, sidecars, a card.

    One walk over the answers for all formats that are made of them, and one over the pairs, in
    bounded memory. `split_of` gives the split of a record by its id, or why it has none; what
    people rejected is left out, and where they changed texts, theirs are taken. For stages the
    records `of_train` are walked once more beforehand, for each format. `counts` learns how many
    records at least one format has, by split, and how many none has (`rejected`); pairs count where
    nothing but pairs is wanted. No file changes before the last record is read and every rule is
    kept; then each appears whole, and an empty split has none.

    Raises:
        UserError: see `settle`; or rows break a consumer's rules, or there are too few or many.
    """
    settled = settle(options, closed)
    with _tidied([out / one.name for one, _ in settled]), ExitStack() as files:
        folders = [
            Delivery(out / one.name, one, told, options.wanted, files) for one, told in settled
        ]
        of_pairs = [folder for folder in folders if folder.found.of_pairs(folder.told)]
        of_answers = [folder for folder in folders if folder not in of_pairs]
        for folder in of_answers if options.wanted.stages else ():
            folder.stages = curriculum(filter(folder.takes, of_train()), options.wanted.stages)
        current = Current()
        for given in answers:
            answer, why = reviewed.taken(given) if reviewed else (given, None)
            split = LeftOut(why) if why else split_of(answer.id)
            taken = [folder.take(answer, split) for folder in of_answers]
            if taken and counts is not None:
                counts[str(split) if any(taken) else "rejected"] += 1
            if of_pairs:
                current.add(given, answer)
        current.all_added()
        for old in pairs if of_pairs else ():
            pair, split = _paired(old, current, split_of, reviewed)
            taken = [folder.take(pair, split) for folder in of_pairs]
            if not of_answers and counts is not None:
                counts[str(split) if any(taken) else "rejected"] += 1
        for folder in folders:
            folder.refuse()
        for folder in folders:
            folder.finish(about.name, card.text(folder, about))
    done = [folder.exported() for folder in folders]
    for one, folder in zip(done, folders, strict=True):
        _clear(folder.path, set(one.files))
    return done


def _paired(
    pair: Preference, current: Current, split_of: Callable[[str], Split | LeftOut],
    reviewed: Reviewed | None,
) -> tuple[Preference, Split | LeftOut]:  # fmt: skip
    """The pair as it is to be written, and its split or why it has none."""
    if why := reviewed.outdates(pair) if reviewed else None:
        return pair, LeftOut(why)
    try:
        pair = current.renewed(pair)
    except LeftOut as gone:
        return pair, gone
    split = split_of(pair.chosen.id)
    same = split == split_of(pair.rejected.id)
    return pair, split if same else LeftOut("bridges_splits")


class _tidied:
    """Takes folders away that were made for files that did not come."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for folder in self.folders if error else ():
            below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
            for one in (*below, folder):
                with suppress(OSError):  # it holds something, or was never made
                    one.rmdir()


def _clear(folder: Path, written: set[Path]) -> None:
    """Remove what an earlier export wrote there, in another layout, and nobody changed."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in written and is_ours(path):
            path.unlink()
        elif path.is_dir():
            with suppress(OSError):
                path.rmdir()
