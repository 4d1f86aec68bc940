"""axolotl prepares every row for training by our config.yml, and what is meant is learned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from datasets import load_from_disk
from meant import FORMS, SETS, trained
from students import EOS, asked
from transformers import AutoTokenizer

os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
ONE = {"dataset_num_proc": 1}
"""A worker would read the rows in a process of its own."""
FEW = {
    "max_steps": 2, "gradient_accumulation_steps": 1, "bf16": False, "fp16": False, "tf32": False,
    "flash_attention": False, "val_set_size": 0,
}  # fmt: skip
"""Two short steps, without a GPU."""


def told(**more):
    """Put settings into the config.yml of the working directory."""
    config = yaml.safe_load(Path("config.yml").read_text("utf-8"))
    Path("config.yml").write_text(yaml.safe_dump({**config, **more}), "utf-8")


def prepared(student):
    """The rows that are trained, by the config.yml of the working directory."""
    from axolotl.cli.preprocess import do_cli

    told(**ONE)
    do_cli("config.yml", base_model=str(student))
    return [load_from_disk(str(path.parent)) for path in Path("prepared").glob("*/state.json")]


def read(rows, words):
    """Of each row the text without and with a loss."""
    for row in rows:
        learned = [token for token in row["labels"] if token != -100]
        shown = [token for token, label in zip(row["input_ids"], row["labels"], strict=True)
                 if label == -100]  # fmt: skip
        yield words.decode(shown), words.decode(learned)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_every_row_the_answer_is_learned(set, form, student, copied):
    given = copied(set, "axolotl", form)
    words = AutoTokenizer.from_pretrained(student)
    # It shuffles them, and keeps the splits in folders with names of its own.
    found = sorted(sorted(read(rows, words)) for rows in prepared(student))
    assert found == sorted(
        sorted(
            (f"{asked(one, form)}\n", f"{trained(one, form)}{EOS}") for one in given.meant(split)
        )
        for split in ("train", "validation")
    )


def test_the_lines_of_the_readme_train(student, copied):
    given = copied("open", "axolotl", "field")
    told(**ONE, **FEW)
    Path("train.py").write_text(given.snippet().replace("your/student", str(student)), "utf-8")
    done = subprocess.run([sys.executable, "train.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (state,) = Path("student").rglob("trainer_state.json")
    assert json.loads(state.read_bytes())["global_step"] == 2


def test_rows_of_another_format_are_refused(student, copied):
    given = copied("open", "axolotl", "after")
    rows = [{"conversations": row["messages"]} for row in given.rows("train")]
    Path("train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with pytest.raises(ValueError, match="field_messages"):
        prepared(student)
