"""What is known of a run: counts that add up, verdicts that belong to their answers, the worst."""

import json
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jobs import lines, rows_in, seeds, teacher

from distillgen import answered, facts
from distillgen.errors import UserError
from distillgen.facts import NEAREST_BINS, REPEATS
from distillgen.records import digest
from distillgen.stored import Stored
from distillgen.yields import STEPS, Curve

Row = dict[str, Any]


def row(i: int, **more: Any) -> Row:
    return {
        "question": f"What is {i} and {i}?", "user_context": f"I am {20 + i} years old",
        "rationale": "Count.", "answer": f"It is {2 * i}.", "rationale_source": "requested",
        "id": str(i), "strategy": "few_shot", "teacher": "openai:teacher-1", "request": "r",
    } | more  # fmt: skip


def checked(i: int, line: int, **verdicts: bool) -> Row:
    found = {name: {"passed": passed} for name, passed in verdicts.items()}
    return {"question": "q", "checks": found, "line": line, "id": str(i)}


def score(of: Row, line: int, *scores: int, **more: Any) -> Row:
    texts = [of["user_context"], of["question"], of["rationale"], of["answer"]]
    return {
        "question": "q", "analysis": f"It gets {scores}.",
        "scores": dict(zip(("correct", "safe"), scores, strict=False)), "judge": "a:judge",
        "line": line, "id": of["id"], "of": digest(texts)[:16], "request": "r",
    } | more  # fmt: skip


def entry(**more: Any) -> Row:
    return {"version": "0", "started": "2026-01-01T00:00:00+00:00"} | more


def run_of(tmp_path: Path, answers: list[Row], **others: Any) -> Path:
    """A run folder; `manifest` is the manifest's commands, the others are files of rows."""
    run = tmp_path / "run"
    run.mkdir(exist_ok=True)
    commands = others.pop("manifest", {})
    (run / "manifest.json").write_text(json.dumps({"commands": commands}))
    for name, rows in {"answers": answers, **others}.items():
        rows_in(run / f"{name}.jsonl", rows)
    return run


@pytest.fixture
def whole(cli, server, tmp_path):
    """A run that went the whole way, with failures, duplicates, scores and a choice."""
    server.set(fail_share=0.1, twins=0.3)
    said = teacher(server)
    cli("expand", seeds(tmp_path), "-n", 40, *said, "-o", "run")
    cli("answer", "run", *said, "--max-failed", 1)
    cli("judge", "run", *said, "--max-failed", 1)
    cli("check", "run", "--checks", "context-used,refused")
    cli("select", "run", "--budget", 10)
    cli("export", "run/selected.jsonl", "--format", "trl-messages", "--format", "jsonl")
    return tmp_path / "run"


def test_the_funnel_adds_up_and_says_what_was_lost(whole):
    found = facts.of(whole)
    assert [step.stage for step in found.funnel] == [
        "expand", "answer", "check", "judge", "select", "export",
    ]  # fmt: skip
    for step in found.funnel:
        assert step.given == step.kept + sum(step.lost.values()), step.stage
        assert all(step.lost.values())
    by_stage = {step.stage: step for step in found.funnel}
    assert by_stage["expand"].kept == by_stage["answer"].given == 40
    assert by_stage["select"].kept == by_stage["export"].kept == 10
    assert by_stage["answer"].lost["failed"] == sum(
        one.count for one in found.failures if one.stage == "answer"
    )


def test_only_what_leads_to_the_export_is_passed_on(whole):
    found = facts.of(whole)
    assert [step.stage for step in found.funnel if step.passed_on] == [
        "expand", "answer", "select", "export",
    ]  # fmt: skip


def test_counts_are_those_of_the_files(whole):
    found = facts.of(whole)
    answers = lines(whole / "answers.jsonl")
    assert found.records == len(answers)
    assert found.teachers == {"openai:teacher-1": len(answers)}
    assert found.strategies == {"few_shot": len(answers)}
    scores = lines(whole / "scores.jsonl")
    assert {aspect.name for aspect in found.aspects} == set(scores[0]["scores"])
    for aspect in found.aspects:
        assert sum(aspect.counts.values()) == len(scores) == found.judges["openai:teacher-1"]
        mean = sum(one["scores"][aspect.name] for one in scores) / len(scores)
        assert aspect.mean == pytest.approx(mean)
    assert {one.name: one.applied for one in found.checks} == {
        "context_used": len(answers), "refused": len(answers),
    }  # fmt: skip
    rejected = lines(whole / "rejected.jsonl")
    assert found.rejected["expand", "near_duplicate"] == len(rejected)
    assert set(found.exports) == {"trl-messages", "jsonl"}
    assert sum(found.exports["jsonl"].values()) == sum(
        path.stat().st_size for path in whole.glob("export/jsonl/*")
    )


