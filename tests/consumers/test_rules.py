"""The published rules of hosted services hold in our files, and spoilt ones break them."""

import pytest
import rules
from meant import SETS, TEXT_FORMS, answer, export, question


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("set", SETS)
def test_a_file_for_openai_keeps_the_rules_and_says_what_is_meant(set, form):
    given = export(set, "openai-chat", form)
    assert list(rules.openai_chat(given.rows("train"))) == []
    for split in given.splits():
        said = [[(m["role"], m["content"]) for m in row["messages"]] for row in given.rows(split)]
        assert said == [
            [("user", question(one)), ("assistant", answer(one, form))]
            for one in given.meant(split)
        ]


def too_few(rows):
    del rows[9:]


def unknown_column(rows):
    rows[3]["id"] = 1


def unknown_key(rows):
    rows[3]["messages"][1]["reasoning_content"] = "Why not?"


def no_words(rows):
    rows[3]["messages"][1]["content"] = " \n"


def half_a_weight(rows):
    rows[3]["messages"][1]["weight"] = 0.5


def ends_with_the_user(rows):
    rows[3]["messages"].reverse()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (too_few, "9 rows"), (unknown_column, "unknown column"), (unknown_key, "unknown key"),
        (no_words, "no content"), (half_a_weight, "weight is 0 or 1"),
        (ends_with_the_user, "the last word"),
    ],
)  # fmt: skip
def test_a_spoilt_file_breaks_a_rule_of_openai(spoil, why):
    rows = export("open", "openai-chat", "after").rows("train")
    spoil(rows)
    (broken,) = rules.openai_chat(rows)
    assert why in broken
