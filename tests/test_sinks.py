"""Sinks: what stands in the files, and that there are none when something fails."""

import csv
import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest
from pyarrow import parquet

from distillgen import sinks
from distillgen.errors import UserError
from distillgen.files import sha256_of
from distillgen.records import JSON
from distillgen.sinks import BATCHES, Sink, batches, open_sink

TEXTS = ['plain, "quoted"; semi', "two\nlines\r\nand a return\r.", " für \u2028 🙂 \t", "=1+1", ""]
LONE = "cut \ud83d off"


def write(
    path: Path, rows: Iterable[dict[str, JSON]], schema: dict[str, JSON] | None = None
) -> Sink:
    with ExitStack() as files:
        sink = open_sink(path, schema or {}, files)
        for row in rows:
            sink.write(row)
    return sink


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    sink = write(path, [{"text": text, "label": f"{n}"} for n, text in enumerate(TEXTS)])
    with path.open(encoding="utf-8", newline="") as file:
        heading, *cells = csv.reader(file, strict=True)
    assert heading == ["text", "label"]
    assert cells == [[text, f"{n}"] for n, text in enumerate(TEXTS)]
    assert (sink.rows, sink.wholes[0].rows) == (5, 6)


def test_half_a_character_becomes_a_sign_in_every_kind_of_file(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", [{"text": LONE}])
    write(tmp_path / "train.jsonl", [{"text": LONE}])
    write(tmp_path / "x_test.json", [{"text": LONE, "llm": LONE}])
    for path in ("train.csv", "train.jsonl", "x_test.json", "llm/test_CoT_0.json"):
        assert "cut \ufffd off" in (tmp_path / path).read_text(encoding="utf-8")


SCHEMA: dict[str, JSON] = {
    "text": "", "turns": [{"role": "", "content": ""}], "n": 0, "share": 0.0, "right": True,
}  # fmt: skip


def rows(n: int) -> Iterable[dict[str, JSON]]:
    for i in range(n):
        turns = [{"role": "user", "content": TEXTS[i % 5]}] * (i % 3)
        yield {"text": f"{i}", "turns": turns, "n": i, "share": i / 4, "right": i % 2 == 0}


@pytest.mark.parametrize("n", [1, 999, 1000, 1001, 2500])
def test_parquet_is_read_as_it_was_written(tmp_path: Path, n: int) -> None:
    """Rows are handed on a thousand at a time."""
    sink = write(tmp_path / "train.parquet", rows(n), SCHEMA)
    assert parquet.read_table(tmp_path / "train.parquet").to_pylist() == list(rows(n))
    assert sink.rows == n
    assert sink.wholes[0].stamp
    assert sink.wholes[0].stamp.sha256 == sha256_of(tmp_path / "train.parquet")


def test_parquet_has_the_types_of_its_schema_where_all_values_are_empty(tmp_path: Path) -> None:
    empty = {"text": "", "turns": [], "n": 0, "share": 0.0, "right": False}
    write(tmp_path / "train.parquet", [empty], SCHEMA)
    found = parquet.read_schema(tmp_path / "train.parquet")
    turn = "list<element: struct<role: string, content: string>>"
    assert [str(field.type) for field in found] == ["string", turn, "int64", "double", "bool"]


@pytest.mark.parametrize("wrong", [{"text": "a"}, {**next(iter(rows(1))), "more": 1}])
def test_a_row_that_the_schema_does_not_know_is_a_fault(
    tmp_path: Path, wrong: dict[str, JSON]
) -> None:
    with pytest.raises(ValueError, match="the schema has"):
        write(tmp_path / "train.parquet", [wrong], SCHEMA)
    assert there(tmp_path) == []


@pytest.mark.parametrize("name", ["train.jsonl", "train.csv", "train.parquet", "x_train.json"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    given = [{"text": text, "llm": text} for text in TEXTS]
    schema: dict[str, JSON] = {"text": "", "llm": ""}
    for folder in ("a", "b"):
        write(tmp_path / folder / name, given, schema)
    first, second = (
        {p.relative_to(tmp_path / f): p.read_bytes() for p in (tmp_path / f).rglob("*.*")}
        for f in "ab"
    )
    assert first == second


@pytest.mark.parametrize("name", ["train.jsonl", "train.csv", "train.parquet", "x_train.json"])
def test_nothing_is_there_after_a_failure_and_what_was_there_stays(
    tmp_path: Path, name: str
) -> None:
    def torn() -> Iterable[dict[str, JSON]]:
        yield from [{"text": "a", "llm": "b"}] * 3
        raise OSError("the disk went away")

    schema: dict[str, JSON] = {"text": "", "llm": ""}
    with pytest.raises(OSError, match="went away"):
        write(tmp_path / name, torn(), schema)
    assert there(tmp_path) == []
    write(tmp_path / name, [{"text": "old", "llm": "old"}], schema)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    with pytest.raises(OSError, match="went away"):
        write(tmp_path / name, torn(), schema)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.parametrize("name", ["train.jsonl", "train.csv", "train.parquet", "x_train.json"])
def test_without_rows_there_is_no_file_and_the_old_one_goes(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, [], {"text": ""})
    assert there(tmp_path) == []
    (tmp_path / name).write_text("old")
    write(tmp_path / name, [], {"text": ""})
    assert there(tmp_path) == []


def test_without_pyarrow_parquet_names_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install 'distillgen\[parquet\]'"):
        write(tmp_path / "train.parquet", rows(1), SCHEMA)
    assert there(tmp_path) == []


# -- batches ---------------------------------------------------------------------------------


def said(n: int) -> Iterable[dict[str, JSON]]:
    return ({"premise": f"{i}", "llm": f"Text {i}"} for i in range(n))


def texts(path: Path) -> list[str]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_batches_are_all_there_and_hold_the_texts_in_order(tmp_path: Path, split: str) -> None:
    count, most = BATCHES[split]
    path = tmp_path / f"esnli_{split}.json"
    sink = write(path, said(most + 3))
    lists = batches(path)
    assert lists == [tmp_path / f"llm/{split}_CoT_{i}.json" for i in range(count)]
    assert {whole.path for whole in sink.wholes} == {path, *lists}
    assert [len(texts(one)) for one in lists] == [most, 3, *([0] * (count - 2))]
    assert [text for one in lists for text in texts(one)] == [f"Text {i}" for i in range(most + 3)]
    given = [json.loads(line) for line in path.read_text().splitlines()]
    assert given == [{"premise": f"{i}"} for i in range(most + 3)]


def test_the_last_batch_takes_what_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of valid and test the loader reads two lists, however long; for train there is a limit."""
    monkeypatch.setattr(sinks, "BATCHES", {"valid": (2, 5)})
    write(tmp_path / "esnli_valid.json", said(17))
    assert [len(texts(one)) for one in batches(tmp_path / "esnli_valid.json")] == [5, 12]


def test_a_stage_has_batches_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "esnli_train.stage-1.json"
    write(path, said(2))
    assert texts(tmp_path / "llm/train.stage-1_CoT_0.json") == ["Text 0", "Text 1"]
    assert len(batches(path)) == 100


@pytest.mark.parametrize("name", ["train.json", "esnli_validation.json", "x_train.jsonl"])
def test_a_file_of_another_name_has_none(tmp_path: Path, name: str) -> None:
    assert batches(tmp_path / name) == []
    write(tmp_path / name, said(1))
    assert json.loads((tmp_path / name).read_text()) == {"premise": "0", "llm": "Text 0"}
