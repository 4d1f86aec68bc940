"""Decisions are on disk before they are confirmed, and nothing that was decided is ever lost."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from distillgen.errors import UserError
from distillgen.files import TornFile
from distillgen.records import Answer, Candidate, Review
from distillgen.review import texts
from distillgen.review.store import Decisions, Stale

RECORD = Answer(
    id="a1", question="Buy gold?", user_context="I am 40", rationale="It swings.", answer="No.",
    teacher="scripted:x", request="k",
    candidates=(
        Candidate(teacher="scripted:x", rationale="It swings.", answer="No.", request="k"),
        Candidate(teacher="scripted:x", rationale="It keeps.", answer="A little.", request="l"),
    ),
)  # fmt: skip
OF = texts.of(texts.taught(RECORD))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "reviews.jsonl"


def said(path, id="a1", of=OF):
    return {name: one.decision for name, one in Decisions(path).latest(id, of).items()}


def decide(store, decision="accept", reviewer="Anna", *, alone=False, **what):
    version = what.pop("version", store.version("a1", OF))
    made = texts.decision(RECORD, decision, reviewer=reviewer, version=version, **what)
    return store.decide(made, OF, alone=alone)


def test_a_decision_is_a_line_of_the_file(path):
    decide(Decisions(path), fields={"answer": "Never."}, note="too mild")
    (line,) = path.read_text().splitlines()
    row = json.loads(line)
    assert (row["decision"], row["fields"], row["was"]) == (
        "edit", {"answer": "Never."}, {"answer": "No."}
    )  # fmt: skip
    assert row["at"].endswith("Z")
    assert row["version"].startswith(OF)


def test_a_decision_is_on_the_disk_itself_before_it_is_confirmed(path, monkeypatch):
    synced, real = [], os.fsync

    def fsync(file):
        real(file)
        synced.append(path.read_text() if stat.S_ISREG(os.fstat(file).st_mode) else "folder")

    monkeypatch.setattr(os, "fsync", fsync)
    decide(Decisions(path))
    assert synced[0] == "folder"  # the name of a new file, too
    assert synced[1:] == [path.read_text()] != [""]


def test_what_is_there_stays_byte_for_byte(path):
    store = Decisions(path)
    decide(store)
    before = path.read_bytes()
    decide(store, "reject", reason="wrong")
    assert path.read_bytes().startswith(before)
    assert len(path.read_bytes()) > len(before)


def test_the_latest_decision_of_each_reviewer_counts_and_the_history_stays(path):
    store = Decisions(path)
    decide(store)
    decide(store, "reject", "Ben")
    decide(store, fields={"answer": "Never."})
    assert said(path) == {"Anna": "edit", "Ben": "reject"}
    assert [one.decision for one in Decisions(path).history("a1")] == ["accept", "reject", "edit"]


def test_undo_brings_back_the_decision_before(path):
    store = Decisions(path)
    decide(store)
    decide(store, "reject")
    decide(store, "undo")
    assert said(path) == {"Anna": "accept"}
    decide(store, "undo")
    assert said(path) == {}


def test_undo_takes_back_only_what_the_same_reviewer_said(path):
    store = Decisions(path)
    decide(store)
    decide(store, "reject", "Ben")
    decide(store, "undo")
    assert said(path) == {"Ben": "reject"}


def test_there_must_be_something_to_undo(path):
    with pytest.raises(Stale, match="nothing of yours"):
        decide(Decisions(path), "undo")
    assert path.read_text() == ""


def test_skip_decides_nothing_and_takes_nothing_back(path):
    store = Decisions(path)
    decide(store, "skip")
    assert store.standing("a1", OF).skipped == {"Anna"}
    decide(store)
    decide(store, "skip")
    assert said(path) == {"Anna": "accept"}
    assert store.standing("a1", OF).skipped == set()


def test_a_decision_on_an_older_state_is_stale_and_writes_nothing(path):
    store = Decisions(path)
    shown = store.version("a1", OF)
    decide(store, "reject", "Ben", version=shown)
    before = path.read_bytes()
    with pytest.raises(Stale, match="Ben") as error:
        decide(store, version=shown)
    assert [one.decision for one in error.value.since] == ["reject"]
    assert path.read_bytes() == before


def test_a_decision_on_other_texts_is_stale(path):
    store = Decisions(path)
    made = texts.decision(RECORD, "accept", reviewer="Anna", version=store.version("a1", OF))
    with pytest.raises(Stale, match="no longer as it was shown"):
        store.decide(made, "0" * 16)


def test_who_reviews_alone_is_not_disturbed_by_the_other(path):
    store = Decisions(path)
    shown = store.version("a1", OF)
    decide(store, "reject", "Ben", version=shown)
    decide(store, version=shown, alone=True)
    assert said(path) == {"Anna": "accept", "Ben": "reject"}
    with pytest.raises(Stale, match="Anna"):
        decide(store, "reject", version=shown, alone=True)


def test_the_same_decision_sent_again_is_written_once(path):
    store = Decisions(path)
    shown = store.version("a1", OF)
    first = decide(store, version=shown)
    assert decide(store, version=shown) == first
    assert len(path.read_text().splitlines()) == 1


def test_decisions_on_other_texts_of_the_same_id_do_not_count(path):
    decide(Decisions(path))
    assert said(path, of="0" * 16) == {}
    assert said(path, of="") == {"Anna": "accept"}


def test_what_was_settled_goes_before_what_was_said(path):
    store = Decisions(path)
    decide(store)
    decide(store, "reject", "Ben")
    decide(store, "reject", "Anna", settles=True)
    standing = Decisions(path).standing("a1", OF)
    assert standing.settled.decision == "reject"
    assert said(path) == {"Anna": "accept", "Ben": "reject"}


def test_what_was_settled_holds_until_somebody_decides_again(path):
    store = Decisions(path)
    decide(store)
    decide(store, "reject", "Ben")
    decide(store, "accept", "Carl", settles=True)
    decide(store, "skip", "Dora")
    assert store.standing("a1", OF).settled.reviewer == "Carl"
    decide(store, "reject", "Anna")
    found = store.standing("a1", OF)
    assert (found.settled, found.differ) == (None, False)
    decide(store, "undo", "Anna")
    assert store.standing("a1", OF).settled.reviewer == "Carl"


def test_lines_written_by_hand_are_read(path):
    path.write_text(
        '{"id": 7, "decision": "reject"}\n\n'
        + '{"id": "8", "decision": "edit", "who": "me", "note": null}\n'
        + '{"id": "9", "decision": "later"}\n'
        + '{"id": "8", "decision": "accept"}'
    )
    store = Decisions(path)
    assert {id: store.latest(id)[""].decision for id in store.ids()} == {
        "7": "reject", "8": "accept"
    }  # fmt: skip
    decide(store)
    assert said(path, "8") == {"": "accept"}
    assert said(path) == {"Anna": "accept"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ('{"id": "1", "decision": "edit", "fields": {"answr": "x"}}', "fields.answr"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(path, line, words):
    path.write_text(f'{{"id": "1", "decision": "accept"}}\n{line}\n')
    with pytest.raises(UserError, match=rf"reviews.jsonl:2: .*{words}"):
        Decisions(path)


@pytest.mark.parametrize("cut", [1, 30, -2])
def test_a_torn_line_is_moved_away_and_never_merged_with_the_next(path, cut):
    store = Decisions(path)
    decide(store)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    with pytest.warns(TornFile, match="not yet confirmed"):
        late = Decisions(path)
    assert late.latest("a1", OF)["Anna"].decision == "accept"
    decide(late, "reject", "Ben")
    assert [json.loads(line)["reviewer"] for line in path.read_text().splitlines()] == [
        "Anna", "Ben"
    ]  # fmt: skip
    assert path.with_suffix(".torn").read_bytes() == whole[:cut] + b"\n"


def test_a_last_line_without_its_end_counts_and_stays_a_line(path):
    decide(Decisions(path))
    path.write_bytes(path.read_bytes()[:-1])
    decide(Decisions(path), "reject", "Ben")
    assert said(path) == {"Anna": "accept", "Ben": "reject"}


def test_a_tail_of_zeros_after_a_power_cut_is_no_decision(path):
    decide(Decisions(path))
    with path.open("ab") as file:
        file.write(b"\0" * 50)
    decide(Decisions(path), "reject", "Ben")
    assert said(path) == {"Anna": "accept", "Ben": "reject"}


def test_a_full_disk_leaves_the_file_as_it_was(path):
    decide(Decisions(path))
    before = path.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Decisions(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, old[1]))
    try:
        with pytest.raises(UserError) as error:
            decide(store, "reject")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.code == 5
    assert path.read_bytes() == before
    decide(store, "reject")
    assert said(path) == {"Anna": "reject"}


def test_two_that_are_open_at_once_see_each_other(path):
    one, other = Decisions(path), Decisions(path)
    decide(one)
    shown = other.version("a1", OF)
    with pytest.raises(Stale):
        decide(other, "reject", "Ben", version=shown)
    assert decide(other, "reject", "Ben", version=other.version("a1", OF)).decision == "reject"
    one.refresh()
    assert set(one.latest("a1", OF)) == {"Anna", "Ben"}


def test_a_file_that_an_editor_replaced_is_read_anew(path):
    store = Decisions(path)
    decide(store)
    other = path.with_name("new")
    other.write_text('{"id": "b", "decision": "reject"}\n')
    other.replace(path)
    decide(store, version="")
    assert set(store.ids()) == {"a1", "b"}
    assert len(path.read_text().splitlines()) == 2


APPENDER = """
import sys
from distillgen.records import Review
from distillgen.review.store import Decisions
store = Decisions(__import__("pathlib").Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    review = Review(id=f"{sys.argv[2]}-{n}", reviewer=sys.argv[2], decision="edit",
                    fields={"answer": "x" * 5000})
    store.decide(review, "f" * 16)
    print(n, flush=True)
"""


def appender(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path), name, str(count)],
        stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip


def test_two_processes_append_whole_lines(path):
    both = [appender(path, name, 60) for name in ("anna", "ben")]
    for one in both:
        one.communicate()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == sorted(
        f"{name}-{n}" for name in ("anna", "ben") for n in range(60)
    )


@pytest.mark.parametrize("after", [1, 7, 23])
def test_a_process_killed_at_any_moment_loses_no_confirmed_decision(path, after):
    process = appender(path, "anna", 100_000)
    for _ in range(after):
        process.stdout.readline()
    time.sleep(0.001 * after)
    process.kill()
    rest, _ = process.communicate()
    confirmed = after + rest.count("\n")
    with warnings.catch_warnings():  # it may have been killed in the middle of a line
        warnings.simplefilter("ignore", TornFile)
        store = Decisions(path)
    store.decide(Review(id="next", decision="accept"), "f" * 16)
    found = set(Decisions(path).ids())
    assert {f"anna-{n}" for n in range(confirmed)} <= found
    assert "next" in found


# -- decisions made of changes ---------------------------------------------------------------


def test_another_candidate_brings_its_texts():
    made = texts.decision(RECORD, "edit", candidate=1, reviewer="Anna")
    assert made.fields == {"rationale": "It keeps.", "answer": "A little."}
    assert made.was == {"rationale": "It swings.", "answer": "No."}
    assert made.candidate == 1


def test_a_changed_field_goes_over_the_candidate_that_was_chosen():
    made = texts.decision(RECORD, "edit", {"answer": "Some."}, 1)
    assert made.fields == {"rationale": "It keeps.", "answer": "Some."}


def test_an_edit_that_changes_nothing_is_accept():
    made = texts.decision(RECORD, "edit", {"answer": "No."}, 0)
    assert (made.decision, made.fields, made.candidate) == ("accept", {}, None)


def test_a_rejected_record_keeps_its_texts():
    assert texts.decision(RECORD, "reject", {"answer": "x"}).fields == {}


@pytest.mark.parametrize(
    ("fields", "candidate", "words"),
    [({"question": " "}, None, "no question"), ({"answer": ""}, None, "no answer"),
     ({}, 2, "there are 2")],
)  # fmt: skip
def test_an_edit_must_leave_a_record(fields, candidate, words):
    with pytest.raises(ValueError, match=words):
        texts.decision(RECORD, "edit", fields, candidate)


def test_what_a_person_put_in_place_is_not_what_the_teacher_wrote():
    edited = RECORD.model_copy(
        update={"answer": "Never.", "edited_from": {"answer": "No."}, "edited_by": "Anna"}
    )
    assert texts.of(texts.taught(edited)) == OF
    assert texts.of(texts.texts(edited)) != OF
