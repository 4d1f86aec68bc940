"""Say in a page beside the data what it is, how it was made, and what it is not."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from distillgen.delivery import Delivery
from distillgen.splits import SPLITS, Split


@dataclass
class About:
    """What the cards of an export have in common."""

    name: str = ""
    """Of the dataset: that of the run."""
    images: bool = False
    made: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Answers by teacher and strategy."""
    shares: Mapping[Split, float] = field(default_factory=dict)
    random_seed: int = 0
    leakage: str = ""
    """The table in Markdown; empty where there are no two splits."""


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


def text(folder: Delivery, about: About) -> str:
    """The page beside the data: what it is, how to load it, how it was made, what it is not."""
    found, given = folder.found, [split for split in SPLITS if folder.records[split]]
    counts = [f"| {s} | {folder.records[s]:,} | {folder.data[s].rows:,} |" for s in given]
    left = [f"| left out: {why} | {n:,} | |" for why, n in sorted(folder.left_out.items())]
    origins = [
        f"- {n:,} answers of `{teacher}` to questions "
        + (f"made by `{strategy}`" if strategy else "that came from elsewhere")
        for (teacher, strategy), n in sorted(about.made.items())
    ]
    files = json.dumps(folder.given())
    snippet = found.snippet(folder.told)
    shares = ", ".join(f"{split} {about.shares.get(split, 0):g}" for split in SPLITS)
    sections = [
        f"# Fine-tuning data: {found.name}",
        found.help,
        "\n".join(["| split | records | rows |", "|---|---:|---:|", *counts, *left]),
        _PLACES[folder.told.rationale] if found.rationales else "",
        "The hash of a record, or of the example that it was made of, decides the split "
        f"({shares}; random seed {about.random_seed}). Equal prompts are in the same one, and an "
        "example with all that was rewritten or derived from it. Line n of `<split>.meta.jsonl` "
        "says where row n of `<split>.jsonl` comes from.",
        f"## Load it\n\n```python\nfiles = {files}\n{snippet}```" if snippet else "",
        "\n".join(["## How it was made", "", *origins]),
        f"## What it is not\n\n{_NOT}",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"
