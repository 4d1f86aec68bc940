"""OpenAI's preference file, which Together and Fireworks take as well."""

from collections.abc import Iterator

from distillgen import openai_files
from distillgen.formats import Limits, Options, Rationale
from distillgen.records import JSON, Preference

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: the file knows no key for reasoning."""

LIMITS = Limits(needs=("train",), bytes=512_000_000, who="OpenAI")
"""Its guide to files. That to preference optimization names no fewest rows."""

SNIPPET = """\
from pathlib import Path

from openai import OpenAI

client = OpenAI()


def sent(split):
    return client.files.create(file=Path(files[split]), purpose="fine-tune").id


client.fine_tuning.jobs.create(
    training_file=sent("train"),
    validation_file=sent("validation") if "validation" in files else None,
    model="your-student",
    method={"type": "dpo"},
)
"""


def pairs(preference: Preference, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}`.

    Raises:
        LeftOut: the two answers are the same.
    """
    yield from openai_files.preference(preference, options)


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of the guide to preference optimization that a row breaks."""
    return openai_files.preference_broken(row)
