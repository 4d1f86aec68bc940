"""Lay out a new task to edit: seeds, a task file, and copies of the prompts."""

import json
import re
from csv import writer
from io import StringIO
from pathlib import Path

from distillgen.errors import STORAGE, UserError
from distillgen.prompts import packaged
from distillgen.records import Seed
from distillgen.task import Task

_EXAMPLES = (
    Seed(
        user_context="Small balcony to the north, second year with plants, waters every day",
        question="My tomatoes flower but bear no fruit. What do I change first?",
    ),
    Seed(
        user_context="Retired couple, large garden on heavy clay, no wish to dig any more",
        question="Which three shrubs could we plant this autumn and then leave alone?",
    ),
    Seed(
        user_context="Rents a flat, two cats that chew on everything, away every other week",
        question="Is a lily a good present to myself?",
        answer="No. Take a spider plant, which cats may chew and which lives two weeks unwatered.",
        rationale="Lilies are poisonous to cats, and these two chew on everything. Being away "
        "every other week asks for a plant that stores water.",
    ),
)
"""Seeds to be replaced; the last shows that an answer and its rationale may be given."""

_TASK_FILE = f"""\
# What belongs to the task. Every line may be left out; the command line wins.

# Whom the questions go to, as it follows "You are", for example
# "an experienced bicycle mechanic who answers customers of a repair shop":
expert = "{Task().expert}"

# The language to write in:
# language = "English"

# For closed tasks, the labels to choose from:
# labels = ["ride on", "repair first"]

# Columns of your file, where they are not named as here:
# [fields]
# question = "body"

# Defaults of command line options:
# [defaults]
# teacher = "openai:MODEL"
# n = 500
# max_cost = 5
"""


def init(name: str, folder: Path, csv: bool) -> list[tuple[Path, str]]:
    """Write `seeds/NAME.jsonl` (or .csv), `seeds/NAME.toml` and `prompts/NAME/` below `folder`.

    Returns what was written, each with a line of explanation.

    Raises:
        UserError: the name cannot be a file's, something is there already, or cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UserError(f"`{name}` cannot name a task: use letters, digits, _ and -, at most 64")
    seeds = folder / "seeds" / f"{name}.{'csv' if csv else 'jsonl'}"
    task = seeds.with_suffix(".toml")
    prompts = folder / "prompts" / name
    templates = {path.name: path.read_text("utf-8") for path in packaged("prompts").glob("*.*")}
    _write(
        {
            seeds: _as_csv(_EXAMPLES) if csv else _as_jsonl(_EXAMPLES),
            task: _TASK_FILE,
            **{prompts / form: text for form, text in sorted(templates.items())},
        }
    )
    also = "; columns user_context, question" if csv else " (also reads .csv)"
    return [
        (seeds, f"{len(_EXAMPLES)} examples to replace by yours{also}"),
        (task, "the expert, language, labels, defaults"),
        (prompts, f"{'  '.join(sorted(templates))}: edit freely, or delete"),
    ]


def _write(texts: dict[Path, str]) -> None:
    """Write new files, or none if one of them is there."""
    for path in texts:
        if path.exists():
            raise UserError(f"{path}: is there already; take another name, or move it away")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})", STORAGE) from error


def _as_jsonl(seeds: tuple[Seed, ...]) -> str:
    return "".join(json.dumps(seed.row(), ensure_ascii=False) + "\n" for seed in seeds)


def _as_csv(seeds: tuple[Seed, ...]) -> str:
    text = StringIO()
    table = writer(text, lineterminator="\n")
    table.writerow(("user_context", "question"))
    table.writerows((seed.user_context, seed.question) for seed in seeds)
    return text.getvalue()
