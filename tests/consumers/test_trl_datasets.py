"""`datasets` loads every file of ours: no row is lost, and nothing becomes null."""

import pytest
from datasets import load_dataset
from datasets.exceptions import DatasetGenerationError
from meant import FORMS, MATERIAL, SETS, Export, export, lines, told


def distinct():
    """The JSON Lines of every export, and the sidecars; those with equal bytes once."""
    found = {}
    for page in sorted(MATERIAL.glob("*/*/*/README.md")):
        given = Export("", page.parent).files()
        beside = {split: f"{split}.meta.jsonl" for split in given}
        for kind, names in ("rows", given), ("sidecars", beside):
            files = {split: page.parent / name for split, name in names.items()}
            if given and all(path.suffix == ".jsonl" for path in files.values()):
                key = tuple(path.read_bytes() for path in files.values())
                found.setdefault(key, ("-".join([*page.parts[-4:-1], kind]), files))
    assert found, "material.py made no exports"
    return [pytest.param(files, id=name) for name, files in found.values()]


def nulls(value, at=""):
    """Where a row holds a null."""
    if value is None:
        yield at
    for key, part in value.items() if isinstance(value, dict) else ():
        yield from nulls(part, f"{at}.{key}")
    for part in value if isinstance(value, list) else ():
        yield from nulls(part, f"{at}[]")


@pytest.mark.parametrize("files", distinct())
def test_every_row_is_loaded_as_it_is(files):
    data = load_dataset("json", data_files={split: str(path) for split, path in files.items()})
    for split, path in files.items():
        rows = data[split].to_list()
        assert rows == lines(path)
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
    data = load_dataset("csv", data_files=given.files(), keep_default_na=False)
    same = export(set, "jsonl", form)
    for split, table in names["data"].items():
        rows = same.rows(split)
        assert len(table) == len(data[split]) == len(rows)
        for name in rows[0]:
            assert list(table[name]) == list(data[split][name]) == [row[name] for row in rows]


@pytest.mark.parametrize("set", SETS)
def test_the_page_of_a_table_says_that_an_empty_cell_is_no_null(set, tmp_path):
    given = export(set, "csv", "field")
    data = load_dataset(str(given.path), cache_dir=str(tmp_path / "cache"))
    for split in data:
        assert [where for row in data[split].to_list() for where in nulls(row)] == []
        for row, same in zip(data[split], export(set, "jsonl", "field").rows(split), strict=True):
            assert {name: row[name] for name in same} == same
            assert row["label" if set == "open" else "answer"] == ""


@pytest.mark.parametrize("set", SETS)
def test_a_system_prompt_has_a_column(set):
    rows = export(set, "jsonl", "system").rows("train")
    assert [[row["system"]] for row in rows] == [told("system")] * len(rows)
