"""A new task is laid out to be edited, and nothing is ever overwritten."""

import csv
import json
import re
from pathlib import Path

import pytest

from distillgen.errors import STORAGE, UserError
from distillgen.init import init
from distillgen.prompts import VARIABLES, find, packaged
from distillgen.records import Seed
from distillgen.task import Task, load_task, task_beside


def below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_task_is_laid_out_with_copies_of_all_packaged_prompts(tmp_path):
    told = init("bike_help", tmp_path, csv=False)
    prompts = {path.name: path.read_bytes() for path in packaged("prompts").glob("*.*")}
    files = below(tmp_path)
    assert set(files) == {
        "seeds/bike_help.jsonl",
        "seeds/bike_help.toml",
        *(f"prompts/bike_help/{name}" for name in prompts),
    }
    assert {name: files[f"prompts/bike_help/{name}"] for name in prompts} == prompts
    assert [path.relative_to(tmp_path).as_posix() for path, _ in told] == [
        "seeds/bike_help.jsonl",
        "seeds/bike_help.toml",
        "prompts/bike_help",
    ]
    assert told[0][1].startswith("3 examples to replace")
    assert all(name in told[2][1] for name in prompts)
    assert "rubric.toml" in prompts


def test_the_examples_are_seeds(tmp_path):
    init("bike_help", tmp_path, csv=False)
    lines = (tmp_path / "seeds/bike_help.jsonl").read_text("utf-8").splitlines()
    seeds = [Seed(**json.loads(line)) for line in lines]
    assert len(seeds) == 3
    assert [bool(seed.answer and seed.rationale) for seed in seeds] == [False, False, True]


def test_a_table_holds_the_same_examples(tmp_path):
    init("bike_help", tmp_path, csv=True)
    assert not (tmp_path / "seeds/bike_help.jsonl").exists()
    with (tmp_path / "seeds/bike_help.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [["user_context", "question"]] * 3
    assert all(Seed(**row) for row in rows)


def test_the_task_file_is_neutral_and_each_of_its_comments_can_be_used(tmp_path):
    init("bike_help", tmp_path, csv=False)
    assert task_beside(tmp_path / "seeds/bike_help.jsonl") == Task(name="bike_help")
    path = tmp_path / "seeds/bike_help.toml"
    path.write_text(re.sub(r"^# (\w+ = |\[)", r"\1", path.read_text("utf-8"), flags=re.MULTILINE))
    task = load_task(path)
    assert task.language
    assert task.labels
    assert task.fields
    assert task.defaults


def test_an_edited_prompt_is_used_with_every_teacher_and_an_untouched_one_with_none(tmp_path):
    init("bike_help", tmp_path, csv=False)
    folders = [tmp_path / "prompts"]
    edited = tmp_path / "prompts/bike_help/answer.j2"
    edited.write_text("{% block user %}My words: {{ question }}{% endblock %}")
    for small in (False, True):
        assert find("answer", "bike_help", small, folders).path == edited
        other = find("expand.few_shot", "bike_help", small, folders)
        assert other.path.parent == packaged("prompts")


@pytest.mark.parametrize(
    "there", ["seeds/bike_help.csv", "seeds/bike_help.toml", "prompts/bike_help/answer.j2"]
)
def test_nothing_is_overwritten_and_nothing_is_left_half_done(tmp_path, there):
    path = tmp_path / there
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(UserError) as caught:
        init("bike_help", tmp_path, csv=True)
    assert str(caught.value).startswith(f"{path}: is there already")
    assert below(tmp_path) == {there: b"mine"}


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "-x", ".hidden", "a b", "ü", "a" * 65])
def test_a_name_that_is_no_plain_file_name_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="cannot name a task"):
        init(name, tmp_path, csv=False)
    assert below(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "seeds").write_text("a file, not a folder")
    with pytest.raises(UserError, match="cannot be written") as caught:
        init("bike_help", tmp_path, csv=False)
    assert caught.value.code == STORAGE


def test_every_prompt_is_there_to_be_edited(tmp_path):
    init("bike_help", tmp_path, csv=False)
    assert all((tmp_path / f"prompts/bike_help/{name}.j2").is_file() for name in VARIABLES)
