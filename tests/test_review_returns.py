"""Files of decisions as people and programs send them back: all is taken that can be understood."""

import csv
import datetime
import json
import re
import zipfile
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import rows_in

from distillgen.errors import UserError
from distillgen.records import Review
from distillgen.review.desk import Desk, Setting
from distillgen.review.files import export, take_in
from distillgen.review.rows import COLUMNS, DECIDES, TAKEN, Imported, Odd, take
from distillgen.review.sheets import workbook
from distillgen.review.texts import FIELDS


def row(i, **more):
    return {
        "question": f"What is {i}?", "user_context": "", "rationale": "Count.",
        "answer": f"It is {i}.", "id": f"r{i}", "teacher": "t", "request": "k",
        "candidates": [{"teacher": "t", "rationale": "Other.", "answer": "No.", "request": "l"}],
    } | more  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """Makes a run of answers, of a task with these labels."""

    def make(rows, labels=()):
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        task = (
            {
                "answer": {
                    "version": "1",
                    "started": "2026-01-01T00:00:00Z",
                    "options": {"task": {"labels": list(labels)}},
                }
            }
            if labels
            else {}
        )
        manifest = {"schema_version": 1, "commands": task, "files": {}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        rows_in(folder / "answers.jsonl", rows)
        return folder

    return make


@pytest.fixture
def run(made):
    return made([row(i) for i in range(4)])


def desk_of(run):
    return Desk(run, Setting("plain"))


def changed(run, path, *changes, **columns):
    """Export a .csv, change cells of its rows in turn, and save it."""
    export(desk_of(run), path, overwrite=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [one | change for one, change in zip_longest(rows, changes, fillvalue={})]
    rows = [{columns.get(name, name): text for name, text in one.items()} for one in rows]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def lines(run):
    path = run / "reviews.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# -- cells that cannot be understood ------------------------------------------------------------


@pytest.mark.parametrize(
    "cell", ["1e999", "-1e999", "nan", "inf", "1e3", "0.5", "-1", "9" * 5000, "²", "one", "0x0"]
)
def test_a_candidate_that_is_no_number_is_one_refused_row(run, tmp_path, cell):
    path = changed(
        run, tmp_path / "x.csv", {"decision": "accept"}, {"decision": "edit", "candidate": cell},
        {"decision": "accept"},
    )  # fmt: skip
    found = take_in(desk_of(run), path, "Anna")
    assert (found.taken, found.open, len(found.problems)) == (2, 1, 1)
    assert "record r1: candidate `" in found.problems[0]
    assert len(found.problems[0]) < 200


@pytest.mark.parametrize("cell", ["0", " 0 ", "0.0", "0,0", "00"])
def test_a_candidate_may_be_written_as_spreadsheets_do(run, tmp_path, cell):
    path = changed(run, tmp_path / "x.csv", {"decision": "edit", "candidate": cell})
    assert take_in(desk_of(run), path, "Anna").taken == 1
    assert lines(run)[0]["fields"]["answer"] == "No."


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, [], {}])
def test_what_is_no_text_is_one_refused_row(run, tmp_path, name, value):
    given = [row(0) | {"decision": "accept"}, {"id": "r1", "decision": "reject"} | {name: value}]
    rows_in(tmp_path / "x.jsonl", given)
    found = take_in(desk_of(run), tmp_path / "x.jsonl", "Anna")
    assert (found.taken, len(found.problems)) == (1, 1)
    assert f"x.jsonl:2: {name}: is " in found.problems[0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["\ud800", "r0", "accept", "edit", "reject", "yes", "1e999", "0.0", 10**400])
    | st.dates() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*COLUMNS, "ID", " Decision ", "x"]), VALUES, max_size=6))
def test_any_row_is_taken_or_refused_in_one_line(run, given):
    imported, desk = Imported(), desk_of(run)
    try:
        take(desk, {"id": "r1", **given}, "Anna\udcff", imported, typeless=True)
    except Odd as error:
        imported.problems.append(str(error))
    assert all(len(problem.splitlines()) == 1 for problem in imported.problems)
    counted = imported.taken + imported.there + imported.left + imported.open
    assert counted + len(imported.problems) == 1
    assert len(desk_of(run).decisions) == len(lines(run))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["r1", "accept", "answer"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["id", "data", "fields", "annotations", "result", "value", "text",
                         "from_name", "responses", "metadata", "decision", "completed_by"]), inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["data", "fields", "annotations", "responses", "metadata"]),
                       JSONS, min_size=1))  # fmt: skip
