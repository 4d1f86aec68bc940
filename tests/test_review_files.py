"""Records go out for review in a file, and the decisions come back: all of them, and only once."""

import csv
import json
import shutil

import hostile
import pytest
from jobs import rows_in

from distillgen.errors import UserError
from distillgen.files import loads
from distillgen.review import cells, exchange, texts
from distillgen.review.desk import Desk, Setting
from distillgen.review.files import export, take_in

FORMS = ("out.csv", "out.xlsx", "out.jsonl", "out.label-studio.json", "out.argilla.json")
TABLES = FORMS[:2]
SHORT = {name: text for name, text in hostile.ODD_TEXTS.items() if len(text) < 30_000}


def row(i, **more):
    return {
        "question": f"What is {i}?", "user_context": f"I am {i}", "rationale": "Count.",
        "answer": f"It is {i}.", "rationale_source": "requested", "id": f"r{i}",
        "teacher": "openai:t", "request": "k",
        "candidates": [{"teacher": "openai:t", "rationale": "Other.", "answer": f"No, {i + 1}.",
                        "request": "l"}],
    } | more  # fmt: skip


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    rows_in(folder / "answers.jsonl", [row(i) for i in range(4)])
    return folder


def desk_of(run):
    return Desk(run, Setting("plain"))


def decide(desk, id, decision, fields=None, candidate=None, reviewer="Anna", **more):
    place = desk.find(id)
    made = texts.decision(
        desk.pile.record(place), decision, fields, candidate, reviewer=reviewer,
        version=desk.version(place), **more,
    )  # fmt: skip
    return desk.decide(made, place)


def decided(run):
    """What counts, but for when and on what it was decided."""
    desk, found = desk_of(run), {}
    for place, id in enumerate(desk.pile.ids):
        standing = desk.decisions.standing(id, desk.of(place))
        marks = [*standing.said.values(), *filter(None, [standing.settled])]
        found[place] = sorted(
            str(desk.decisions.read(mark).model_copy(update={"at": "", "version": ""}))
            for mark in marks
        )
    return found


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_table(path, rows):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("name", FORMS)
def test_decisions_make_the_round_trip(run, tmp_path, name):
    desk = desk_of(run)
    decide(desk, "r0", "accept", note="good")
    decide(desk, "r0", "reject", reviewer="Ben", reason="too short")
    decide(desk, "r0", "accept", settles=True)
    decide(desk, "r1", "edit", {"answer": "It is one.", "rationale": ""})
    decide(desk, "r2", "edit", candidate=0, reviewer="Ben")
    before = decided(run)
    assert export(desk, tmp_path / name) == 4
    (run / "reviews.jsonl").unlink()
    found = take_in(desk_of(run), tmp_path / name)
    assert decided(run) == before
    assert (found.taken, found.open, found.problems) == (5, 1, [])


@pytest.mark.parametrize("name", FORMS)
def test_the_same_file_brings_nothing_twice(run, tmp_path, name):
    desk = desk_of(run)
    decide(desk, "r1", "edit", {"answer": "It is one."}, note="n")
    decide(desk, "r2", "edit", candidate=0)
    export(desk, tmp_path / name)
    (run / "reviews.jsonl").unlink()
    take_in(desk_of(run), tmp_path / name)
    lines = (run / "reviews.jsonl").read_bytes()
    found = take_in(desk_of(run), tmp_path / name)
    assert (found.taken, found.there) == (0, 2)
    assert (run / "reviews.jsonl").read_bytes() == lines


@pytest.mark.parametrize("name", FORMS)
def test_odd_texts_survive_the_round_trip(run, tmp_path, name):
    rows = [row(i, answer=text) for i, text in enumerate(SHORT.values())]
    rows_in(run / "answers.jsonl", rows)
    desk = desk_of(run)
    for i, text in enumerate(SHORT.values()):
        decide(desk, f"r{i}", "edit", {"rationale": f"{text}!", "question": text})
    before = decided(run)
    export(desk, tmp_path / name)
    shutil.copy(run / "reviews.jsonl", tmp_path / "old.jsonl")
    (run / "reviews.jsonl").unlink()
    found = take_in(desk_of(run), tmp_path / name)
    assert found.problems == []
    assert decided(run) == before


@pytest.mark.parametrize("name", FORMS)
def test_odd_texts_that_nobody_changed_are_not_edited(run, tmp_path, name):
    rows_in(run / "answers.jsonl", [row(i, answer=t) for i, t in enumerate(SHORT.values())])
    export(desk_of(run), tmp_path / name)
    found = take_in(desk_of(run), tmp_path / name)
    assert (found.open, found.taken, found.problems) == (len(SHORT), 0, [])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'=", "''-"])
def test_no_cell_begins_as_a_formula(run, tmp_path, start):
    rows_in(run / "answers.jsonl", [row(0, answer=f"{start}1+1", id=f"{start}id")])
    export(desk_of(run), tmp_path / "out.csv")
    (found,) = table(tmp_path / "out.csv")
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in found.values())
    assert cells.bare(found["answer"]) == f"{start}1+1"
    assert cells.bare(found["id"]) == f"{start}id"


