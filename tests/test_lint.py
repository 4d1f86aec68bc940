"""Known damage: each rule tells what it is for, and leaves good texts alone."""

import re

import pytest

from distillgen import lint


def broken(question: str = "Should I buy gold?", **texts: str) -> list[str]:
    """The rules that a record breaks."""
    return list(lint.check({"question": question, **texts}))


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("merged_items", {"rationale": "4 - 1 = 3.\n\nQ: Paul has 5 apples. How many"}),
        ("merged_items", {"answer": "No.\n**Question 2:** Is silver better?"}),
        ("merged_items", {"user_context": "I am 40.\nUser context: I am 50."}),
        ("merged_items", {"answer": 'No.", "question": "And silver?'}),
        ("merged_items", {"question": "1. Should I buy gold?\n2) Is silver cheap?"}),
        ("as_an_ai", {"answer": "As an AI language model, I cannot say."}),
        ("as_an_ai", {"answer": "I cannot say, as an AI."}),
        ("as_an_ai", {"rationale": "I’m just a large language model"}),
        ("as_an_ai", {"answer": "Being an artificial intelligence, I have no money."}),
        ("missing_context", {"question": "Summarise the following article."}),
        ("missing_context", {"question": "What does the table below tell?"}),
        ("missing_context", {"question": "Is the given short text polite?"}),
        ("missing_context", {"question": "Translate the following sentence:"}),
        ("missing_context", {"question": "Read the given passage.\nIs it polite?"}),
        ("url", {"question": "What is on https://example.org/a?"}),
        ("url", {"answer": "See www.example.org."}),
        ("empty", {"user_context": "N/A"}),
        ("empty", {"user_context": "None."}),
        ("empty", {"answer": ""}),
        ("empty", {"answer": " ... "}),
        ("empty", {"rationale": "[TODO]"}),
        ("control_characters", {"answer": "red \x1b[31m"}),
        ("control_characters", {"question": "Caf\ufffd prices?"}),
    ],
)
def test_damage_is_told(name, texts):
    assert broken(**texts) == [name]


@pytest.mark.parametrize(
    "texts",
    [
        {"question": "Question: should I buy gold?"},
        {"question": "Which is best?\n1. Gold\n2. Silver"},
        {"question": "What is best?\n1. Is gold safe?"},
        {"question": "I have two plans:\n1. Buy.\n2. Sell.\nWhich one?"},
        {"answer": "The question is: can you wait?"},
        {"user_context": "I work as an AI engineer"},
        {"user_context": "I am an AI researcher at a bank"},
        {"user_context": "I am an AI system designer"},
        {"answer": "Treat it as an aid."},
        {"question": "Summarise the following text.", "user_context": "Gold fell."},
        {"question": "Translate the following sentence: Gold fell today."},
        {"question": "Sum up the text below.\nGold fell by a tenth today, and silver with it."},
        {"question": "Can I trust the data of my broker?"},
        {"answer": "None"},
        {"answer": "7"},
        {"answer": "👍"},
        {"answer": "不"},
        {"label": "no"},
        {"answer": "First\tline\r\nsecond 👩\u200d🔧 \u0645\u06cc\u200c\u062e"},
        {"answer": "Use http or a mail."},
    ],
)
def test_a_good_text_is_left_alone(texts):
    assert broken(**texts) == []


def test_a_record_may_break_several_rules():
    said = broken("What does the text above say?", answer="As an AI, I cannot open www.a.org.")
    assert said == ["as_an_ai", "missing_context", "url"]


def test_each_rule_says_in_a_line_what_it_looks_for():
    for rule in lint.RULES:
        assert re.fullmatch(r"[a-z_]+", rule.name)
        assert 10 < len(rule.explains) < 60
