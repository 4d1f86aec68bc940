"""Write Markdown in which a text of a model or of a user stays a text."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST = 200
"""Characters of a name that are shown."""
Cell = str | int | float | None
"""Of a table; None leaves it empty."""
JOINERS = "\u200c\u200d"
"""Marks that some scripts and emoji need, though they are not seen."""


def plain(text: str) -> str:
    """The text in one line: no control characters, no marks that turn its order.

    >>> plain("a\\u202e\\x1b[0m\\n--- b")
    'a[0m --- b'
    """
    seen = (c for c in text if c.isspace() or c in JOINERS or unicodedata.category(c)[0] != "C")
    return " ".join("".join(seen).split())


def code(text: str) -> str:
    """The text as it is, between backticks, cut where it is long: nothing in it is markup there.

    >>> code("a `b` <i>")
    '`` a `b` <i> ``'
    """
    line = plain(text) or "-"
    line = f"{line[: LONGEST - 2]} …" if len(line) > LONGEST else line
    runs = re.findall("`+", line)  # what stands between needs other backticks around it
    ticks, blank = ("`" * (max(map(len, runs)) + 1), " ") if runs else ("`", "")
    return f"{ticks}{blank}{line}{blank}{ticks}"


def fence(text: str, language: str) -> str:
    """A block of code, which no line of the text can end."""
    ticks = max((len(run) for run in re.findall("`{3,}", text)), default=2) + 1
    return f"{'`' * ticks}{language}\n{text.rstrip()}\n{'`' * ticks}"


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; columns with a number in any row stand right, `None` is an empty cell.

    >>> print(table(("split", "rows"), [("train", 1200), ("a|b", None)]))
    | split | rows |
    |---|---:|
    | train | 1,200 |
    | a\\|b | |
    """
    rows = list(rows)
    numeric = [any(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]
    lines = [_line(head), f"|{'|'.join('---:' if right else '---' for right in numeric)}|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(cells: Sequence[Cell]) -> str:
    shown = (_cell(cell) for cell in cells)
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in shown)}|"


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,g}"
    return cell.replace("|", "\\|") if isinstance(cell, str) else f"{cell:,}"
