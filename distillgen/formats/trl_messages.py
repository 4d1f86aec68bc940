"""TRL, whole conversations: for trainers that want `messages`."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, parted, turn_keys, turns
from distillgen.records import JSON, Answer

SNIPPET = """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("json", data_files=files)
args = SFTConfig(
    output_dir="student",
    assistant_only_loss=True,  # else the questions are trained too
    max_length=None,  # None: no answer is cut
)
trainer = SFTTrainer(
    model="your/student",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=args,
)
trainer.train()
"""

IMAGES = """\
from pathlib import Path

from datasets import Image, List, load_dataset
from trl import SFTConfig, SFTTrainer

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there


def found(row):
    return {"images": [str(home / path) for path in row["images"]]}


data = load_dataset("json", data_files=files).map(found).cast_column("images", List(Image()))
args = SFTConfig(
    output_dir="student",
    assistant_only_loss=True,  # else the questions are trained too
    max_length=None,  # None: no answer is cut, and no image
)
trainer = SFTTrainer(
    model="your/student-that-sees",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=args,
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `reasoning_content` in the form `field`.

    In a set with images each row has `images`, a list of paths, and contents in parts.
    """
    said = turns(answer, options)
    if options.images or answer.images:
        yield {"messages": parted(answer, said), "images": list(answer.images)}
    else:
        yield {"messages": said}


def broken(row: dict[str, JSON], options: Options) -> str:
    """What TRL 1.16 would take for something else, or train blank.

    A column `prompt` beside `messages` wins over them, and an assistant who says nothing is
    trained all the same (sft_trainer.py, `tokenize_fn`).
    """
    return (
        rules.only(row, "messages", optional=("images",))
        or rules.chat(row, keys=turn_keys(options))
        or rules.uniform(row["messages"])
        or rules.marked(row, "messages")
    )
