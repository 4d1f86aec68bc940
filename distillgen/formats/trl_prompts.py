"""TRL, prompts alone: the student answers, and a live teacher or a reward says how well."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, Rationale, asked
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()

SNIPPET = """\
from datasets import load_dataset
from trl import DistillationConfig, DistillationTrainer

data = load_dataset("json", data_files=files)
trainer = DistillationTrainer(
    model="your/student",
    teacher_model="your/teacher",  # of the student's own vocabulary
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=DistillationConfig(output_dir="student", max_completion_length=512),  # tokens
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"prompt": [system?, user]}`; what the teacher answered is not in it."""
    yield {"prompt": asked(answer, options)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """A conversation that waits for the student."""
    return rules.only(row, "prompt") or rules.chat(row, "prompt", ends="user")
