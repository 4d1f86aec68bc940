"""`datasets` loads every file of ours: no row is lost, and nothing becomes null."""

import pytest
from datasets import load_dataset
from datasets.exceptions import DatasetGenerationError
from meant import FORMS, MATERIAL, SETS, export, lines

FOLDERS = sorted(path.parent for path in MATERIAL.glob("*/*/*/train.jsonl"))
assert FOLDERS, "material.py made no exports"


def nulls(value, at=""):
    """Where a row holds a null."""
    if value is None:
        yield at
    for key, part in value.items() if isinstance(value, dict) else ():
        yield from nulls(part, f"{at}.{key}")
    for part in value if isinstance(value, list) else ():
        yield from nulls(part, f"{at}[]")


@pytest.mark.parametrize("end", [".jsonl", ".meta.jsonl"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: "-".join(path.parts[-3:]))
def test_every_row_is_loaded_as_it_is(folder, end):
    files = {
        path.name.removesuffix(end): str(path)
        for path in sorted(folder.glob("*.jsonl"))
        if path.name.endswith(".meta.jsonl") == (end == ".meta.jsonl")
    }
    data = load_dataset("json", data_files=files)
    for split, path in files.items():
        rows = data[split].to_list()
        assert rows == lines(MATERIAL / path)
        assert [where for row in rows for where in nulls(row)] == []


def test_a_line_that_is_cut_off_is_refused(tmp_path):
    text = (export("open", "trl-messages", "after").path / "train.jsonl").read_bytes()
    (tmp_path / "train.jsonl").write_bytes(text[:-30])
    with pytest.raises(DatasetGenerationError):
        load_dataset("json", data_files=str(tmp_path / "train.jsonl"))


def test_an_empty_split_is_refused_which_is_why_it_has_no_file(tmp_path):
    train = export("open", "trl-messages", "after").path / "train.jsonl"
    (tmp_path / "test.jsonl").touch()
    files = {"train": str(train), "test": str(tmp_path / "test.jsonl")}
    with pytest.raises(ValueError, match="corresponds to no data"):
        load_dataset("json", data_files=files)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("set", SETS)
def test_a_table_is_read_cell_by_cell(set, form, copied):
    given = copied(set, "csv", form)
    names = {}
    exec(given.snippet(), names)
    same = export(set, "jsonl", form)
    for split, table in names["data"].items():
        rows = same.rows(split)
        assert len(table) == len(rows)
        for name in rows[0]:
            assert list(table[name]) == [row[name] for row in rows]