def test_what_was_used_is_what_the_journal_says(whole):
    (used,) = facts.of(whole).used
    journal = Stored(whole / "journal.sqlite")
    spent = journal.spent()
    journal.close()
    assert (used.answered, used.usage) == (spent.answered, spent.usage)
    assert used.failed > 0
    assert used.first < used.last
    assert used.wait_s > 0


def test_the_yield_along_the_sequence_ends_with_all_proposals(whole):
    made = facts.of(whole).stats["yield"]
    curve = [(point["proposals"], point["kept"]) for point in made["curve"]]
    assert curve[-1] == (made["proposals"], made["kept"])
    assert curve == sorted(curve)
    assert min(STEPS, made["proposals"]) <= len(curve) <= 2 * STEPS


def test_a_long_sequence_has_a_curve_of_as_many_points():
    curve = Curve()
    for i in range(1003):
        curve.add(1, i % 3 == 0)
    points = curve.points()
    assert STEPS <= len(points) <= 2 * STEPS
    assert points[0] == (curve.width, -(-curve.width // 3))
    assert points[-1] == (1003, 335)
    steps = {b[0] - a[0] for a, b in pairwise(points[:-1])}
    assert steps == {curve.width}


def test_near_duplicates_come_with_what_they_repeat(whole):
    repeats = facts.of(whole).repeats
    assert len(repeats) == REPEATS
    rejected = {one["question"]: one["repeats"] for one in lines(whole / "rejected.jsonl")}
    assert {one.question: one.repeats for one in repeats}.items() <= rejected.items()


def test_the_same_run_has_the_same_facts(whole):
    assert repr(facts.of(whole)) == repr(facts.of(whole))


def test_a_run_that_was_not_answered_yet_is_known_by_its_inputs(cli, server, tmp_path):
    cli("expand", seeds(tmp_path), "-n", 5, *teacher(server), "-o", "run")
    found = facts.of(tmp_path / "run")
    assert (found.records, found.source.name) == (5, "inputs.jsonl")
    assert found.teachers == {}
    assert [step.stage for step in found.funnel] == ["expand"]
    assert sum(found.nearest["question"]) == 5
    assert len(found.samples["random"]) == 5


def test_soft_labels_and_their_truth(tmp_path):
    rows = [
        row(i, answer="", label="yes", soft_label={"yes": p, "no": 1 - p}, soft_method="votes",
            gold=gold)
        for i, (p, gold) in enumerate([(0.9, "yes"), (0.6, "No"), (0.8, "")])
    ]  # fmt: skip
    found = facts.of(run_of(tmp_path, rows))
    assert found.labels == {"yes": 3}
    assert found.soft_methods == {"votes": 3}
    assert found.soft
    assert (found.soft.count, found.soft.known, found.soft.accuracy) == (3, 2, 0.5)
    assert found.right == {True: 1, False: 1}
    assert [one.value for one in found.samples["soft"]] == [0.6, 0.8, 0.9]


def test_verdicts_go_with_their_answers_though_some_have_none(tmp_path):
    rows = [row(i) for i in range(4)]
    run = run_of(
        tmp_path, rows,
        checks=[
            checked(1, 2, refused=False, votes=True), checked(3, 4, refused=False, votes=False),
        ],
        scores=[score(rows[0], 1, 5, 5), score(rows[2], 3, 2, 1)],
        manifest={"check": entry(options={"checks": ["refused", "votes"]})},
    )  # fmt: skip
    found = facts.of(run)
    assert [(one.record.id, one.value) for one in found.samples["checks"]] == [("3", 2), ("1", 1)]
    assert [(one.record.id, one.value) for one in found.samples["judge"]] == [("2", 1.5), ("0", 5)]
    assert found.samples["judge"][0].analysis == "It gets (2, 1)."
    assert [(one.name, one.applied, one.passed) for one in found.checks] == [
        ("refused", 2, 0), ("votes", 2, 1),
    ]  # fmt: skip
    assert found.unfailing == 0


def test_a_verdict_on_an_answer_that_is_gone_is_passed_over(tmp_path):
    gone = [checked(9, 1, refused=False), checked(1, 2, refused=False), checked(8, 3, refused=True)]
    run = run_of(
        tmp_path, [row(0), row(1), row(2)], checks=gone,
        manifest={"check": entry(options={"checks": ["refused"]})},
    )  # fmt: skip
    found = facts.of(run)
    assert [one.record.id for one in found.samples["checks"]] == ["1"]
    assert [(one.applied, one.passed) for one in found.checks] == [(1, 0)]


def test_scores_of_another_answer_and_of_candidates_are_not_those_of_the_answer(tmp_path):
    rows = [row(0), row(1), row(2)]
    scores = [
        score(rows[0], 1, 4, 4), score(rows[0], 1, 1, 1, candidate=0),
        score(rows[1], 2, 1, 1) | {"of": "0" * 16}, score(rows[2], 3, 3, 2),
    ]  # fmt: skip
    found = facts.of(run_of(tmp_path, rows, scores=scores))
    assert found.aspects[0].counts == {1: 0, 2: 0, 3: 1, 4: 1, 5: 0}
    assert found.aspects[1].counts == {1: 0, 2: 1, 3: 0, 4: 1, 5: 0}


def test_where_nothing_was_checked_the_first_open_answers_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(answered, "COMPARED", 2)
    rows = [row(i, gold=str(2 * i)) for i in range(5)]
    rows += [row(i, label="yes", answer="", gold="yes") for i in range(5, 8)]
    assert facts.of(run_of(tmp_path, rows)).right == {True: 5}


def test_an_embedded_teacher_is_named_without_the_path_of_its_weights(whole, monkeypatch):
    used = facts.of(whole).used[0]._replace(model="/home/me/.cache/distillgen/tiny-q4.gguf")
    monkeypatch.setattr(Stored, "used", lambda _: [used])
    assert facts.of(whole).used[0].model == "tiny-q4"


def test_a_person_goes_before_the_right_answer_of_the_file(tmp_path):
    rows = [row(i, gold=str(2 * i)) for i in range(3)]
    reviews = [
        {"id": "0", "decision": "reject"}, {"id": "1", "decision": "reject"},
        {"id": "1", "decision": "accept"},
    ]  # fmt: skip
    found = facts.of(run_of(tmp_path, rows, reviews=reviews))
    assert found.right == {True: 2, False: 1}
    assert found.reviews == {"reject": 1, "accept": 1}


def test_lengths_count_every_text(tmp_path):
    rows = [row(i, answer="x" * n) for i, n in enumerate([1, 4, 4, 5, 6, 100])]
    found = facts.of(run_of(tmp_path, rows)).lengths["answer"]
    assert found.bins == {0: 1, 8: 2, 9: 1, 10: 1, 26: 1}
    assert (found.count, found.longest) == (6, 100)
    assert [found.edge(k) for k in (0, 8, 9, 10, 26)] == [1, 4, 5, 6, 91]
    assert 4 <= found.median < 6


def test_a_copy_of_a_seed_is_the_nearest_to_one(tmp_path):
    rows = [row(0), row(1, question="Should I buy gold at my age?"), row(2)]
    made_of = [{"question": "Should I sell?", "user_context": "I am 4"},
               {"question": "Should I buy gold at my age?", "user_context": "I am 5"}]  # fmt: skip
    found = facts.of(run_of(tmp_path, rows, seeds=made_of))
    first = found.samples["seed"][0]
    assert (first.record.id, first.value, first.repeats) == ("1", 1.0, made_of[1]["question"])
    assert len(found.nearest["question"]) == NEAREST_BINS
    assert found.nearest["question"][-1] == 1


def test_failures_come_with_the_first_that_was_said(tmp_path):
    failures = [
        {"stage": "answer", "kind": "timeout", "detail": "after 60 s", "request": "r"},
        {"stage": "judge", "kind": "schema", "detail": "no score", "request": "r"},
        {"stage": "answer", "kind": "timeout", "detail": "after 61 s", "request": "r"},
    ]
    found = facts.of(run_of(tmp_path, [row(0)], failures=failures)).failures
    assert [(one.stage, one.kind, one.count, one.detail) for one in found] == [
        ("answer", "timeout", 2, "after 60 s"), ("judge", "schema", 1, "no score"),
    ]  # fmt: skip


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        facts.of(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="no records yet"):
        facts.of(tmp_path)


def test_memory_does_not_grow_with_the_records(tmp_path):
    def peak(n: int) -> int:
        rows = [row(i, answer=f"{i} " * 300) for i in range(n)]
        run = run_of(tmp_path, rows, scores=[score(one, i, 3, 3) for i, one in enumerate(rows, 1)])
        del rows
        tracemalloc.start()
        facts.of(run)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)  # what is loaded once
    assert peak(1200) < peak(400) * 1.3


def test_where_answers_are_too_short_to_tell_their_language_the_questions_do(tmp_path):
    asked = "How many tablets does each child of the class receive?"
    why = [f"{140 + i} / 7 = {20 + i}" for i in range(6)]
    rows = [row(i, question=asked, answer=str(20 + i), rationale=why[i]) for i in range(6)]
    assert facts.of(run_of(tmp_path, rows)).languages == {"en": 6}
    told = [row(i, answer="The child receives twenty tablets every day.") for i in range(6)]
    mute = [one | {"question": "7 * 8 = ?"} for one in told]
    assert facts.of(run_of(tmp_path, mute)).languages == {"en": 6}


def test_the_languages_of_questions_and_of_answers_count(tmp_path):
    asked = "Wie viele Tabletten bekommt jedes Kind in der Klasse am Tag?"
    said = "The child receives twenty tablets every day."
    rows = [row(i, question=asked, answer=said) for i in range(6)]
    assert facts.of(run_of(tmp_path, rows)).languages == {"de": 6, "en": 6}
