"""The order of work: shares that hold for every beginning, and a desk that goes on where it was."""

import json
import math
from collections import Counter

import pytest
from jobs import rows_in

from distillgen.errors import UserError
from distillgen.records import digest
from distillgen.review import texts
from distillgen.review.desk import Desk, Setting, setting
from distillgen.review.order import is_double, order
from distillgen.review.pile import Filter, Pile
from distillgen.review.store import Stale


def row(i, **more):
    return {
        "question": f"What is {i}?", "user_context": f"I am {i}", "rationale": "Count.",
        "answer": f"It is {i}.", "rationale_source": "requested", "id": f"r{i}",
        "teacher": "openai:t", "request": "k",
    } | more  # fmt: skip


def checked(i, **verdicts):
    found = {name: {"passed": passed} for name, passed in verdicts.items()}
    return {"question": "q", "checks": found, "line": i + 1, "id": f"r{i}"}


def run_of(tmp_path, rows, **others):
    run = tmp_path / "run"
    run.mkdir(exist_ok=True)
    (run / "manifest.json").write_text("{}")
    rows_in(run / "answers.jsonl", rows)
    for name, lines in others.items():
        rows_in(run / f"{name}.jsonl", lines)
    return run


def pile_of(tmp_path, rows, **others):
    run = run_of(tmp_path, rows, **others)
    return Pile(run / "answers.jsonl", run)


def decide(desk, place, decision="accept", reviewer="Anna", fields=None, **more):
    made = texts.decision(
        desk.pile.record(place), decision, fields, reviewer=reviewer,
        version=desk.version(place), **more,
    )  # fmt: skip
    return desk.decide(made, place)


@pytest.fixture
def many(tmp_path):
    """600 records, a third with each label but one rare, the odd ones unsure."""
    labels = ["no"] * 400 + ["yes"] * 194 + ["rare"] * 6
    rows = [row(i, label=labels[i], agreement=(i * 7919 % 600) / 600) for i in range(600)]
    return pile_of(tmp_path, rows)


# -- orders ----------------------------------------------------------------------------------


def test_every_beginning_has_its_shares(many):
    found = order(many)
    for end in (5, 31, 62, 100, 300):
        counts = Counter(found.arm(n) for n in range(end))
        for arm, share in (("lowest", 15 / 31), ("stratified", 10 / 31), ("uniform", 6 / 31)):
            assert abs(counts[arm] - share * end) <= 1, (arm, end)


def test_every_record_comes_once(many):
    assert sorted(order(many).places) == list(range(600))


def test_the_least_sure_come_first_of_their_kind(many):
    found = order(many)
    lowest = [found.places[n] for n in range(600) if found.arm(n) == "lowest"]
    sure = [many.confidence[place] for place in lowest]
    assert sure == sorted(sure)


def test_each_label_is_drawn_as_often_as_the_others(many):
    found = order(many)
    drawn = [many.label[found.places[n]] for n in range(45) if found.arm(n) == "stratified"]
    counts = Counter(drawn)
    assert max(counts.values()) - min(counts[name] for name in ("no", "yes", "rare")) <= 1


def test_uniform_draws_have_the_shares_of_the_whole(many):
    drawn = Counter()
    for seed in range(60):
        found = order(many, random_seed=seed)
        places = [found.places[n] for n in range(31) if found.arm(n) == "uniform"]
        drawn.update(many.label[place] for place in places)
    assert 0.57 < drawn["no"] / drawn.total() < 0.76  # 400 of 600, four standard errors


def test_the_same_seed_gives_the_same_order_and_another_another(many):
    assert order(many).places == order(many).places
    assert order(many).places != order(many, random_seed=1).places


def test_without_scores_the_random_ways_share_the_order(tmp_path):
    found = order(pile_of(tmp_path, [row(i) for i in range(64)]))
    counts = Counter(found.arm(n) for n in range(32))
    assert counts == {"stratified": 20, "uniform": 12}


def test_topics_are_gone_by_where_there_are_no_labels(tmp_path):
    rows = [row(i, topic=["finance", "saving" if i % 4 else "shares", f"t{i}"]) for i in range(64)]
    found = order(pile_of(tmp_path, rows))
    assert set(found.strata) == {"saving", "shares"}


def test_plain_is_the_order_of_the_file(many):
    found = order(many, "plain")
    assert list(found.places) == list(range(600))
    assert found.arm(0) == "given"


def test_failed_are_those_that_failed_a_check(tmp_path):
    checks = [checked(i, language=True, truncated=i % 3 > 0) for i in range(9)]
    pile = pile_of(tmp_path, [row(i) for i in range(9)], checks=checks)
    assert list(order(pile, "failed").places) == [0, 3, 6]


def test_a_share_of_the_records_is_for_two(many):
    double = [is_double(id, 0.1) for id in many.ids]
    assert 30 <= sum(double) <= 90
    assert double == [is_double(id, 0.1) for id in many.ids]
    assert not any(is_double(id, 0.0) for id in many.ids)
    assert all(is_double(id, 1.0) for id in many.ids)


