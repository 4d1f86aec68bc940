"""Axolotl: conversations, and a `config.yml` beside them that trains on them."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Limits, Made, Options, turn_keys, turns
from distillgen.records import JSON, Answer

LIMITS = Limits(needs=("train",), who="the config.yml beside the data")

SNIPPET = """\
from axolotl.cli.train import do_cli

if __name__ == "__main__":  # its workers read this file too
    do_cli("config.yml", base_model="your/student")
# In a shell: axolotl train config.yml
"""

_CONFIG = """\
base_model: your/student
chat_template: tokenizer_default{template}

datasets:
{train}{test}
dataset_prepared_path: prepared  # is kept: remove it when the data has changed
sequence_len: 8192
excess_length_strategy: raise  # drop would leave longer rows out
sample_packing: false

adapter: lora
lora_r: 16
lora_alpha: 32
lora_target_linear: true

micro_batch_size: 1
gradient_accumulation_steps: 8
num_epochs: 3
optimizer: adamw_torch
learning_rate: 0.0002
lr_scheduler: cosine
output_dir: student
"""

_SET = """\
  - path: {path}
    ds_type: json
    split: train  # of a file there is no other
    type: chat_template
    field_messages: messages
    roles_to_train: [assistant]
    train_on_eos: turn
"""

_READS = """
# The reasoning is trained only by a template that reads message.reasoning_content, as `qwen3` does;
# with any other it is left out without a word."""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `reasoning_content` in the form `field`."""
    yield {"messages": turns(answer, options)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of its chat_template strategy that a row breaks.

    It takes rows of which nothing is trained; these are refused here.
    """
    return rules.only(row, "messages") or rules.chat(row, keys=turn_keys(options))


def beside(made: Made) -> dict[str, JSON]:
    """`config.yml` (axolotl 0.19.0): LoRA on the chat template of the student, no row cut."""
    validation = made.files.get("validation")
    return {
        "config.yml": _CONFIG.format(
            template=_READS if made.options.rationale == "field" else "",
            train=_SET.format(path=made.files.get("train", "train.jsonl")),
            test=f"test_datasets:\n{_SET.format(path=validation)}" if validation else "",
        )
    }
