"""Replies as servers and models really write them: what is mended, what is refused, and as what."""

import json
import math
from typing import Any

import pytest
from hostile import (
    BATCHES,
    BROKEN_BUT_WHOLE,
    CONTENTS,
    CUT,
    FENCE,
    GOOD,
    ITEM,
    KEPT,
    LENGTH,
    MENDED,
    NO_COMPLETIONS,
    ODD_COMPLETIONS,
    ODD_REPLIES,
    ODD_TEXTS,
    OTHER,
    TWO,
    USELESS,
    WANTED,
    body,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from distillgen import bodies, replies
from distillgen.errors import ParseError

# The body


@pytest.mark.parametrize("name", CONTENTS)
def test_the_message_gives_its_text_and_its_reasoning(name: str) -> None:
    message, text, reasoning = CONTENTS[name]
    completion = bodies.completion(body(message))
    assert (completion.text, completion.reasoning) == (text, reasoning)


@pytest.mark.parametrize("name", NO_COMPLETIONS)
def test_a_body_that_is_no_completion_is_refused(name: str) -> None:
    raw, kind = NO_COMPLETIONS[name]
    with pytest.raises(ParseError) as caught:
        bodies.completion(raw)
    assert caught.value.kind == kind


def test_a_bad_body_says_what_the_server_said() -> None:
    with pytest.raises(ParseError, match="it says: overloaded"):
        bodies.completion(b'{"error": {"message": "overloaded"}}')


@pytest.mark.parametrize("name", ODD_COMPLETIONS)
def test_oddities_beside_the_message_do_no_harm(name: str) -> None:
    raw = b'{"choices": [{' + ODD_COMPLETIONS[name] + b'"message": {"content": "Hi"}}]}'
    assert bodies.completion(raw).text == "Hi"


LN = {"A": -0.25, " B": -1.75}
LISTED = [{"token": token, "logprob": ln, "bytes": [65]} for token, ln in LN.items()]
PLACE = {"token": " B", "logprob": -1.75, "bytes": None, "top_logprobs": LISTED}

TOPS: dict[str, tuple[str, Any, list[dict[str, float]]]] = {
    "OpenAI, vLLM, llama.cpp": ("choice", {"content": [PLACE, PLACE], "refusal": None}, [LN, LN]),
    "Ollama beside the choices": ("body", [PLACE], [LN]),
    "Ollama in the choice": ("choice", [PLACE], [LN]),
    "columns, as of old and of Together": (
        "choice",
        {"tokens": ["A", "."], "token_logprobs": [-0.25, None], "top_logprobs": [LN, None]},
        [LN, {}],
    ),
    "columns without alternatives": (
        "choice", {"tokens": ["A"], "token_logprobs": [-0.25]}, [{"A": -0.25}],
    ),
    "the drawn token is not among the likeliest": (
        "choice",
        {"content": [{"token": "C", "logprob": -9, "top_logprobs": LISTED}]},
        [LN | {"C": -9.0}],
    ),
    "a token of half a character": (
        "choice", {"content": [{"token": "\ud83d", "logprob": -1}]}, [{"\ufffd": -1.0}],
    ),
    "certain, and a little above": (
        "choice", {"content": [{"token": "A", "logprob": 1e-6}]}, [{"A": 0.0}],
    ),
    "more places than are read": ("choice", {"content": [PLACE] * 5000}, [LN] * 16),
}  # fmt: skip
"""Where log-probabilities stand, they, and what is read of them."""


@pytest.mark.parametrize("name", TOPS)
def test_log_probabilities_are_read_in_every_dialect(name: str) -> None:
    where, stated, wanted = TOPS[name]
    choice = {"message": {"content": "A"}} | ({"logprobs": stated} if where == "choice" else {})
    whole = {"choices": [choice]} | ({"logprobs": stated} if where == "body" else {})
    assert list(bodies.completion(json.dumps(whole).encode()).top_logprobs) == wanted


NO_TOPS = [
    None, True, 7, "A", math.nan, [], {}, {"content": None}, {"content": []}, {"content": {}},
    {"tokens": 1, "token_logprobs": "x", "top_logprobs": {"A": 1}}, {"content": [{}] * 3},
    {"content": [None, 1, "A", [], {"token": "A"}, {"token": "A", "logprob": "-1"}]},
    {"content": [{"token": "A", "logprob": math.nan}, {"token": "A", "logprob": -math.inf}]},
    {"content": [{"token": "A", "logprob": math.inf}, {"token": "A", "logprob": 0.5}]},
    {"content": [{"token": "A", "logprob": True}, {"token": "A", "logprob": -(10**400)}]},
    {"content": [{"token": 65, "logprob": -1}, {"token": None, "logprob": -1}]},
    {"content": [{"top_logprobs": [[], None, 3, {"token": []}]}, {"top_logprobs": {"A": None}}]},
    {"tokens": ["A"], "token_logprobs": [None], "top_logprobs": [{"A": "x", "": [], "B": {}}]},
]  # fmt: skip


@pytest.mark.parametrize("stated", NO_TOPS, ids=repr)
def test_what_is_no_log_probability_does_no_harm(stated: Any) -> None:
    raw = json.dumps({"choices": [{"message": {"content": "A"}, "logprobs": stated}]})
    completion = bodies.completion(raw.encode())
    assert completion.text == "A"
    assert not any(completion.top_logprobs)


def test_a_byte_order_mark_before_the_body_does_no_harm() -> None:
    assert bodies.completion(b"\xef\xbb\xbf" + body({"content": "Hi"})).text == "Hi"


def test_model_finish_reason_and_refusal_are_kept() -> None:
    raw = body({"content": None, "refusal": "I cannot"}, model="gpt-x-2026")
    completion = bodies.completion(raw)
    assert (completion.model, completion.finish_reason) == ("gpt-x-2026", "stop")
    assert completion.refusal == "I cannot"


USAGES: dict[str, tuple[Any, tuple[int, int, int, bool]]] = {
    "OpenAI": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 20},
        },
        (70, 30, 50, False),
    ),
    "DeepSeek": (
        {"prompt_tokens": 100, "completion_tokens": 50, "prompt_cache_hit_tokens": 64},
        (36, 64, 50, False),
    ),
    "Anthropic's names": ({"input_tokens": 100, "output_tokens": 50}, (100, 0, 50, False)),
    "thinking only in the total": (
        {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 950},
        (100, 0, 850, False),
    ),
    "reasoning beside the completion": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "completion_tokens_details": {"reasoning_tokens": 400},
        },
        (100, 0, 450, False),
    ),
    "no usage": (None, (100, 0, 10, True)),
    "usage as text": ("many", (100, 0, 10, True)),
    "zeros": ({"prompt_tokens": 0, "completion_tokens": 0}, (100, 0, 10, True)),
    "negative": ({"prompt_tokens": -1, "completion_tokens": 50}, (100, 0, 50, True)),
    "figures as text": ({"prompt_tokens": "100", "completion_tokens": 50}, (100, 0, 50, True)),
    "true": ({"prompt_tokens": True, "completion_tokens": 50}, (100, 0, 50, True)),
    "beyond belief": ({"prompt_tokens": 90, "completion_tokens": 10**12}, (90, 0, 10, True)),
    "more cached than sent": (
        {
            "prompt_tokens": 90,
            "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 99},
        },
        (0, 90, 50, False),
    ),
}


