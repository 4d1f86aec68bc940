"""The published rules of hosted services hold in our files, and spoilt ones break them."""

import pytest
import rules
from meant import (
    FORMS,
    SETS,
    SPLITS,
    TEXT_FORMS,
    answer,
    export,
    opening,
    question,
    reasoning,
    shape,
    told,
)

CHAT = {
    "openai-chat": TEXT_FORMS, "fireworks": FORMS, "mistral": TEXT_FORMS, "together": FORMS,
    "axolotl": FORMS, "torchtune": TEXT_FORMS,
}  # fmt: skip
CHAT_RULES = {"openai-chat": rules.openai_chat, "fireworks": rules.fireworks,
              "mistral": rules.mistral}  # fmt: skip


def every(formats):
    """Each set in each form that a format takes."""
    return [(name, set, form) for name, forms in formats.items() for set in SETS for form in forms]


@pytest.mark.parametrize(("format", "set", "form"), every(CHAT))
def test_a_chat_file_keeps_the_rules_and_says_what_is_meant(format, set, form):
    given = export(set, format, form)
    if format in CHAT_RULES:  # the others have checks of their own
        assert list(CHAT_RULES[format](given.rows("train"))) == []
    apart = {"reasoning_content"} if form == "field" else frozenset()
    for split in SPLITS:
        for row, one in zip(given.rows(split), given.meant(split), strict=True):
            *asked, assistant = row["messages"]
            assert asked == opening(one, form)
            assert assistant["content"] == answer(one, form)
            assert assistant.keys() == {"role", "content"} | apart
            assert assistant.get("reasoning_content", "") == reasoning(one, form)


@pytest.mark.parametrize(("format", "set", "form"), every({"openai-dpo": TEXT_FORMS}))
def test_a_file_of_pairs_keeps_the_rules_and_says_what_is_meant(format, set, form):
    given = export(set, format, form)
    for split in SPLITS:
        rows = given.rows(split)
        assert list(rules.openai_dpo(rows)) == []
        for row, one in zip(rows, given.meant(split), strict=True):
            assert row["input"]["messages"] == opening(one, form)
            assert row["preferred_output"][0]["content"] == answer(one, form)
            assert row["non_preferred_output"][0]["content"] == shape(one.doubt, one.wrong, form)


@pytest.mark.parametrize(("format", "set", "form"), every({"gemini": TEXT_FORMS}))
def test_a_file_for_gemini_keeps_the_rules_and_says_what_is_meant(format, set, form):
    given = export(set, format, form)
    for split in SPLITS:
        rows = given.rows(split)
        assert list(rules.gemini(rows)) == []
        said = [[part["text"] for turn in row["contents"] for part in turn["parts"]]
                for row in rows]  # fmt: skip
        told_apart = [[part["text"] for part in row.get("systemInstruction", {}).get("parts", [])]
                      for row in rows]  # fmt: skip
        assert told_apart == [told(form)] * len(rows)
        assert said == [[question(one), answer(one, form)] for one in given.meant(split)]


@pytest.mark.parametrize(("format", "set", "form"), every({"bedrock": FORMS}))
def test_a_file_for_bedrock_keeps_the_rules_and_says_what_is_meant(format, set, form):
    given = export(set, format, form)
    for split in SPLITS:
        rows = given.rows(split)
        assert list(rules.bedrock(rows)) == []
        for row, one in zip(rows, given.meant(split), strict=True):
            asked, said = (turn["content"] for turn in row["messages"])
            assert row.get("system", []) == [{"text": text} for text in told(form)]
            assert asked == [{"text": question(one)}]
            assert said[-1] == {"text": answer(one, form)}
            why = reasoning(one, form)
            thought = {"reasoningContent": {"reasoningText": {"text": why}}}
            assert said[:-1] == ([thought] if why else [])


def too_few(rows):
    del rows[2:]


def unknown_column(rows):
    rows[3]["id"] = 1


def unknown_key(rows):
    rows[3]["messages"][1]["thoughts"] = "Why not?"


def no_words(rows):
    rows[3]["messages"][1]["content"] = " \n"


def half_a_weight(rows):
    rows[3]["messages"][1]["weight"] = 0.5


def ends_with_the_user(rows):
    rows[3]["messages"].reverse()


@pytest.mark.parametrize("format", CHAT_RULES)
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (too_few, "2 rows"), (unknown_column, "unknown key {'id'}"),
        (unknown_key, "unknown key {'thoughts'}"), (no_words, "no content"),
        (half_a_weight, "weight is 0 or 1"), (ends_with_the_user, "the last word"),
    ],
)  # fmt: skip
def test_a_spoilt_chat_file_breaks_a_rule(format, spoil, why):
    rows = export("open", format, "after").rows("train")
    spoil(rows)
    (broken,) = CHAT_RULES[format](rows)
    assert why in broken


def one_output(row):
    del row["non_preferred_output"]


def role_of_another(row):
    row["contents"][1]["role"] = "assistant"


def text_for_parts(row):
    row["messages"][1]["content"] = ["Yes."]


def another_schema(row):
    row["schemaVersion"] = "2023"


@pytest.mark.parametrize(
    ("format", "rule", "spoil", "why"),
    [
        ("openai-dpo", rules.openai_dpo, one_output, "non_preferred_output is not one turn"),
        ("gemini", rules.gemini, role_of_another, "user and model must take turns"),
        ("bedrock", rules.bedrock, text_for_parts, "not one of the known kinds"),
        ("bedrock", rules.bedrock, another_schema, "schemaVersion"),
    ],
)
def test_a_spoilt_file_of_another_shape_breaks_a_rule(format, rule, spoil, why):
    rows = export("open", format, "after").rows("train")
    spoil(rows[3])
    (broken,) = rule(rows)
    assert why in broken