def test_a_formula_is_a_text_in_a_workbook(run, tmp_path):
    import openpyxl

    rows_in(run / "answers.jsonl", [row(0, answer="=HYPERLINK(1)")])
    export(desk_of(run), tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    cells_of = {cell.data_type for line in sheet.iter_rows() for cell in line}
    assert cells_of <= {"s", "inlineStr", "n"}  # never "f"
    assert "'=HYPERLINK(1)" in {cell.value for line in sheet.iter_rows() for cell in line}


def test_a_text_too_long_for_a_cell_is_refused_not_cut(run, tmp_path):
    rows_in(run / "answers.jsonl", [row(0, answer="a" * 40_000)])
    with pytest.raises(UserError, match=r"record r0: its answer has 40,000 characters"):
        export(desk_of(run), tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_cell_is_an_edit(run, tmp_path, name):
    export(desk_of(run), tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    rows[1]["answer"] = "It is one."
    rows[2]["decision"], rows[2]["reason"] = " Reject ", "wrong"
    rows[3]["decision"] = "accept"
    path = tmp_path / name
    if name.endswith("csv"):
        write_table(path, rows)
    else:
        from distillgen.review.sheets import workbook

        path.write_bytes(workbook(list(rows[0]), rows))
    found = take_in(desk_of(run), path, "Anna")
    assert (found.taken, found.open) == (3, 1)
    latest = {id: desk_of(run).decisions.latest(id)["Anna"] for id in ("r1", "r2", "r3")}
    assert [one.decision for one in latest.values()] == ["edit", "reject", "accept"]
    assert (latest["r1"].fields, latest["r1"].was) == (
        {"answer": "It is one."}, {"answer": "It is 1."}
    )  # fmt: skip
    assert latest["r2"].reason == "wrong"


def test_the_number_of_a_candidate_is_enough(run, tmp_path):
    rows_in(tmp_path / "in.jsonl", [{"id": "r1", "decision": "edit", "candidate": 0}])
    take_in(desk_of(run), tmp_path / "in.jsonl", "Anna")
    assert desk_of(run).decisions.latest("r1")["Anna"].fields == {
        "rationale": "Other.", "answer": "No, 2."
    }  # fmt: skip


def test_line_ends_of_another_program_are_no_change(run, tmp_path):
    rows_in(run / "answers.jsonl", [row(0, answer="one\r\ntwo")])
    export(desk_of(run), tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    rows[0]["answer"] = rows[0]["answer"].replace("\r\n", "\n")
    write_table(tmp_path / "out.csv", rows)
    assert take_in(desk_of(run), tmp_path / "out.csv").open == 1


def test_every_row_that_is_not_taken_is_named_and_the_others_are_taken(run, tmp_path):
    given = [
        {"id": "r0", "decision": "accept"}, {"id": "gone", "decision": "accept"},
        {"decision": "accept"}, {"id": "r1", "decision": "maybe"}, {"id": "r1", "decision": "edit"},
        {"id": "r1", "decision": "edit", "candidate": 7},
        {"id": "r1", "question": "x", "answer": " "},
        {"id": "r1", "decision": "reject", "answer": "x"},
        {"id": "r2", "decision": "accept", "version": "0123456789abcdef.0"},
        {"id": "r3", "decision": "accept"},
    ]  # fmt: skip
    path = tmp_path / "in.jsonl"
    rows_in(path, given)
    path.write_text(path.read_text() + "[]\n{broken\n")
    found = take_in(desk_of(run), path, "Anna")
    assert (found.rows, found.taken, found.there, found.open) == (12, 2, 0, 0)
    wanted = [
        (2, "unknown id gone"), (3, "no id"), (4, "decision `maybe`"), (5, "no text differs"),
        (6, "there are 1"), (7, "leaves no answer"), (8, "rejected, and answer changed"),
        (9, "r2 has changed"), (11, "not an object"), (12, "not JSON"),
    ]  # fmt: skip
    assert len(found.problems) == len(wanted)
    for problem, (line, words) in zip(found.problems, wanted, strict=True):
        assert problem.startswith(f"{path}:{line}: ")
        assert words in problem


def test_answers_written_anew_since_are_not_decided_about(run, tmp_path):
    export(desk_of(run), tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    for one in rows:
        one["decision"] = "accept"
    write_table(tmp_path / "out.csv", rows)
    rows_in(run / "answers.jsonl", [row(0), row(1, answer="Another."), row(2)])
    found = take_in(desk_of(run), tmp_path / "out.csv", "Anna")
    assert found.taken == 2
    assert [problem.partition(": ")[2] for problem in found.problems] == [
        "record r1 has changed since the file was written; nothing was taken", "unknown id r3"
    ]  # fmt: skip


def test_what_the_reviewer_decided_since_is_not_written_over(run, tmp_path):
    export(desk_of(run), tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    rows[0]["decision"] = "accept"
    write_table(tmp_path / "out.csv", rows)
    decide(desk_of(run), "r0", "reject")
    found = take_in(desk_of(run), tmp_path / "out.csv", "Anna")
    assert "Anna decided about it in the meantime" in found.problems[0]
    assert desk_of(run).decisions.latest("r0")["Anna"].decision == "reject"
    assert take_in(desk_of(run), tmp_path / "out.csv", "Ben").taken == 1


def test_a_table_that_a_person_changed_is_not_written_over(run, tmp_path):
    path = tmp_path / "out.csv"
    export(desk_of(run), path)
    export(desk_of(run), path)
    path.write_text(path.read_text().replace("It is 1.", "It is one."))
    with pytest.raises(UserError, match="changed by hand"):
        export(desk_of(run), path)
    export(desk_of(run), path, overwrite=True)


def test_one_reviewer_is_not_told_what_the_other_said(run, tmp_path):
    desk = desk_of(run)
    decide(desk, "r0", "reject", reviewer="Ben", reason="secret")
    export(desk, tmp_path / "out.csv", "Anna")
    assert "secret" not in (tmp_path / "out.csv").read_text()


def test_the_teachers_text_stands_beside_the_persons(run, tmp_path):
    desk = desk_of(run)
    decide(desk, "r1", "edit", {"answer": "It is one."})
    export(desk, tmp_path / "out.csv")
    found = table(tmp_path / "out.csv")[1]
    assert (found["answer"], found["was"]) == ("It is one.", "answer: It is 1.")


@pytest.mark.parametrize("name", ["out.json", "out.txt", "out"])
def test_a_form_must_be_told_by_its_ending(run, tmp_path, name):
    with pytest.raises(UserError, match="label-studio"):
        export(desk_of(run), tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [("no.csv", None), ("no.xlsx", None), ("no.argilla.json", None), ("x.json", "{"),
     ("x.xlsx", "id"), ("x.txt", "id")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(run, tmp_path, name, text):
    if text:
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=name):
        take_in(desk_of(run), tmp_path / name)


def test_a_task_of_label_studio_as_it_comes_back(run, tmp_path):
    """Of an annotated task the shape is that of https://labelstud.io/guide/task_format."""
    desk = desk_of(run)
    export(desk, tmp_path / "out.label-studio.json")
    given = loads((tmp_path / "out.label-studio.json").read_bytes())
    assert [set(task) for task in given] == [{"id", "data", "annotations", "predictions"}] * 4
    answer = {"from_name": "answer", "to_name": "record", "type": "textarea", "id": "Dx",
              "value": {"text": ["It is one."]}}  # fmt: skip
    verdict = {"from_name": "decision", "to_name": "record", "type": "choices", "id": "Dy",
               "value": {"choices": ["reject"]}}  # fmt: skip
    more = {"was_cancelled": False, "lead_time": 4.2, "result_count": 0, "task": 1}
    given[1]["annotations"] = [
        {"id": 1001, "result": [answer], "completed_by": {"id": 1, "email": "anna@x.org"}, **more}
    ]
    given[2]["annotations"] = [
        {"id": 1002, "result": [verdict], "completed_by": 10, **more},
        {"id": 1003, "result": [], "completed_by": 11, **more, "was_cancelled": True},
    ]
    (tmp_path / "back.json").write_text(json.dumps(given))
    found = take_in(desk_of(run), tmp_path / "back.json", "Carl")
    assert (found.taken, found.open, found.problems) == (2, 2, [])
    decisions = desk_of(run).decisions
    assert decisions.latest("r1")["anna@x.org"].fields == {"answer": "It is one."}
    assert decisions.latest("r2")["10"].decision == "reject"


def test_a_record_of_argilla_as_it_comes_back(run, tmp_path):
    """Its shape is that of `Record.to_dict` in Argilla 2."""
    export(desk_of(run), tmp_path / "out.argilla.json")
    given = loads((tmp_path / "out.argilla.json").read_bytes())
    keys = {"id", "fields", "metadata", "suggestions", "responses", "vectors", "_server_id"}
    assert [set(record) for record in given] == [keys] * 4
    assert set(given[0]["suggestions"]["answer"]) == {"value", "score", "agent"}
    given[1]["responses"] = {
        "decision": [{"value": "edit", "user_id": "u-1"}, {"value": "reject", "user_id": "u-2"}],
        "answer": [{"value": "It is one.", "user_id": "u-1"}],
        "reviewer": [{"value": "Anna", "user_id": "u-1"}],
    }
    (tmp_path / "back.json").write_text(json.dumps(given))
    found = take_in(desk_of(run), tmp_path / "back.json")
    assert (found.taken, found.problems) == (2, [])
    latest = desk_of(run).decisions.latest("r1")
    assert {name: one.decision for name, one in latest.items()} == {"Anna": "edit", "u-2": "reject"}


def test_broken_items_of_a_list_are_named(run, tmp_path):
    odd = [{"data": {}}, {"x": 1}, 7, {"fields": {}, "responses": {"decision": [3]}}]
    (tmp_path / "in.json").write_text(json.dumps(odd))
    found = take_in(desk_of(run), tmp_path / "in.json")
    assert (found.taken, len(found.problems)) == (0, 4)
    assert exchange.is_task(odd[0])