@pytest.mark.parametrize("name", USAGES)
def test_usage_is_read_in_every_spelling_and_estimated_where_it_is_useless(name: str) -> None:
    stated, wanted = USAGES[name]
    raw = body({"content": "x" * 30}, usage=stated)
    usage = bodies.completion(raw, asked_bytes=300).usage
    got = (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.estimated)
    assert got == wanted


def test_tokens_written_to_the_cache_are_part_of_the_input() -> None:
    stated = {
        "prompt_tokens": 2000,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 1200},
    }
    usage = bodies.completion(body(usage=stated)).usage
    assert (usage.input_tokens, usage.cached_tokens, usage.written_tokens) == (1500, 500, 1200)


ERRORS: dict[str, tuple[Any, tuple[str, str, str] | None]] = {
    "OpenAI": (
        {"error": {"message": "No", "type": "invalid_request_error", "code": "model_not_found"}},
        ("model_not_found", "invalid_request_error", "No"),
    ),
    "a number as code": ({"error": {"code": 429, "message": "Slow"}}, ("429", "", "Slow")),
    "a string": ({"error": "model 'x' not found"}, ("", "", "model 'x' not found")),
    "FastAPI, a string": ({"detail": "Not Found"}, ("", "", "Not Found")),
    "FastAPI, a list": (
        {"detail": [{"loc": ["body", "seed"], "msg": "extra", "type": "forbidden"}]},
        ("", "forbidden", "body.seed: extra"),
    ),
    "Gemini, in a list": (
        [{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}],
        ("400", "INVALID_ARGUMENT", "Bad"),
    ),
    "Mistral, flat": (
        {"object": "error", "message": "Bad", "type": "invalid", "code": 1500},
        ("1500", "invalid", "Bad"),
    ),
    "an error within an error": ({"error": {"error": {"message": "Deep"}}}, ("", "", "Deep")),
    "without a message": ({"error": {"reason": "x"}}, ("", "", '{"reason": "x"}')),
    "in the choice": ({"choices": [{"error": {"code": 502, "message": "Up"}}]}, ("502", "", "Up")),
    "an error that is null": ({"error": None, "choices": [{"message": {}}]}, None),
    "a good completion": ({"choices": [{"message": {"content": "x"}}]}, None),
    "null": (None, None),
    "an empty list": ([], None),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_body_is_read_in_every_shape(name: str) -> None:
    whole, wanted = ERRORS[name]
    assert bodies.error_of(json.dumps(whole).encode()) == wanted


@pytest.mark.parametrize("raw", [b"<html>502</html>", b"\xff", b"", b"[" * 100_000])
def test_what_is_no_json_is_no_error_body(raw: bytes) -> None:
    assert bodies.error_of(raw) is None


# The text: shapes that all hold the same two fields


@pytest.mark.parametrize("name", MENDED)
def test_a_reply_is_mended_for_nothing(name: str) -> None:
    assert replies.fields(said(MENDED[name]), ["rationale", "answer"]) == WANTED


@pytest.mark.parametrize("name", KEPT | ODD_TEXTS)
def test_a_string_in_good_json_is_left_alone(name: str) -> None:
    wanted = (KEPT | ODD_TEXTS)[name]
    text = json.dumps({"answer": wanted}, ensure_ascii=False)
    for wrapped in (text, f"<think>hm</think>{text}", f"{FENCE}json\n{text}\n{FENCE}"):
        assert replies.fields(said(wrapped), ["answer"]) == {"answer": wanted.strip(replies.BLANK)}


@pytest.mark.parametrize("name", ODD_REPLIES)
def test_an_odd_reply_is_read_or_has_its_kind(name: str) -> None:
    text, kind = ODD_REPLIES[name]
    if kind is None:
        assert replies.fields(said(text), ["rationale", "answer"])
        return
    with pytest.raises(ParseError) as caught:
        replies.fields(said(text), ["rationale", "answer"])
    assert caught.value.kind == kind


@pytest.mark.parametrize("name", BROKEN_BUT_WHOLE)
def test_a_field_comes_out_whole(name: str) -> None:
    text, wanted = BROKEN_BUT_WHOLE[name]
    assert replies.fields(said(text), ["rationale", "answer"]) == wanted


@pytest.mark.parametrize("name", USELESS)
def test_a_useless_reply_has_its_kind(name: str) -> None:
    text, finish_reason, kind = USELESS[name]
    with pytest.raises(ParseError) as caught:
        replies.fields(said(text, finish_reason), ["rationale", "answer"])
    assert caught.value.kind == kind


def test_a_refusal_field_is_a_refusal() -> None:
    with pytest.raises(ParseError, match="I cannot help") as caught:
        replies.value(said("", refusal="I cannot help"))
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"response": "a"}', "no `answer`; there is response"),
        ('{"answer": {"a": 1}}', "`answer` is an object, not text"),
        ('{"answer": ["a", {"a": 1}]}', "`answer[1]` is an object, not text"),
        ('{"answer": ""}', "`answer` is empty"),
        ('["a"]', "a list, not an object"),
    ],
)
def test_a_schema_fault_names_the_field_and_what_is_wrong(text: str, detail: str) -> None:
    with pytest.raises(ParseError) as caught:
        replies.fields(said(text), ["answer"])
    assert caught.value.detail == detail


