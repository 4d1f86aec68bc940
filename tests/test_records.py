"""A request is spelled in one way, whatever stands in it."""

import json

import pytest

from distillgen.records import IMAGE_BYTES, Image, Message, Request, Terms, canonical


@pytest.mark.parametrize("said", ["Buy gold?", 'Grüße, "Ω" \\ \n\t\x00\x7f\u2028 😀', "\ud800", ""])
def test_the_spelling_is_canonical_and_reads_back(said):
    terms = Terms("openai:t", "gpu1", {"type": "object", "a": [1.5, None]}, {"top_p": 0.1})
    request = Request(terms, (Message("system", "Be brief."), Message("user", said)), 3)
    assert request.length > len(said)
    assert request.spelled.encode() == canonical(json.loads(request.spelled))
    assert Request.parse(request.spelled) == request
    assert Request.parse(request.spelled).key == request.key


def test_the_key_of_a_text_is_what_it_was_in_every_version():
    """Journals that were paid for hold replies under it."""
    messages = Message("system", "Be brief."), Message("user", "Buy gold?")
    request = Request(Terms("openai:t", None, None, {"temperature": 0.3}), messages, 2)
    assert request.key == "b4d45bbc0c26f60506e9b02b2f11471302de0e169b5daf81e9f7c7bfaa701f3e"
    assert "images" not in request.spelled


def test_of_an_image_the_bytes_make_the_key_and_the_path_stands_beside_them():
    def asked(*images: Image) -> Request:
        return Request(Terms("openai:t"), (Message("user", "What is it?", images),))

    here, moved = asked(Image("a/b.png", "1" * 64)), asked(Image("c.png", "1" * 64))
    assert here.key == moved.key
    assert here.spelled != moved.spelled
    others = [asked(), asked(Image("a/b.png", "2" * 64)), asked(*here.images * 2)]
    assert len({here.key, *(other.key for other in others)}) == 4
    assert here.spelled.encode() == canonical(json.loads(here.spelled))
    assert Request.parse(here.spelled) == here
    assert Request.parse(here.spelled).key == here.key
    assert here.length >= IMAGE_BYTES


def test_whatever_changes_the_meaning_changes_the_key():
    terms = Terms("openai:t", None, {"type": "object"}, {"top_p": 0.1})
    user = (Message("user", "Buy gold?"),)
    others = [
        Request(Terms("openai:u", None, terms.json_schema, terms.sampling), user),
        Request(Terms("openai:t", "gpu1", terms.json_schema, terms.sampling), user),
        Request(Terms("openai:t", None, None, terms.sampling), user),
        Request(Terms("openai:t", None, terms.json_schema, {"top_p": 0.2}), user),
        Request(terms, (Message("system", "Buy gold?"),)),
        Request(terms, user * 2),
        Request(terms, user, 1),
    ]
    assert len({Request(terms, user).key, *(other.key for other in others)}) == 8