def test_any_item_of_json_is_taken_or_refused(run, tmp_path, item):
    good = {"data": {"id": "r0"}, "annotations": [said(decision=["reject"])]}
    (tmp_path / "x.json").write_text(json.dumps([item, good]))
    (run / "reviews.jsonl").unlink(missing_ok=True)
    found = take_in(desk_of(run), tmp_path / "x.json", "Anna")
    assert found.taken == 1
    assert found.rows == 1 + len(found.problems) + found.open + found.left


def test_a_row_that_is_too_short_empties_nothing(run, tmp_path):
    version = desk_of(run).version(0)
    (tmp_path / "x.csv").write_text(f"id,version,decision,answer,note\nr0,{version},reject\n")
    assert take_in(desk_of(run), tmp_path / "x.csv", "Anna").problems == []
    assert lines(run)[0]["decision"] == "reject"


def test_a_heading_that_is_no_csv_is_refused(run, tmp_path):
    (tmp_path / "x.csv").write_text('"id"x,decision\nr0,accept\n')
    with pytest.raises(UserError, match="the heading is not CSV"):
        take_in(desk_of(run), tmp_path / "x.csv")


# -- workbooks ----------------------------------------------------------------------------------


def typed(run, path, **cells):
    """Export a workbook, and type into the cells of r0 a value with its number format."""
    import openpyxl

    export(desk_of(run), path, overwrite=True)
    book = openpyxl.load_workbook(path)
    for name, (value, form) in cells.items():
        cell = book.active.cell(2, COLUMNS.index(name) + 1)
        cell.value, cell.number_format = value, form
    book.active.cell(3, COLUMNS.index("decision") + 1).value = "accept"
    book.save(path)
    return path


def test_every_cell_and_column_of_a_workbook_has_the_format_of_a_text(run, tmp_path):
    import openpyxl

    export(desk_of(run), tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").active
    assert {cell.number_format for line in sheet.iter_rows() for cell in line} == {"@"}
    columns = list(sheet.column_dimensions.values())
    assert {one.number_format for one in columns} == {"@"}
    assert sum(one.max - one.min + 1 for one in columns) == len(COLUMNS)


@pytest.mark.parametrize(
    ("value", "form", "words"),
    [(0.75, "0%", "shown in another form (0%)"), (3.5, "0.00", "shown in another form (0.00)"),
     (1200, "#,##0", "shown in another form"), (True, "General", "TRUE is no text"),
     (datetime.datetime(2026, 2, 1), "d-mmm", "no text but a date or time"),
     (datetime.time(1, 30), "h:mm", "no text but a date or time"),
     (1234567890123456, "General", "more than 15 digits"), ("#REF!", "General", "an error")],
)  # fmt: skip
def test_what_a_spreadsheet_made_of_what_was_typed_is_refused(run, tmp_path, value, form, words):
    path = typed(run, tmp_path / "x.xlsx", answer=(value, form))
    found = take_in(desk_of(run), path, "Anna")
    assert (found.taken, found.open, len(found.problems)) == (1, 2, 1)
    assert f"{path}, row 2: answer: " in found.problems[0]
    assert words in found.problems[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.5, "3.5"), (1200, "1200"), (0.1 + 0.2, "0.3"), (1e-7, "0.0000001"), (-4.0, "-4"),
     ("75%", "75%"), ("1/2", "1/2"), ("=1+1", "=1+1"), ("a;=b", "a;=b"), ("a\n'-b", "a\n'-b")],
)  # fmt: skip
def test_what_is_typed_into_a_workbook_arrives(run, tmp_path, value, text):
    path = typed(run, tmp_path / "x.xlsx", answer=(value, "General"))
    assert take_in(desk_of(run), path, "Anna").taken == 2
    assert lines(run)[0]["fields"] == {"answer": text}


def test_a_date_in_a_column_that_is_not_read_does_no_harm(run, tmp_path):
    day = (datetime.datetime(2026, 2, 1), "d-mmm")
    path = typed(run, tmp_path / "x.xlsx", judge=day, decision=("reject", "@"))
    assert take_in(desk_of(run), path, "Anna").taken == 2


