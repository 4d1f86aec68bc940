"""Write derived files whole or not at all, and read them back."""

import errno
import hashlib
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import orjson

from distillgen.errors import STORAGE, UserError
from distillgen.records import JSON, FileStamp

T = TypeVar("T")

BUFFER = 1 << 14
LINE_ENDS = {"\x85".encode(): b"\\u0085", "\u2028".encode(): b"\\u2028",
             "\u2029".encode(): b"\\u2029"}  # fmt: skip
DEEPEST = 200
"""Levels of JSON that are read; pydantic writes 255, our records add a few."""
LONGEST = 4000
"""Digits of an integer that is read; Python spells 4,300."""
_ZEROS = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(256))
"""Translates each digit to a zero, and all else to blanks."""
_NINETEEN = b"0" * 19
MARK = 10**6
"""The last six digits of the nanoseconds at which a file was modified are those of its digest."""
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EFBIG: "the file is too large for this disk",
    errno.EIO: "the disk fails",
}


def dumps(row: Mapping[str, JSON]) -> bytes:
    """One strict UTF-8 line of JSON, without its newline.

    Lone surrogates become U+FFFD; integers of any size stay exact. What else Unicode takes for a
    line's end (U+0085, U+2028, U+2029) is escaped, for readers that part lines there.

    Raises:
        ValueError: NaN or infinity, which JSON does not have (names the field), or nested deeper
            than Python's stack.
    """
    try:
        line = orjson.dumps(row)
        if b"null" in line:  # which is what orjson makes of NaN
            _refuse_nan(row)
    except TypeError:  # lone surrogates, more than 64 bits or 254 levels
        line = _dumps_slowly(row)
    if not line.isascii():
        for end, escaped in LINE_ENDS.items():
            line = line.replace(end, escaped)
    return line


def _dumps_slowly(row: Mapping[str, JSON]) -> bytes:
    try:
        _refuse_nan(row)
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return _valid(text).encode()


def _refuse_nan(value: JSON, where: str = "") -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`{where}` is {value}, which JSON does not have")
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_nan(item, f"{where}.{name}" if where else name)
    elif isinstance(value, list | tuple):
        for n, item in enumerate(value):
            _refuse_nan(item, f"{where}[{n}]")


def loads(line: str | bytes) -> JSON:
    """The value of a line of JSON: integers exact, lone surrogates as U+FFFD.

    Raises:
        ValueError: it is not strict JSON (NaN is none, nor what overflows to infinity), nested
            deeper than `DEEPEST`, or holds an integer of more than `LONGEST` digits.
    """
    data = line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass")
    may_be_long = _NINETEEN in data.translate(_ZEROS)  # orjson makes a float of above 64 bits
    if not may_be_long and data.count(b"[") + data.count(b"{") <= DEEPEST:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        text = line if isinstance(line, str) else line.decode()
        return _mended(
            json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
        )
    except RecursionError as error:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from error


def _integer(spelled: str) -> int:
    if len(spelled) > LONGEST:
        raise ValueError(f"an integer of {len(spelled):,} digits")
    return int(spelled)


def _finite(spelled: str) -> float:
    if not math.isfinite(float(spelled)):
        raise ValueError(f"{spelled} is not finite")
    return float(spelled)


def _mended(value: JSON, level: int = 0) -> JSON:
    if isinstance(value, str):
        return _valid(value)
    if level == DEEPEST and isinstance(value, dict | list):
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {_valid(name): _mended(item, level + 1) for name, item in value.items()}
    return [_mended(item, level + 1) for item in value] if isinstance(value, list) else value


