"""Replies of plain text whose answer is marked; the texts are made here, the marks are real."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillgen import marked
from distillgen.errors import ParseError

READ = {
    "an option with its letter": (
        "Apples fall because of a force. So the answer is (e) gravity.",
        ("Apples fall because of a force.", "gravity"),
    ),
    "a calculation": (
        "She had 84 and 2 friends. 84 / 2 = 42. The answer is (84 / 2).",
        ("She had 84 and 2 friends. 84 / 2 = 42.", "(84 / 2)"),
    ),
    "a whole calculation": ("The answer is (3 * 8) + 9.", ("", "(3 * 8) + 9")),
    "a heading": (
        "He may train his horse.\nAnswer: neutral",
        ("He may train his horse.", "neutral"),
    ),
    "four hashes": ("48 / 2 = 24\n24 + 18 = 42\n#### 42", ("48 / 2 = 24\n24 + 18 = 42", "42")),
    "a box": (
        r"Both halves make one. So we get $\boxed{\frac{1}{2}}$.",
        ("Both halves make one.", r"\frac{1}{2}"),
    ),
    "a box in a sentence": (r"It is even. The answer is \boxed{42}.", ("It is even.", "42")),
    "Markdown": (
        "**Rationale:** You are 30.\n\n**Answer:** Buy a fund. Keep cash.\n\n1. Wait.",
        ("You are 30.", "Buy a fund. Keep cash.\n\n1. Wait."),
    ),
    "a rationale behind the answer": (
        "Answer: yes\nRationale: It is open.",
        ("It is open.", "yes"),
    ),
    "a conclusion within a sentence": (
        "33 - 19 = 14, hence the answer is 14",
        ("33 - 19 = 14", "14"),
    ),
    "a mark in a mark": (
        "One is left. Hence the answer is Answer: 1,124",
        ("One is left.", "1,124"),
    ),
    "the last of several": (
        "The answer is not plain. Let us see. The final answer is: five.",
        ("The answer is not plain. Let us see.", "five"),
    ),
    "a sentence behind it": ("The answer is B. Because it is open.", ("", "B")),
    "a title": ("The answer is Dr. J. K. Smith.", ("", "Dr. J. K. Smith")),
    "an answer on the next line": ("It is open.\nAnswer:\n\nyes.", ("It is open.", "yes")),
}

GOES_ON = [
    "\n\nQ: What is 2 + 2?\nA: 2 + 2 = 4. The answer is 4.",
    "\nPremise: A man sleeps.\nHypothesis: He runs.\nAnswer: contradiction",
    "\n\nQuestion 2: Who? The answer is nobody.",
    "\n\n### Example 7:\nAnswer: nobody",
    "<|endoftext|>The answer is nobody.",
]

REFUSED = {
    "no mark": ("It is open.", "schema"),
    "a mark in the invented example alone": (f"It is open.{GOES_ON[0]}", "schema"),
    "nothing behind the mark": ("It is open. So the answer is", "empty"),
    "nothing but a full stop": ("So the answer is.", "empty"),
    "a calculation that breaks off": ("The answer is ((84 - 2) + (3", "truncated"),
    "a box that breaks off": (r"So it is \boxed{42", "truncated"),
    "nothing": ("", "schema"),
}


@pytest.mark.parametrize("name", READ)
def test_the_answer_and_the_sentences_before_it_are_read(name: str) -> None:
    text, wanted = READ[name]
    assert marked.read(text) == wanted


@pytest.mark.parametrize("more", GOES_ON)
@pytest.mark.parametrize("name", READ)
def test_an_invented_example_changes_nothing(name: str, more: str) -> None:
    text, wanted = READ[name]
    assert marked.cut(text + more) == text
    assert marked.read(text + more) == wanted


def test_a_text_that_begins_as_an_example_is_not_cut_to_nothing() -> None:
    assert marked.cut("\nQ: Why?\nA: So the answer is because.") == (
        "Q: Why?\nA: So the answer is because."
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_marks_no_whole_answer_is_refused(name: str) -> None:
    text, kind = REFUSED[name]
    with pytest.raises(ParseError) as caught:
        marked.read(text)
    assert caught.value.kind == kind


PIECES = ["answer", "the answer is ", "So ", "Answer:", "\\boxed{", "}", "####", "\n", ". ", "Q:"]


@given(st.lists(st.sampled_from([*PIECES, "(a) ", "(", "**", "7", "ä", "Rationale:"])).map("".join))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    try:
        found = marked.read(text)
    except ParseError:
        return
    assert found.answer.strip()
    assert found.answer in text
    assert found.rationale == found.rationale.strip()
