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


def test_what_a_file_written_by_hand_parts_is_said_aloud(export, tmp_path):
    rows = strangers(50)
    rows.append(rows[0] | {"id": 7, "answer": "No."})
    hand = [{"id": "r0", "split": "train"}, {"id": 7, "split": "test"}]
    (tmp_path / "runs/mine").mkdir(parents=True)
    rows_in(tmp_path / "runs/mine/splits.jsonl", hand)
    told, where = export(rows, *TEST)
    assert (where["r0"], where["7"]) == ("train", "test")
    said = "test leaks into train: of 10 records 1 have the same prompt there, 1 a near duplicate,"
    assert said in " ".join(told.split())
    assert "leaks into" not in export(rows[:-1], *TEST)[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"id": "r1", "split": "dev"}',
            "`split`: input should be 'train', 'validation' or 'test'",
        ),
        ('{"id": "r1"}', "`split`: field required"),
        ('{"id": ["r1"], "split": "test"}', "`id`: input should be a valid string"),
        ('{"id": "r1", "split": "test", "group": "mine"}', "`group`: string should match pattern"),
        ('["r1", "test"]', "not a JSON object"),
        ("r1 test", "not JSON"),
    ],
)
def test_a_line_that_is_no_assignment_stops_the_export_in_one_line(cli, tmp_path, line, said):
    path = tmp_path / "runs/mine/splits.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"id": "r0", "split": "train"}\n' + line + "\n")
    told = cli("export", rows_in(tmp_path / "mine.jsonl", strangers(5)), code=2).err
    (error,) = (one for one in told.splitlines() if "splits.jsonl" in one)
    assert f"splits.jsonl:2: {said}" in error
    assert error.endswith("mend or remove it")
    assert "pydantic" not in told


def test_an_id_of_nought_is_one_and_parents_may_be_integers(export):
    rows = [row | {"id": n} for n, row in enumerate(strangers(40))]
    for n in range(20, 40):
        rows[n]["parents"] = [n - 20]
    _, where = export(rows, "--split", "train=0.5,test=0.5")
    assert list(where) == [str(n) for n in range(40)]
    assert {"train", "test"} == set(where.values())
    assert all(where[str(n)] == where[str(n - 20)] for n in range(20, 40))
