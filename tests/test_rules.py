"""The consumers' rules and limits: what is right passes, and each thing that is wrong is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_formats import ANSWERS, LINEAGE, PAIRS, SEEN, cases, rows_of

from distillgen import formats
from distillgen.card import About
from distillgen.errors import UserError
from distillgen.export import Options as Wanted
from distillgen.export import export
from distillgen.formats import LeftOut, Options
from distillgen.records import Answer, Side

Row = dict[str, Any]
THINKING = Options(rationale="field", system={"": "Be kind."})
PLAIN = Options(rationale="none", system={"": "Be kind."})
TRL = ("trl-dpo", "trl-kto", "trl-messages", "trl-prompt-completion", "trl-prompts", "trl-text")
CHATS = ("trl-messages", "openai-chat", "together", "fireworks", "mistral")
PREFERENCES = ("trl-dpo", "trl-kto", "openai-dpo")
OURS = (*TRL, "openai-chat", "openai-dpo", "together", "fireworks", "mistral", "gemini", "bedrock")


@pytest.mark.parametrize(
    ("name", "options"), [pytest.param(n, told, id=file) for file, n, told in cases()]
)
def test_what_is_written_keeps_to_the_rules(name: str, options: Options) -> None:
    found = formats.load(name)
    for row in rows_of(name, ANSWERS + [SEEN] * options.images, options):
        assert found.broken(row, options) == ""


def first(name: str, **changes: Any) -> Row:
    """A row of the format with a system turn, and with reasoning apart where there is a key."""
    found = formats.load(name)
    told = THINKING if "field" in found.rationales else PLAIN
    given = [SEEN] if changes.get("images") else ANSWERS
    row: Row = json.loads(json.dumps(rows_of(name, given, replace(told, **changes))[0]))
    return row


def turn(row: Row, place: str, n: int) -> Row:
    """A turn of a row: `input.messages`, 0."""
    for key in place.split("."):
        row = row[key]
    found: Row = row[n]  # type: ignore[index]
    return found


def refused(name: str, row: Row) -> str:
    found = formats.load(name)
    return found.broken(row, THINKING if "field" in found.rationales else PLAIN)


@pytest.mark.parametrize("name", OURS)
def test_a_column_that_is_not_known_is_refused(name: str) -> None:
    assert refused(name, first(name)) == ""
    assert refused(name, first(name) | {"id": "1"}) == "a column `id`, which is not known"


@pytest.mark.parametrize("name", OURS)
def test_a_column_that_is_missing_is_refused(name: str) -> None:
    for key in first(name).keys() - {"system", "systemInstruction"}:
        row = first(name)
        del row[key]
        assert refused(name, row) == f"no `{key}`"


def test_messages_beside_a_prompt_are_refused() -> None:
    both = first("trl-prompt-completion") | first("trl-messages")
    assert "`messages`" in refused("trl-prompt-completion", both)
    assert "`prompt`" in refused("trl-messages", both)


def test_a_blank_text_is_refused() -> None:
    assert refused("trl-text", {"text": " \n"}) == "`text` is blank"


ASKED = {
    **dict.fromkeys(CHATS, "messages"),
    **dict.fromkeys(("trl-dpo", "trl-kto", "trl-prompt-completion", "trl-prompts"), "prompt"),
    "openai-dpo": "input.messages",
}
"""Where the turns are that begin with the system's."""
REPLIES = [
    ("trl-prompt-completion", "completion"), ("trl-kto", "completion"), ("trl-dpo", "chosen"),
    ("trl-dpo", "rejected"), ("openai-dpo", "preferred_output"),
    ("openai-dpo", "non_preferred_output"),
]  # fmt: skip
"""Where one turn of the assistant stands by itself."""


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    ("n", "change", "reason"),
    [
        (0, {"content": " "}, "[0]: `content` is blank"),
        (1, {"content": ""}, "[1]: `content` is blank"),
        (1, {"content": None}, "[1]: `content` is blank"),
        (1, {"content": [{"type": "text", "text": " "}]}, "[1]: `content` is blank"),
        (1, {"role": "human"}, "[1]: `role` is 'human', not system, user, assistant"),
        (1, {"role": "system"}, "[1] is a system turn, which stands first if anywhere"),
        (0, {"role": "assistant"}, "[0]: `role` is assistant, and user is due"),
        (0, {"role": "user"}, "[1]: `role` is user, and assistant is due"),
        (1, {"weight": 0.5}, "[1]: a key `weight`, which is not known"),
        (
            0,
            {"content": [{"type": "image_url", "image_url": {"url": "a.png"}}]},
            "[0]: an image, which only the user shows",
        ),
    ],
)
def test_a_turn_that_is_wrong_is_refused(
    name: str, n: int, change: dict[str, Any], reason: str
) -> None:
    row = first(name)
    turn(row, ASKED[name], n).update(change)
    assert refused(name, row).endswith(reason)


