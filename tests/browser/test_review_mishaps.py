"""What goes wrong at the review page: hasty keys, second thoughts, two at work, a dead program."""

import json
import re

import pytest
from playwright.sync_api import Page, expect
from reviews import Served, decisions, record, run, served

from .acts import named, press, question, reviewed


@pytest.fixture
def few(tmp_path):
    return run(tmp_path / "gold", [record(n) for n in range(6)])


def last(folder) -> dict[str, object]:
    return decisions(folder)[-1]


def rewrite(page: Page, text: str) -> None:
    """Put a text in place of the answer, and save it."""
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")


def look_at_reviewed(page: Page) -> None:
    page.keyboard.press("/")
    page.get_by_label("Show").select_option("decided")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#before")).to_be_visible()
    expect(page.locator(".banner")).to_be_visible()


def test_digits_and_letters_of_a_reason_decide_nothing(few, visit):
    with served(few) as page_of:
        page = named(visit(page_of.address))
        page.keyboard.press("r")
        page.keyboard.press("Alt+2")
        page.get_by_label("Or in your words").click()
        page.keyboard.type("3 of 4 are as sure as a guess")
        assert decisions(few) == []
        press(page, "Enter")
    assert [one["reason"] for one in decisions(few)] == ["3 of 4 are as sure as a guess"]


def test_a_filter_is_chosen_by_key_without_deciding_anything(few, visit):
    with served(few) as page_of:
        page = named(visit(page_of.address))
        page.keyboard.press("/")
        topic = page.get_by_label("Topic")
        expect(topic.locator("option")).to_have_count(4)
        topic.focus()
        page.keyboard.type("savings")
        expect(topic).to_have_value("savings")
        expect(page.locator("#progress")).to_contain_text("2 of 2 in this filter")
        expect(topic).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(topic).not_to_have_value("savings")
        expect(topic).to_be_focused()
    assert decisions(few) == []


def test_a_double_click_decides_about_one_record(few, visit):
    with served(few) as page_of:
        page = named(visit(page_of.address))
        before = question(page)
        page.get_by_role("button", name="Accept").dblclick()
        expect(page.locator("#record .question")).not_to_contain_text(before)
        expect(page.locator("#progress")).to_contain_text("1 of 6 reviewed")
    assert len(decisions(few)) == 1


def test_a_decision_after_a_settlement_holds(few, visit):
    with served(few, double=1.0) as page_of:
        press(named(visit(page_of.address)), "a")
        page = named(visit(page_of.address), "Ben")
        press(page, "r", "1")
        page.get_by_role("button", name="Conflicts: 1").click()
        page.locator(".list button").click()
        page.get_by_role("button", name="Take Ben’s decision").click()
        expect(page.get_by_text("Settled")).to_be_visible()
        look_at_reviewed(page)
        page.get_by_text("It was settled: You rejected it").wait_for()
        page.keyboard.press("a")
        expect(page.get_by_text("It was settled: You accepted it")).to_be_visible()
    assert (last(few)["decision"], last(few)["settles"]) == ("accept", True)


def test_to_accept_what_another_changed_is_to_keep_the_change(few, visit):
    with served(few) as page_of:
        first = named(visit(page_of.address))
        rewrite(first, "Better.")
        expect(first.locator("#progress")).to_contain_text("1 of 6 reviewed")
        page = visit(page_of.address)
        page.get_by_role("button", name="Reviewer: Anna").click()
        page.get_by_label("Your name").fill("Ben")
        page.keyboard.press("Enter")
        expect(page.get_by_text("You go on as Ben.")).to_be_visible()
        look_at_reviewed(page)
        expect(page.locator("#record .answer ins")).to_have_text(re.compile("Better."))
        page.keyboard.press("a")
        expect(page.locator(".banner")).to_contain_text("You edited it")
        page.keyboard.press("e")
        expect(page.locator("#record .answer textarea")).to_have_value("Better.")
    both = [(one["reviewer"], one["fields"]["answer"]) for one in decisions(few)]
    assert both == [("Anna", "Better."), ("Ben", "Better.")]


def test_ones_own_edit_can_be_taken_back_by_writing_the_old_words(few, visit):
    with served(few) as page_of:
        page = named(visit(page_of.address))
        before = page.locator("#record .answer .text").inner_text()
        rewrite(page, "Worse.")
        expect(page.locator("#progress")).to_contain_text("1 of 6 reviewed")
        look_at_reviewed(page)
        rewrite(page, before)
        expect(page.locator(".banner")).to_contain_text("You accepted it")
    assert last(few)["decision"] == "accept"


LABELLED = {"answer": "", "candidates": []}


