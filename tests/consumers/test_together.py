"""Together's own checker takes our files, and refuses spoilt ones."""

import json

import pytest
from meant import SETS, SPLITS, TEXT_FORMS, export, reasoning
from together.utils.files import check_file


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("set", SETS)
@pytest.mark.parametrize("format", ["together", "openai-chat", "openai-dpo"])
def test_each_split_is_taken_whole(format, set, form):
    given = export(set, format, form)
    for split in SPLITS:
        report = check_file(given.path / f"{split}.jsonl")
        assert report["is_check_passed"], report["message"]
        assert report["num_samples"] == len(given.meant(split))


def test_reasoning_apart_is_taken():
    given = export("open", "together", "field")
    assert check_file(given.path / "train.jsonl")["is_check_passed"]
    said = [row["messages"][-1]["reasoning_content"] for row in given.rows("train")]
    assert said == [reasoning(one, "field") for one in given.meant("train")]


def extra_column(row):
    row["id"] = "1"


def half_a_weight(row):
    row["messages"][1]["weight"] = 0.5


def two_users(row):
    row["messages"].insert(0, row["messages"][0])


def no_assistant(row):
    row["messages"].pop()


def no_words(row):
    row["messages"][1]["content"] = None


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (extra_column, "Found extra column"), (half_a_weight, "Weight must be an integer"),
        (two_users, "must alternate"), (no_assistant, "assistant role must be present"),
        (no_words, "Invalid content type"),
    ],
)  # fmt: skip
def test_a_spoilt_row_is_refused(spoil, why, tmp_path):
    rows = export("open", "together", "after").rows("train")
    spoil(rows[3])
    file = tmp_path / "train.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    report = check_file(file)
    assert not report["is_check_passed"]
    assert why in report["message"]


def ends_with_the_assistant(row):
    row["input"]["messages"].append({"role": "assistant", "content": "Yes."})


def two_outputs(row):
    row["preferred_output"] *= 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(ends_with_the_assistant, "must not be from the assistant"), (two_outputs, "exactly one")],
)
def test_a_spoilt_pair_is_refused(spoil, why, tmp_path):
    rows = export("open", "openai-dpo", "after").rows("train")
    spoil(rows[3])
    file = tmp_path / "train.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    report = check_file(file)
    assert not report["is_check_passed"]
    assert why in report["message"]


def test_a_sidecar_is_no_training_file(tmp_path):
    given = export("open", "together", "after")
    assert not check_file(given.path / "train.meta.jsonl")["is_check_passed"]
