"""What people bring: accepted without fuss, or refused with file, line, field and remedy."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from distillgen.errors import USAGE, UserError
from distillgen.files import dumps
from distillgen.inputs import open_inputs, read_seeds
from distillgen.records import Example, Rejection, Seed, content_id

GOOD = '{"question": "Buy gold?", "user_context": "I am 40"}\n'


def brought(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def examples(path: Path, **fields: str) -> list[Example]:
    return list(open_inputs(path, fields))


def refusal(path: Path, *, seeds: bool = False, **fields: str) -> list[str]:
    """The lines of the error that a file gets, its folder left out."""
    with pytest.raises(UserError) as told:
        read_seeds(path, fields) if seeds else open_inputs(path, fields)
    assert told.value.code == USAGE
    return str(told.value).replace(f"{path.parent}/", "").splitlines()


# -- what is accepted -----------------------------------------------------------------------------

ROWS = [{"id": "a", "question": "Buy gold?"}, {"id": "b", "question": "Ünd Silber?", "n": "1"}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
TABLE = 'id,question,n\na,Buy gold?,\nb,"Ünd Silber?",1\n'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", LINES.encode()),
        ("a.ndjson", LINES.encode()),
        ("A.JSON", LINES.encode()),
        ("bom.jsonl", LINES.encode("utf-8-sig")),
        ("crlf.jsonl", LINES.replace("\n", "\r\n").encode()),
        ("blank.jsonl", f"\n{LINES}\n".replace("\n", "\n \t\n").encode()),
        ("open.jsonl", LINES.rstrip().encode()),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.csv", TABLE.encode()),
        ("bom.csv", TABLE.encode("utf-8-sig")),
        ("crlf.csv", TABLE.replace("\n", "\r\n").encode()),
        ("blank.csv", (TABLE.replace("\nb", "\n\n,,\nb") + "\n").encode()),
        ("semicolons.csv", TABLE.replace(",", ";").encode()),
        ("tabs.csv", TABLE.replace(",", "\t").encode()),
        ("short.csv", TABLE.replace("gold?,", "gold?").encode()),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
    ],
)
def test_every_spelling_of_the_same_rows_gives_the_same_inputs(tmp_path, name, data):
    assert examples(brought(tmp_path, name, data)) == [
        Example(id="a", question="Buy gold?"),
        Example(id="b", question="Ünd Silber?", meta={"n": "1"}),
    ]


def test_parquet_is_read_like_the_others(tmp_path):
    rows = [{**ROWS[0], "n": None}, ROWS[1]]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert examples(tmp_path / "a.parquet") == examples(brought(tmp_path, "a.jsonl", LINES))


def test_cells_of_parquet_that_json_does_not_know_are_spelled(tmp_path):
    row = {
        "question": "Buy gold?", "at": date(2024, 5, 1), "price": Decimal("1.50"), "raw": b"\0\1",
        "scores": [1.0, float("nan")], "score": float("nan"), "by": {"name": "x"},
    }  # fmt: skip
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    (one,) = examples(tmp_path / "a.parquet")
    assert json.loads(dumps(one.meta)) == {
        "at": "2024-05-01", "price": "1.50", "raw": "AAE=", "scores": [1.0, None],
        "by": {"name": "x"},
    }  # fmt: skip


def test_stdin_can_be_walked_again_and_again(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES.encode())))
    given = open_inputs(Path("-"))
    assert [one.id for one in given] == [one.id for one in given] == ["a", "b"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert read_seeds(Path("-")) == [Seed(question="Buy gold?", user_context="I am 40")]


def test_a_cell_may_hold_commas_quotes_and_lines(tmp_path):
    text = 'question\n"Buy, or ""hold""?\nOr sell?"\n'
    assert [one.question for one in examples(brought(tmp_path, "a.csv", text))] == [
        'Buy, or "hold"?\nOr sell?'
    ]


def test_a_row_of_ten_megabytes_is_read(tmp_path):
    long = "x" * 10_000_000
    for name, text in (
        ("a.jsonl", dumps({"question": long}).decode()),
        ("a.csv", f"question\n{long}"),
    ):
        assert [len(one.question) for one in examples(brought(tmp_path, name, text))] == [len(long)]


# -- fields ---------------------------------------------------------------------------------------

records = st.builds(
    Example,
    question=st.text(min_size=1).map(str.strip).filter(bool),
    user_context=st.text().map(str.strip),
    id=st.text(min_size=1).filter(str.strip),
    images=st.lists(st.text(min_size=1)).map(tuple),
    strategy=st.sampled_from(["", "few_shot"]),
    parents=st.lists(st.text(min_size=1)).map(tuple),
    request=st.text(alphabet="0123456789abcdef"),
    meta=st.dictionaries(
        st.text(min_size=1), st.integers() | st.text(min_size=1).filter(str.strip)
    ),
)


@given(record=records)
def test_what_we_wrote_is_read_as_it_was(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("x") / "inputs.jsonl"
    path.write_bytes(dumps(record.row()))
    assert examples(path) == [record]


def test_columns_that_we_do_not_know_travel_in_meta(tmp_path):
    row = {"question": "Q?", "desk": 7, "none": None, "empty": "", "meta": {"a": 1}, "b": [None]}
    (one,) = examples(brought(tmp_path, "a.jsonl", json.dumps(row)))
    assert one.meta == {"a": 1, "desk": 7, "b": [None]}


def test_columns_of_another_type_under_our_names_travel_in_meta(tmp_path):
    foreign = {"strategy": 5, "parents": "mother", "request": [1], "meta": "x", "images": {"a": 1}}
    (one,) = examples(brought(tmp_path, "a.jsonl", json.dumps({"question": "Q?", **foreign})))
    assert one == Example(id=content_id("", "Q?"), question="Q?", meta=foreign)


def test_texts_lose_their_margins_and_nothing_else(tmp_path):
    row = (
        '{"question": "\\n Buy\\u0000 \\ud800 gold? ", "user_context": "\\tme\\u2028", "x": " y "}'
    )
    (one,) = examples(brought(tmp_path, "a.jsonl", row))
    assert one.question == "Buy\0 \ufffd gold?"
    assert (one.user_context, one.meta) == ("me", {"x": " y "})


def test_seeds_take_what_their_writer_knows(tmp_path):
    table = (
        "user_context,question,answer,rationale,label,tags,images,desk\n"
        "I am 40,Buy gold?,No.,It rose.,2,metal; old ;,a.png;b.png,north\n"
        "I am 50,Sell?,,,,,,\n"
    )
    assert read_seeds(brought(tmp_path, "a.csv", table)) == [
        Seed(
            user_context="I am 40", question="Buy gold?", answer="No.", rationale="It rose.",
            label="2", tags=("metal", "old"), images=("a.png", "b.png"), meta={"desk": "north"},
        ),
        Seed(user_context="I am 50", question="Sell?"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"), [("42", "42"), ("0.1234567891", "0.1234567891"), ("true", "true")]
)
def test_answers_and_labels_that_are_no_texts_become_texts(tmp_path, value, text):
    line = f'{{"user_context": "I", "question": "Q?", "answer": {value}, "label": {value}}}'
    (seed,) = read_seeds(brought(tmp_path, "a.jsonl", line))
    assert (seed.answer, seed.label) == (text, text)


def test_fields_are_taken_from_the_columns_that_are_named(tmp_path):
    row = {"body": "Buy gold?", "who": "I am 40", "ticket": 12, "question": "their own"}
    path = brought(tmp_path, "a.jsonl", json.dumps(row))
    assert examples(path, question="body", user_context="who", id="ticket") == [
        Example(
            id="12", question="Buy gold?", user_context="I am 40", meta={"question": "their own"}
        )
    ]


def test_a_named_column_that_a_file_of_ours_lacks_is_our_own(tmp_path):
    """The task's columns are those of its seeds; what distillgen wrote has our names."""
    path = brought(tmp_path, "inputs.jsonl", GOOD)
    assert [one.question for one in examples(path, question="body")] == ["Buy gold?"]