@pytest.mark.parametrize("name", ASKED)
def test_who_speaks_last_is_the_one_due(name: str) -> None:
    row = first(name)
    turns = row["input"]["messages"] if name == "openai-dpo" else row[ASKED[name]]
    if name in CHATS:
        turns.pop()
        assert refused(name, row) == "the last turn is the user's, not the assistant's"
    else:
        turns.append({"role": "assistant", "content": "Yes."})
        assert refused(name, row) == "the last turn is the assistant's, not the user's"


@pytest.mark.parametrize(("name", "key"), REPLIES)
def test_an_answer_is_one_turn_of_the_assistant_that_says_something(name: str, key: str) -> None:
    row = first(name)
    said = row[key][0]
    assert refused(name, row | {key: []}) == f"`{key}` is no list of one turn"
    assert refused(name, row | {key: [said, said]}) == f"`{key}` is no list of one turn"
    assert refused(name, row | {key: "Yes."}) == f"`{key}` is no list of one turn"
    user = said | {"role": "user"}
    assert refused(name, row | {key: [user]}) == f"{key}[0]: `role` is user, not assistant"
    blank = said | {"content": "\n"}
    assert refused(name, row | {key: [blank]}) == f"{key}[0]: `content` is blank"


@pytest.mark.parametrize("name", ["openai-chat", "openai-dpo", "mistral"])
def test_reasoning_apart_is_refused_where_no_key_is_known(name: str) -> None:
    row = first(name)
    place, n = ("preferred_output", 0) if name == "openai-dpo" else ("messages", -1)
    turn(row, place, n)["reasoning_content"] = "Because."
    assert "a key `reasoning_content`, which is not known" in refused(name, row)


@pytest.mark.parametrize("name", ["together", "fireworks", "trl-messages"])
def test_reasoning_apart_is_refused_beside_reasoning_in_the_text(name: str) -> None:
    problem = formats.load(name).broken(first(name), Options(rationale="think"))
    assert problem == "messages[2]: a key `reasoning_content`, which is not known"


@pytest.mark.parametrize("name", ["together", "fireworks", "trl-messages"])
def test_reasoning_apart_is_a_text(name: str) -> None:
    row = first(name)
    assert row["messages"][-1]["reasoning_content"]
    row["messages"][-1]["reasoning_content"] = None
    assert refused(name, row) == "messages[2]: `reasoning_content` is no text"


@pytest.mark.parametrize("label", [1, "true", None])
def test_a_label_is_true_or_false(label: object) -> None:
    row = first("trl-kto") | {"label": label}
    assert refused("trl-kto", row) == "`label` is neither true nor false"


def test_a_preference_between_equals_is_refused() -> None:
    row = first("trl-dpo")
    row["rejected"] = row["chosen"]
    assert refused("trl-dpo", row) == "`chosen` and `rejected` are the same"
    row = first("openai-dpo")
    row["preferred_output"] = row["non_preferred_output"]
    assert "`non_preferred_output` are the same" in refused("openai-dpo", row)


@pytest.mark.parametrize("name", PREFERENCES)
def test_a_pair_whose_answers_come_out_the_same_is_left_out(name: str) -> None:
    """They may differ in the rationale alone, and the form leaves it away."""
    better = PAIRS[0].chosen
    worse = Side(rationale="A guess.", answer=f" {better.answer}\n", id="open", candidate=1)
    pair = PAIRS[0].model_copy(update={"rejected": worse})
    pairs = formats.load(name).pairs
    assert pairs
    with pytest.raises(LeftOut, match=r"^same_answer$"):
        list(pairs(pair, Options(rationale="none")))
    assert list(pairs(pair, Options(rationale="after")))