# -- the pile --------------------------------------------------------------------------------


def test_the_lowest_of_what_is_known_tells_how_sure_a_record_is(tmp_path):
    rows = [row(0, agreement=0.5, vote_share=0.75), row(1, vote_share=0.75), row(2),
            row(3, agreement=0.5)]  # fmt: skip
    scores = [
        {"id": f"r{i}", "line": i + 1, "scores": {"a": 1, "b": n}, "of": "x"}
        for i, n in ((1, 1), (3, 5))
    ]
    pile = pile_of(tmp_path, rows, scores=scores)
    assert list(pile.confidence[:2]) == [0.5, 0.0]
    assert math.isnan(pile.confidence[2])
    assert pile.confidence[3] == 0.5


def test_a_record_is_shown_with_all_that_was_said_of_it(tmp_path):
    rows = [row(i) for i in range(3)]
    of = digest([rows[1]["user_context"], rows[1]["question"], "Count.", "It is 1."])[:16]
    scores = [
        {"id": "r1", "line": 2, "scores": {"a": 4}, "of": of, "analysis": "Good.", "judge": "j"},
        {"id": "r1", "line": 2, "scores": {"a": 1}, "of": "of another text", "judge": "j"},
        {"id": "r2", "line": 3, "scores": {"a": 2}, "of": "x", "judge": "j"},
    ]
    checks = [checked(0, language=True), checked(1, language=False), checked(2, language=True)]
    shown = pile_of(tmp_path, rows, scores=scores, checks=checks).shown(1)
    assert shown.record.id == "r1"
    assert [(one.scores, one.analysis) for one in shown.judged] == [({"a": 4}, "Good.")]
    assert {name: one.passed for name, one in shown.checks.items()} == {"language": False}


def test_records_with_the_same_id_are_told_apart_by_their_texts(tmp_path):
    run = run_of(tmp_path, [row(0), row(0, answer="Nought."), row(1)])
    desk = Desk(run, Setting("plain"))
    decide(desk, 1, "reject")
    assert [desk.outcome(place) and desk.outcome(place).verdict for place in range(3)] == [
        None, "reject", None
    ]  # fmt: skip
    assert desk.find("r0", desk.of(1)) == 1


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Filter(failed="any"), [1, 3]), (Filter(failed="language"), [3]),
        (Filter(below=0.5), [0, 2]), (Filter(topic="shares"), [2]), (Filter(label="yes"), [1]),
        (Filter(text="NUMBER 2"), [2]), (Filter(text="käse"), [3]), (Filter(text='say "so"'), [0]),
        (Filter(text="teacher"), []), (Filter(text="is", failed="language"), [3]),
    ],
)  # fmt: skip
def test_filters_let_through_what_is_asked_for(tmp_path, wanted, places):
    rows = [row(0, agreement=0.2, question='He will say "so".'), row(1, label="yes", answer=""),
            row(2, agreement=0.4, topic=["finance", "shares"], answer="It is number 2."),
            row(3, agreement=0.9, question="KÄSE is?")]  # fmt: skip
    checks = [checked(0, language=True), checked(1, truncated=False), checked(2),
              checked(3, language=False)]  # fmt: skip
    desk = Desk(run_of(tmp_path, rows, checks=checks), Setting("plain"))
    assert list(desk.stack(wanted).places) == places


def test_a_search_finds_what_json_spells_in_another_way(tmp_path):
    run = run_of(tmp_path, [])
    (run / "answers.jsonl").write_text(json.dumps(row(0, answer="Crème brûlée")) + "\n")
    assert list(Pile(run / "answers.jsonl", run).search("CRÈME")) == [0]


def test_a_search_finds_the_words_of_a_person(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0), row(1)]), Setting("plain"))
    decide(desk, 1, "edit", fields={"answer": "A fund."})
    assert list(desk.stack(Filter(text="a FUND")).places) == [1]


def test_a_line_that_is_no_record_is_named(tmp_path):
    run = run_of(tmp_path, [row(0)])
    with (run / "answers.jsonl").open("a") as file:
        file.write("[]\n")
    with pytest.raises(UserError, match=r"answers.jsonl:2: not a JSON object"):
        Desk(run)


# -- the desk --------------------------------------------------------------------------------


def test_it_goes_on_where_it_stopped(tmp_path):
    run = run_of(tmp_path, [row(i) for i in range(9)])
    desk, seen = Desk(run), []
    for _ in range(4):
        seen.append(desk.next("Anna").place)
        decide(desk, seen[-1])
    assert seen == list(desk.order.places[:4])
    assert Desk(run).next("Anna").place == desk.order.places[4]


