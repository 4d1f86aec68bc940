"""CSV, each field in a column of its own: for tables, data frames and people."""

import json
from collections.abc import Iterator

from distillgen.formats import Options, Rationale, jsonl
from distillgen.records import JSON, Answer

DEFAULT: Rationale = "field"

SNIPPET = """\
import pandas

# Cells are texts, and an empty one is an empty text; with `datasets`, too, only if it is told:
# load_dataset("csv", data_files=files, keep_default_na=False)
data = {
    split: pandas.read_csv(path, dtype=str, keep_default_na=False) for split, path in files.items()
}
"""

IMAGES = f"""\
import json

{SNIPPET}
# `images` of a row is a list in JSON of paths as seen from the folder in which distillgen was run.
images = {{split: table["images"].map(json.loads) for split, table in data.items()}}
"""


def file(split: str, options: Options) -> str:
    """A table for each split."""
    return f"{split}.csv"


def rows(answer: Answer, options: Options) -> Iterator[dict[str, JSON]]:
    """The columns of `jsonl`, with both `answer` and `label` where that has one of the two.

    Of a closed task `answer` is empty, of an open one `label`, so that all rows have the same
    columns. `images` is a list in JSON.
    """
    both = options.rationale in ("field", "none")
    for row in jsonl.rows(answer, options):
        cells: dict[str, JSON] = {}
        for name, cell in row.items():
            if both and name in ("answer", "label"):
                cells |= {"answer": row.get("answer", ""), "label": row.get("label", "")}
            else:
                cells[name] = json.dumps(cell, ensure_ascii=False) if name == "images" else cell
        yield cells
