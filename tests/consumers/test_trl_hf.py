"""Our folders are loaded by their own pages as they stand, as JSON lines or Parquet."""

import shutil

import pytest
from datasets import load_dataset
from meant import FORMS, MATERIAL, SETS, SPLITS, Export, export, lines, trained
from pyarrow import ArrowInvalid
from pyarrow.parquet import read_table
from trainers import read, readme, trained_two_steps


def loaded(folder, tmp_path):
    """The rows by split, as the page of the folder says; nothing is remembered of another."""
    data = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    return {split: data[split].to_list() for split in data}


@pytest.mark.parametrize("form", [*FORMS, "parquet"])
@pytest.mark.parametrize("set", SETS)
def test_the_card_names_every_file_and_each_holds_the_rows_of_trl(set, form, tmp_path):
    given = export(set, "hf", form)
    same = export(set, "trl-prompt-completion", "field" if form == "parquet" else form)
    assert loaded(given.path, tmp_path) == {split: same.rows(split) for split in SPLITS}


def test_a_table_is_loaded_without_its_page():
    given = export("open", "hf", "parquet")
    files = {split: str(given.path / name) for split, name in given.files().items()}
    data = load_dataset("parquet", data_files=files)
    same = export("open", "trl-prompt-completion", "field")
    assert [data[split].to_list() for split in SPLITS] == [same.rows(split) for split in SPLITS]


PAGES = [path for path in sorted(MATERIAL.glob("labels/*/*/README.md"))
         if path.read_text().startswith("---") and "configs:" in path.read_text()]  # fmt: skip


@pytest.mark.parametrize("format", sorted({page.parent.name for page in PAGES} - {"csv", "hf"}))
def test_every_page_that_says_where_its_rows_are_is_right(format, tmp_path):
    folder = next(page.parent for page in PAGES if page.parent.name == format)
    given = Export("labels", folder)
    assert loaded(folder, tmp_path) == {split: given.rows(split) for split in given.files()}


@pytest.mark.parametrize(
    ("set", "variant"), [("open", "field"), ("labels", "field"), ("open", "parquet")]
)
def test_the_lines_of_the_readme_train_every_row(set, variant, student, copied):
    """Of folders with one name, too: `datasets` would give the rows of the first for both."""
    given = copied(set, "hf", variant)
    trainer = readme(given, student)["trainer"]
    for (_, learned), one in zip(read(trainer), given.meant("train"), strict=True):
        assert trained(one, "think") in learned
    assert trained_two_steps(trainer)


@pytest.mark.parametrize("form", ["field", "parquet"])
def test_the_lines_of_the_readme_load_what_stands_there_now(form, tmp_path, monkeypatch):
    """Of two runs whose folders have one name, and of a folder whose rows became more."""
    runs = [Export(set, tmp_path / set / "hf") for set in SETS]
    for given in runs:
        shutil.copytree(export(given.set, "hf", form).path, given.path)
    small = runs[0].path / runs[0].files()["train"]
    whole = small.read_bytes()
    small.write_bytes(small.with_name(small.name.replace("train", "test")).read_bytes())
    for given in [*runs, runs[0]]:
        monkeypatch.chdir(given.path)
        names = {}
        exec(given.snippet().partition("trainer = ")[0], names)
        path = given.path / given.files()["train"]
        rows = read_table(path).to_pylist() if form == "parquet" else lines(path)
        assert names["data"]["train"].to_list() == rows
        small.write_bytes(whole)


def test_a_table_that_is_cut_off_is_refused(copied, tmp_path):
    given = copied("open", "hf", "parquet")
    path = given.path / "data/train.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ArrowInvalid, match="Parquet magic bytes"):
        loaded(given.path, tmp_path)
