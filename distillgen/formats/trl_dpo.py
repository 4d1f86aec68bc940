"""TRL, a better and a worse answer to the same prompt: for DPO, and for reward models."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, asked, parted, sides, turn_keys
from distillgen.records import JSON, Preference

SNIPPET = """\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

data = load_dataset("json", data_files=files)
trainer = DPOTrainer(
    model="your/student",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=DPOConfig(output_dir="student", max_length=None),  # None: no answer is cut
)
trainer.train()
"""

IMAGES = """\
from pathlib import Path

from datasets import Image, List, load_dataset
from trl import DPOConfig, DPOTrainer

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there


def found(row):
    return {"images": [str(home / path) for path in row["images"]]}


data = load_dataset("json", data_files=files).map(found).cast_column("images", List(Image()))
trainer = DPOTrainer(
    model="your/student-that-sees",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=DPOConfig(output_dir="student", max_length=None),  # None: no answer is cut, and no image
)
trainer.train()
"""


def pairs(preference: Preference, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"prompt": [system?, user], "chosen": [assistant], "rejected": [assistant]}`.

    In a set with images each row has `images`, a list of paths, and contents in parts.

    Raises:
        LeftOut: the two answers are the same.
    """
    said = [*asked(preference, options), *sides(preference, options.rationale)]
    images: dict[str, JSON] = {}
    if options.images or preference.images:
        said, images = parted(preference, said), {"images": list(preference.images)}
    yield {"prompt": said[:-2], "chosen": said[-2:-1], "rejected": said[-1:], **images}


def broken(row: dict[str, JSON], options: Options) -> str:
    """What TRL 1.16 would train blank, or to no end: it takes two equal answers without a word."""
    return (
        rules.only(row, "prompt", "chosen", "rejected", optional=("images",))
        or rules.chat(row, "prompt", keys=turn_keys(options), ends="user")
        or rules.reply(row, "chosen", keys=turn_keys(options))
        or rules.reply(row, "rejected", keys=turn_keys(options))
        or rules.uniform(row["prompt"], row["chosen"], row["rejected"])
        or rules.differ(row, "chosen", "rejected")
        or rules.marked(row, "prompt")
    )