@pytest.mark.parametrize("name", ["trl-dpo", "trl-kto"])
def test_pairs_about_images_hold_them_in_every_row(name: str) -> None:
    found = formats.load(name)
    seen = PAIRS[0].model_copy(update={"images": ("pics/1.png",)})
    assert found.pairs
    rows = [r for p in (seen, PAIRS[1]) for r in found.pairs(p, Options(images=True))]
    assert [len(row["images"]) for row in rows[:: len(rows) // 2]] == [1, 0]
    assert rows[0]["prompt"][0]["content"][0] == {"type": "image"}
    assert {found.broken(row, Options(images=True)) for row in rows} == {""}
    rows[0]["images"] = []
    assert found.broken(rows[0], Options()) == "0 images, and 1 marks for them"


@pytest.mark.parametrize("name", ["trl-messages", "trl-prompt-completion"])
def test_images_and_their_marks_go_together(name: str) -> None:
    row = first(name, images=True)
    assert refused(name, row | {"images": ["a.png"]}) == "1 images, and 2 marks for them"
    assert refused(name, row | {"images": [None, None]}) == "`images` is no list of paths"


@pytest.mark.parametrize("name", ["trl-messages", "trl-prompt-completion", "trl-dpo", "together"])
def test_texts_and_lists_of_parts_do_not_mix(name: str) -> None:
    row = first(name)
    asked = turn(row, ASKED[name], 1)
    asked["content"] = [{"type": "text", "text": asked["content"]}]
    assert refused(name, row) == "some contents are texts, and some lists of parts"


@pytest.mark.parametrize(
    ("name", "kind"), [("openai-chat", "gif"), ("together", "gif"), ("fireworks", "webp")]
)
def test_images_that_the_service_cannot_read_are_refused(name: str, kind: str) -> None:
    answer = SEEN.model_copy(update={"images": (f"pics/1.{kind}",)})
    (row,) = rows_of(name, [answer], Options(images=True))
    assert refused(name, row).startswith(f"image pics/1.{kind} is none of .jpg")


@pytest.mark.parametrize("name", ["gemini", "bedrock"])
def test_images_of_an_unknown_kind_are_refused(name: str) -> None:
    answer = SEEN.model_copy(update={"images": ("pics/1.tiff",)})
    (row,) = rows_of(name, [answer], Options(images=True))
    assert refused(name, row).startswith("image pics/1.tiff is none of .jpg")


@pytest.mark.parametrize(("name", "most"), [("together", 10), ("bedrock", 10), ("gemini", 30)])
def test_a_row_has_no_more_images_than_the_service_takes(name: str, most: int) -> None:
    for n, reason in ((most, ""), (most + 1, f"{most + 1} images, and {most} are the most")):
        answer = SEEN.model_copy(update={"images": ("pics/1.png",) * n})
        (row,) = rows_of(name, [answer], Options(images=True))
        assert refused(name, row) == reason


VOICES = [("gemini", "contents", "parts", "model"), ("bedrock", "messages", "content", "assistant")]


@pytest.mark.parametrize(("name", "key", "parts", "second"), VOICES)
def test_two_speak_in_turn_and_in_parts(name: str, key: str, parts: str, second: str) -> None:
    def told(change: Callable[[list[Row]], object]) -> str:
        row = first(name)
        change(row[key])
        return refused(name, row)

    other = "assistant" if second == "model" else "model"
    assert told(lambda turns: turns[1].update(role=other)) == (
        f"{key}[1]: `role` is {other}, and {second} is due"
    )
    assert told(lambda turns: turns.reverse()) == f"{key}[0]: `role` is {second}, and user is due"
    assert told(lambda turns: turns.pop()) == f"the last turn is the user's, not the {second}'s"
    assert told(lambda turns: turns.clear()) == f"`{key}` is no list of turns"
    assert told(lambda turns: turns[0].update({parts: "Buy gold?"})) == (
        f"{key}[0]: `{parts}` is no list of parts"
    )
    assert told(lambda turns: turns[0].update({parts: []})) == f"{key}[0]: `{parts}` has no text"
    assert "is blank" in told(lambda turns: turns[1].update({parts: [{"text": " "}]}))
    assert told(lambda turns: turns[0].update(weight=1)) == f"{key}[0] is not `role` and `{parts}`"
    typed = {"type": "text", "text": "Yes."}
    assert "a part that is not one of text" in told(lambda t: t[1].update({parts: [typed]}))


def test_gemini_refuses_an_empty_system_instruction() -> None:
    row = first("gemini")
    row["systemInstruction"]["parts"][0]["text"] = ""
    assert refused("gemini", row) == "`systemInstruction` is blank"


def test_bedrock_refuses_another_schema_and_blank_texts() -> None:
    row = first("bedrock") | {"schemaVersion": "2"}
    assert refused("bedrock", row) == "`schemaVersion` is 2, not bedrock-conversation-2024"
    row = first("bedrock")
    row["system"][0]["text"] = " "
    assert refused("bedrock", row) == "`text` is blank"
    row = first("bedrock")
    row["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["text"] = ""
    assert refused("bedrock", row) == "`text` is blank"


@pytest.mark.parametrize("place", ["question", "answer", "rationale"])
def test_bedrock_refuses_texts_that_name_the_speaker(place: str) -> None:
    answer = ANSWERS[0].model_copy(update={place: "He said:\nUser: hello"})
    (row,) = rows_of("bedrock", [answer], Options(rationale="field"))
    assert refused("bedrock", row) == "a text has `User:`, which is refused"


# -- what a service takes of a file ----------------------------------------------------------


def made(tmp_path: Path, name: str, n: int, split: str = "train", words: str = "No.") -> list[str]:
    """Export n answers into one split, the first of them into train; the warnings."""
    answers = [
        Answer(question=f"Is {i} even?", answer=words, id=str(i), **LINEAGE) for i in range(n)
    ]
    given = Wanted(formats=(name,))
    (done,) = export(
        answers, (), False, given, tmp_path, lambda id: split if id != "0" else "train", About()
    )  # type: ignore[arg-type]
    return list(done.warnings)


@pytest.mark.parametrize(
    ("name", "least", "who"),
    [
        ("openai-chat", 10, "OpenAI"),
        ("fireworks", 3, "Fireworks"),
        ("mistral", 10, "mistral-finetune"),
        ("bedrock", 8, "Amazon Nova"),
    ],
)
def test_too_few_rows_are_refused(tmp_path: Path, name: str, least: int, who: str) -> None:
    with pytest.raises(UserError, match=f"{least - 1} rows to train on; {who} takes {least} at"):
        made(tmp_path, name, least - 1)
    assert not any(tmp_path.rglob("*.jsonl"))
    made(tmp_path, name, least, words="No, it is not even, as far as I can tell today.")
    assert (tmp_path / name / "train.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "n", "advised"), [("openai-chat", 49, 50), ("gemini", 99, 100), ("bedrock", 199, 200)]
)
def test_fewer_rows_than_advised_warn(tmp_path: Path, name: str, n: int, advised: int) -> None:
    (warning,) = made(tmp_path, name, n)
    assert f"{n} rows to train on" in warning
    assert warning.endswith(f"advises {advised}")
    assert not made(tmp_path, name, n + 1)


def test_mistral_takes_no_file_below_a_thousand_bytes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bytes to train on; mistral-finetune takes 1,000 at"):
        made(tmp_path, "mistral", 10)


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train has 20,001 rows; Amazon Nova takes 20,000 at most"):
        made(tmp_path, "bedrock", 20_001)


def test_more_rows_of_validation_than_gemini_takes_stop_nothing(tmp_path: Path) -> None:
    assert "validation" not in "".join(made(tmp_path, "gemini", 5001, split="validation"))
    told = made(tmp_path, "gemini", 5002, split="validation")
    assert "gemini: validation has 5,001 rows; Vertex AI takes 5,000 at most" in told


@pytest.mark.parametrize(
    ("name", "most", "size"),
    [
        ("openai-chat", 0, 512e6),
        ("openai-dpo", 0, 512e6),
        ("together", 0, 50.1 * 2**30),
        ("fireworks", 3e6, 0),
        ("mistral", 1e7, 1e10),
        ("gemini", 1e6, 1e9),
    ],
)
def test_the_largest_files_are_as_published(name: str, most: float, size: float) -> None:
    limits = formats.load(name).limit(Options())
    assert (limits.most, limits.bytes) == (int(most), int(size))