def test_a_misspelt_column_is_told_before_it_is_missed(tmp_path):
    path = brought(tmp_path, "a.jsonl", '{"question": "Buy?", "who": "I am 40"}\n')
    assert refusal(path, user_context="whom") == [
        "a.jsonl: no row has a field `whom`, from which user_context was to come;"
        " --field user_context=user_context does without"
    ]
    assert examples(path, user_context="user_context")[0].meta == {"who": "I am 40"}
    assert "--field qestion=body: no field of ours" in refusal(path, qestion="body")[0]


# -- ids ------------------------------------------------------------------------------------------


def test_own_ids_are_kept_as_text(tmp_path):
    rows = '{"id": 7, "question": "A?"}\n{"id": 123456789012345678901234567890, "question": "B?"}\n'
    given = examples(brought(tmp_path, "a.jsonl", rows))
    assert [one.id for one in given] == ["7", "123456789012345678901234567890"]


def test_equal_rows_are_numbered_also_beside_own_ids(tmp_path):
    digest = content_id("", "Q?")
    rows = [
        '{"question": "Q?"}',
        '{"question": " Q? "}',
        '{"question": "R?"}',
        '{"question": "Q?"}',
    ]
    path = brought(tmp_path, "a.jsonl", "\n".join(rows))
    given = open_inputs(path)
    ids = [digest, f"{digest}-2", content_id("", "R?"), f"{digest}-3"]
    assert [one.id for one in given] == ids
    assert [one.id for one in given] == ids
    again = [one.row() for one in given] + [{"question": "Q?"}]
    path = brought(tmp_path, "b.jsonl", b"\n".join(map(dumps, again)))
    assert [one.id for one in open_inputs(path)] == [*ids, f"{digest}-4"]


