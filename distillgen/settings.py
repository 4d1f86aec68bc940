"""Hold every option of the command line with its default, checked once."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from distillgen.errors import UserError
from distillgen.records import JSON, Record
from distillgen.task import Task

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0)]
DEFAULT_MAX_COST = 5.0
"""Dollars a run folder may cost where the price is known and nothing else is said."""


class Settings(Record):
    """Options by their names; those left at None depend on the teacher, see `of_teacher`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    teacher: str = "local"
    also: tuple[str, ...] = ()
    """Further teachers, which `answer` asks too."""
    escalate: str | None = None
    embeddings: str | None = None
    base_url: tuple[str, ...] = ()
    server: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = None
    concurrency: Count | None = None
    rpm: Annotated[float, Field(gt=0)] | None = None
    tpm: Annotated[float, Field(gt=0)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 300.0
    threads: Count | None = None
    resample: Annotated[int, Field(ge=0)] = 1
    max_cost: Dollars | None = None
    price_in: str | None = None
    price_out: str | None = None
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    combine: Literal["vote", "agree", "best", "union", "closest-gold"] = "vote"
    style: str | None = None
    soft: Literal["logprobs", "votes", "verbal"] | None = None
    smooth: Annotated[float, Field(gt=0, lt=1)] | None = None
    rationalize: bool = False
    refine: Annotated[int, Field(ge=0, le=9)] = 0
    n: Count = 100
    strategy: str = "few-shot"
    operations: str | None = None
    generations: Count = 3
    per_parent: Count = 2
    topics: str | None = None
    attributes: str | None = None
    images: str | None = None
    vision: bool = False
    per_call: Count | None = None
    shots: Count | None = None
    human_shots: Annotated[int, Field(ge=0)] | None = None
    random_seed: int = 0
    patience: Annotated[int, Field(ge=0)] = 200
    max_requests: Count | None = None
    max_failed: Annotated[float, Field(ge=0, le=1)] = 0.01
    limit: Count | None = None
    skip_invalid: bool = False
    reuse: tuple[str, ...] = ()
    prompts: str | None = None
    format: tuple[str, ...] = ("trl-prompt-completion",)
    rationale: Literal["first", "after", "think", "field", "none"] | None = None
    split: str | None = None
    seeds_for_test: bool = False
    layout: str | None = None
    preset: Literal["paper", "google"] = "paper"
    label_weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    system: str = "drop"
    max_length: Count | None = None
    long: Literal["drop", "warn"] = "drop"
    shuffle: bool = False
    curriculum: Literal["difficulty"] | None = None
    stages: Annotated[int, Field(ge=2, le=9)] = 3
    license: str | None = None
    push: str | None = None
    rubric: str | None = None
    candidates: bool = False
    budget: Count | None = None
    min: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    compare: Literal["random"] = "random"
    margin: Annotated[float, Field(gt=0, le=4)] = 1.0
    soft_temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    hard_weight: Annotated[float, Field(ge=0, le=1)] = 0.5


def settle(given: dict[str, JSON], task: Task) -> Settings:
    """What holds: the command line, then the task file's `[defaults]`, then the built-in defaults.

    Raises:
        UserError: an option is unknown or has a value that it cannot take.
    """
    chosen = {
        name: value
        for name, value in given.items()
        if value is not None and value is not False and value not in ([], ())
    }
    defaults: dict[str, JSON] = {
        name.replace("-", "_"): value for name, value in task.defaults.items()
    }
    for name in ("format", "base_url", "reuse", "also", "min", "require"):
        if isinstance(defaults.get(name), str):
            defaults[name] = [defaults[name]]
    several: list[dict[str, JSON]] = [defaults, chosen]
    for options in several:
        if isinstance(named := options.get("teacher"), list | tuple):
            options["teacher"], options["also"] = named[0], named[1:]
    try:
        return Settings.model_validate({**defaults, **chosen})
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            name = str(fault["loc"][0])
            option = "-n" if name == "n" else f"--{name.replace('_', '-')}"
            where = option if name in chosen else f"{task.name}.toml: {name}"
            said = "no such option" if fault["type"] == "extra_forbidden" else fault["msg"]
            lines.append(f"{where}: {said[0].lower()}{said[1:]}")
        raise UserError("\n".join(lines)) from error
