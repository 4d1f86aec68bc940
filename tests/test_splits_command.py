"""`export` and its splits: what people decided, what is said of leaks, a file written by hand."""

import json
import random

import pytest
from jobs import lines, rows_in

WORDS = [f"{a}{b}{c}" for a in "bdgklmnprst" for b in "aeiou" for c in ("ck", "st", "m", "rp")]
TEST = ("--split", "train=0.8,test=0.2")


def strangers(n, start=0):
    """Answers whose questions have little in common."""
    return [
        {"id": f"r{i}", "question": " ".join(random.Random(i).sample(WORDS, 12)), "answer": "Yes."}
        for i in range(start, start + n)
    ]


@pytest.fixture
def export(cli, tmp_path):
    """Exports rows, as one file time after time; gives what was told, and the split of each id."""

    def export(rows, *more):
        ran = cli("export", rows_in(tmp_path / "mine.jsonl", rows), "--format", "jsonl", *more)
        return ran.err, {row["id"]: row["split"] for row in written(tmp_path)}

    return export


def written(folder):
    return lines(folder / "runs/mine/splits.jsonl")


def first(where, split):
    return next(id for id, there in where.items() if there == split)


def leaks(folder):
    told = json.loads((folder / "runs/mine/manifest.json").read_text())["commands"]["export"]
    return told["settled"]["splits"]["summary"]["leakage"]


def test_a_question_that_a_person_changed_does_not_stand_in_two_splits(export, tmp_path):
    rows = strangers(50)
    _, before = export(rows, *TEST)
    train, test = first(before, "train"), first(before, "test")
    question = next(row["question"] for row in rows if row["id"] == test)
    edit = {"id": train, "reviewer": "Anna", "decision": "edit", "fields": {"question": question}}
    rows_in(tmp_path / "runs/mine/reviews.jsonl", [edit])
    told, after = export(rows, *TEST)
    assert after == {**before, train: None}
    assert "left out (bridges_splits)" in told
    data = tmp_path / "runs/mine/export/jsonl"
    asked = [row["question"] for s in ("train", "test") for row in lines(data / f"{s}.jsonl")]
    assert asked.count(question) == 1
    rows_in(tmp_path / "runs/mine/reviews.jsonl", [edit | {"decision": "reject", "fields": {}}])
    _, again = export(rows, *TEST)
    assert again[test] == "test"
    assert again[train]


def test_what_people_rejected_keeps_its_split_and_does_not_stand_in_the_table(export, tmp_path):
    rows = strangers(50)
    _, before = export(rows, *TEST)
    assert leaks(tmp_path)[0]["records"] == 10
    no = {"id": first(before, "test"), "reviewer": "Anna", "decision": "reject"}
    rows_in(tmp_path / "runs/mine/reviews.jsonl", [no])
    _, after = export(rows, *TEST)
    assert after == before
    assert leaks(tmp_path)[0]["records"] == 9
