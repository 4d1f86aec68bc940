"""Bad input: a line with file, line, field and remedy, exit 2, and not one request on the wire."""

import gzip
import json

import pytest
from jobs import balanced, lines, seeds, teacher

GOOD = '{"user_context": "I am 40", "question": "Buy gold?"}\n'


# -- rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "bad", "said"),
    [
        ("run", '{"user_context": "I am 40", "question": "Buy', "not JSON"),
        ("answer", '{"user_context": "I am 40", "question": "Buy', "not JSON"),
        ("run", '{"user_context": "I am 40"}', "no field `question`"),
        ("answer", '{"user_context": "I am 40", "question": " "}', "`question` is empty"),
        ("run", '{"user_context": "I am 40", "question": 7}', "`question` is a number"),
        ("answer", '{"user_context": ["a"], "question": "Hm?"}', "`user_context` is a list"),
        ("run", '["I am 40", "Buy gold?"]', "is a list, not an object"),
        ("answer", '{"Question": "Hm?"}', "no field `question`, but `Question`"),
    ],
)
def test_a_bad_row_is_named(refused, server, tmp_path, command, bad, said):
    source = tmp_path / "mine.jsonl"
    source.write_text(f"{GOOD}{bad}\n{GOOD}")
    words = refused(command, source, *teacher(server))
    assert f"mine.jsonl:2: {said}" in words
    assert "1 of 3 rows are wrong" in words
    assert not (tmp_path / "runs").exists()


def test_all_bad_rows_are_counted_and_the_first_twenty_shown(refused, server, tmp_path):
    source = tmp_path / "mine.jsonl"
    source.write_text(GOOD + "{\n" * 30)
    said = refused("expand", source, *teacher(server))
    assert [f"mine.jsonl:{n}:" in said for n in (1, 2, 21, 22)] == [False, True, True, False]
    assert "10 more" in said
    assert "30 of 31 rows are wrong" in said


def test_a_seed_without_user_context_is_named(refused, server, tmp_path):
    source = tmp_path / "mine.jsonl"
    source.write_text(f'{GOOD}{{"question": "Buy?"}}\n{{"question": "B?", "user_context": ""}}\n')
    said = refused("expand", source, *teacher(server))
    assert "mine.jsonl:2: no field `user_context`" in said
    assert "mine.jsonl:3: `user_context` is empty" in said


def test_an_input_may_lack_a_user_context(cli, server, tmp_path):
    source = tmp_path / "mine.jsonl"
    source.write_text('{"question": "Buy gold?"}\n')
    assert cli("answer", source, *teacher(server), "--json").told["counts"]["kept"] == 1


def test_skip_invalid_goes_on_and_lists_what_it_left_out(cli, server, tmp_path):
    source = tmp_path / "mine.jsonl"
    source.write_text(f'{GOOD}{{"question": ""}}\nno JSON\n{{"question": "Buy silver?"}}\n')
    told = cli("answer", source, *teacher(server), "--skip-invalid", "--json").told
    assert balanced(told)
    counts = told["counts"]
    assert (counts["given"], counts["kept"], counts["rejected"]) == (4, 2, 2)
    rejected = lines(tmp_path / "runs/mine/rejected.jsonl")
    assert [(row["reason"], row["line"]) for row in rejected] == [("invalid", 2), ("invalid", 3)]


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "encoding"), [("run", "utf-16"), ("answer", "latin-1")])
def test_another_encoding_is_named_with_the_remedy(refused, server, tmp_path, command, encoding):
    source = tmp_path / "mine.jsonl"
    source.write_text(GOOD + GOOD.replace("gold", "Café shares"), encoding)
    said = refused(command, source, *teacher(server))
    assert "mine.jsonl:" in said
    assert "UTF-8" in said


@pytest.mark.parametrize("command", ["run", "answer"])
def test_what_is_no_file_with_rows_is_told_in_a_line(refused, server, tmp_path, command):
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "mine.txt").write_text(GOOD)
    for name, said in {
        "empty.jsonl": "is empty",
        "folder": "folder: is a folder",
        "missing.jsonl": "missing.jsonl: no such file",
        "mine.txt": ".jsonl",
    }.items():
        words = refused(command, tmp_path / name, *teacher(server))
        assert said in words
        assert len(words.strip().splitlines()) == 1


def test_a_near_name_is_told_for_a_missing_file(refused, server, tmp_path):
    seeds(tmp_path)
    said = refused("expand", tmp_path / "stock_adviser.jsonl", *teacher(server))
    assert "there is" in said
    assert "stock_advisor.jsonl" in said


