"""LLaMA-Factory: a folder that it trains on as it stands; answers, or pairs for DPO and KTO."""

from collections.abc import Iterator

from distillgen import rules
from distillgen.formats import LeftOut, Limits, Made, Options, Rationale, prompt, reply, system
from distillgen.records import JSON, Answer, Preference, Side

RATIONALE: frozenset[Rationale] = frozenset({"first", "after", "think", "none"})
"""No `field`: it reads no key for reasoning; its data/README.md wants `<think>` in the output."""
LAYOUTS = ("sharegpt", "alpaca", "dpo", "kto")
PAIRED = frozenset({"dpo", "kto"})

_ROLES = {"human": "user", "gpt": "assistant"}
_COLUMNS: dict[str, dict[str, str]] = {
    "sharegpt": {"messages": "conversations"},
    "alpaca": {"prompt": "instruction", "query": "input", "response": "output"},
    "dpo": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
    "kto": {"messages": "conversations", "kto_tag": "label"},
}
"""What LLaMA-Factory calls a column, and what it is called here."""

LIMITS = Limits(needs=("train",), who="the train.yaml beside the data")

SNIPPET = """\
import yaml
from llamafactory.train.tuner import run_exp

with open("train.yaml", encoding="utf-8") as file:
    args = yaml.safe_load(file)
run_exp({**args, "model_name_or_path": "your/student"})
# In a shell: llamafactory-cli train train.yaml
"""

IMAGES = f"""\
{SNIPPET}
# `media_dir` in train.yaml is the folder in which distillgen was run: paths of images are seen from
# there.
"""


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"conversations": [human, gpt]}`, or `{"instruction", "input", "output"}` in `alpaca`.

    With `--system` each row has `system`, empty where there is none: a column that
    dataset_info.json names must be in every row. In a set with images each has `images`, a list of
    paths, and an `<image>` for each before the user's text.
    """
    asked = "<image>" * len(answer.images) + prompt(answer)
    said = reply(answer, options.rationale)
    row: dict[str, JSON] = {"conversations": [_turn("human", asked), _turn("gpt", said)]}
    if options.layout == "alpaca":
        row = {"instruction": asked, "input": "", "output": said}
    row |= _told(answer, options)
    if options.images or answer.images:
        row["images"] = list(answer.images)
    yield row


def pairs(preference: Preference, options: Options) -> Iterator[dict[str, JSON]]:
    """`{"conversations": [human], "chosen", "rejected"}`, or for KTO two rows with a `label`."""
    if preference.images:
        raise LeftOut("images")
    better, worse = (_said(side, options) for side in (preference.chosen, preference.rejected))
    if better == worse:
        raise LeftOut("same_answer")
    asked, told = _turn("human", prompt(preference)), _told(preference, options)
    if options.layout == "dpo":
        yield {"conversations": [asked], "chosen": better, "rejected": worse, **told}
        return
    for said, label in ((better, True), (worse, False)):
        yield {"conversations": [asked, said], "label": label, **told}


def _turn(who: str, text: str) -> dict[str, JSON]:
    return {"from": who, "value": text}


def _said(side: Side, options: Options) -> dict[str, JSON]:
    return _turn("gpt", reply(side, options.rationale))


def _told(of: Answer | Preference, options: Options) -> dict[str, JSON]:
    return {"system": system(of, options)} if options.system or options.own_system else {}


def broken(row: dict[str, JSON], options: Options) -> str:
    """The rule of its converter (src/llamafactory/data/converter.py, 0.9.5) that a row breaks.

    Rows whose turns are out of order it leaves out with a warning; a missing column stops it.
    """
    named = [*_COLUMNS[options.layout].values()]
    named += [name for name in ("system", "images") if name in row]
    if problem := rules.only(row, *named):
        return problem
    if options.layout == "alpaca":
        return rules.texts(row, "instruction", "output") or _marks(row, row["instruction"])
    ends = "user" if options.layout == "dpo" else "assistant"
    turns = {"conversations": _translated(row["conversations"])}
    if problem := rules.chat(turns, "conversations", ends=ends):
        return problem
    if options.layout == "kto" and not isinstance(row["label"], bool):
        return "`label` is neither true nor false"
    if options.layout == "dpo":
        for name in ("chosen", "rejected"):
            side = {name: _translated([{"from": "human", "value": "?"}, row[name]])}
            if problem := rules.chat(side, name):
                return problem.replace("[1]", "")
    return _marks(row, row["conversations"][0]["value"])


def _translated(turns: JSON) -> list[JSON]:
    """The turns under the names that `rules.chat` knows."""
    return [
        {
            "role": _ROLES.get(turn["from"], f"`{turn['from']}`"),
            "content": turn["value"],
            **{key: text for key, text in turn.items() if key not in ("from", "value")},
        }
        for turn in turns
    ]


def _marks(row: dict[str, JSON], asked: str) -> str:
    """A mark for each image, and no other."""
    images, marks = len(row.get("images", ())), asked.count("<image>")
    if "images" in row and marks != images:
        return f"{marks} times `<image>` in the user's text, and {images} images"
    return ""


def beside(made: Made) -> dict[str, JSON]:
    """`dataset_info.json`, with a set for each split under its name, and `train.yaml`."""
    options = made.options
    columns = dict(_COLUMNS[options.layout])
    if options.system or options.own_system:
        columns["system"] = "system"
    images = options.images and options.layout not in PAIRED
    if images:
        columns["images"] = "images"
    about: dict[str, JSON] = {"columns": columns}
    about["formatting"] = "alpaca" if options.layout == "alpaca" else "sharegpt"
    if options.layout == "dpo":
        about["ranking"] = True
    info = {split: {"file_name": path, **about} for split, path in made.files.items()}
    lines = [
        "model_name_or_path: your/student",
        f"stage: {options.layout if options.layout in PAIRED else 'sft'}",
        "do_train: true",
        "finetuning_type: lora",
        "dataset_dir: .  # the folder of dataset_info.json",
        "dataset: train",
        *(["eval_dataset: validation", "eval_strategy: epoch"] * ("validation" in made.files)),
        *(["media_dir: ."] * images),
        "cutoff_len: 8192  # tokens; what is longer is cut",
        "output_dir: student",
        "# Without `template`, the chat template is the student's own.",
    ]
    return {"dataset_info.json": info, "train.yaml": "\n".join(lines) + "\n"}
