"""Train with TRL as our READMEs do, and read from its batches what is learned."""

import math
import re

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

torch.set_num_threads(1)
FEW = {"max_steps": 2, "per_device_train_batch_size": 2, "use_cpu": True, "report_to": "none"}
"""Two short steps, without a GPU."""


def sft(student, tmp_path, rows, **given):
    """A trainer of these rows that cuts none."""
    args = SFTConfig(output_dir=tmp_path / "student", max_length=None, **FEW, **given)
    return SFTTrainer(model=str(student), train_dataset=Dataset.from_list(rows), args=args)


def readme(given, student, **other):
    """What the lines of a README define, run on our student for two short steps without a GPU.

    `other` values go in place of the README's own.
    """
    lines = given.snippet()
    for name, value in other.items():
        lines, n = re.subn(rf"\b{name}=\w+", f"{name}={value}", lines)
        assert n == 1
    for name in ("your/student", "your/teacher"):
        lines = lines.replace(name, str(student))
    assert 'output_dir="student"' in lines
    few = ", ".join(f"{name}={value!r}" for name, value in FEW.items())
    names = {"__name__": "readme"}
    exec(lines.replace('output_dir="student"', f'output_dir="student", {few}'), names)
    return names


def read(trainer):
    """Of each row the text without and with loss, as the trainer puts it into a batch."""
    words = trainer.processing_class
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        (ids,), (labels,) = batch["input_ids"], batch["labels"]
        assert torch.equal(ids[labels != -100], labels[labels != -100])
        yield words.decode(ids[labels == -100]), words.decode(ids[labels != -100])


def read_completions(trainer):
    """The same of preferences: for each row in a batch the prompt, and what is judged."""
    words = trainer.processing_class
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        texts = zip(batch["input_ids"], batch["completion_mask"], batch["attention_mask"],
                    strict=True)  # fmt: skip
        yield [
            (words.decode(ids[(mask == 0) & (there == 1)]), words.decode(ids[mask == 1]))
            for ids, mask, there in texts
        ]


def trained_two_steps(trainer):
    """Whether two steps were made, and came to a loss."""
    (loss,) = [entry["train_loss"] for entry in trainer.state.log_history if "train_loss" in entry]
    return trainer.state.global_step == 2 and math.isfinite(loss)
