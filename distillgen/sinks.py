"""Write the rows of an export: JSON lines, CSV, Parquet, or lines with lists beside them."""

import csv
import io
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from distillgen.files import Whole
from distillgen.records import JSON
from distillgen.tables import Columns

BATCHES: Mapping[str, tuple[int, int]] = {"train": (100, 5500), "valid": (2, 5500),
                                          "test": (2, 5500)}  # fmt: skip
"""By split, the files of raw texts that the e-SNLI loader of google-research/
distilling-step-by-step opens (data_utils.py), and the texts in each but the last."""


def batches(path: Path) -> list[Path]:
    """The files of `Batches` beside a file of that name; none if it is of another kind."""
    name, _, split = path.stem.rpartition("_")  # `esnli_train`, or `esnli_train.stage-1`
    known = BATCHES.get(split.partition(".")[0])
    if path.suffix != ".json" or not name or known is None:
        return []
    return [path.parent / "llm" / f"{split}_CoT_{i}.json" for i in range(known[0])]


class Sink(Protocol):
    """Where rows go: files that appear whole or not at all."""

    rows: int
    """Rows written."""
    wholes: list[Whole]
    """Its files; the first holds the rows."""

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row."""


def open_sink(path: Path, schema: Mapping[str, JSON], files: ExitStack) -> Sink:
    """What writes the rows of a file, by its name; `files` ends it.

    Raises:
        UserError: Parquet is wanted, and pyarrow is not there.
    """
    if path.suffix == ".parquet":
        return Parquet(path, schema, files)
    if batches(path):
        return Batches(path, files)
    return Table(path, files) if path.suffix == ".csv" else Lines(path, files)


class Lines:
    """JSON lines."""

    def __init__(self, path: Path, files: ExitStack) -> None:
        self.rows = 0
        self.wholes = [files.enter_context(Whole(path))]

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row."""
        self.wholes[0].write(row)
        self.rows += 1


class Table:
    """CSV (RFC 4180, UTF-8); the columns of the first row are the heading."""

    def __init__(self, path: Path, files: ExitStack) -> None:
        self.rows = 0
        self.wholes = [files.enter_context(Whole(path))]

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row."""
        if not self.rows:
            self.wholes[0].write_text(_cells(list(row)))
        self.wholes[0].write_text(_cells(list(row.values())))
        self.rows += 1


def _cells(values: list[JSON]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


class Parquet:
    """Parquet with the columns of a schema."""

    def __init__(self, path: Path, schema: Mapping[str, JSON], files: ExitStack) -> None:
        self.rows = 0
        self.wholes = [files.enter_context(Whole(path))]
        self._schema, self._files = schema, files
        self._columns: Columns | None = None

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row."""
        if self._columns is None:  # a file that holds no row is not written
            self._columns = Columns(self.wholes[0].write_bytes, self._schema)
            self._files.callback(self._columns.close)
        self._columns.write(row)
        self.rows += 1


class Batches:
    """JSON lines, and the field `llm` of each row apart from them, in lists of texts.

    As the e-SNLI loader of google-research/distilling-step-by-step reads them: `NAME_SPLIT.json`,
    and `llm/SPLIT_CoT_I.json` beside it, which all have to be there, some of them empty.
    """

    def __init__(self, path: Path, files: ExitStack) -> None:
        self.rows = 0
        self.wholes = [files.enter_context(Whole(path))]
        self._lists = [Whole(one) for one in batches(path)]
        self._most = BATCHES[path.stem.rpartition("_")[2].partition(".")[0]][1]
        self._files = files

    def write(self, row: Mapping[str, JSON]) -> None:
        """Write one row; what the other lists do not hold goes into the last."""
        if not self.rows:
            self._open()
        own = dict(row)
        batch = self._lists[min(self.rows // self._most, len(self._lists) - 1)]
        text = json.dumps(own.pop("llm"), ensure_ascii=False)
        batch.write_text(f",\n{text}" if batch.bytes > len("[") else text)
        self.wholes[0].write(own)
        self.rows += 1

    def _open(self) -> None:
        for one in self._lists:
            self.wholes.append(self._files.enter_context(one))
            one.write_text("[")
            self._files.callback(one.write_text, "]\n")