def test_an_optional_field_may_be_missing_or_null() -> None:
    for text in ('{"answer": "a"}', '{"answer": "a", "label": null}'):
        assert replies.fields(said(text), ["answer"], ["label"]) == {"answer": "a"}


def test_an_optional_field_that_is_there_is_taken() -> None:
    got = replies.fields(said('{"answer": "a", "Label": "yes"}'), ["answer"], ["label"])
    assert got == {"answer": "a", "label": "yes"}


def test_what_no_file_can_hold_is_replaced_and_flagged() -> None:
    completion = said('{"answer": "a\\ud800b\\u0000c"}')
    got = replies.fields(completion, ["answer"])
    assert got == {"answer": "a\ufffdb\ufffdc"}
    assert replies.flags(completion, got) == ("text_replaced",)


def test_an_estimated_usage_is_flagged() -> None:
    completion = bodies.completion(body())
    assert replies.flags(completion, {"answer": "a"}) == ("usage_missing",)


def test_value_gives_several_objects_as_a_list() -> None:
    assert replies.value(said(f"{ITEM}\n{OTHER}")) == TWO


# Reasoning


@pytest.mark.parametrize(
    ("text", "reasoning", "wanted"),
    [
        (GOOD, "", ""),
        (GOOD, "native", "native"),
        (f"<think> hm </think>{GOOD}", "", "hm"),
        (f"<think>hm</think>{GOOD}", "native", "native\n\nhm"),
        (f"hm</think>{GOOD}", "", "hm"),
        (f"<think>a<think>b</think>c</think>{GOOD}", "", "a\n\nb\n\nc"),
        ("<think>never ends", "", "never ends"),
        (f"<think>\n</think>{GOOD}", "", ""),
        ('{"answer": "<think>x</think>"}', "", ""),
    ],
)
def test_thoughts_come_from_the_api_and_from_think_blocks(
    text: str, reasoning: str, wanted: str
) -> None:
    assert replies.thoughts(said(text, reasoning=reasoning)) == wanted


