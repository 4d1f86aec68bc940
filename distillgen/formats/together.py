"""Together's chat file: OpenAI's without any other column, and with a key for reasoning."""

from collections.abc import Iterator

from distillgen import openai_files, rules
from distillgen.formats import Limits, Options, turn_keys
from distillgen.records import JSON, Answer

LIMITS = Limits(needs=("train",), bytes=int(50.1 * 2**30), who="Together")
"""Its client, together 3.1.1 (`MAX_FILE_SIZE_GB`); one row is enough."""

SNIPPET = """\
from together import Together

client = Together()


def sent(split):
    return client.files.upload(files[split], purpose="fine-tune", check=True).id


client.fine_tuning.create(
    training_file=sent("train"),
    validation_file=sent("validation") if "validation" in files else None,
    n_evals=1 if "validation" in files else 0,
    model="your/student",
)
"""

IMAGES = f"{openai_files.INLINED}\n{SNIPPET}"

KINDS, MOST = (".jpg", ".jpeg", ".png", ".webp"), 10
"""Images that `check_file` takes, and how many of a row."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `reasoning_content` in the form `field`.

    An image is an `image_url` part behind the user's text, with its path in place of a URL; in a
    set with images all contents are lists of parts.
    """
    yield from openai_files.chat(answer, options, uniform=True)


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of together 1.5.35 that a row breaks (`utils/files.py`, `check_file`).

    Later clients leave all but the size to the server. The key for reasoning is in Together's own
    togethercomputer/skills (together-fine-tuning/references/data-formats.md).
    """
    return (
        rules.only(row, "messages")
        or rules.chat(row, keys=turn_keys(options))
        or rules.uniform(row["messages"])
        or rules.pictures(row["messages"], MOST, KINDS)
    )