def test_a_workbook_that_says_all_is_in_its_first_cell_is_read_whole(run, tmp_path):
    export(desk_of(run), tmp_path / "x.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "x.xlsx") as old,
        zipfile.ZipFile(tmp_path / "y.xlsx", "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = re.sub(b"<sheetPr>.*?</sheetPr>", rb'\g<0><dimension ref="A1"/>', data)
            new.writestr(name, data)
    assert take_in(desk_of(run), tmp_path / "y.xlsx", "Anna").open == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=40))
def test_a_damaged_workbook_is_read_or_refused(run, tmp_path, place, noise):
    path = tmp_path / "x.xlsx"
    path.write_bytes(workbook(("id", "decision"), [{"id": "r0", "decision": "accept"}]))
    raw = path.read_bytes()
    path.write_bytes(raw[:place] + noise + raw[place + len(noise) :])
    with suppress(UserError):
        assert take_in(desk_of(run), path, "Anna").rows <= 1


def test_a_column_that_stands_twice_in_a_workbook_is_refused(run, tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(workbook(("id", "note", "Note"), [{"id": "r0", "note": "a", "Note": "b"}]))
    with pytest.raises(UserError, match="`note` stands twice"):
        take_in(desk_of(run), path)


# -- labels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("label", "labels", "taken"), [
    ("neutrall", ("entailment", "neutral"), 0), ("Neutral", ("entailment", "neutral"), 0),
    ("", ("entailment", "neutral"), 0), ("neutral", ("entailment", "neutral"), 1),
    ("neutrall", (), 1),
])  # fmt: skip
def test_a_label_that_is_not_of_the_task_is_refused(made, tmp_path, label, labels, taken):
    run = made([row(i, label="entailment") for i in range(2)], labels)
    path = changed(run, tmp_path / "x.csv", {"label": label})
    found = take_in(desk_of(run), path, "Anna")
    assert found.taken == taken
    if not taken:
        assert found.problems[0].endswith(
            f"record r0: label `{label}`: not a label of this task: entailment, neutral"
        )


# -- headings, and rows in which nothing is decided -----------------------------------------------


@pytest.mark.parametrize("name", ["Decision", " decision ", "DECISION"])
@pytest.mark.parametrize("form", ["x.csv", "x.xlsx", "x.jsonl"])
def test_a_heading_may_be_written_in_any_case(run, tmp_path, name, form):
    rows = [{"id": f"r{i}", name: "accept"} for i in range(2)]
    path = tmp_path / form
    if form == "x.csv":
        path.write_text(f"id,{name}\nr0,accept\nr1,accept\n")
    elif form == "x.xlsx":
        path.write_bytes(workbook(("id", name), rows))
    else:
        rows_in(path, rows)
    found = take_in(desk_of(run), path, "Anna")
    assert (found.taken, found.warnings) == (2, [])


def test_a_column_whose_name_is_nearly_ours_is_named(run, tmp_path):
    path = changed(run, tmp_path / "x.csv", {"decision": "accept"}, decision="Decison")
    assert "column `decison` is not read; is `decision` meant?" in (
        take_in(desk_of(run), path, "Anna").warnings
    )


def test_a_file_that_decides_nothing_says_so(run, tmp_path):
    (tmp_path / "x.csv").write_text("id,verdict\nr0,accept\n")
    (warning,) = take_in(desk_of(run), tmp_path / "x.csv").warnings
    assert warning.startswith("no column `decision`")
    (warning,) = take_in(desk_of(run), changed(run, tmp_path / "y.csv")).warnings
    assert warning.startswith("nothing is decided in it")


def test_a_row_whose_decision_was_cleared_is_said_to_be_left_as_it_was(run, tmp_path):
    take_in(desk_of(run), changed(run, tmp_path / "x.csv", {"decision": "accept"}), "Anna")
    path = changed(run, tmp_path / "y.csv", {"decision": ""})
    found = take_in(desk_of(run), path)
    assert (found.left, found.open, found.taken) == (1, 3, 0)
    assert desk_of(run).decisions.latest("r0")["Anna"].decision == "accept"