def _valid(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class TornFile(UserWarning):
    """A file ends within a line."""


class Whole:
    """A file that appears whole or not at all: written beside its place, flushed, renamed.

    A file to which nothing was written is removed. On an exception the old file stays. `is_ours`
    tells it from one that a person changed, also when a crash kept it out of every manifest.

    Raises:
        UserError: the disk is full or read-only (exit code 5).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.bytes = 0
        """Written so far."""
        self.stamp: FileStamp | None = None
        """What was written; None when nothing was."""
        self._beside = path.with_name(f".{path.name}.part")
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._size = 0

    def __enter__(self) -> "Whole":
        with translated(self.path):
            make_folder(self.path.parent)
            self._file = open(self._beside, "wb", opener=private)
        return self

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row as a line of JSON."""
        self.write_bytes(dumps(row) + b"\n")

    def write_text(self, text: str) -> None:
        """Write text as it is; lone surrogates become U+FFFD."""
        self.write_bytes(_valid(text).encode())

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.rows += 1
        self.bytes += len(data)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > BUFFER:
            self._pass_on()

    def _pass_on(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._digest.update(data)
        with translated(self.path):
            self._file.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._pass_on()
                with translated(self.path):
                    self._file.flush()
                    now = time.time_ns() // MARK * MARK + _mark(self._digest.hexdigest())
                    os.utime(self._file.fileno(), ns=(now, now))
                    os.fsync(self._file.fileno())
                    self._file.close()
                    self._place()
        finally:
            with suppress(OSError):  # of what is given up
                self._file.close()
            self._beside.unlink(missing_ok=True)

    def _place(self) -> None:
        if not self.rows:
            self.path.unlink(missing_ok=True)
            return
        os.replace(self._beside, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        found = self.path.stat()
        self.stamp = FileStamp(
            sha256=self._digest.hexdigest(), size=found.st_size, mtime_ns=found.st_mtime_ns
        )


def private(path: str, flags: int) -> int:
    """An opener of files that are for their owner alone, whatever the umask."""
    return os.open(path, flags, 0o600)


def _mark(sha256: str) -> int:
    return int(sha256, 16) % MARK


def is_ours(path: Path) -> bool:
    """Whether `Whole` wrote a file as it is now: its modification time carries the right mark."""
    return path.stat().st_mtime_ns % MARK == _mark(sha256_of(path))


def make_folder(path: Path) -> None:
    """A folder, and those above it that are missing, each for its owner alone."""
    for folder in reversed((path, *path.parents)):
        folder.mkdir(mode=0o700, exist_ok=True)


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path) -> FileStamp:
    """A file as it is now."""
    found = path.stat()
    return FileStamp(sha256=sha256_of(path), size=found.st_size, mtime_ns=found.st_mtime_ns)


def changed(path: Path, stamp: FileStamp) -> bool:
    """Whether a file is not what it was; its digest is taken only if size or time differ."""
    found = path.stat()
    if (found.st_size, found.st_mtime_ns) == (stamp.size, stamp.mtime_ns):
        return False
    return found.st_size != stamp.size or sha256_of(path) != stamp.sha256


def read_lines(path: Path, parse: Callable[[bytes], T]) -> Iterator[T]:
    """What `parse` makes of each line of a file that distillgen wrote; nothing when it is missing.

    A last line that is cut off is dropped, with a `TornFile` warning.

    Raises:
        UserError: `parse` raised a ValueError; says in which line.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for n, raw in enumerate(file, 1):
            line = raw.strip(b"\0\r\n\t ")
            if not line:
                continue
            try:
                found = parse(line)
            except NotJSON as error:
                if not raw.endswith(b"\n"):
                    warnings.warn(
                        f"{path}: the last line is cut off, and left out. The journal holds what"
                        " it said: run the command that wrote the file once more",
                        TornFile,
                        stacklevel=2,
                    )
                    return
                raise UserError(f"{path}:{n}: not JSON ({error}); mend or remove it") from error
            except ValueError as error:
                raise UserError(f"{path}:{n}: {error}; mend or remove it") from error
            yield found


def rows_of(path: Path) -> Iterator[dict[str, JSON]]:
    """The rows of a file that distillgen wrote; as `read_lines`."""
    return read_lines(path, row)


class NotJSON(ValueError):
    """A line is no strict JSON."""


def row(line: bytes) -> dict[str, JSON]:
    """The JSON object of a line.

    Raises:
        ValueError: it holds something else; `NotJSON` if it is none at all.
    """
    try:
        found = loads(line)
    except ValueError as error:
        raise NotJSON(str(error)) from error
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


class translated:
    """The system's errors as what the user can do about them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = REASONS.get(error.errno or 0, error.strerror or str(error))
            raise UserError(f"{self.path}: cannot be written: {reason}", STORAGE) from error
