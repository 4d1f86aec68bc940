"""Text and label, for a plain classifier; answers without a label are left out."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import LeftOut, Options, Rationale, prompt
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()
SYSTEM = False
LABELS = True

SNIPPET = """\
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
)

data = load_dataset("json", data_files=files)
labels = sorted({label for split in data.values() for label in split["label"]})
tokenizer = AutoTokenizer.from_pretrained("your/student")
model = AutoModelForSequenceClassification.from_pretrained(
    "your/student",
    num_labels=len(labels),
    id2label=dict(enumerate(labels)),
    label2id={label: n for n, label in enumerate(labels)},
)


def encoded(row):
    return {**tokenizer(row["text"], truncation=True), "labels": labels.index(row["label"])}


data = data.map(encoded, remove_columns=["text", "label"])
trainer = Trainer(
    model=model,
    args=TrainingArguments(output_dir="student"),
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    processing_class=tokenizer,
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"text", "label"}`."""
    if not answer.label:
        raise LeftOut("no_label")
    yield {"text": prompt(answer), "label": answer.label}


def broken(row: dict[str, JSON], options: Options) -> str:
    """Two texts, neither of them blank."""
    return rules.only(row, "text", "label") or rules.texts(row, "text", "label")
