"""TRL, whole conversations: for trainers that want `messages`."""

from collections.abc import Iterator

from distillgen.formats import Options, turns
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


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [user, assistant]}`, with `reasoning_content` in the form `field`."""
    yield {"messages": [*turns(answer, options.rationale)]}
