"""Write rows as an Excel workbook, and read them back."""

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from distillgen.errors import UserError
from distillgen.review.cells import bare, escaped, shielded, unescaped

LONGEST = 32_767
"""Characters that a cell of Excel takes."""


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
    sheet.append(list(columns))
    out = io.BytesIO()
    try:
        for row in rows:
            sheet.append([_cell(openpyxl, sheet, name, row) for name in columns])
    finally:
        book.save(out)  # which also takes away what it wrote so far beside
    return out.getvalue()


def _cell(openpyxl: ModuleType, sheet: Any, name: str, row: Mapping[str, str]) -> Any:  # untyped
    text = escaped(shielded(row[name]))
    if len(text) > LONGEST:
        raise UserError(
            f"record {row['id']}: its {name} has {len(text):,} characters, a cell of Excel takes"
            f" {LONGEST:,}; write a .csv or .jsonl file"
        )
    cell = openpyxl.cell.WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of the first sheet with their numbers, below its heading.

    Raises:
        UserError: it cannot be read.
    """
    openpyxl = _openpyxl()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that other programs leave
            book = openpyxl.load_workbook(path, read_only=True, data_only=False)
        lines = book.worksheets[0].iter_rows(values_only=True)
        heading = [_text(name) for name in next(lines, ())]
        for n, cells in enumerate(lines, 2):
            row = {name: _text(cell) for name, cell in zip(heading, cells, strict=False) if name}
            if any(row.values()):
                yield n, row
        book.close()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be read as an Excel file ({error})") from error


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else bare(unescaped(str(value)))
