"""A request is spelled in one way, whatever stands in it."""

import json

import pytest

from distillgen.records import Message, Request, Terms, canonical


@pytest.mark.parametrize("said", ["Buy gold?", 'Grüße, "Ω" \\ \n\t\x00\x7f\u2028 😀', "\ud800", ""])
def test_the_spelling_is_canonical_and_reads_back(said):
    terms = Terms("openai:t", "gpu1", {"type": "object", "a": [1.5, None]}, {"top_p": 0.1})
    request = Request(terms, (Message("system", "Be brief."), Message("user", said)), 3)
    assert request.length > len(said)
    assert request.spelled.encode() == canonical(json.loads(request.spelled))
    assert Request.parse(request.spelled) == request
    assert Request.parse(request.spelled).key == request.key


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
