"""Derived files: strict JSON lines, written whole or not at all, read back to the last good row."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillgen import files
from distillgen.errors import STORAGE, UserError
from distillgen.files import TornFile, Whole, dumps, loads, rows_of
from distillgen.records import JSON

# -- lines ----------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=()))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def valid(value: JSON) -> JSON:
    """A value with every lone surrogate replaced."""
    if isinstance(value, str):
        paired = json.loads(json.dumps(value))
        return re.sub("[\ud800-\udfff]", "\ufffd", paired)
    if isinstance(value, dict):
        return {valid(name): valid(item) for name, item in value.items()}
    return [valid(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(texts, values, max_size=4))
def test_a_row_is_one_strict_line_and_comes_back_as_it_was(row):
    line = dumps(row)
    assert b"\n" not in line
    assert loads(line) == json.loads(line.decode()) == loads(line.decode()) == valid(row)


@given(st.text() | st.binary())
def test_any_line_is_a_value_or_a_value_error(line):
    try:
        dumps({"value": loads(line)})
    except ValueError:
        return


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**3999])
def test_integers_stay_exact(number):
    assert loads(dumps({"id": number})) == {"id": number}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a": NaN}', "NaN is not finite"),
        (b'{"a": -Infinity}', "-Infinity is not finite"),
        (b'{"a": 1e400}', "1e400 is not finite"),
        (b'{"a": ' + b"1" * 5000 + b"}", "an integer of 5,000 digits"),
        (b"[" * 100_000, "nested deeper than 200 levels"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "nested deeper than 200 levels"),
        (b'{"a" 1}', "line 1 column 6"),
        (b'{"a": "\xe9"}', "0xe9"),
        (b"", "Expecting value"),
    ],
)
def test_what_is_no_strict_json_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        loads(line)


def test_brackets_in_a_text_are_no_depth():
    assert loads(dumps({"a": "[{" * 500})) == {"a": "[{" * 500}


def test_a_lone_surrogate_becomes_the_replacement_character():
    assert dumps({"a": "x\ud800y"}) == '{"a":"x\ufffdy"}'.encode()
    assert loads(b'{"\\udc00": ["x\\ud800y", "\\ud83d\\ude00"]}') == {"\ufffd": ["x\ufffdy", "😀"]}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"a": None, "score": float("nan")}, "score"),
        ({"meta": {"prices": [1.0, float("inf")]}}, r"meta.prices\[1\]"),
        ({"meta": {"\ud800": 1, "price": float("-inf")}}, "meta.price"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_field(row, field):
    with pytest.raises(ValueError, match=f"`{field}`"):
        dumps(row)


def test_deep_rows_are_written_and_bottomless_ones_refused():
    deep: JSON = 1
    for _ in range(300):
        deep = [deep]
    assert dumps({"a": deep}) == b'{"a":' + b"[" * 300 + b"1" + b"]" * 300 + b"}"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="deep"):
        dumps({"a": deep})
    while isinstance(deep, list):  # else freeing it overflows the stack
        deep = deep[0]


# -- whole files ----------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    with Whole(path) as out:
        out.write({"n": 1})
        out.write({"n": 2})
        assert path.read_text() == "old\n"
    assert path.read_text() == '{"n":1}\n{"n":2}\n'
    assert out.rows == 2
    assert names(tmp_path) == ["a.jsonl"]


def test_a_file_is_for_its_owner_alone(tmp_path):
    umask = os.umask(0)
    try:
        with Whole(tmp_path / "deep" / "a.txt") as out:
            out.write_text("ünï \ud800\n")
    finally:
        os.umask(umask)
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "deep" / "a.txt").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep" / "a.txt").read_text("utf-8") == "ünï \ufffd\n"


def test_its_stamp_is_that_of_the_file(tmp_path):
    path = tmp_path / "a.jsonl"
    with Whole(path) as out:
        out.write({"n": 1})
    assert out.stamp == files.stamp(path)
    assert out.stamp is not None
    assert out.stamp.sha256 == files.sha256_of(path)


def break_off(path: Path, error: type[BaseException]) -> None:
    with Whole(path) as out:
        out.write({"n": 1})
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_on_an_exception_the_old_file_stays(tmp_path, error):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")

    with pytest.raises(error):
        break_off(path, error)
    assert path.read_text() == "old\n"
    assert names(tmp_path) == ["a.jsonl"]


def test_a_file_without_a_row_is_removed_rather_than_empty(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    with Whole(path) as out:
        pass
    assert out.stamp is None
    assert names(tmp_path) == []


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    script = (
        "import os, signal, sys; from pathlib import Path; from distillgen.files import Whole\n"
        "with Whole(Path(sys.argv[1])) as out:\n"
        "    for n in range(100_000): out.write({'n': n})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old\n"
    assert len(names(tmp_path)) == 2
    with Whole(path) as out:
        out.write({"n": 1})
    assert path.read_text() == '{"n":1}\n'
    assert names(tmp_path) == ["a.jsonl"]


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to write and read everything."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("rows", [10_000, 1_000_000])
def test_a_disk_that_takes_no_more_ends_with_the_storage_code(tmp_path, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    with at_most(20_000), pytest.raises(UserError, match=r"a.jsonl: cannot be written") as told:
        fill(path, rows)
    assert told.value.code == STORAGE
    assert path.read_text() == "old\n"
    assert names(tmp_path) == ["a.jsonl"]


def fill(path: Path, rows: int) -> None:
    with Whole(path) as out:
        for n in range(rows):
            out.write({"n": n})


def test_a_folder_without_permission_ends_with_the_storage_code(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with as_nobody(), pytest.raises(UserError, match="no permission") as told:
            fill(tmp_path / "a.jsonl", 1)
    finally:
        tmp_path.chmod(0o700)
    assert told.value.code == STORAGE


def test_a_file_bears_the_mark_of_who_wrote_it(tmp_path):
    fill(tmp_path / "a.jsonl", 3)
    assert files.is_ours(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_text('{"n":1}\n')
    assert not files.is_ours(tmp_path / "b.jsonl")


def test_a_change_by_hand_is_noticed_and_a_touch_is_none(tmp_path):
    path = tmp_path / "a.jsonl"
    fill(path, 3)
    stamp = files.stamp(path)
    assert not files.changed(path, stamp)
    os.utime(path, ns=(1, 1))
    assert not files.changed(path, stamp)
    path.write_text(path.read_text().replace("2", "7"))
    assert files.changed(path, stamp)
    assert not files.is_ours(path)


# -- reading back ---------------------------------------------------------------------------------


def test_a_missing_file_has_no_rows(tmp_path):
    assert list(rows_of(tmp_path / "a.jsonl")) == []


def test_wherever_a_file_is_torn_only_the_torn_row_is_lost(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"n": n, "text": "é\u2028\0"} for n in range(3)]
    with Whole(path) as out:
        for row in rows:
            out.write(row)
    data = path.read_bytes()
    ends = [n for n in range(len(data) + 1) if data[:n].endswith(b"}")]
    for cut in range(len(data) + 1):
        whole = rows[: sum(end <= cut for end in ends)]
        torn = data[:cut] and cut not in ends and data[cut - 1 : cut] != b"\n"
        for tail in (b"", b"\0" * 5):
            path.write_bytes(data[:cut] + tail)
            with pytest.warns(TornFile, match="the last line is cut") if torn else nullcontext():
                assert list(rows_of(path)) == whole


@pytest.mark.parametrize("bad", ["{", "[1]", '{"n":NaN}'])
def test_damage_before_the_end_is_told(tmp_path, bad):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"n":1}}\n{bad}\n{{"n":3}}\n')
    with pytest.raises(UserError, match=r"a.jsonl:2: not .*; mend or remove it"):
        list(rows_of(path))
