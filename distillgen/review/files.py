"""Take the records out of the house for review, into a file, and take the decisions back in.

The ending says the form: `.csv`, `.xlsx`, `.jsonl`, `.label-studio.json`, `.argilla.json`.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from distillgen import tables
from distillgen.errors import UserError
from distillgen.files import Whole, is_ours, loads
from distillgen.records import JSON
from distillgen.review import exchange, sheets
from distillgen.review.cells import bare, shielded
from distillgen.review.desk import Desk
from distillgen.review.exchange import ARGILLA, LABEL_STUDIO
from distillgen.review.rows import COLUMNS, TAKEN, Imported, Odd, Row, flat, records, take
from distillgen.review.texts import FIELDS

KNOWN = (".csv", ".xlsx", ".jsonl", LABEL_STUDIO, ARGILLA)
Found = tuple[str, dict[str, JSON] | str]
"""Where a row stands, in words, and the row or what is wrong with it."""


def export(desk: Desk, path: Path, reviewer: str = "", *, overwrite: bool = False) -> int:
    """Write all records with what was decided about them; gives how many records there are.

    Raises:
        UserError: no such form, a person changed the file that stands there, or a text is too long
            for the form.
    """
    form = _form(path)
    if path.exists() and not overwrite and not is_ours(path):
        raise UserError(
            f"{path}: was changed by hand; bring it in with --import, name another file, or lose"
            " the changes with --overwrite"
        )
    with Whole(path) as out:
        if form == ".csv":
            out.write_bytes("\ufeff".encode())  # Excel takes it for UTF-8 only so
            for line in _csv(flat(desk, reviewer)):
                out.write_text(line)
        elif form == ".xlsx":
            out.write_bytes(sheets.workbook(COLUMNS, flat(desk, reviewer)))
        elif form == ".jsonl":
            for row in flat(desk, reviewer):
                out.write({n: text for n, text in row.items() if text or n in FIELDS})
        else:
            made = exchange.tasks if form == LABEL_STUDIO else exchange.records
            _write_list(out, made(records(desk, reviewer)))
    return len(desk.order)


def _form(path: Path) -> str:
    found = next((ending for ending in KNOWN if path.name.lower().endswith(ending)), None)
    if found is None:
        raise UserError(f"{path}: call it NAME with {', '.join(KNOWN[:-1])} or {KNOWN[-1]}")
    return found


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: shielded(text, inside=True) for name, text in row.items()})
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _write_list(out: Whole, rows: Iterable[dict[str, JSON]]) -> None:
    before = "[\n"
    for row in rows:
        out.write_text(before)
        out.write(row)
        before = ","
    out.write_text("]\n" if before == "," else "[]\n")


def take_in(desk: Desk, path: Path, reviewer: str = "") -> Imported:
    """Write the decisions of a file; rows that cannot be taken are named, the others are taken.

    The same file brings nothing the second time. `reviewer` is who decided in rows that do not say.

    Raises:
        UserError: the file as a whole cannot be read, or the disk is full or fails; what was
            written until then counts, and the same command goes on.
    """
    imported = Imported()
    try:
        for where, row in _read(path):
            imported.rows += 1
            try:
                if isinstance(row, str):
                    raise Odd(row)
                take(desk, row, reviewer, imported, typeless=path.name.lower().endswith(".csv"))
            except Odd as error:
                imported.problems.append(f"{where}: {error}")
    finally:
        desk.decisions.sync()
    return imported


def _read(path: Path) -> Iterator[Found]:
    name = path.name.lower()
    if name.endswith(".xlsx"):
        if not path.is_file():
            raise UserError(f"{path}: no such file")
        for n, found in sheets.rows_of(path, TAKEN):
            yield f"{path}, row {n}", found if isinstance(found, str) else {**found}
    elif name.endswith(".json"):
        yield from _listed(path)
    elif name.endswith((".csv", ".jsonl")):
        of_table = name.endswith(".csv")
        try:
            for line, row, problem in tables.rows_of(path):
                yield f"{path}:{line}", problem or (_unshielded(row) if of_table else row)
        except csv.Error as error:
            raise UserError(f"{path}: the heading is not CSV ({error})") from error
    else:
        raise UserError(f"{path}: unknown ending; --import takes {', '.join(KNOWN)}")


def _unshielded(row: dict[str, JSON]) -> dict[str, JSON]:
    """The row of a table; of one that is too short, the cells that are there."""
    return {n: bare(text, inside=True) for n, text in row.items() if isinstance(text, str)}


def _listed(path: Path) -> Iterator[Found]:
    """The tasks of Label Studio or the records of Argilla in a list of JSON."""
    try:
        given = loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    for n, one in enumerate(given if isinstance(given, list) else [given], 1):
        where = f"{path}, item {n}"
        try:
            if exchange.is_task(one):
                yield from ((where, {**row}) for row in exchange.of_task(one))
            elif exchange.is_record(one):
                yield from ((where, {**row}) for row in exchange.of_record(one))
            else:
                yield where, "neither a task of Label Studio (`data`) nor of Argilla (`fields`)"
        except (KeyError, TypeError, AttributeError) as error:
            yield where, f"is not as it was exported ({error})"
