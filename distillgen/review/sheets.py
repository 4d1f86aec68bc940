"""Write rows as an Excel workbook, and read them back.

Every cell and column has the format of a text: what is typed into it, such as 75% or 1/2, stays.
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from distillgen.errors import UserError
from distillgen.review.cells import bare, escaped, named, shielded, unescaped

LONGEST = 32_767
"""Characters that a cell of Excel takes."""
TEXT = "@"
"""The format of a cell that stays as it is typed."""
DIGITS = 15
"""Digits of a number that Excel keeps."""
BROKEN = (
    OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, SyntaxError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile, its decompressors, the XML parser and openpyxl raise of a damaged file."""


def _openpyxl() -> ModuleType:
    try:
        import openpyxl
    except ImportError as error:
        raise UserError("Excel files need a package: pip install 'distillgen[review]'") from error
    found: ModuleType = openpyxl
    return found


def workbook(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> bytes:
    """A workbook with one sheet: a heading and the rows.

    Raises:
        UserError: a text is too long for a cell: openpyxl would cut it.
    """
    openpyxl = _openpyxl()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("review")
    sheet.freeze_panes = "A2"
    for n in range(1, len(columns) + 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(n)].number_format = TEXT
    sheet.append([_cell(openpyxl, sheet, name) for name in columns])
    out = io.BytesIO()
    try:
        for row in rows:
            sheet.append([_cell(openpyxl, sheet, _written(name, row)) for name in columns])
    finally:
        book.save(out)  # which also takes away what it wrote so far beside
    return out.getvalue()


def _written(name: str, row: Mapping[str, str]) -> str:
    text = escaped(shielded(row[name]))
    if len(text) > LONGEST:
        raise UserError(
            f"record {row['id']}: its {name} has {len(text):,} characters, a cell of Excel takes"
            f" {LONGEST:,}; write a .csv or .jsonl file"
        )
    return text


def _cell(openpyxl: ModuleType, sheet: Any, text: str) -> Any:  # untyped
    cell = openpyxl.cell.WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.number_format = TEXT
    return cell


def rows_of(path: Path, texts: Collection[str]) -> Iterator[tuple[int, dict[str, str] | str]]:
    """The rows of the first sheet with their numbers, below its heading; or why one cannot be read:
    in one of the columns `texts` stands what is no text, such as a date.

    Raises:
        UserError: the file cannot be read.
    """
    openpyxl = _openpyxl()
    try:
        book = _quietly(lambda: openpyxl.load_workbook(path, read_only=True))
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs say that all is in A1
        lines = sheet.iter_rows()
        first = _quietly(lambda: next(lines, ()))
        heading = ["" if cell.value is None else named(str(cell.value)) for cell in first]
        if twice := [name for name in heading if name and heading.count(name) > 1]:
            raise UserError(f"{path}: `{twice[0]}` stands twice in the heading; name it once")
        for n in count(2):
            cells = _quietly(lambda: next(lines, None))
            if cells is None:
                break
            if row := _row(heading, cells, texts):
                yield n, row
        book.close()
    except BROKEN as error:
        raise UserError(f"{path}: cannot be read as an Excel file ({error})") from error


def _quietly(read: Callable[[], Any]) -> Any:  # untyped
    """Read without a warning of styles and dates that other programs leave."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()


def _row(
    heading: Sequence[str],
    cells: Iterable[Any],
    texts: Collection[str],  # untyped
) -> dict[str, str] | str:
    """A row, empty if there is nothing in it; or what is wrong with it."""
    row: dict[str, str] = {}
    for name, cell in zip(heading, cells, strict=False):
        if not name:
            continue
        try:
            row[name] = _text(cell)
        except Odd as error:
            if name in texts:
                return f"{name}: {error}; format the cell as text and write it again"
    return row if any(row.values()) else {}


class Odd(ValueError):
    """A cell holds no text; says what."""


def _text(cell: Any) -> str:  # untyped
    """The text of a cell, as it was typed; of a plain number the shortest."""
    value = getattr(cell.value, "text", cell.value)  # of a formula that fills several cells
    if value is None:
        return ""
    if isinstance(value, bool):
        raise Odd(f"{str(value).upper()} is no text but a truth value")
    if isinstance(value, date | time | timedelta):
        raise Odd(f"{value} is no text but a date or time")
    if isinstance(value, str):
        if cell.data_type == "e":
            raise Odd(f"{value} is an error of the spreadsheet")
        return bare(unescaped(value))
    if cell.number_format not in ("General", TEXT):
        raise Odd(f"{value} is a number that is shown in another form ({cell.number_format})")
    if abs(value) >= 10**DIGITS:
        raise Odd(f"{value} is a number of more than {DIGITS} digits, which spreadsheets round")
    return f"{Decimal(f'{value:.{DIGITS}g}'):f}"
