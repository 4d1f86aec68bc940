"""Fireworks' chat file: OpenAI's, with a key for reasoning."""

from collections.abc import Iterator

from distillgen import openai_files, rules
from distillgen.formats import Limits, Options, turn_keys
from distillgen.records import JSON, Answer

LIMITS = Limits(least=3, most=3_000_000, who="Fireworks")
"""Its guide to supervised fine-tuning."""

SNIPPET = """\
from pathlib import Path

from fireworks import Fireworks

client = Fireworks(account_id="your-account")


def sent(split):
    path = Path(files[split])
    count = len(path.read_bytes().splitlines())
    about = {"format": "CHAT", "example_count": str(count), "user_uploaded": {}}
    client.datasets.create(dataset_id=f"distilled-{split}", dataset=about)
    client.datasets.upload(f"distilled-{split}", file=path)  # takes 150 MB at most
    return f"accounts/your-account/datasets/distilled-{split}"


more = {"evaluation_dataset": sent("validation")} if "validation" in files else {}
client.supervised_fine_tuning_jobs.create(
    dataset=sent("train"), base_model="accounts/fireworks/models/your-student", **more
)
"""

IMAGES = f"{openai_files.INLINED}\n{SNIPPET}"

KINDS = (".jpg", ".jpeg", ".png")
"""Images that it reads: its guide to vision fine-tuning."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `reasoning_content` in the form `field`.

    An image is an `image_url` part behind the user's text, with its path in place of a URL.
    """
    yield from openai_files.chat(answer, options)


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of its guides to fine-tuning, thinking history and vision that a row breaks."""
    return (
        rules.only(row, "messages")
        or rules.chat(row, keys=turn_keys(options))
        or rules.pictures(row["messages"], endings=KINDS)
    )
