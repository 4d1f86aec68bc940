"""torchtune, whole conversations: only the assistant's turns are trained."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, Rationale, turns
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: of a turn it reads `role` and `content` alone (torchtune/data/_messages.py)."""

SNIPPET = """\
from torchtune.datasets import chat_dataset
from torchtune.models.qwen2_5 import qwen2_5_tokenizer

# The tokenizer of your student; in a config of `tune`, the rest stands under `dataset:`.
tokenizer = qwen2_5_tokenizer("your/student/vocab.json", "your/student/merges.txt")
data = {
    split: chat_dataset(
        tokenizer,
        source="json",
        data_files=path,
        split="train",  # of a file there is no other
        conversation_column="messages",
        conversation_style="openai",
    )
    for split, path in files.items()
}
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"messages": [system?, user, assistant]}`, with `role` and `content`, and nothing else."""
    yield {"messages": turns(answer, options)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of `validate_messages` (torchtune/data/_messages.py, 0.6.1) that a row breaks."""
    return rules.only(row, "messages") or rules.chat(row)
