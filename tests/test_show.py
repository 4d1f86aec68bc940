"""Blocks for the terminal: readable, never wider than asked, and never in command of it."""

import pytest
from rich.cells import cell_len

from distillgen.records import Answer, Example, Rejection
from distillgen.show import blocks, visible, wrap

LONG = "Long rates fell and you hold bonds of ten years, so their price has risen. " * 6


def answer(**fields: str) -> Answer:
    given = {"question": "Sell my bonds?", "answer": "No.", "id": "9f31", **fields}
    return Answer(teacher="t", request="r", **given)


def test_an_answer_reads_context_question_answer_and_why() -> None:
    (block,) = blocks([answer(user_context="I am 40", rationale="You need them later.")])
    assert block.split("\n") == [
        "     I am 40",
        "Q    Sell my bonds?",
        "A    No.",
        "why  You need them later.",
        "id   9f31",
    ]


def test_a_label_stands_where_the_answer_would() -> None:
    (block,) = blocks([answer(answer="", label="neutral")])
    assert "A    neutral" in block


def test_inputs_rejections_and_chat_rows_are_shown_too() -> None:
    chat = {
        "prompt": [{"role": "user", "content": "Why?"}],
        "completion": [{"role": "assistant", "content": "So.", "reasoning_content": "It is."}],
    }
    example, rejection, turns, row = blocks(
        [
            Example(question="Buy gold?", id="7"),
            Rejection(stage="expand", reason="near_duplicate", question="Buy gold?", of="7"),
            chat,
            {"task": "label", "weight": 0.5},
        ]
    )
    assert example == "Q    Buy gold?\nid   7"
    assert "dropped  near_duplicate" in rejection
    assert turns == "user       Why?\nwhy        It is.\nassistant  So."
    assert row == "task    label\nweight  0.5"


def test_images_are_named_wherever_they_stand() -> None:
    url = {"type": "image_url", "image_url": {"url": "a\x1b.png"}}
    parts = [{"type": "image"}, {"type": "text", "text": "What is it?"}, url]
    record, chat = blocks(
        [
            {"question": "What is it?", "images": ["a.png", "b.png"]},
            {"messages": [{"role": "user", "content": parts}]},
        ]
    )
    assert record == "see  a.png, b.png\nQ    What is it?"
    assert chat == "user  [image]\n      What is it?\n      [image a\\x1b.png]"


@pytest.mark.parametrize("width", [20, 60, 80])
@pytest.mark.parametrize(
    "text",
    [LONG, "x" * 300, "長い" * 100, "- one\n    - " + LONG, f"a\t{LONG}", "\x1b" * 90, " " * 200],
    ids=["words", "one word", "wide letters", "list", "tab", "escapes", "blanks"],
)
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    for block in blocks([answer(answer=text, rationale=text), {"key" * 50: text}], width=width):
        assert max(cell_len(line) for line in block.split("\n")) <= width


def test_wrapping_loses_no_word_and_keeps_the_lines_of_a_list() -> None:
    text = f"1. {LONG}\n2. Short.\n   Indented."
    wrapped = list(wrap(text, 40))
    assert " ".join(wrapped).split() == text.split()
    assert wrapped[-2:] == ["2. Short.", "   Indented."]
    assert "".join(wrap("x" * 95, 40)) == "x" * 95


def test_a_cut_text_says_that_it_goes_on() -> None:
    (block,) = blocks([answer(answer=LONG)], width=60, lines=2)
    shown = [line for line in block.split("\n") if not line.startswith(("Q", "id"))]
    assert len(shown) == 2
    assert shown[-1].endswith(" …")
    assert max(map(len, shown)) <= 60
    (full,) = blocks([{"question": "x" * 300}], width=60, lines=1)
    assert full == f"Q    {'x' * 53} …"
    (whole,) = blocks([answer(answer="One.\nTwo.")], lines=2)
    assert "…" not in whole


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("safe\rEVIL", r"safe\rEVIL"),
        ("\x00\x7f\x08", r"\x00\x7f\x08"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_a_text_cannot_steer_the_terminal(evil: str, shown: str) -> None:
    assert visible(evil) == shown
    for row in ({"question": evil}, {evil: evil}, {"messages": [{"role": evil, "content": evil}]}):
        (block,) = blocks([row])
        assert block.replace("\n", "").isprintable()
        assert shown in block


def test_letters_joiners_and_line_ends_stay() -> None:
    text = "Zoë, \u0645\u06cc\u200c\u062e 👩\u200d🔧\nnext"
    assert visible(text.replace("\n", "\r\n")) == text
