"""Read the rows of a file that people bring, JSON lines, CSV or Parquet; write Parquet."""

import base64
import csv
import gzip
import io
import math
import re
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date, time
from difflib import get_close_matches
from itertools import chain, zip_longest
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple, cast

import jsonlines

from distillgen.errors import UserError
from distillgen.files import loads
from distillgen.records import JSON

LONGEST_CELL = 1 << 28
"""Characters; Python's own limit for CSV is 131,072."""


class Row(NamedTuple):
    """One row of a file: its columns, or what is wrong with it."""

    line: int
    """Line of a text file, row of a table, from 1."""
    columns: dict[str, JSON]
    problem: str = ""


def rows_of(file: Path, shown: Path | None = None) -> Iterator[Row]:
    """The rows of a file, blank lines left out; `shown` is its name in errors.

    Raises:
        UserError: the file as a whole cannot be read; what is wrong with a row, the row says.
    """
    shown = shown or file
    found = False
    with ExitStack() as stack:
        stack.enter_context(_readable(shown))
        _check(file, shown)
        name = ".jsonl" if str(shown) == "-" else shown.name.lower()
        ending = re.search(rf"({'|'.join(READERS)})(\.gz)?$", name)
        if name.endswith(".parquet"):
            rows = _parquet(file)
        elif ending is None:
            raise UserError("unknown ending; give a .jsonl, .csv or .parquet file (also with .gz)")
        else:
            unpacked = gzip.open if ending[2] else open
            opened = cast(IO[bytes], stack.enter_context(unpacked(file, "rb")))
            rows = READERS[ending[1]](opened)
        for row in rows:
            found = True
            yield row
        if not found:
            raise UserError("is empty; nothing to read")


def _check(file: Path, shown: Path) -> None:
    """What can be said about a path without opening it."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        there = [path.name for path in file.parent.glob("*")] if file.parent.is_dir() else []
        near = [str(shown.parent / name) for name in get_close_matches(file.name, there)]
        hint = f"; there is {', '.join(near)}" if near else ""
        raise UserError(f"no such file{hint}") from None
    if stat.S_ISDIR(found.st_mode):
        raise UserError("is a folder; name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise UserError("is no regular file; pipe it in and give - as the file")


@contextmanager
def _readable(shown: Path) -> Iterator[None]:
    """Faults of the whole file as what the user can do about them."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{shown}: {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{shown}: the gzip file is cut off or damaged; pack it again") from error
    except OSError as error:
        raise UserError(f"{shown}: cannot be read ({error.strerror or error})") from error


def _jsonl(file: IO[bytes]) -> Iterator[Row]:
    line = 0

    def lines() -> Iterator[str]:
        nonlocal line
        try:
            for line, raw in enumerate(file, 1):
                yield _decoded(raw, line).rstrip("\r\n")
        except EOFError as error:  # of gzip; the reader would take it for a good end
            raise gzip.BadGzipFile(str(error)) from error

    reader = jsonlines.Reader(lines(), loads=loads)
    while True:
        try:
            value = reader.read(skip_empty=True, allow_none=True)
        except EOFError:
            return
        except jsonlines.InvalidLineError as error:
            yield Row(line, {}, _not_json(str(error.__cause__), error.line))
            continue
        if isinstance(value, dict):
            yield Row(line, value)
        else:
            yield Row(line, {}, f"is {kind_of(value)}, not an object; write one {{…}} a line")


def _csv(file: IO[bytes]) -> Iterator[Row]:
    """Rows of a table; the cells may be parted by commas, semicolons or tabs."""
    csv.field_size_limit(LONGEST_CELL)
    lines = (_decoded(raw, n) for n, raw in enumerate(file, 1))
    first = next(lines, "")
    parted_by = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=parted_by, strict=True)
    heading = [name.strip() or f"column_{n}" for n, name in enumerate(next(reader, []), 1)]
    if len(set(heading)) < len(heading):
        raise UserError("a column stands twice in the heading; give each its own name")
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(start, {}, f"not CSV ({error}); is a quotation mark missing?")
            continue
        if len(cells) > len(heading):
            yield Row(
                start, {}, f"{len(cells)} cells, the heading has {len(heading)}; a"
                f" `{parted_by}` in a text? put the text in quotation marks",
            )  # fmt: skip
        elif any(cells):
            yield Row(start, dict(zip_longest(heading, cells)))


