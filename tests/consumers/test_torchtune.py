"""torchtune trains what is meant of every row, loaded by the lines of the README."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from unicodedata import normalize

import pytest
import torch
import yaml
from datasets.exceptions import DatasetGenerationError
from meant import SETS, TEXT_FORMS, trained
from students import EOS, asked, tokenizer
from torchtune.data import padded_collate_sft
from torchtune.models.qwen2 import qwen2

HEADER = "<|im_start|>assistant\n"
"""Of the assistant's turn: torchtune trains it, too."""
TINY = {
    "vocab_size": 151_936, "num_layers": 2, "num_heads": 2, "num_kv_heads": 2, "embed_dim": 32,
    "intermediate_dim": 64, "max_seq_len": 16_384,
}  # fmt: skip
"""Two layers, 32 wide, and as many tokens as Qwen2.5 has: its special ones are the last."""


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory):
    """Folder of a student's vocab.json and merges.txt."""
    path = tmp_path_factory.mktemp("vocabulary")
    tokenizer().backend_tokenizer.model.save(str(path))
    return path


def readme(given, vocabulary):
    """What the lines of the README define."""
    names = {}
    exec(given.snippet().replace("your/student", str(vocabulary)), names)
    return names["data"], names["tokenizer"]


def read(rows, words):
    """Of each row, as it is put into a batch, the text without and with a loss."""
    for row in rows:
        batch = padded_collate_sft([row])
        (ids,), (labels,) = batch["tokens"], batch["labels"]
        learned = labels[labels != -100]
        assert ids[labels != -100].equal(learned)
        yield tuple(
            words.decode(part.tolist(), skip_special_tokens=False)
            for part in (ids[labels == -100], learned)
        )


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("set", SETS)
def test_of_every_row_the_answer_is_learned(set, form, vocabulary, copied):
    given = copied(set, "torchtune", form)
    data, words = readme(given, vocabulary)
    for split, rows in data.items():
        said = [f"{asked(one, form)}{trained(one, form)}{EOS}" for one in given.meant(split)]
        parts = [normalize("NFC", text).rpartition(HEADER) for text in said]  # as Qwen's does
        assert list(read(rows, words)) == [(shown, head + text) for shown, head, text in parts]


def configured(vocabulary, **dataset):
    """The configuration of two short steps, without a GPU."""
    return {
        "output_dir": "student", "seed": 1, "shuffle": True, "device": "cpu", "dtype": "fp32",
        "tokenizer": {
            "_component_": "torchtune.models.qwen2_5.qwen2_5_tokenizer",
            "path": f"{vocabulary}/vocab.json", "merges_file": f"{vocabulary}/merges.txt",
        },
        "dataset": {"_component_": "torchtune.datasets.chat_dataset", **dataset},
        "model": {"_component_": "torchtune.models.qwen2.qwen2", **TINY},
        "checkpointer": {
            "_component_": "torchtune.training.FullModelTorchTuneCheckpointer",
            "checkpoint_dir": "untrained", "checkpoint_files": ["model.pt"], "model_type": "QWEN2",
            "output_dir": "student",
        },
        "resume_from_checkpoint": False,
        "batch_size": 2, "epochs": 1, "max_steps_per_epoch": 2, "gradient_accumulation_steps": 1,
        "optimizer": {"_component_": "torch.optim.AdamW", "lr": 0.001},
        "optimizer_in_bwd": False, "clip_grad_norm": None, "compile": False,
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "enable_activation_checkpointing": False, "enable_activation_offloading": False,
        "metric_logger": {
            "_component_": "torchtune.training.metric_logging.DiskLogger",
            "log_dir": "logs", "filename": "log.txt",
        },
        "log_every_n_steps": 1, "log_peak_memory_stats": False,
    }  # fmt: skip


def test_its_recipe_trains(vocabulary, copied):
    given = copied("open", "torchtune", "think")
    Path("untrained").mkdir()
    torch.save(qwen2(**TINY).state_dict(), "untrained/model.pt")
    config = configured(
        vocabulary, source="json", data_files=given.files()["train"], split="train",
        conversation_column="messages", conversation_style="openai",
    )  # fmt: skip
    Path("train.yaml").write_text(yaml.safe_dump(config), "utf-8")
    recipe = ["run", "full_finetune_single_device", "--config", "train.yaml"]
    done = subprocess.run(
        [Path(sys.executable).with_name("tune"), *recipe],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"loss:(\S+)", Path("logs/log.txt").read_text("utf-8"))
    assert len(losses) == 2
    assert all(math.isfinite(float(loss)) for loss in losses)


def spoilt(given, turns):
    """Put these turns into the first row of the training split."""
    _, *others = given.rows("train")
    rows = [{"messages": turns}, *others]
    Path("train.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        (["user"], "at least length 2"),
        (["user", "user", "assistant"], "Two consecutive user messages"),
        (["user", "system", "assistant"], "system messages must come first"),
        (["assistant", "user"], "before expected user message"),
    ],
)
def test_turns_out_of_order_are_refused(roles, why, vocabulary, copied):
    given = copied("open", "torchtune", "after")
    spoilt(given, [{"role": role, "content": "Yes."} for role in roles])
    data, _ = readme(given, vocabulary)
    with pytest.raises(ValueError, match=why):
        data["train"][0]


def test_a_file_cut_off_is_refused(vocabulary, copied):
    given = copied("open", "torchtune", "after")
    whole = Path("train.jsonl").read_bytes()
    Path("train.jsonl").write_bytes(whole[: len(whole) - 20])
    with pytest.raises(DatasetGenerationError):
        readme(given, vocabulary)
