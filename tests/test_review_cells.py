"""What stands in a cell is no formula however a program parts the table, and comes back exactly."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jobs import rows_in

from distillgen.records import Review
from distillgen.review.cells import bare, escaped, shielded, unescaped
from distillgen.review.desk import Desk, Setting
from distillgen.review.files import export, take_in
from distillgen.review.respelled import respelled

DANGER = tuple("=+-@\t\r＝＋－＠")
ODD = st.text(st.sampled_from("=+-@\t\r\n\0＝＋－＠,;\"'' ab1"), max_size=12)
"""Texts full of what begins and ends cells, and of what spreadsheets run."""


def cells_of(text, parted_by, quoting):
    """The cells as a program finds them that parts the table so."""
    opened = io.StringIO(text, newline="")
    return [
        cell for row in csv.reader(opened, delimiter=parted_by, quoting=quoting) for cell in row
    ]


def readings(text):
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        for parted_by in ",;\t":
            yield from cells_of(text, parted_by, quoting)
        yield from cells_of(text.replace(";", ","), ",", quoting)  # by several at once


def exported(folder, texts):
    rows = [
        {"question": "Why?", "user_context": "", "rationale": "Count.", "answer": text,
         "id": f"r{n}", "teacher": "t", "request": "k"}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    rows_in(folder / "answers.jsonl", rows)
    (folder / "manifest.json").write_text("{}")
    return Desk(folder, Setting("plain"))


@given(ODD, st.booleans())
@example("\t\t=", True)
@example("'\t'=", True)
@example(";\"'=", True)
def test_a_shielded_text_comes_back_exactly(text, inside):
    assert bare(shielded(text, inside), inside) == text


@given(ODD)
def test_a_shielded_cell_begins_with_no_formula(text):
    assert not shielded(text).startswith((*DANGER, "\n"))


@given(st.lists(ODD, min_size=1, max_size=8))
@example(["see", "a;=1+1", "b\n-2", "c,@d", 'e;"=1', 'f;"\t1', "g\t＝1", 'h;"', "=i", ';"\r\n'])
def test_no_cell_is_a_formula_whatever_parts_the_table(texts):
    with TemporaryDirectory() as name:
        export(exported(Path(name), texts), Path(name) / "out.csv")
        table = (Path(name) / "out.csv").read_bytes().decode("utf-8-sig")
    for cell in readings(table):
        assert not cell.startswith(DANGER)
        assert not cell.lstrip('"').startswith(tuple("=+-@\t＝＋－＠"))


@given(st.lists(ODD, min_size=1, max_size=8))
def test_odd_texts_come_back_exactly_from_a_table(texts):
    with TemporaryDirectory() as name:
        folder = Path(name)
        desk = exported(folder, texts)
        for n, text in enumerate(texts):
            fields = {"rationale": f"{text}!", "answer": f"{text}?"}
            desk.decide(Review(id=f"r{n}", decision="edit", fields=fields), n)
        export(desk, folder / "out.csv")
        (folder / "reviews.jsonl").unlink()
        back = exported(folder, texts)
        found = take_in(back, folder / "out.csv")
        assert (found.taken, found.problems) == (len(texts), [])
        for n, text in enumerate(texts):
            (said,) = back.decisions.latest(f"r{n}").values()
            assert said.fields == {"rationale": f"{text}!", "answer": f"{text}?"}


@pytest.mark.parametrize("typed", ["=1+1", "-5", "a;=b", "one\n- two\n- three", "it's -5", "'tis"])
def test_what_a_person_types_is_taken_as_typed(typed):
    assert bare(typed, inside=True) == typed


@given(st.text(st.sampled_from("_x0041D8\x01\x00\ud83d\ude00é"), max_size=12))
@example("_x0000\x01")
def test_a_cell_of_xml_comes_back_and_never_as_half_a_character(text):
    found = unescaped(escaped(text))
    assert found == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found.encode()


def test_half_a_character_in_a_cell_is_mended():
    assert unescaped("a_xD83D_b") == "a\ufffdb"
    assert unescaped("_xD83D__xDE00_") == "\U0001f600"


@pytest.mark.parametrize(
    ("before", "after"),
    [("3.50", "3.5"), ("007", "7"), ("1,200", "1200"), ("1.200", "1200"), ("3,50", "3.5"),
     (".5", "0.5"), ("75%", "0.75"), ("75%", "75.00%"), ("1e5", "1.00E+05"), ("(5)", "-5"),
     ("12345678901234567890", "1.23457E+19"), ("$1,200", "1200"), ("1/2", "01. Feb"),
     ("1/2", "1-Feb"), ("1/2", "2026-02-01 00:00:00"), ("2-3", "02. Mrz"), ("MARCH1", "1-Mar"),
     ("SEPT2", "2-Sep"), ("March 2024", "Mar-24"), ("2024-01-05", "05.01.2024"),
     ("1:30", "01:30:00"), ("true", "TRUE"), ("false", "FALSCH"), ("- a", "#NAME?"), ("x", "#N/A"),
     ("12/12/2024", "########"), ("a" * 40_000, "a" * 32_767)],
)  # fmt: skip
def test_what_a_spreadsheet_makes_of_a_cell_is_known(before, after):
    assert respelled(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("3.50", "3.6"), ("3.5", "35"), ("1/2", "1/3"), ("1/2", "0.6"), ("007", "8"), ("5", "-5"),
     ("true", "false"), ("true", "True"), ("neutral", "Neutral"), ("Buy 3.50", "Buy 3.5"),
     ("3.50", ""), ("3.50", "It is 3.5."), ("a" * 40_000, "b" * 40_000), ("2024", "2025"),
     ("1:30", "1:45"), ("May 5", "May 6"), ("#1", "#2"), ("e5", "e05"), ("75%", "75")],
)  # fmt: skip
def test_what_a_person_changes_is_no_spelling_of_a_spreadsheet(before, after):
    assert not respelled(before, after)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_two_texts_can_be_compared(before, after):
    assert respelled(before, after) in (True, False)


@given(
    st.text("0123456789.,-/: eE%()²½٣", max_size=12), st.text("0123456789.,-/: eE%²٣", max_size=12)
)
@example("", ".E0")
def test_any_two_numbers_can_be_compared(before, after):
    assert respelled(before, after) in (True, False)
