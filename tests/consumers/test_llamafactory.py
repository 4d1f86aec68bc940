"""LLaMA-Factory trains what is meant of every row: sharegpt, alpaca, DPO and KTO."""

import json
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
import yaml
from meant import SETS, TEXT_FORMS, trained, untrained
from students import EOS, asked

sys.modules["torchaudio"] = ModuleType("torchaudio")  # it is wanted for sounds alone
sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.hparams import get_train_args  # noqa: E402
from llamafactory.model import load_tokenizer  # noqa: E402

FEW = {
    "max_steps": 2, "use_cpu": True, "report_to": "none", "bf16": False, "eval_strategy": "no",
    "per_device_train_batch_size": 1,
}  # fmt: skip
"""Two short steps, without a GPU."""


def few():
    """Put two short steps into the train.yaml of the working directory."""
    with open("train.yaml", encoding="utf-8") as file:
        args = yaml.safe_load(file)
    with open("train.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump({**args, **FEW}, file)


def loaded(student, stage):
    """What the trainer is given by the train.yaml of the working directory, and the tokenizer."""
    few()
    with open("train.yaml", encoding="utf-8") as file:
        given = {**yaml.safe_load(file), "model_name_or_path": str(student)}
    model, data, training, _, _ = get_train_args(given)
    parts = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(parts["tokenizer"], data)
    sets = get_dataset(template, model, data, training, stage=stage, **parts)
    return sets["train_dataset"], parts["tokenizer"]


def read(words, row, side=""):
    """The text without and with a loss."""
    ids, labels = row[f"{side}input_ids"], row[f"{side}labels"]
    learned = [token for token in labels if token != -100]
    shown = ids[: len(ids) - len(learned)]
    assert ids == shown + learned
    return words.decode(shown), words.decode(learned)


def said(one, form, text=trained):
    """The same as it is meant."""
    return asked(one, form), f"{text(one, form)}{EOS}\n"


@pytest.mark.parametrize("form", [*TEXT_FORMS, "alpaca"])
@pytest.mark.parametrize("set", SETS)
def test_of_every_row_the_answer_is_learned(set, form, student, copied):
    given = copied(set, "llamafactory", form)
    rows, words = loaded(student, "sft")
    form = "think" if form == "alpaca" else form
    assert [read(words, row) for row in rows] == [said(one, form) for one in given.meant("train")]


@pytest.mark.parametrize("set", SETS)
def test_dpo_compares_the_right_answer_with_the_wrong_one(set, student, copied):
    given = copied(set, "llamafactory", "dpo")
    rows, words = loaded(student, "rm")
    assert [[read(words, row, side) for side in ("chosen_", "rejected_")] for row in rows] == [
        [said(one, "think"), said(one, "think", untrained)] for one in given.meant("train")
    ]


@pytest.mark.parametrize("set", SETS)
def test_kto_learns_which_answers_are_right(set, student, copied):
    given = copied(set, "llamafactory", "kto")
    rows, words = loaded(student, "kto")
    sides = [
        side for one in given.meant("train")[::2]
        for side in (said(one, "think"), said(one, "think", untrained))
    ]  # fmt: skip
    assert [read(words, row) for row in rows] == sides
    assert list(rows["kto_tags"]) == [True, False] * (len(sides) // 2)


@pytest.mark.parametrize("variant", ["think", "dpo", "kto"])
def test_the_lines_of_the_readme_train(variant, student, copied):
    given = copied("open", "llamafactory", variant)
    few()
    exec(given.snippet().replace("your/student", str(student)), {})
    state = json.loads((given.path / "student/trainer_state.json").read_bytes())
    assert state["global_step"] == 2


def test_a_folder_without_dataset_info_is_refused(student, copied):
    (copied("open", "llamafactory", "think").path / "dataset_info.json").unlink()
    with pytest.raises(ValueError, match=r"dataset_info\.json"):
        loaded(student, "sft")


def test_a_row_out_of_order_is_left_out(student, copied):
    """With a warning; which is why distillgen refuses to write one."""
    path = copied("open", "llamafactory", "think").path / "train.jsonl"
    first, *others = path.read_text("utf-8").splitlines(keepends=True)
    row = json.loads(first)
    row["conversations"].insert(0, row["conversations"][0])
    path.write_text("".join([f"{json.dumps(row)}\n", *others]), "utf-8")
    rows, _ = loaded(student, "sft")
    assert len(rows) == len(others)