def test_the_command_says_what_was_left_and_warns(cli, made):
    run = made([row(0)])
    (run / "reviews.jsonl").write_text('{"id":"r0","reviewer":"Anna","decision":"accept"}\n')
    rows_in(cli.folder / "x.jsonl", [{"id": "r0", "decision": "", "notes": "n"}])
    ran = cli("review", str(run), "--import", "x.jsonl", "--reviewer", "Anna")
    assert "1 left as they were decided before + 0 open" in ran.err
    assert "x.jsonl: column `notes` is not read; is `note` meant?" in ran.err
    told = cli("review", str(run), "--import", "x.jsonl", "--reviewer", "Anna", "--json").told
    assert (told["imported"]["left"], len(told["imported"]["warnings"])) == (1, 2)


# -- several decisions of one person --------------------------------------------------------------


def twice(run, path, *decisions):
    """A table with several rows of one person about r0."""
    version = desk_of(run).version(0)
    rows = [f"r0,{version},Anna,{decision}" for decision in decisions]
    path.write_text("\n".join(["id,version,reviewer,decision", *rows, ""]))
    return path


@pytest.mark.parametrize("decisions", [("accept", "reject"), ("accept", "reject", "accept")])
def test_of_several_decisions_of_one_person_in_a_file_the_last_counts(run, tmp_path, decisions):
    path = twice(run, tmp_path / "x.csv", *decisions)
    found = take_in(desk_of(run), path)
    assert (found.taken, found.problems) == (len(decisions), [])
    assert [line["decision"] for line in lines(run)] == list(decisions)
    assert desk_of(run).decisions.latest("r0")["Anna"].decision == decisions[-1]
    again = take_in(desk_of(run), path)
    assert (again.there, again.problems) == (len(decisions), [])
    assert len(lines(run)) == len(decisions)


def test_what_was_taken_back_since_is_not_brought_in_again(run, tmp_path):
    path = twice(run, tmp_path / "x.csv", "accept")
    take_in(desk_of(run), path)
    desk = desk_of(run)
    desk.decide(Review(id="r0", reviewer="Anna", decision="undo", version=desk.version(0)), 0)
    (problem,) = take_in(desk_of(run), path).problems
    assert "Anna decided about it in the meantime" in problem
    assert "--reviewer" not in problem


def test_a_decision_in_the_meantime_without_a_name_points_to_the_option(run, tmp_path):
    one = changed(run, tmp_path / "a.csv", {"decision": "accept"})
    other = changed(run, tmp_path / "b.csv", {"decision": "reject"})
    take_in(desk_of(run), one)
    (problem,) = take_in(desk_of(run), other).problems
    assert "somebody decided about it in the meantime" in problem
    assert "--reviewer NAME" in problem


# -- Label Studio and Argilla ---------------------------------------------------------------------


def said(who=3, **answers):
    """An annotation of Label Studio; text areas hold lists."""
    result = [
        {"from_name": name, "to_name": "record", "type": "choices" if name == "decision" else
         "textarea", "value": {"choices" if name == "decision" else "text": texts}}
        for name, texts in answers.items()
    ]  # fmt: skip
    return {"completed_by": who, "was_cancelled": False, "result": result}


def tasks(run, path, *annotations):
    export(desk_of(run), path)
    given = json.loads(path.read_text())
    for task, one in zip(given, annotations, strict=False):
        task["annotations"] = one
    (path.parent / "back.json").write_text(json.dumps(given))
    return take_in(desk_of(run), path.parent / "back.json")


def test_the_interface_of_label_studio_in_the_docs_asks_for_all_once():
    page = (Path(__file__).parent.parent / "docs" / "review.md").read_text()
    interface = ElementTree.fromstring(re.search("<View>.*?</View>", page, re.DOTALL)[0])
    areas = {one.get("name"): one.get("maxSubmissions") for one in interface.iter("TextArea")}
    assert areas == dict.fromkeys((*FIELDS, "reason", "note", "candidate"), "1")
    assert {one.get("value") for one in interface.iter("Choice")} == set(DECIDES)


def test_remarks_in_several_entries_are_all_kept(run, tmp_path):
    found = tasks(
        run, tmp_path / "x.label-studio.json",
        [said(decision=["reject"], reason=["bad", "worse"], note=["a", "b", "c"])],
    )  # fmt: skip
    assert (found.taken, found.problems) == (1, [])
    assert (lines(run)[0]["reason"], lines(run)[0]["note"]) == ("bad\nworse", "a\nb\nc")


