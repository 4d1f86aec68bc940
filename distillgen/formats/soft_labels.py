"""Labels with the teacher's probability of each: to train a classifier that learns its doubts.

Hinton et al. 2015: the student matches the teacher's distribution at a temperature T above 1, which
shows how alike the wrong labels are to it, and with some weight the hard label. Half and half, with
T = 1, is what MiniLLM's baseline of knowledge distillation does (LMOps, kd_base.sh).
"""

from collections.abc import Iterator

from distillgen import rules, soft
from distillgen.formats import Broken, LeftOut, Made, Options, Rationale, prompt
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()
SYSTEM = False
LABELS = True

SNIPPET = """\
import json

from datasets import load_dataset
from torch.nn.functional import cross_entropy, kl_div, log_softmax
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
)

data = load_dataset("json", data_files=files)
with open("labels.json", encoding="utf-8") as file:
    about = json.load(file)
labels, T = about["labels"], about["temperature"]  # probs[i] is the probability of labels[i]
tokenizer = AutoTokenizer.from_pretrained("your/student")
model = AutoModelForSequenceClassification.from_pretrained(
    "your/student",
    num_labels=len(labels),
    id2label=dict(enumerate(labels)),
    label2id={label: n for n, label in enumerate(labels)},
)


def encoded(row):
    return {**tokenizer(row["text"], truncation=True), "labels": labels.index(row["label"])}


class Distiller(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **_):
        hard, probs, w = (inputs.pop(name) for name in ("labels", "probs", "weight_hard"))
        outputs = model(**inputs)
        logits = outputs.logits.float()
        soft = T**2 * kl_div(log_softmax(logits / T, -1), probs, reduction="none").sum(-1)
        loss = (w * cross_entropy(logits, hard, reduction="none") + (1 - w) * soft).mean()
        return (loss, outputs) if return_outputs else loss


data = data.map(encoded, remove_columns=["text", "label"])
trainer = Distiller(
    model=model,
    args=TrainingArguments(output_dir="student", remove_unused_columns=False),
    train_dataset=data["train"],
    eval_dataset=data.get("validation"),
    processing_class=tokenizer,
)
trainer.train()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"text", "label", "probs", "weight_hard"}`; `probs` in the order of `options.labels`.

    The hard label is weighed, not mixed into `probs`: the two have losses of their own.

    Raises:
        LeftOut: there is no soft label, or one of other labels.
        Broken: it is no distribution.
    """
    if not answer.soft_label:
        raise LeftOut("no_soft_label")
    labels = options.labels or tuple(answer.soft_label)
    if answer.label not in labels or answer.soft_label.keys() != set(labels):
        raise LeftOut("other_labels")
    if problem := soft.problem(answer.soft_label):
        raise Broken(f"`soft_label`: {problem}")
    probs = soft.rounded(soft.tempered(answer.soft_label, options.soft_temperature))
    yield {
        "text": prompt(answer),
        "label": answer.label,
        "probs": [probs[label] for label in labels],
        "weight_hard": options.hard_weight,
    }


def broken(row: dict[str, JSON], options: Options) -> str:
    """`probs` is a distribution: without one the divergence means nothing."""
    if problem := rules.only(row, "text", "label", "probs", "weight_hard"):
        return problem
    probs = row["probs"]
    if min(probs) < 0 or abs(sum(probs) - 1) > 1e-6:
        return f"`probs` is no distribution: {sum(probs):g} together"
    return rules.texts(row, "text", "label")


def beside(made: Made) -> dict[str, JSON]:
    """`labels.json`: what holds for every row, and how many rows came by which method."""
    options = made.options
    return {
        "labels.json": {
            "labels": list(options.labels),
            "temperature": options.soft_temperature,
            "hard_weight": options.hard_weight,
            "methods": dict(sorted(made.methods.items())),
        }
    }
