"""TRL, prompt and completion as chat turns: only the teacher's words are trained (the default)."""

from collections.abc import Iterator

from distillgen.formats import Options, turns
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


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"prompt": [user], "completion": [assistant]}`; TRL masks the prompt without being told."""
    user, assistant = turns(answer, options.rationale)
    yield {"prompt": [user], "completion": [assistant]}
