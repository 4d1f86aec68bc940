"""Whole runs on a teacher that sends rubbish: nothing crashes, and all is accounted for."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import jsonlines
import orjson
import pytest
from conftest import ended
from hostile import (
    BATCHES,
    BROKEN_BUT_WHOLE,
    CONTENTS,
    CUT,
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
    USELESS,
    body,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import balanced, lines, seeds
from pyarrow import json as arrow

from distillgen import bodies, formats, replies
from distillgen.card import About
from distillgen.export import Options, export
from distillgen.records import Answer


class Rubbish(NamedTuple):
    """A reply, and what should come of it."""

    raw: bytes
    """The body, with status 200."""
    kind: str | None
    """Kind of the failure; None for an answer."""


def text(content: str, finish_reason: str = "stop") -> bytes:
    whole = json.loads(body({"role": "assistant", "content": content}))
    whole["choices"][0]["finish_reason"] = finish_reason
    return json.dumps(whole).encode()


def spoken(content: str) -> Rubbish:
    return Rubbish(text(json.dumps({"rationale": "r", "answer": content})), None)


NO_REASON = ("a missing key", "a null", "a blank")
"""Useless where a rationale is required; an answer may be kept without one."""
CORPUS = {
    **{f"content: {name}": Rubbish(body(message), None if GOOD in said else "")
       for name, (message, said, _) in CONTENTS.items()},
    **{f"body: {name}": Rubbish(raw, "server_error" if name == "an error" else kind)
       for name, (raw, kind) in NO_COMPLETIONS.items()},
    **{f"beside: {name}": Rubbish(body().replace(b'"index": 0,', odd), None)
       for name, odd in ODD_COMPLETIONS.items()},
    **{f"mended: {name}": Rubbish(text(said), None) for name, said in MENDED.items()},
    **{f"kept: {name}": spoken(said) for name, said in (KEPT | ODD_TEXTS).items()},
    **{f"broken: {name}": Rubbish(text(said), None)
       for name, (said, _) in BROKEN_BUT_WHOLE.items()},
    **{f"useless: {name}": Rubbish(text(said, reason), kind if name not in NO_REASON else None)
       for name, (said, reason, kind) in USELESS.items()},
    **{f"odd: {name}": Rubbish(text(said), kind) for name, (said, kind) in ODD_REPLIES.items()},
    **{f"batch: {name}": Rubbish(text(said), "schema") for name, said in BATCHES.items()},
    **{f"cut: {name}": Rubbish(text(f'{{"examples": [{ITEM}, {OTHER}{said}', LENGTH), "truncated")
       for name, said in CUT.items()},
}  # fmt: skip
FIRST = 3
"""A run goes on only if one of the first replies is of use."""


class Server(ThreadingHTTPServer):
    """Sends the next of the corpus for each new prompt, and the same for the same prompt."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.sent: dict[str, str] = {}
        """Name of what was sent, by the last message."""
        names = list(CORPUS)
        random.Random(1).shuffle(names)  # ten bodies of no use in a row are an outage
        self._left = iter(names)
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reply_to(self, prompt: str) -> bytes:
        with self._lock:
            if prompt not in self.sent:
                good = len(self.sent) < FIRST
                self.sent[prompt] = "good" if good else next(self._left, "good")
            name = self.sent[prompt]
        if name != "good":
            return CORPUS[name].raw
        both = {"examples": [json.loads(ITEM), json.loads(OTHER)], **json.loads(GOOD)}
        return text(json.dumps(both))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        raw = self.server.reply_to(asked["messages"][-1]["content"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def rubbish() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


def read_by_all(path: Path) -> list[Any]:
    """The rows of a file, the same for every reader."""
    raw = path.read_bytes()
    assert raw.endswith(b"\n")
    whole = raw.decode("utf-8")
    rows = [orjson.loads(line) for line in raw.split(b"\n")[:-1]]
    assert [json.loads(line) for line in whole.splitlines()] == rows
    with jsonlines.open(path) as reader:
        assert list(reader) == rows
    block = arrow.ReadOptions(block_size=64 << 20)
    assert arrow.read_json(path, read_options=block).num_rows == len(rows)
    return rows


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 150
    assert len({one.raw for one in CORPUS.values()}) >= 150


IN_HASTE = "from distillgen.engine import Engine\nEngine._wait_s = lambda *_: 0.01\n"


def test_every_hostile_reply_is_an_answer_or_a_failure_of_its_kind(cli, rubbish, tmp_path):
    n = len(CORPUS) + FIRST
    source = tmp_path / "mine.jsonl"
    source.write_text("".join(f'{{"question": "Question {i}?", "id": "{i}"}}\n' for i in range(n)))
    job = ["answer", source, "--teacher", "openai:t", "--base-url", rubbish.url, "-o", "run",
           "--json", "--concurrency", 8]  # fmt: skip
    ran = ended(cli.start(*job, **cli.patched(IN_HASTE)))
    assert ran.code == 1, ran.err
    assert "Traceback" not in ran.err
    assert balanced(ran.told)
    assert ran.told["counts"]["open"] == 0
    kept = {row["id"]: row for row in read_by_all(tmp_path / "run/answers.jsonl")}
    failed = {row["id"]: row for row in read_by_all(tmp_path / "run/failures.jsonl")}
    assert kept.keys() | failed.keys() == {str(i) for i in range(n)}
    assert not kept.keys() & failed.keys()
    assert Counter(row["kind"] for row in failed.values()) == ran.told["failures"]["answer"]

    wrong = []
    for prompt, name in rubbish.sent.items():
        id = prompt.split("Question ")[1].split("?")[0]
        came = failed[id]["kind"] if id in failed else None
        if name != "good" and CORPUS[name].kind not in ("", came):
            wrong.append((name, CORPUS[name].kind, came))
    assert wrong == []

    for form in ("first", "after", "think", "none"):
        cli("export", "run", "-o", f"out-{form}", "--rationale", form,
            "--format", "trl-prompt-completion", "--format", "trl-messages",
            "--format", "openai-chat", "--format", "jsonl", "--json")  # fmt: skip
    told = cli("export", "run", "-o", "steps", "--format", "step-by-step", "--json").told
    assert told["counts"]["given"] == len(kept)
    exported = [path for path in tmp_path.glob("*/**/*.jsonl") if path.parent.name != "run"]
    assert len(exported) > 20
    for path in exported:
        assert read_by_all(path)
    again = cli(*job, code=1)
    assert again.told["usage"]["requests"] == 0


def test_every_hostile_reply_is_accounted_for_in_expand(cli, rubbish, tmp_path):
    job = ["expand", seeds(tmp_path), "--teacher", "openai:t", "--base-url", rubbish.url,
           "-o", "run", "--json", "-n", 1000, "--per-call", 2, "--patience", 0,
           "--max-requests", len(CORPUS) + FIRST]  # fmt: skip
    ran = ended(cli.start(*job, **cli.patched(IN_HASTE)))
    assert "Traceback" not in ran.err
    assert balanced(ran.told)
    assert ran.told["ended"] == {"expand": "ceiling"}
    kinds = Counter(row["kind"] for row in lines(tmp_path / "run/failures.jsonl"))
    assert kinds == ran.told["failures"]["expand"]
    assert kinds["bad_json"] > 20
    for name in ("inputs", "failures", "rejected"):
        assert read_by_all(tmp_path / f"run/{name}.jsonl")


PLAIN = Answer(question="Why?", rationale="It rains.", answer="So.", rationale_source="requested",
               id="plain", teacher="t", request="")  # fmt: skip
"""Of no record at all there is no export."""


def least(of: formats.Format) -> int:
    """Rows that its consumer wants."""
    return of.limits.get("", formats.Limits()).least


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_any_texts_are_exported_as_lines_that_all_readers_take(tmp_path_factory, texts):
    """From the body of a reply on, as the teacher's words come no other way."""
    found = [PLAIN]
    for i, (context, question, rationale, answer) in enumerate(texts):
        said = json.dumps({"rationale": rationale, "answer": answer})
        try:
            fields = replies.fields(bodies.completion(text(said)), ["answer"], ["rationale"])
        except replies.ParseError:
            continue
        asked = {"question": bodies.writable(question) or "?", "id": str(i)}
        asked["user_context"] = bodies.writable(context)
        found.append(Answer(**asked, **fields, teacher="t", request=""))
    out = tmp_path_factory.mktemp("out")
    loaded = [formats.load(name) for name in formats.names()]
    names = tuple(one.name for one in loaded if one.rows and not one.labels and not least(one))
    done = export(found, (), False, Options(formats=names), out, lambda id: "train", About())
    for one in done:
        assert sum(one.records.values()) + sum(one.left_out.values()) == len(found)
    for path in out.rglob("*.jsonl"):
        assert read_by_all(path)
