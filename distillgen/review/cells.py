"""Keep a text from being taken for a formula in a spreadsheet, and take that back.

A cell that begins with one of `= + - @`, their full-width forms, a tab or a line end may be run by
the program that opens it; an apostrophe before it stops that (OWASP, "CSV Injection"; ASVS 4.0,
1.2.10). A program that parts a table elsewhere than we did begins cells inside a text: behind a
comma, semicolon, tab or line end, and behind quotation marks that follow one.
"""

import re

_DANGER = r"[=+\-@\t\0＝＋－＠]"
_CELL = re.compile(rf"\A'*(?={_DANGER}|[\r\n])")
_TABLE = re.compile(rf"""\A"*'*(?={_DANGER}|[\r\n])|[,;\t\r\n]"*'*(?={_DANGER})""")
"""What comes before a beginning, the apostrophes with it."""
_NO_XML = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"
_CONTROL = re.compile(f"{_NO_XML}|_(?=x[0-9A-Fa-f]{{4}}(?:_|{_NO_XML}))")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def shielded(text: str, inside: bool = False) -> str:
    """The text as it may stand in a cell; `inside`: also if a program parts the cell in its middle.

    >>> shielded("=1+1"), shielded("'=1+1"), shielded("one;=1+1", inside=True)
    ("'=1+1", "''=1+1", "one;'=1+1")
    """
    return (_TABLE if inside else _CELL).sub(r"\g<0>'", text)


def bare(cell: str, inside: bool = False) -> str:
    """The text of a cell that `shielded` made; any other as it is."""
    return (_TABLE if inside else _CELL).sub(lambda found: found[0].removesuffix("'"), cell)


def named(column: str) -> str:
    """The name of a column, whatever its case and the blanks around it."""
    return column.strip().casefold()


def escaped(text: str) -> str:
    """What XML cannot hold, as spreadsheets spell it: `_x0001_` (ECMA-376, 22.4.2.4)."""
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(cell: str) -> str:
    """The text that `escaped` made the cell of; see `whole`."""
    return whole(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell))


def whole(text: str) -> str:
    """The text with halves of characters (lone surrogates) as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