def test_a_gzip_file_that_is_cut_off_is_told(refused, server, tmp_path):
    """Its first rows could be read: they are not all there were."""
    rows = "".join(GOOD.replace("40", str(n)) for n in range(5000))
    (tmp_path / "mine.jsonl.gz").write_bytes(gzip.compress(rows.encode())[:-20])
    said = refused("answer", tmp_path / "mine.jsonl.gz", *teacher(server))
    assert "cut off or damaged" in said


def test_a_folder_option_that_names_a_file_is_refused(refused, server, tmp_path):
    source = seeds(tmp_path)
    said = refused("expand", source, *teacher(server), "-o", source)
    assert "is a file; name a folder" in said


def test_output_never_goes_over_its_input(refused, server, tmp_path):
    source = tmp_path / "answers.jsonl"
    source.write_text(GOOD)
    said = refused("answer", source, *teacher(server), "-o", tmp_path)
    assert "answers.jsonl" in said
    assert source.read_text() == GOOD


@pytest.mark.parametrize("name", ["inputs.jsonl", "seeds.jsonl"])
def test_seeds_are_never_written_over(refused, server, tmp_path, name):
    source = tmp_path / name
    source.write_text("\n" + GOOD)
    said = refused("run", source, *teacher(server), "-o", ".", "--overwrite")
    assert f"{name}: would be written over" in said
    assert source.read_text() == "\n" + GOOD


# -- accepted without fuss ----------------------------------------------------------------------

ROWS = [
    {"question": "Buy gold?", "id": 7, "user_context": "I am 40", "desk": "north", "n": 3},
    {"question": "Buy silver?", "id": "x"},
]
TEXT = "".join(json.dumps(row) + "\n" for row in ROWS)
TABLE = "id,question,user_context,desk,n\n7,Buy gold?,I am 40,north,3\nx,Buy silver?,,,\n"


FILES = {
    "plain.jsonl": TEXT.encode(),
    "bom.jsonl": b"\xef\xbb\xbf" + TEXT.encode(),
    "crlf.jsonl": TEXT.replace("\n", "\r\n").encode(),
    "blank.jsonl": TEXT.replace("\n", "\n\n").encode(),
    "open.jsonl": TEXT.rstrip("\n").encode(),
    "packed.jsonl.gz": gzip.compress(TEXT.encode()),
    "table.csv": TABLE.encode(),
    "semicolons.csv": TABLE.replace(",", ";").encode("utf-8-sig"),
    "packed.csv.gz": gzip.compress(TABLE.encode()),
}


@pytest.mark.parametrize("name", FILES)
def test_what_can_be_understood_is_accepted(cli, server, tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name])
    cli("answer", tmp_path / name, *teacher(server), "-o", "out")
    first, second = lines(tmp_path / "out/answers.jsonl")
    assert (first["id"], second["id"]) == ("7", "x")
    assert first["user_context"] == "I am 40"
    assert first["meta"]["desk"] == "north"
    assert str(first["meta"]["n"]) == "3"
    assert "meta" not in second


def test_a_parquet_file_is_accepted(cli, server, tmp_path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS[:1]), tmp_path / "mine.parquet")
    cli("answer", tmp_path / "mine.parquet", *teacher(server), "-o", "out")
    (first,) = lines(tmp_path / "out/answers.jsonl")
    assert (first["id"], first["meta"]) == ("7", {"desk": "north", "n": 3})


def test_questions_come_from_stdin(cli, server, tmp_path):
    process = cli.start("answer", "-", *teacher(server), "--json", stdin=TEXT)
    out, err = process.communicate(TEXT, timeout=100)
    assert process.returncode == 0, err
    assert json.loads(out)["counts"]["kept"] == 2
    assert (tmp_path / "runs/stdin/answers.jsonl").exists()


def test_columns_can_be_named(cli, server, tmp_path):
    (tmp_path / "tickets.csv").write_text("ticket,body,who\n12,Buy gold?,I am 40\n")
    fields = ["--field", "question=body", "--field", "user_context=who", "--field", "id=ticket"]
    cli("answer", tmp_path / "tickets.csv", *fields, *teacher(server))
    (row,) = lines(tmp_path / "runs/tickets/answers.jsonl")
    assert (row["id"], row["question"], row["user_context"]) == ("12", "Buy gold?", "I am 40")


def test_seeds_may_be_a_table(cli, server, tmp_path):
    source = tmp_path / "mine.csv"
    source.write_text("user_context,question,tags\nI am 40,Buy gold?,metal;old\nI am 50,Sell?,\n")
    told = cli("expand", source, "-n", 6, "--per-call", 3, *teacher(server), "--json").told
    assert told["counts"]["kept"] == 6
