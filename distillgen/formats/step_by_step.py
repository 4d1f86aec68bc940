"""Distilling step-by-step: the label and the rationale as two tasks of one student.

Hsieh et al. 2023 train both with loss = alpha * label + (1 - alpha) * rationale; the student then
answers without writing the rationale first. One text that holds both did worse than the label
alone on two of their four data sets, so the two are never joined here.
"""

from collections.abc import Iterator

from distillgen.formats import LeftOut, Options, Rationale, prompt, target
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()
SYSTEM = False
LAYOUTS = ("rows", "flat")

PREFIXES = {"paper": ("[label] ", "[rationale] "), "google": ("predict: ", "explain: ")}
"""As in the paper; as in the authors' code (google-research/distilling-step-by-step, run.py)."""

SNIPPET = """\
from datasets import load_dataset

data = load_dataset("json", data_files=files)

# Layout `rows`: train both rows of a pair_id with
#     loss = weight * cross-entropy(target, given input)
# and ask the finished student with the prefix of the label.
# For a trainer that knows no weights, as chat turns:


def turns(row):
    user = {"role": "user", "content": row["input"]}
    return {"prompt": [user], "completion": [{"role": "assistant", "content": row["target"]}]}


sft = data.map(turns, remove_columns=data["train"].column_names)

# Layout `flat`: `data` has the columns that the authors' own trainer reads.
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """Two rows, the label's first, or one row `{"input", "label", "rationale"}` when flat."""
    text, label, rationale = prompt(answer), target(answer), answer.rationale.strip()
    if not rationale:
        raise LeftOut("no_rationale")
    if options.layout == "flat":
        yield {"input": text, "label": label, "rationale": rationale}
        return
    alpha = options.label_weight
    weights = (alpha, round(1 - alpha, 9))
    tasks = zip(("label", "rationale"), (label, rationale), weights, strict=True)
    for prefix, (task, wanted, weight) in zip(PREFIXES[options.preset], tasks, strict=True):
        yield {
            "task": task,
            "input": prefix + text,
            "target": wanted,
            "weight": weight,
            "pair_id": answer.id,
        }
