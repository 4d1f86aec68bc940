"""mistral-common's fine-tuning validation takes our conversations, and reads back what is meant."""

import pytest
from meant import SETS, SPLITS, TEXT_FORMS, answer, export, question, told
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from pydantic import ValidationError


@pytest.fixture(scope="session")
def mistral():
    """The tokenizer that comes with the package, in the mode for fine-tuning."""
    path = MistralTokenizer._data_path() / "tekken_240911.json"
    return MistralTokenizer.from_file(path, mode=ValidationMode.finetuning)


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("set", SETS)
@pytest.mark.parametrize("format", ["mistral", "openai-chat"])
def test_every_conversation_is_valid_and_says_what_is_meant(format, set, form, mistral):
    given = export(set, format, form)
    for split in SPLITS:
        rows, meant = given.rows(split), given.meant(split)
        assert len(rows) == len(meant)
        for row, one in zip(rows, meant, strict=True):
            assert row.keys() == {"messages"}
            tokens = mistral.encode_chat_completion(ChatCompletionRequest(**row)).tokens
            said = [*told(form), question(one), answer(one, form)]
            assert mistral.decode(tokens) == "\n\n".join(said[:-1]) + said[-1]
            assert tokens[-1] == mistral.instruct_tokenizer.tokenizer.eos_id


def ends_with_the_user(row):
    row["messages"].append({"role": "user", "content": "And now?"})


def begins_with_the_assistant(row):
    del row["messages"][0]


def unknown_role(row):
    row["messages"][0]["role"] = "expert"


def unknown_key(row):
    row["messages"][1]["reasoning_content"] = "Why not?"


def unknown_column(row):
    row["id"] = 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (ends_with_the_user, "Expected last role Assistant for finetuning"),
        (begins_with_the_assistant, "must start with a user message"),
        (unknown_role, "'expert'"), (unknown_key, "reasoning_content\n  Extra inputs"),
        (unknown_column, "id\n  Extra inputs"),
    ],
)  # fmt: skip
def test_a_spoilt_conversation_is_refused(spoil, why, mistral):
    row = export("open", "mistral", "after").rows("train")[3]
    spoil(row)
    with pytest.raises((MistralCommonException, ValidationError), match=why):
        mistral.encode_chat_completion(ChatCompletionRequest(**row))
