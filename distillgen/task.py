"""Read the task file that lies beside the seeds: whom the questions go to, labels, defaults."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field, JsonValue, ValidationError, field_validator

from distillgen import toml
from distillgen.errors import UserError
from distillgen.records import JSON, Record, Seed


class Task(Record):
    """What belongs to the task rather than to one run; without a task file the wording is neutral.

    A task file has one key for each field but `name`; `[fields]` and `[defaults]` are tables.
    """

    name: str = ""
    """Name of the file without its endings: `bike_help`; the prompts' folder of the same name."""
    expert: str = Field("an expert in the field of the question", min_length=1)
    """Whom the questions go to, as it follows "You are": "an experienced bicycle mechanic"."""
    language: str | None = Field(None, min_length=1)
    """Language to write in, as a teacher understands it: `en`, `German`; None leaves it open."""
    labels: dict[str, str] = Field(default_factory=dict)
    """For closed tasks, each label and what it means; the meaning may be empty. A task file may
    also give a list of labels."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Columns of the user's files: our name of the field → name of the column."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Defaults of command line options: name of the option → value, not yet validated."""

    @field_validator("labels", mode="before")
    @classmethod
    def _list_or_table(cls, labels: JSON) -> JSON:
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            return labels
        if len(set(labels)) < len(labels):
            raise ValueError("a label stands twice; leave one out")
        return dict.fromkeys(labels, "")

    @field_validator("labels")
    @classmethod
    def _a_choice(cls, labels: dict[str, str]) -> dict[str, str]:
        if len(labels) == 1:
            raise ValueError("one label is no choice; give two or more")
        if any(not label or label != label.strip() for label in labels):
            raise ValueError("a label is empty, or begins or ends with a blank; write it without")
        return labels


def with_labels(task: Task, option: str) -> Task:
    """The task with the labels of `--labels`; those that it knows keep their meaning.

    Raises:
        UserError: they are no labels.
    """
    names = [name.strip() for name in option.split(",")]
    try:
        labels = Task.model_validate({"labels": names}).labels
    except ValidationError as error:
        said = error.errors()[0].get("ctx", {}).get("error", "write them as a,b,c")
        raise UserError(f"--labels {option}: {said}") from error
    meanings = {label: task.labels.get(label, "") for label in labels}
    return task.model_copy(update={"labels": meanings})


_WANTED = {
    "expert": 'a text: expert = "a wine waiter"',
    "language": 'a text: language = "en"',
    "labels": 'a list of texts, or a table of texts: labels = ["ride on", "repair first"]',
    "fields": 'a table of texts, [fields], with lines such as question = "body"',
    "defaults": "a table, [defaults], of texts, numbers, true or false, with lines such as n = 500",
}
"""How each key of a task file looks."""

_COLUMNS = [*(name for name in Seed.model_fields if name != "meta"), "id"]
"""The fields that `[fields]` may map: those of a seed, and the id of an input."""


def load_task(path: Path) -> Task:
    """Read a task file; its name becomes the task's.

    Raises:
        UserError: the file cannot be used; one line for each fault.
    """
    table, text = toml.load(path, _WANTED["expert"].partition(": ")[2])
    faults = [*_unknown_keys(table)]
    try:
        task = Task(**{key: table[key] for key in _WANTED if key in table}, name=name_of(path))
    except ValidationError as error:
        faults += [_wrong_value(fault["loc"], fault.get("ctx", {})) for fault in error.errors()]
    toml.refuse(path, text, faults)
    return task


def task_beside(seeds: Path) -> Task:
    """The task whose file NAME.toml lies beside NAME.jsonl, NAME.csv, NAME.parquet (or .gz).

    Without such a file it is the neutral task of that name.

    Raises:
        UserError: the task file cannot be used.
    """
    path = seeds.with_name(f"{name_of(seeds)}.toml")
    return load_task(path) if path.is_file() else Task(name=name_of(seeds))


PARTS = (".holdout", ".rest")
"""Endings of the two parts that `seeds --holdout` makes; both belong to the task of the whole."""


def name_of(path: Path) -> str:
    """The file's name without its endings: `seeds/bike_help.jsonl.gz` → `bike_help`.

    >>> name_of(Path("seeds/bike_help.rest.jsonl"))
    'bike_help'
    """
    name = Path(path.name.removesuffix(".gz")).stem
    for part in PARTS:
        name = name.removesuffix(part)
    return name


_Fault = tuple[toml.Keys, str]
"""Where a fault is, and what is wrong."""


def _unknown_keys(table: dict[str, JSON]) -> Iterator[_Fault]:
    for key in table.keys() - _WANTED.keys():
        known = "expert, language, labels, [fields], [defaults] (for command line options)"
        yield (key,), f"unknown key `{key}`{_near(key, [*_WANTED])}; there are: {known}"
    columns = table.get("fields")
    for field in columns.keys() - set(_COLUMNS) if isinstance(columns, dict) else ():
        known = ", ".join(_COLUMNS)
        yield ("fields", field), f"unknown field `{field}`{_near(field, _COLUMNS)}; {known}"


def _near(word: str, known: list[str]) -> str:
    near = get_close_matches(word.lower(), known, n=1)
    return f", do you mean `{near[0]}`?" if near else ""


def _wrong_value(where: tuple[int | str, ...], context: dict[str, JSON]) -> _Fault:
    keys = tuple(str(key) for key in where[:2])
    said = context.get("error") or f"must be {_WANTED[keys[0]]}"
    return keys, f"`{'.'.join(keys)}`: {said}"


def columns(pairs: list[str]) -> dict[str, str]:
    """`--field question=body` as our name and theirs.

    Raises:
        UserError: one has no `=`.
    """
    found = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (equals and ours and theirs):
            raise UserError(f"--field {pair}: write OURS=THEIRS, such as question=body")
        found[ours.strip()] = theirs.strip()
    return found
