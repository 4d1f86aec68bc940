"""mlx-lm loads our folder and trains what is meant of every row."""

import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import mlx.core as mx
import pytest
from meant import FORMS, SETS, SPLITS, export, trained
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from mlx_lm.tuner.datasets import CacheDataset, load_dataset
from mlx_lm.tuner.trainer import iterate_batches
from students import EOS, asked, config, tokenizer


@pytest.fixture(scope="session")
def words():
    """The student's tokenizer."""
    return tokenizer()


@pytest.fixture(scope="session")
def student(tmp_path_factory, words):
    """Folder of a tiny model."""
    path = tmp_path_factory.mktemp("student")
    words.save_pretrained(path)
    config(words).save_pretrained(path)
    args = llama.ModelArgs.from_dict(json.loads((path / "config.json").read_bytes()))
    weights = dict(tree_flatten(llama.Model(args).parameters()))
    mx.save_safetensors(str(path / "model.safetensors"), weights)
    return path


def load(path, words):
    """The three splits, with the questions masked."""
    return load_dataset(SimpleNamespace(data=path, train=True, test=True, mask_prompt=True), words)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_every_row_the_answer_is_trained(set, form, words):
    given = export(set, "mlx", form)
    for split, rows in zip(SPLITS, load(given.path, words), strict=True):
        meant = given.meant(split)
        batches = iterate_batches(CacheDataset(rows), batch_size=1, max_seq_length=10**6)
        read = []
        for batch, places in batches:
            (row,), ((start, end),) = batch.tolist(), places.tolist()
            read.append((words.decode(row[:start]), words.decode(row[start:end])))
        # It sorts them by length.
        assert sorted(read) == sorted((asked(o, form), f"{trained(o, form)}{EOS}\n") for o in meant)


def test_the_lines_of_the_readme_train(student, copied, monkeypatch):
    given = copied("open", "mlx", "field")
    said = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: said.append(command))
    exec(given.snippet().replace("your/student", str(student)), {})
    monkeypatch.undo()
    (command,) = said
    more = ["--iters", "2", "--num-layers", "2", "--adapter-path", given.path / "adapters"]
    done = subprocess.run(
        [*command, *more], cwd=given.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (given.path / "adapters/adapters.safetensors").exists()
    assert not re.search(r"\bnan\b|truncated", done.stdout), done.stdout


def test_a_blank_line_is_refused(copied, words):
    path = copied("open", "mlx", "after").path
    with open(path / "train.jsonl", "a") as file:
        file.write("\n")
    with pytest.raises(json.JSONDecodeError):
        load(path, words)


def test_columns_that_it_does_not_know_are_refused(tmp_path, words):
    shutil.copy(export("open", "jsonl", "after").path / "train.jsonl", tmp_path)
    with pytest.raises(ValueError, match="Unsupported data format"):
        load(tmp_path, words)


def test_a_folder_without_a_train_split_is_refused(copied, words):
    path = copied("open", "mlx", "after").path
    (path / "train.jsonl").unlink()
    with pytest.raises(ValueError, match="Training set not found"):
        load(path, words)
