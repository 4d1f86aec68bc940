"""TRL, prompt and completion as chat turns: only the teacher's words are trained (the default)."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, parted, turn_keys, turns
from distillgen.records import JSON, Answer

SNIPPET = """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("json", data_files=files)
trainer = SFTTrainer(
    model="your/student",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=SFTConfig(output_dir="student", max_length=None),  # None: no answer is cut
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
args = SFTConfig(output_dir="student", max_length=None)  # None: no answer is cut, and no image
trainer = SFTTrainer(
    model="your/student-that-sees",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=args,
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"prompt": [user], "completion": [assistant]}`; TRL masks the prompt without being told.

    In a set with images each row has `images`, a list of paths, and contents in parts.
    """
    said = turns(answer, options)
    if options.images or answer.images:
        said = parted(answer, said)
        yield {"prompt": said[:-1], "completion": said[-1:], "images": list(answer.images)}
    else:
        yield {"prompt": said[:-1], "completion": said[-1:]}


def broken(row: dict[str, JSON], options: Options) -> str:
    """What TRL 1.16 would take for something else, or train blank.

    Texts in one column and turns in the other are no conversation for it (sft_trainer.py).
    """
    return (
        rules.only(row, "prompt", "completion", optional=("images",))
        or rules.completed(row, turn_keys(options))
        or rules.uniform(row["prompt"], row["completion"])
        or rules.marked(row, "prompt")
    )