def _parquet(file: Path) -> Iterator[Row]:
    pyarrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(file) as opened:
            rows = (row for batch in opened.iter_batches(1000) for row in batch.to_pylist())
            yield from (Row(n, _as_json(row)) for n, row in enumerate(rows, 1))
    except pyarrow.ArrowException as error:
        raise UserError(f"cannot be read as Parquet ({error})") from error


def _as_json(value: JSON) -> JSON:
    """A cell of a table as JSON can hold it: NaN as null, times in ISO 8601, bytes in base64."""
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int) else str(value)


class Columns:
    """Write rows as Parquet, in batches of 1,000, to anything that takes bytes.

    `schema` gives each column a value of its type, as the rows have them: `""`, `0`, `0.0`, `True`,
    a list with one such item, or a dictionary of them. So a column has its type also where all of
    its values are empty.
    """

    def __init__(self, put: Callable[[bytes], None], schema: Mapping[str, JSON]) -> None:
        """Raises UserError where pyarrow is not there."""
        pyarrow, parquet = _pyarrow()
        self._table = pyarrow.Table
        self._schema = pyarrow.schema([(name, _type(one)) for name, one in schema.items()])
        self._file = parquet.ParquetWriter(
            pyarrow.PythonFile(_Outlet(put), mode="w"), self._schema, compression="zstd"
        )
        self._rows: list[Mapping[str, JSON]] = []

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row, which must have all columns and no other: Arrow would fill and drop them.

        Raises:
            ValueError: it has others; a format and its schema do not go together.
        """
        if row.keys() != set(self._schema.names):
            raise ValueError(f"columns {', '.join(row)}; the schema has {self._schema.names}")
        self._rows.append(row)
        if len(self._rows) == 1000:
            self._pass_on()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._pass_on()
        self._file.close()

    def _pass_on(self) -> None:
        if self._rows:
            self._file.write_table(self._table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


class _Outlet(io.RawIOBase):
    """A file that hands on what is written to it."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # any buffer
        raw = bytes(data)
        self._put(raw)
        return len(raw)


def need_parquet() -> None:
    """Raises UserError where Parquet cannot be written: ask before anything is paid."""
    _pyarrow()


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UserError("Parquet needs a package: pip install 'distillgen[parquet]'") from error
    return pyarrow, parquet


def _type(value: JSON) -> JSON:
    """The Arrow type of a value of JSON."""
    import pyarrow

    if isinstance(value, dict):
        return pyarrow.struct([(name, _type(one)) for name, one in value.items()])
    if isinstance(value, list):
        return pyarrow.list_(_type(value[0]))
    kinds = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64()}
    return kinds.get(type(value), pyarrow.float64())


READERS = {".jsonl": _jsonl, ".ndjson": _jsonl, ".json": _jsonl, ".csv": _csv}


def _decoded(raw: bytes, line: int) -> str:
    if line == 1 and (raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw[:4]):
        raise UserError("is UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"0x{raw[error.start]:02x}"
        raise UserError(
            f"line {line} is not UTF-8 (byte {byte}); save it as UTF-8, in Excel as `CSV UTF-8`"
        ) from error


def _not_json(said: str, line: str | bytes) -> str:
    """What `loads` said, with the column alone."""
    reason, _, place = said.partition(": line ")
    column = re.search(r"column (\d+)", place)
    where = f" at column {column[1]}" if column else ""
    hint = "; write one {…} a line, not a list" if str(line).lstrip()[:1] == "[" else ""
    return f"not JSON: {reason.removesuffix(' at')}{where}{hint}"


def kind_of(value: JSON) -> str:
    """What a JSON value is, in words."""
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list",
             dict: "an object", str: "a text", type(None): "null"}  # fmt: skip
    return kinds.get(type(value), f"a {type(value).__name__}")