def test_ten_thousand_equal_rows_are_numbered_in_a_moment(tmp_path):
    path = brought(tmp_path, "a.jsonl", '{"question": "Q?"}\n' * 10_000)
    assert sum(one.id.endswith("-10000") for one in open_inputs(path)) == 1


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"question": "Q', "not JSON: Unterminated string starting at column 14"),
        ('{"question": "Q", "x": NaN}', "not JSON: NaN is not finite"),
        ("[" * 9999, "not JSON: nested deeper than 200 levels; write one {…} a line, not a list"),
        ("7", "is a number, not an object; write one {…} a line"),
        ("null", "is null, not an object; write one {…} a line"),
        (
            '{"Question": "Q?"}',
            "no field `question`, but `Question`: call it `question`, or --field question=Question",
        ),
        (
            '{"body": "Q?", "a": 1}',
            "no field `question`; there is `a`, `body`. Needed: `question`;"
            " --field question=COLUMN takes another column for it",
        ),
        ('{"question": null}', "`question` is empty"),
        ('{"question": " \\n"}', "`question` is empty"),
        ('{"question": 7}', "`question` is a number; write a text"),
        ('{"question": ["Q?"]}', "`question` is a list; write a text"),
        ('{"question": "Q?", "user_context": {}}', "`user_context` is an object; write a text"),
        ('{"question": "Q?", "id": 1.5}', "`id` is a number; write a text or an integer"),
        ('{"question": "Q?", "id": true}', "`id` is true or false; write a text or an integer"),
        ('{"question": "Q?", "id": "a"}', "`id` a stands twice"),
    ],
)
def test_a_wrong_row_of_inputs_is_told(tmp_path, bad, said):
    text = f'{{"question": "Q?", "id": "a"}}\n\n{bad}\n{GOOD}'
    assert refusal(brought(tmp_path, "a.jsonl", text)) == [
        f"a.jsonl:3: {said}",
        "1 of 3 rows are wrong. Nothing was asked, nothing was paid."
        " --skip-invalid leaves them out and lists them.",
    ]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"question": "Q?"}', "no field `user_context`; there is `question`. Needed:"),
        ('{"question": "Q?", "user_context": " "}', "`user_context` is empty"),
        ('{"question": "Q?", "user_context": "I", "answer": ["x"]}', "`answer` is a list; write"),
        ('{"question": "Q?", "user_context": "I", "rationale": 3}', "`rationale` is a number; wri"),
        ('{"question": "Q?", "user_context": "I", "tags": [3]}', "`tags` is a list; write a list"),
    ],
)
def test_a_wrong_seed_is_told(tmp_path, bad, said):
    first, last = refusal(brought(tmp_path, "a.jsonl", GOOD + bad), seeds=True)
    assert first.startswith(f"a.jsonl:2: {said}")
    assert last == "1 of 2 rows are wrong. Nothing was asked, nothing was paid."


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,question\n1,Buy gold, or hold?\n", ":2: 3 cells, the heading has 2; a `,` in a text?"),
        ('id,question\n1,"Buy\n\n"\n2,\n', ":5: `question` is empty"),
        ("id,question\n1\n", ":2: `question` is empty"),
        ('id,question\n1,"Buy gold?\n2,Sell?\n', ":2: not CSV (unexpected end of data); is a quo"),
        ("question,n,question\nQ?,1,R?\n", ": a column stands twice in the heading"),
        ("id,question\n", ": is empty; nothing to read"),
        ("question\nBuy gold?\n".encode("utf-16"), ": is UTF-16; save it as UTF-8"),
        ("question\nBuy gold?\n".encode("utf-16-le"), ": is UTF-16; save it as UTF-8"),
        (
            "question\nBuy gold?\nDépôt?\n".encode("latin-1"),
            ": line 3 is not UTF-8 (byte 0xe9); save it as UTF-8, in Excel as `CSV UTF-8`",
        ),
    ],
)
def test_a_wrong_table_is_told(tmp_path, table, said):
    assert refusal(brought(tmp_path, "a.csv", table))[0].startswith(f"a.csv{said}")


def test_all_wrong_rows_are_counted_and_the_first_twenty_shown(tmp_path):
    told = refusal(brought(tmp_path, "a.jsonl", GOOD * 1000 + "{}\n" * 1212))
    assert [line.split(":")[1] for line in told[:20]] == [str(n) for n in range(1001, 1021)]
    assert told[20] == "… 1,192 more"
    assert told[21].startswith(
        "1,212 of 2,212 rows are wrong. Nothing was asked, nothing was paid."
    )
    assert len(told) == 22


