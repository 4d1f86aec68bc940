"""axolotl trains what is meant of every row, by the config.yml that we write."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from datasets import Dataset
from meant import FORMS, SETS, trained
from students import EOS, asked

os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
from axolotl.cli.config import load_cfg
from axolotl.common.datasets import load_datasets
from axolotl.train import setup_model_and_trainer

FEW = {"max_steps": 2, "dataset_num_proc": 1, "lora_mlp_kernel": False}
"""Two short steps, without a GPU: its own LoRA kernels need one, and go when one of them is off."""


@pytest.fixture(autouse=True)
def saved_here(monkeypatch):
    """Let this process save prepared rows: to start another takes longer than all the rest."""
    save = Dataset.save_to_disk
    monkeypatch.setattr(Dataset, "save_to_disk", lambda rows, path, **_: save(rows, path))


def few():
    """Put two short steps into the config.yml of the working directory."""
    config = yaml.safe_load(Path("config.yml").read_text("utf-8"))
    Path("config.yml").write_text(yaml.safe_dump({**config, **FEW}), "utf-8")


def loaded(student):
    """The trainer that the config.yml of the working directory makes, and the tokenizer."""
    few()
    config = load_cfg("config.yml", base_model=str(student))
    trainer, _, words, *_ = setup_model_and_trainer(config, load_datasets(cfg=config))
    return trainer, words


def read(batches, words):
    """Of each row in the trainer's batches the text without and with a loss."""
    for batch in batches:
        for ids, labels, there in zip(
            batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
        ):
            learned = labels[labels != -100]
            assert ids[labels != -100].equal(learned)
            yield words.decode(ids[(labels == -100) & (there == 1)]), words.decode(learned)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_every_row_the_answer_is_learned(set, form, student, copied):
    given = copied(set, "axolotl", form)
    trainer, words = loaded(student)
    splits = {"train": trainer.get_train_dataloader(), "validation": trainer.get_eval_dataloader()}
    for split, batches in splits.items():  # it shuffles them
        assert sorted(read(batches, words)) == sorted(
            (f"{asked(one, form)}\n", f"{trained(one, form)}{EOS}") for one in given.meant(split)
        )


def test_the_lines_of_the_readme_train(student, copied):
    given = copied("open", "axolotl", "field")
    few()
    Path("train.py").write_text(given.snippet().replace("your/student", str(student)), "utf-8")
    done = subprocess.run([sys.executable, "train.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (state,) = Path("student").rglob("trainer_state.json")
    assert json.loads(state.read_bytes())["global_step"] == 2
    assert Path("student/adapter_model.safetensors").is_file()


def spoilt(rows):
    """Put these in place of the training split."""
    Path("train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")


def test_rows_of_another_format_are_refused(student, copied):
    given = copied("open", "axolotl", "after")
    spoilt({"conversations": row["messages"]} for row in given.rows("train"))
    with pytest.raises(ValueError, match="field_messages"):
        loaded(student)


def test_a_row_that_would_be_cut_is_refused(student, copied):
    first, *others = copied("open", "axolotl", "after").rows("train")
    first["messages"][-1]["content"] = "A word. " * 9000
    spoilt([first, *others])
    with pytest.raises(ValueError, match="8192"):
        loaded(student)
