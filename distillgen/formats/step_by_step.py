"""Distilling step-by-step: the label and the rationale as two tasks of one student.

Hsieh et al. 2023 train both with loss = alpha * label + (1 - alpha) * rationale; the student then
answers without writing the rationale first. One text that holds both did worse than the label
alone on two of their four data sets, so the two are never joined here.
"""

from collections.abc import Iterator

from distillgen.formats import LeftOut, Limits, Options, Rationale, prompt, target
from distillgen.records import JSON, Answer

RATIONALE: frozenset[Rationale] = frozenset()
SYSTEM = False
LAYOUTS = ("rows", "flat", "google-research")

LIMITS = {
    "google-research": Limits(
        most=550_000,
        needs=("train", "validation", "test"),
        who="the e-SNLI loader of google-research/distilling-step-by-step",
    )
}
"""Of `data_utils.py`, which opens 100 lists of 5,500 texts for train."""

PREFIXES = {"paper": ("[label] ", "[rationale] "), "google": ("predict: ", "explain: ")}
"""As in the paper; as in the authors' code (google-research/distilling-step-by-step, run.py)."""

_OWN = """\
from datasets import load_dataset

data = load_dataset("json", data_files=files)

# Layout `rows`: train both rows of a pair_id with
#     loss = weight * cross-entropy(target, given input)
# and ask the finished student with the prefix of the label.
# For a trainer that knows no weights, as chat turns:


def turns(row):
    user = {"role": "user", "content": row["input"]}
    return {"prompt": [user], "completion": [{"role": "assistant", "content": row["target"]}]}


if "target" in data["train"].column_names:  # else it is the layout `flat`
    data = data.map(turns, remove_columns=data["train"].column_names)
"""

_GOOGLE = """\
import subprocess
import sys

clone = "distilling-step-by-step"  # of github.com/google-research/distilling-step-by-step
command = [sys.executable, f"{clone}/run.py", "--dataset", "esnli", "--llm", "palm"]
command += ["--model_type", "task_prefix", "--label_type", "gt", "--alpha", "0.5"]
command += ["--from_pretrained", "google/t5-v1_1-base"]
subprocess.run(command, check=True)  # from here: it reads the folder `datasets`
"""

SNIPPET = {"": _OWN, "google-research": _GOOGLE}


def file(split: str, options: Options) -> str:
    """Where the e-SNLI loader looks, in the layout `google-research`."""
    if options.layout != "google-research":
        return f"{split}.jsonl"
    return f"datasets/esnli/esnli_{'valid' if split == 'validation' else split}.json"


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """Two rows, the label's first; or one row `{"input", "label", "rationale"}` when flat.

    In `google-research` it is the row of e-SNLI, with what the teacher said as `llm`, which
    `sinks.Batches` writes apart. The code there makes `premise</s>hypothesis` of the two, and adds
    its prefixes itself.
    """
    text, label, rationale = prompt(answer), target(answer), answer.rationale.strip()
    if not rationale:
        raise LeftOut("no_rationale")
    if options.layout == "flat":
        yield {"input": text, "label": label, "rationale": rationale}
    elif options.layout == "google-research":
        yield {
            "premise": answer.user_context.strip(),
            "hypothesis": answer.question.strip(),
            "label": label,
            **{f"explanation_{n}": "" for n in (1, 2, 3)},  # people's, which the loader removes
            "llm": f"{rationale} Answer: {label}",
        }
    else:
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


def broken(row: dict[str, JSON], options: Options) -> str:
    """In `google-research`, what its parser (`ESNLIDatasetLoader`) would cut without a word."""
    if options.layout != "google-research":
        return ""
    said, label = row["llm"], row["label"]
    if said.removesuffix(f" Answer: {label}").count("Answer:"):
        return "the rationale holds `Answer:`, where its loader cuts it"
    for mark in ("Premise", "Answer: "):
        if mark in label:
            return f"the label holds `{mark.strip()}`, where its loader cuts it"
    return ""
