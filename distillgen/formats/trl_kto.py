"""TRL, answers each marked good or bad: for KTO, which needs no pairs."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, asked, parted, sides, turn_keys
from distillgen.records import JSON, Preference

SNIPPET = """\
from datasets import load_dataset
from trl import KTOConfig, KTOTrainer

data = load_dataset("json", data_files=files)
trainer = KTOTrainer(
    model="your/student",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=KTOConfig(output_dir="student", max_length=None),  # None: no answer is cut
)
trainer.train()
"""

IMAGES = """\
from pathlib import Path

from datasets import Image, List, load_dataset
from trl import KTOConfig, KTOTrainer

home = Path(".")  # the folder in which distillgen was run: paths of images are seen from there


def found(row):
    return {"images": [str(home / path) for path in row["images"]]}


data = load_dataset("json", data_files=files).map(found).cast_column("images", List(Image()))
trainer = KTOTrainer(
    model="your/student-that-sees",
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=KTOConfig(output_dir="student", max_length=None),  # None: no answer is cut, and no image
)
trainer.train()
"""


def pairs(preference: Preference, options: Options) -> Iterator[dict[str, JSON]]:
    """Two rows, `{"prompt": […], "completion": [assistant], "label": true}` and the other `false`.

    In a set with images each row has `images`, a list of paths, and contents in parts.

    Raises:
        LeftOut: the two answers are the same.
    """
    said = [*asked(preference, options), *sides(preference, options.rationale)]
    images: dict[str, JSON] = {}
    if options.images or preference.images:
        said, images = parted(preference, said), {"images": list(preference.images)}
    *asking, better, worse = said
    for turn, label in ((better, True), (worse, False)):
        yield {"prompt": asking, "completion": [turn], "label": label, **images}


def broken(row: dict[str, JSON], options: Options) -> str:
    """What TRL 1.16 would train blank; its label is true or false, and no number."""
    return (
        rules.only(row, "prompt", "completion", "label", optional=("images",))
        or rules.completed(row, turn_keys(options))
        or ("" if isinstance(row["label"], bool) else "`label` is neither true nor false")
        or rules.uniform(row["prompt"], row["completion"])
        or rules.marked(row, "prompt")
    )