def test_what_is_skipped_or_passed_over_lets_the_next_one_come(tmp_path):
    desk = Desk(run_of(tmp_path, [row(i) for i in range(3)]), Setting("plain"))
    assert desk.next("Anna", after=0).place == 1
    assert desk.next("Anna").place == 0
    decide(desk, 0, "skip")
    assert desk.next("Anna").place == 1
    assert desk.next("Ben").place == 0


def test_undo_brings_the_record_back(tmp_path):
    desk = Desk(run_of(tmp_path, [row(i) for i in range(3)]), Setting("plain"))
    decide(desk, 0)
    assert desk.next("Anna").place == 1
    decide(desk, 0, "undo")
    assert desk.next("Anna").place == 0


def test_all_decided_there_is_none_left(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0)]))
    decide(desk, 0)
    assert desk.next("Anna") is None
    assert desk.next("Ben") is None


def test_what_is_for_two_comes_to_both_and_no_third(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0), row(1)]), Setting("plain", double=1.0))
    shown = desk.version(0)
    decide(desk, 0)
    assert desk.next("Anna").place == 1
    assert desk.next("Ben").place == 0
    made = texts.decision(desk.pile.record(0), "reject", reviewer="Ben", version=shown)
    desk.decide(made, 0)
    assert desk.next("Carl").place == 1
    assert desk.conflicts() == [0]


def test_a_conflict_is_settled_by_a_decision_that_says_so(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0)]), Setting("plain", double=1.0))
    decide(desk, 0)
    decide(desk, 0, "edit", "Ben", {"answer": "Nought."})
    assert desk.outcome(0).verdict == "conflict"
    decide(desk, 0, "edit", "Anna", {"answer": "Nought."}, settles=True)
    assert desk.conflicts() == []
    assert desk.outcome(0).fields == {"answer": "Nought."}


def test_two_edits_that_differ_are_a_conflict_and_equal_ones_are_not(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0), row(1)]), Setting("plain", double=1.0))
    for place, other in ((0, "B."), (1, "A.")):
        decide(desk, place, "edit", "Anna", {"answer": "A."})
        decide(desk, place, "edit", "Ben", {"answer": other})
    assert desk.conflicts() == [0]


def test_without_double_the_second_is_told_of_the_first(tmp_path):
    desk = Desk(run_of(tmp_path, [row(0)]))
    shown = desk.version(0)
    decide(desk, 0)
    made = texts.decision(desk.pile.record(0), "reject", reviewer="Ben", version=shown)
    with pytest.raises(Stale, match="Anna"):
        desk.decide(made, 0)


def test_answers_written_anew_are_seen(tmp_path):
    run = run_of(tmp_path, [row(0)])
    desk = Desk(run)
    rows_in(run / "answers.jsonl", [row(0, answer="Other."), row(1)])
    assert desk.stale
    with pytest.raises(Stale, match="written anew"):
        decide(desk, 0)
    desk.open()
    assert (len(desk.pile), desk.stale) == (2, False)


def test_a_summary_adds_up(tmp_path):
    desk = Desk(run_of(tmp_path, [row(i) for i in range(5)]), Setting("plain", double=1.0))
    decide(desk, 0)
    decide(desk, 0, "reject", "Ben")
    decide(desk, 1, "edit", fields={"answer": "One."})
    decide(desk, 2, "reject")
    found = desk.summary()
    assert found["counts"] == {
        "given": 5, "accept": 0, "edit": 1, "reject": 1, "conflict": 1, "open": 2,
    }  # fmt: skip
    assert found["conflicts"] == ["r0"]
    assert found["reviewers"] == {
        "Anna": {"accept": 1, "edit": 1, "reject": 1}, "Ben": {"accept": 0, "edit": 0, "reject": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"), [(("best", None), "mixed, plain, failed"), ((None, 1.5), "--double 1.5")]
)
def test_an_order_or_share_that_is_none_is_refused(given, words):
    with pytest.raises(UserError, match=words):
        setting(*given, None)


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run folder"):
        Desk(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="no answers yet"):
        Desk(tmp_path)


def test_how_many_wait_goes_with_each_decision_and_whoever_made_it(tmp_path):
    rows = [row(i, topic=["gold" if i % 2 else "cash"]) for i in range(6)]
    run = run_of(tmp_path, rows)
    desk, other, gold = (
        Desk(run, Setting("plain")),
        Desk(run, Setting("plain")),
        Filter(topic="gold"),
    )

    def counts():
        desk.decisions.refresh()
        return desk.waiting("Anna"), desk.waiting("Ben"), desk.waiting("Anna", gold)

    assert counts() == (6, 6, 3)
    decide(desk, 1)
    assert counts() == (5, 5, 2)
    decide(other, 0, reviewer="Ben")
    assert counts() == (4, 4, 2)
    decide(desk, 3, "skip")
    assert counts() == (3, 4, 1)
    decide(desk, 1, "undo")
    assert counts() == (4, 5, 2)
    (run / "reviews.jsonl").unlink()
    assert counts() == (6, 6, 3)
