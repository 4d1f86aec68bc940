"""OpenAI's chat fine-tuning file, which many services and trainers take as well."""

from collections.abc import Iterator

from distillgen import openai_files, rules
from distillgen.formats import Limits, Options, Rationale
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: the file knows no key for reasoning, and an unknown one is refused."""

LIMITS = Limits(least=10, suggested=50, bytes=512_000_000, who="OpenAI")
"""Its guides to supervised fine-tuning, and to files."""

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
)
"""

IMAGES = f"{openai_files.INLINED}\n{SNIPPET}"

KINDS = (".jpg", ".jpeg", ".png", ".webp")
"""Images that it reads: its guide to vision fine-tuning."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `role` and `content`, and nothing else.

    An image is an `image_url` part behind the user's text, with its path in place of a URL.
    """
    yield from openai_files.chat(answer, options)


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of the guides to supervised and to vision fine-tuning that a row breaks."""
    return (
        rules.only(row, "messages")
        or rules.chat(row)
        or rules.pictures(row["messages"], endings=KINDS)
    )