# Batches


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_found_wherever_it_stands(name: str) -> None:
    assert replies.items(said(BATCHES[name])) == (TWO, [])


def test_a_single_object_is_a_batch_of_one() -> None:
    assert replies.items(said(ITEM)) == (TWO[:1], [])
    assert replies.items(said(f'{{"examples": {ITEM}}}')) == (TWO[:1], [])


def test_an_object_with_a_list_of_its_own_is_one_item() -> None:
    text = ITEM[:-1] + ', "tags": ["gold"]}'
    assert replies.items(said(text)) == (TWO[:1], [])


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("head", ['{"examples": [', "[", ""])
def test_a_last_item_that_was_cut_off_is_dropped_and_named(name: str, head: str) -> None:
    good, problems = replies.items(said(f"{head}{ITEM}, {OTHER}{CUT[name]}", LENGTH))
    assert good == TWO
    assert len(problems) <= 1
    assert all("cut off" in problem for problem in problems)


def test_a_whole_batch_that_ends_at_the_limit_is_kept() -> None:
    assert replies.items(said(f"[{ITEM}, {OTHER}]", LENGTH)) == (TWO, [])


def test_a_batch_that_breaks_off_without_saying_so_keeps_what_is_whole() -> None:
    good, problems = replies.items(said(f'[{ITEM}, {OTHER}, {{"question": "Is {{x}} go'))
    assert good == TWO
    assert len(problems) == 1