def test_a_text_in_several_entries_is_refused(run, tmp_path):
    parts = said(answer=["One."])
    parts["result"] += said(answer=["Two."])["result"]
    found = tasks(
        run, tmp_path / "x.label-studio.json", [said(answer=["One.", "Two."])],
        [said(decision=["accept", "reject"])], [parts], [said(answer=["One."])],
    )  # fmt: skip
    assert found.taken == 1
    assert [problem.partition("item ")[2] for problem in found.problems] == [
        "1: answer: is a list of 2, not a text", "2: decision: is a list of 2, not a text",
        "3: answer: is a list of 2, not a text",
    ]  # fmt: skip


def test_of_two_annotations_of_one_person_the_latest_counts(run, tmp_path):
    early = {**said(decision=["reject"]), "updated_at": "2026-01-01T10:00:00Z"}
    late = {**said(decision=["accept"]), "updated_at": "2026-01-02T10:00:00Z"}
    found = tasks(run, tmp_path / "x.label-studio.json", [late, early])
    assert (found.taken, found.problems) == (2, [])
    assert desk_of(run).decisions.latest("r0")["3"].decision == "accept"


def test_questions_of_argilla_may_be_written_in_any_case(run, tmp_path):
    export(desk_of(run), tmp_path / "x.argilla.json")
    given = json.loads((tmp_path / "x.argilla.json").read_text())
    given[0]["responses"] = {"Decision": [{"value": "accept", "user_id": "u"}]}
    given[1]["responses"] = {"decision": [{"value": ["reject"], "user_id": "u"}]}
    given[2]["responses"] = {"decison": [{"value": "reject", "user_id": "u"}]}
    (tmp_path / "back.json").write_text(json.dumps(given))
    found = take_in(desk_of(run), tmp_path / "back.json")
    assert (found.taken, found.open, found.problems) == (2, 2, [])
    assert found.warnings == ["column `decison` is not read; is `decision` meant?"]


# -- what spreadsheets do to a .csv ---------------------------------------------------------------


@pytest.fixture
def numbers(made):
    return made([row(i, answer=text) for i, text in enumerate(["3.50", "1/2", "007", "1,200"])])


MANGLED = ("3.5", "01. Feb", "7", "1200")


@pytest.mark.parametrize("decision", ["", "accept"])
def test_what_a_spreadsheet_respelled_is_no_edit(numbers, tmp_path, decision):
    changes = [{"answer": text, "decision": decision} for text in MANGLED]
    found = take_in(desk_of(numbers), changed(numbers, tmp_path / "x.csv", *changes), "Anna")
    assert (found.taken, len(found.problems), lines(numbers)) == (0, 4, [])
    assert "answer: `3.5` stands where `3.50` was" in found.problems[0]
    assert "write edit into decision if it is meant" in found.problems[0]


def test_whoever_writes_edit_means_it(numbers, tmp_path):
    changes = [{"answer": text, "decision": "edit"} for text in MANGLED]
    found = take_in(desk_of(numbers), changed(numbers, tmp_path / "x.csv", *changes), "Anna")
    assert (found.taken, found.problems) == (4, [])


def test_a_rejected_row_that_was_respelled_is_rejected(numbers, tmp_path):
    changes = [{"answer": text, "decision": "reject"} for text in MANGLED]
    found = take_in(desk_of(numbers), changed(numbers, tmp_path / "x.csv", *changes), "Anna")
    assert (found.taken, found.problems) == (4, [])
    assert {line["decision"] for line in lines(numbers)} == {"reject"}


def test_an_edit_of_before_is_not_respelled(numbers, tmp_path):
    take_in(desk_of(numbers), changed(numbers, tmp_path / "x.csv", {"answer": "4.50"}), "Anna")
    path = changed(numbers, tmp_path / "y.csv", {"answer": "4.5"})
    (problem,) = take_in(desk_of(numbers), path).problems
    assert "`4.5` stands where `4.50` was" in problem
    assert "change it on the page" in problem
    assert len(lines(numbers)) == 1


def test_in_other_forms_a_number_stays_as_it_is_typed(numbers, tmp_path):
    rows_in(tmp_path / "x.jsonl", [{"id": "r0", "answer": "3.5"}])
    assert take_in(desk_of(numbers), tmp_path / "x.jsonl", "Anna").taken == 1
    path = typed(numbers, tmp_path / "x.xlsx", answer=("3.500", "@"))
    assert take_in(desk_of(numbers), path, "Ben").taken == 2
