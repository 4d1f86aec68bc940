"""Labels with the teacher's probability of each: to train a classifier that learns its doubts.

Hinton et al. 2015: the student matches the teacher's distribution at a temperature T above 1, which
shows how alike the wrong labels are to it, and with some weight the hard label.
"""

from collections.abc import Iterator

from distillgen import soft
from distillgen.formats import LeftOut, Made, Options, Rationale, prompt
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()
SYSTEM = False

SNIPPET = """\
import json

import torch
from datasets import load_dataset
from torch.nn.functional import cross_entropy, kl_div, log_softmax

data = load_dataset("json", data_files=files)
with open("labels.json", encoding="utf-8") as file:
    about = json.load(file)
labels, T = about["labels"], about["temperature"]  # probs[i] is the probability of labels[i]


def loss(logits, batch):
    \"\"\"For `transformers.Trainer`: compute_loss of a model with len(labels) outputs.\"\"\"
    hard = torch.tensor([labels.index(label) for label in batch["label"]])
    w, probs = torch.tensor(batch["weight_hard"]), torch.tensor(batch["probs"])
    soft = T**2 * kl_div(log_softmax(logits / T, -1), probs, reduction="none").sum(-1)
    return (w * cross_entropy(logits, hard, reduction="none") + (1 - w) * soft).mean()
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"text", "label", "probs", "weight_hard"}`; `probs` in the order of `options.labels`.

    The hard label is weighed, not mixed into `probs`: the two have losses of their own.
    """
    if not answer.soft_label:
        raise LeftOut("no_soft_label")
    labels = options.labels or tuple(answer.soft_label)
    if answer.label not in labels or answer.soft_label.keys() != set(labels):
        raise LeftOut("other_labels")
    probs = soft.rounded(soft.tempered(answer.soft_label, options.soft_temperature))
    yield {
        "text": prompt(answer),
        "label": answer.label,
        "probs": [probs[label] for label in labels],
        "weight_hard": options.hard_weight,
    }


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