def test_a_broken_row_between_others_is_named_and_the_rest_kept() -> None:
    good, problems = replies.items(said(f'{ITEM}\n{{"user_context": "I am\n{OTHER}'))
    assert good == TWO
    assert len(problems) == 1


def test_an_item_of_no_use_is_named_and_the_rest_kept() -> None:
    text = (
        f'[{ITEM}, "text", {{"question": "q"}}, {{"user_context": 3, "question": {{}}}}, {OTHER}]'
    )
    good, problems = replies.items(said(text))
    assert good == TWO
    assert problems == [
        "item 2: text, not an object",
        "item 3: no `user_context`; there is question",
        "item 4: `question` is an object, not text",
    ]


@pytest.mark.parametrize(
    ("text", "finish_reason", "kind"),
    [
        ('{"examples": []}', "stop", "empty"),
        ("[{}]", "stop", "schema"),
        ('["a", "b"]', "stop", "schema"),
        ("no list", "stop", "bad_json"),
        ("", "stop", "empty"),
        ('{"examples": [{"user_context": "I', LENGTH, "truncated"),
        ('{"examples": [{"user_context": "I', "stop", "bad_json"),
        (f"[{ITEM}]", "content_filter", "refused"),
    ],
)
def test_a_batch_without_a_usable_item_has_its_kind(
    text: str, finish_reason: str, kind: str
) -> None:
    with pytest.raises(ParseError) as caught:
        replies.items(said(text, finish_reason))
    assert caught.value.kind == kind


# Anything at all

SCRAPS = st.sampled_from(
    [
        *"{}[]\"':,\\\n\0“é",
        *("<think>", "</think>", "[THINK]", "```json", "\\ud800", "1e400", "NaN", "//", "answer"),
        *('{"answer": "x"', ITEM, GOOD),
    ]
)
TEXTS = st.lists(SCRAPS, max_size=20).map("".join) | st.text(max_size=20)
NAMES = st.sampled_from(
    [
        *(
            "choices",
            "message",
            "content",
            "error",
            "detail",
            "usage",
            "prompt_tokens",
            "reasoning",
        ),
        *("text", "type", "finish_reason", "model", "refusal", "examples", "question", "answer"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def read_all(raw: bytes) -> None:
    """Read a body in every way; only a ParseError may come."""
    bodies.error_of(raw)
    try:
        completion = bodies.completion(raw)
    except ParseError:
        return
    json.dumps(completion, ensure_ascii=False).encode()
    replies.thoughts(completion)
    for read in (
        replies.value,
        lambda c: replies.fields(c, ["answer"], ["rationale"]),
        replies.items,
    ):
        try:
            json.dumps(read(completion), ensure_ascii=False)
        except ParseError:
            continue


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    read_all(raw)


@given(TEXTS, st.sampled_from(["stop", LENGTH]))
def test_any_text_is_read_or_refused(text: str, finish_reason: str) -> None:
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    read_all(json.dumps({"choices": [choice]}).encode())


@given(VALUES, VALUES)
def test_any_json_is_read_or_refused(one: Any, two: Any) -> None:
    for whole in (
        one,
        {"error": one},
        {"choices": [one]},
        {"choices": [{"message": one, "finish_reason": two}], "usage": two},
        {"choices": [{"message": {"content": json.dumps(one)}}], "usage": two},
    ):
        read_all(json.dumps(whole).encode())


@given(
    st.text(min_size=1).filter(
        lambda text: text.strip(replies.BLANK) == text and text.strip(".…") and "\0" not in text
    )
)
def test_any_text_goes_through_json_unchanged(text: str) -> None:
    wrapped = f"{FENCE}json\n{json.dumps({'answer': text})}\n{FENCE}"
    assert replies.fields(said(wrapped), ["answer"]) == {"answer": text}
