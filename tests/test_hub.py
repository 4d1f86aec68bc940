"""Uploads: what the real client of the hub sends to a server on loopback, and what it may not."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import CLI, Ran

from distillgen.records import JSON, Answer

TOKEN = "hf_of_a_test"
REPO = "/api/datasets/me/advice"


class Hub:
    """Answers as the hub does to what an upload asks of it; keeps what it is sent.

    `there` is the state of the dataset, None if there is none; `refuses` the status for what is
    sent to a path that ends so.
    """

    def __init__(self) -> None:
        self.there: dict[str, JSON] | None = None
        self.remote: list[str] = []
        """Files in the dataset before."""
        self.role = "write"
        self.refuses: dict[str, int] = {}
        self.asked: list[str] = []
        """Method and path of each request."""
        self.tokens: set[str | None] = set()
        self.made: dict[str, JSON] = {}
        """What it was told to make."""
        self.commits: list[dict[str, JSON]] = []
        """Lines of the commits, in order."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer(None)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer([json.loads(line) for line in body.splitlines()])

            def answer(self, sent: JSON) -> None:
                path = self.path.partition("?")[0]
                hub.asked.append(f"{self.command} {path}")
                hub.tokens.add(self.headers["Authorization"])
                refused = [code for end, code in hub.refuses.items() if path.endswith(end)]
                status, said = (refused[0], {}) if refused else hub.reply(path, sent)
                raw = json.dumps(said).encode()
                self.send_response(status)
                if status == 404:
                    self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reply(self, path: str, sent: JSON) -> tuple[int, JSON]:
        """What the hub says to a request."""
        if path == "/api/whoami-v2":
            role = {"accessToken": {"role": self.role}}
            return 200, {"type": "user", "name": "me", "auth": role}
        if path == "/api/repos/create":
            if self.there is not None:
                return 409, {"url": f"{self.url}/datasets/me/advice"}
            (self.made,) = sent
            self.there = {"private": self.made.get("visibility") == "private"}
            return 200, {"url": f"{self.url}/datasets/me/advice"}
        if path.startswith(f"{REPO}/tree/"):
            return 200, [
                {"type": "file", "path": p, "oid": "0" * 40, "size": 1} for p in self.remote
            ]
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == f"{REPO}/preupload/main":
            (asked,) = sent
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in asked["files"]
                ]
            }
        if path == f"{REPO}/commit/main":
            self.commits += sent
            return 200, {"commitUrl": f"{self.url}/datasets/me/advice/commit/1", "commitOid": "1"}
        if path in (REPO, f"{REPO}/revision/main"):
            if self.there is None:
                return 404, {"error": "Repository not found"}
            siblings = [{"rfilename": name} for name in self.remote]
            return 200, {"id": "me/advice", "sha": "0", "siblings": siblings, **self.there}
        return 500, {"error": f"nobody asks for {path}"}

    def uploaded(self) -> dict[str, bytes]:
        """The files of all commits by path."""
        files = [line["value"] for line in self.commits if line["key"] == "file"]
        return {one["path"]: base64.b64decode(one["content"]) for one in files}

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.close()


Export = Callable[..., Ran]