def test_a_label_that_no_answer_has_can_be_chosen_and_none_that_the_task_lacks(tmp_path, visit):
    labels = {"entailment": "", "neutral": "", "contradiction": ""}
    rows = [record(n, label=("entailment", "neutral")[n % 2], **LABELLED) for n in range(4)]
    folder = run(tmp_path / "nli", rows)
    entry = {"version": "1", "started": "2026-01-01", "options": {"task": {"labels": labels}}}
    manifest = {"schema_version": 1, "commands": {"answer": entry}, "files": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with served(folder) as page_of:
        found = page_of.next(reviewer="Ben")["record"]
        wrong = page_of.decide(found, "edit", fields={"label": "neutrall"})
        assert (wrong[0], "not a label of this task" in wrong[1]["message"]) == (400, True)
        page = named(visit(page_of.address))
        page.keyboard.press("e")
        choice = page.locator("#record .label select")
        assert choice.locator("option").all_inner_texts() == list(labels)
        choice.select_option("contradiction")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#progress")).to_contain_text("1 of 4 reviewed")
    assert last(folder)["fields"] == {"label": "contradiction"}


def test_words_that_are_left_come_back(few, visit):
    with served(few) as page_of:
        page = named(visit(page_of.address))
        answer = page.locator("#record .answer textarea")
        page.keyboard.press("e")
        page.keyboard.type("MINE ")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Edit shows your words again")).to_be_visible()
        page.keyboard.press("e")
        expect(answer).to_have_value(re.compile("^MINE|MINE $"))
        first = page.locator("#record .question textarea").input_value()
        page.keyboard.press("End")
        page.keyboard.type("NOT YET")
        page.get_by_role("button", name="Filter").click()
        page.get_by_label("Topic").select_option("metals")  # leaves the edit
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("#progress")).to_contain_text("in this filter")
        press(page, "a")
        page.get_by_role("button", name="Filter: on").click()
        page.reload()
        expect(page.locator("#record .question textarea")).to_have_value(first)
        expect(answer).to_have_value(re.compile("NOT YET"))


def test_the_edit_of_a_conflict_comes_back_after_a_reload(few, visit):
    with served(few, double=1.0) as page_of:
        press(named(visit(page_of.address)), "a")
        page = named(visit(page_of.address), "Ben")
        press(page, "r", "1")
        page.get_by_role("button", name="Conflicts: 1").click()
        page.locator(".list button").click()
        expect(page.get_by_text("The reviewers differ.")).to_be_visible()
        page.keyboard.press("e")
        page.keyboard.type("MINE ")
        page.reload()
        expect(page.locator("#record .answer textarea")).to_have_value(re.compile("MINE"))


def test_a_program_started_again_is_at_the_same_address(few, visit):
    with served(few, port=None) as first:
        page = named(visit(first.address))
        page.keyboard.press("e")
        page.keyboard.type("MINE ")
        first.process.kill()
        first.process.wait()
    with served(few, port=None) as second:
        assert second.port == first.port
        page.goto(second.address)
        expect(page.get_by_label("Your name")).to_be_focused()
        page.keyboard.type("Anna")
        page.keyboard.press("Enter")
        expect(page.locator("#record .answer textarea")).to_have_value(re.compile("MINE"))


def test_two_who_work_at_once_get_different_records(few, visit):
    with served(few) as page_of:
        anna, ben = named(visit(page_of.address)), named(visit(page_of.address), "Ben")
        assert question(anna) != question(ben)
        for page in (anna, ben, anna, ben):
            press(page, "a")
    assert len({one["id"] for one in decisions(few)}) == 4


def test_what_waits_for_a_second_reviewer_is_said(tmp_path, visit):
    with served(run(tmp_path / "gold", [record(0)]), double=1.0) as page_of:
        page = named(visit(page_of.address))
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing is left for you")).to_be_visible()
        expect(page.get_by_text("1 reviewed by one, and for a second reviewer")).to_be_visible()


def test_keys_of_other_alphabets_decide_too(gold, visit):
    with served(gold) as page_of:
        page = named(visit(page_of.address))
        page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ф', code: 'KeyA',"
            " bubbles: true}))"
        )
        reviewed(page, 1)


def test_an_undo_of_another_program_brings_the_record_back(few):
    with served(few) as one, served(few) as other:
        found = one.next()["record"]
        one.decide(found, "accept")
        assert other.next()["record"]["id"] != found["id"]
        again = one.ask(f"/api/record?place={found['place']}&reviewer=Anna")[1]["record"]
        one.decide(again, "undo")
        assert other.next()["record"]["id"] == found["id"]


def served_note(page_of: Served, place: int) -> str:
    return page_of.ask(f"/api/record?place={place}&reviewer=Anna")[1]["record"]["note"]


def test_the_note_of_a_skipped_record_is_there_again(few):
    with served(few) as page_of:
        found = page_of.next()["record"]
        page_of.decide(found, "skip", note="ask Carl")
        assert served_note(page_of, found["place"]) == "ask Carl"
