"""Unsloth, which trains through TRL: prompt and completion as chat turns."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, trl_prompt_completion, turn_keys
from distillgen.records import JSON, Answer

SNIPPET = """\
from unsloth import FastLanguageModel  # before the others, which it changes

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

longest = 8192  # tokens; what is longer is cut
model, tokenizer = FastLanguageModel.from_pretrained("your/student", max_seq_length=longest)
model = FastLanguageModel.get_peft_model(model, r=16)
data = load_dataset("json", data_files=files)
trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    args=SFTConfig(output_dir="student", max_length=longest),
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """As `trl-prompt-completion`; the completion alone is trained."""
    return trl_prompt_completion.rows(answer, options)


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule that a row breaks: `unsloth_zoo` takes the turns of a conversation, as TRL does."""
    return rules.only(row, "prompt", "completion") or rules.completed(row, turn_keys(options))
