"""Train with TRL as our READMEs do, and read from its batches what is learned."""

import math

import torch
from datasets import Dataset
from meant import question
from students import EOS
from trl import SFTConfig, SFTTrainer

torch.set_num_threads(1)


def sft(student, tmp_path, rows, **given):
    """A trainer for two steps, with what our READMEs set."""
    args = SFTConfig(
        output_dir=tmp_path / "student", max_length=None, max_steps=2, report_to="none",
        per_device_train_batch_size=1, use_cpu=True, **given,
    )  # fmt: skip
    return SFTTrainer(model=str(student), train_dataset=Dataset.from_list(rows), args=args)


def read(trainer):
    """Of each row the text without and with loss, as the trainer puts it into a batch."""
    words = trainer.processing_class
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        (ids,), (labels,) = batch["input_ids"], batch["labels"]
        assert torch.equal(ids[labels != -100], labels[labels != -100])
        yield words.decode(ids[labels == -100]), words.decode(ids[labels != -100])


def asked(one):
    """What the student is shown and does not learn."""
    return f"<|im_start|>user\n{question(one)}{EOS}\n<|im_start|>assistant\n"


def two_steps(trainer):
    """Train; whether it came to a loss."""
    loss = trainer.train().training_loss
    return trainer.state.global_step == 2 and math.isfinite(loss)


def on_this_machine(lines, student):
    """The lines of a README with our student, for two short steps without a GPU."""
    assert 'output_dir="student"' in lines
    few = 'output_dir="student", max_steps=2, per_device_train_batch_size=1, use_cpu=True'
    return lines.replace("your/student", str(student)).replace('output_dir="student"', few)
