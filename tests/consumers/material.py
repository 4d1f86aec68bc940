"""Make the exports that consumers are tested with: two runs, in every format and form."""

import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from meant import LABELS, MATERIAL, SETS, SYSTEM, Record, records

from distillgen import formats
from distillgen.cli import main

OTHERWISE = {
    "flat": ("step-by-step", ["--layout", "flat"]),
    "google": ("step-by-step", ["--preset", "google"]),
    "google-research": ("step-by-step", ["--layout", "google-research"]),
    "parquet": ("hf", ["--layout", "parquet", "--rationale", "field"]),
    "alpaca": ("llamafactory", ["--layout", "alpaca", "--rationale", "think"]),
    "dpo": ("llamafactory", ["--layout", "dpo", "--rationale", "think"]),
    "kto": ("llamafactory", ["--layout", "kto", "--rationale", "think"]),
}
"""Variants beside the forms of `--rationale`."""
SHARES = "train=0.7,validation=0.15,test=0.15"


LABELLED = {"classification", "soft-labels"}
"""Formats of labels alone."""


def variants() -> Iterator[tuple[str, str, list[str]]]:
    """Name of the variant, format, options; of a format that takes no form the name is `only`."""
    for format in formats.names():
        found = formats.load(format)
        yield from ((form, format, ["--rationale", form]) for form in sorted(found.rationales))
        if not found.rationales:
            yield "only", format, []
        if found.system:
            form = ["--rationale", "think"] if found.rationales else []
            yield "system", format, [*form, "--system", SYSTEM]
    for variant, (format, options) in OTHERWISE.items():
        yield variant, format, options


def answer(id: int, one: Record, set: str) -> dict:
    """A line of answers.jsonl, with a second draw that came to something else."""
    said, other = (
        {"label" if set == "labels" else "answer": words} for words in (one.answer, one.wrong)
    )
    soft = {label: 0.7 if label == one.answer else 0.15 for label in LABELS}
    return {
        "question": one.question, "user_context": one.context, "rationale": one.rationale,
        **said, "gold": one.right, "rationale_source": "requested" if one.rationale else "none",
        **({"soft_label": soft, "soft_method": "votes"} if set == "labels" else {}),
        "candidates": [
            {"teacher": "a:b", "rationale": one.rationale, **said, "request": f"r{id}-0"},
            {"teacher": "a:b", "rationale": one.doubt, **other,
             "request": f"r{id}-1"},
        ],
        "id": str(id), "strategy": "few_shot", "teacher": "a:b", "request": f"r{id}-0",
    }  # fmt: skip


def distillgen(*words: object) -> None:
    """Run a command, in this process: to start one for each would take longer than they do."""
    sys.argv = ["distillgen", *map(str, words)]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{sys.argv} ended with {end.code}") from end


def make(out: Path) -> None:
    """Write the runs, and export them."""
    wanted = defaultdict(list)
    for variant, format, options in variants():
        wanted[variant, *options].append(format)
    new = out.with_name(f"{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    with ProcessPoolExecutor(len(SETS)) as pool:
        list(pool.map(_set, SETS, repeat(new), repeat(wanted)))
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)


def _set(name: str, out: Path, wanted: dict[tuple[str, ...], list[str]]) -> None:
    """The run of one set, its pairs and its exports."""
    out /= name
    run = out / "run"
    run.mkdir(parents=True)
    rows = [answer(i, one, name) for i, one in enumerate(records(name))]
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    (run / "answers.jsonl").write_text(text, "utf-8")
    distillgen("pairs", run / "answers.jsonl", "-o", run, "--quiet")
    for (variant, *options), names in wanted.items():
        held = [one for one in names if name == "labels" or one not in LABELLED]
        given = [word for one in held for word in ("--format", one)]
        distillgen("export", run, *given, *options, "--split", SHARES, "-o", out / variant, "-q")


if __name__ == "__main__":
    make(MATERIAL)
