"""TRL, one text a row: for base models that have no chat template."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import Options, Rationale, prompt, reply, system
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: there is one text and nothing beside it."""

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
trainer.train()  # the questions are trained too; TRL ends each text with the student's EOS
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"text": …}`: the system prompt, if any, what the user says, and the answer.

    They stand one behind the other, a blank line between them, and nothing says who speaks.
    """
    said = (system(answer, options), prompt(answer), reply(answer, options.rationale))
    yield {"text": "\n\n".join(text for text in said if text)}


def broken(row: dict[str, JSON], options: Options) -> str:
    """Any column beside `text` sends TRL another way; a blank text trains nothing but the EOS."""
    return rules.only(row, "text") or rules.texts(row, "text")