@pytest.fixture
def export(cli: CLI, hub: Hub) -> Export:
    """Runs `distillgen export` of thirty answers, with what the client of the hub goes by."""
    with (cli.folder / "answers.jsonl").open("w") as file:
        for n in range(30):
            lineage = {"id": f"{n}", "teacher": "t", "request": "r"}
            answer = Answer(question=f"What is {n} + {n}?", answer=f"{n + n}", **lineage)
            file.write(json.dumps(answer.row()) + "\n")

    def run(*args: str, **env: str) -> Ran:
        wanted = {"HF_HOME": str(cli.folder / "hf"), "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
        ran = cli("export", "answers.jsonl", *args, code=None, **wanted | env)
        assert "Traceback" not in ran.err
        assert TOKEN not in ran.out + ran.err
        return ran

    return run


PUSH = ("--format", "hf", "--push", "me/advice")


def written(cli: CLI) -> Path:
    return cli.folder / "runs/answers/export/hf"


def test_the_folder_is_uploaded_as_it_stands_into_a_new_private_dataset(
    cli: CLI, hub: Hub, export: Export
) -> None:
    here = written(cli)
    (here / "data").mkdir(parents=True)
    (here / "data/notes.txt").write_text("mine alone")
    ran = export(*PUSH)
    assert ran.code == 0, ran.err
    assert hub.made == {
        "name": "advice", "organization": "me", "type": "dataset", "visibility": "private",
    }  # fmt: skip
    files = {path.relative_to(here).as_posix(): path for path in here.rglob("*") if path.is_file()}
    assert files.pop("data/notes.txt")
    assert hub.uploaded() == {name: path.read_bytes() for name, path in files.items()}
    assert {"README.md", "data/train.jsonl", "train.meta.jsonl"} <= files.keys()
    assert f"{hub.url}/datasets/me/advice" in ran.out + ran.err


def test_the_client_asks_for_nothing_but_the_upload(hub: Hub, export: Export) -> None:
    """It can tell what it runs in as well."""
    assert export(*PUSH).code == 0
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert set(hub.asked) == {
        "GET /api/whoami-v2", f"GET {REPO}", "POST /api/repos/create", f"GET {REPO}/tree/main",
        "POST /api/validate-yaml", f"POST {REPO}/preupload/main", f"POST {REPO}/commit/main",
    }  # fmt: skip


def test_parquet_is_uploaded_and_the_rows_of_an_earlier_upload_go(hub: Hub, export: Export) -> None:
    hub.there = {"private": True}
    hub.remote = ["README.md", "data/train.jsonl", "test.meta.jsonl", "pics/1.png"]
    ran = export(*PUSH, "--layout", "parquet", "--split", "train=1")
    assert ran.code == 0, ran.err
    assert set(hub.uploaded()) == {"README.md", "data/train.parquet", "train.meta.jsonl"}
    gone = [line["value"]["path"] for line in hub.commits if line["key"] == "deletedFile"]
    assert sorted(gone) == ["data/train.jsonl", "test.meta.jsonl"]


@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        ({"there": {"private": False}}, 2, "is there, and public"),
        ({"role": "read"}, 4, "the token may only read"),
        ({"refuses": {"whoami-v2": 401}}, 4, "the token is not valid"),
        ({"refuses": {"whoami-v2": 503}}, 4, "the hub refuses (503"),
    ],
)
def test_what_the_hub_would_refuse_stops_before_anything_is_written(
    cli: CLI, hub: Hub, export: Export, state: dict[str, JSON], code: int, said: str
) -> None:
    for name, value in state.items():
        setattr(hub, name, value)
    ran = export(*PUSH)
    assert ran.code == code
    assert said in ran.err
    assert not written(cli).exists()
    assert not any("POST" in one for one in hub.asked)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("repos/create", "the token may not write there"),
        ("commit/main", "the hub refuses (403"),
    ],
)
def test_what_it_refuses_later_leaves_the_files_where_they_are(
    cli: CLI, hub: Hub, export: Export, path: str, said: str
) -> None:
    hub.refuses = {path: 403}
    ran = export(*PUSH)
    assert ran.code == 4
    assert said in ran.err
    assert (written(cli) / "data/train.jsonl").is_file()


@pytest.mark.parametrize(
    ("args", "token", "said"),
    [
        (PUSH, "", "set HF_TOKEN"),
        (("--format", "hf", "--push", "advice"), TOKEN, "give USER/NAME"),
        (("--format", "hf", "--push", "me/../advice"), TOKEN, "give USER/NAME"),
        (("--format", "jsonl", "--push", "me/advice"), TOKEN, "add --format hf"),
    ],
)
def test_what_cannot_be_meant_asks_nobody(
    cli: CLI, hub: Hub, export: Export, args: tuple[str, ...], token: str, said: str
) -> None:
    ran = export(*args, HF_TOKEN=token)
    assert (ran.code, hub.asked) == (2, [])
    assert said in ran.err
    assert not (cli.folder / "runs/answers/export").exists()


def test_a_hub_that_is_not_there_is_said_in_a_line(cli: CLI, hub: Hub, export: Export) -> None:
    hub.close()
    ran = export(*PUSH)
    assert ran.code == 4
    assert "cannot be reached" in ran.err
    assert not written(cli).exists()


def test_without_the_client_its_extra_is_named(cli: CLI, export: Export) -> None:
    ran = export(*PUSH, **cli.patched("import sys; sys.modules['huggingface_hub'] = None"))
    assert ran.code == 2
    assert "pip install 'distillgen[hub]'" in ran.err
    assert not written(cli).exists()


def test_without_push_the_hub_hears_nothing(cli: CLI, hub: Hub, export: Export) -> None:
    assert (export("--format", "hf").code, hub.asked) == (0, [])
    assert (written(cli) / "data/train.jsonl").is_file()