def test_wrong_rows_can_be_left_out_and_are_listed(tmp_path):
    text = f'{GOOD}{{"question": ""}}\n{{"id": 1, "question": "A?"}}\n{{"id": 1, "question": "B?"}}'
    given = open_inputs(brought(tmp_path, "a.jsonl", text), skip_invalid=True)
    assert [one.question for one in given] == ["Buy gold?", "A?"]
    assert given.count == 2
    assert given.invalid == [
        Rejection(stage="answer", reason="invalid", line=2, detail="`question` is empty"),
        Rejection(stage="answer", reason="invalid", line=4, detail="`id` 1 stands twice"),
    ]


def test_leaving_out_every_row_is_no_way_on(tmp_path):
    path = brought(tmp_path, "a.jsonl", '{"question": ""}\n')
    with pytest.raises(UserError, match="1 of 1 row is wrong"):
        open_inputs(path, skip_invalid=True)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", b"", "is empty; nothing to read"),
        ("a.jsonl", b"\n \r\n", "is empty; nothing to read"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "is empty; nothing to read"),
        ("a.jsonl.gz", GOOD.encode(), "the gzip file is cut off or damaged; pack it again"),
        ("a.xlsx", b"PK", "unknown ending; give a .jsonl, .csv or .parquet file (also with .gz)"),
        ("a.jsonl", GOOD.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("a.jsonl", GOOD.replace("g", "é").encode("latin-1"), "line 1 is not UTF-8 (byte 0xe9)"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_line(tmp_path, name, data, said):
    (told,) = refusal(brought(tmp_path, name, data))
    assert told.startswith(f"{name}: {said}")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz"])
def test_a_packed_file_that_ends_early_is_told(tmp_path, name):
    rows = "question\n" if name == "a.csv.gz" else ""
    rows += "".join(f'{{"question": "{n * n}?"}}\n' for n in range(5000)).replace('"', "'")
    rows = rows if name == "a.csv.gz" else rows.replace("'", '"')
    path = brought(tmp_path, name, gzip.compress(rows.encode())[:-200])
    assert refusal(path) == [f"{name}: the gzip file is cut off or damaged; pack it again"]


def test_a_path_that_is_no_file_is_told_in_a_line(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    brought(tmp_path, "seeds.jsonl", GOOD)
    for name, said in {
        "seed.jsonl": f"no such file; there is {tmp_path}/seeds.jsonl",
        "other/seeds.jsonl": "no such file",
        "seeds.jsonl/x.jsonl": "no such file",
        "": "is a folder; name a file in it",
        "fifo": "is no regular file; pipe it in and give - as the file",
    }.items():
        with pytest.raises(UserError) as told:
            open_inputs(tmp_path / name)
        assert str(told.value) == f"{tmp_path / name}: {said}"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to read everything."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_without_permission_is_told(tmp_path):
    path = brought(tmp_path, "a.jsonl", GOOD)
    path.chmod(0)
    with as_nobody(), pytest.raises(UserError, match=r"a.jsonl: cannot be read \(Permission"):
        open_inputs(path)


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "link.jsonl").symlink_to(brought(tmp_path, "a.jsonl", GOOD))
    assert open_inputs(tmp_path / "link.jsonl").count == 1


def test_parquet_without_its_package_names_what_to_install(tmp_path, monkeypatch):
    parquet.write_table(pyarrow.Table.from_pylist(ROWS[:1]), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refusal(tmp_path / "a.parquet") == [
        "a.parquet: Parquet needs a package: pip install 'distillgen[parquet]'"
    ]


def test_a_file_that_changes_while_it_is_in_use_is_told(tmp_path):
    path = brought(tmp_path, "a.jsonl", GOOD)
    given = open_inputs(path)
    path.write_text(GOOD * 2)
    with pytest.raises(UserError, match="changed while it was in use"):
        list(given)


# -- size -----------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_file(tmp_path):
    """40 MB of rows with ids: they and their 10,000 ids leave 10 MB at most behind."""
    with (tmp_path / "a.jsonl").open("wb") as file:
        for n in range(10_000):
            file.write(dumps({"id": n, "question": f"{n}? " + "x" * 4000}) + b"\n")
    script = (
        "import sys, tracemalloc; from pathlib import Path\n"
        "from distillgen.inputs import open_inputs\n"
        "tracemalloc.start()\n"
        "given = open_inputs(Path(sys.argv[1]))\n"
        "assert sum(1 for one in given) == given.count == 10_000\n"
        "print(tracemalloc.get_traced_memory()[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.jsonl"], capture_output=True, check=True
    )
    assert int(done.stdout) < 10_000_000
