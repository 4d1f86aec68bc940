"""Keep a text from being taken for a formula in a spreadsheet, and take that back.

A cell that begins with one of `= + - @`, a tab or a carriage return may be run by the program that
opens it; an apostrophe before it stops that (OWASP, "CSV Injection"; ASVS 4.0, 1.2.10).
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\0＝＋－＠]")
_SHIELDED = re.compile(r"''*[=+\-@\t\r\n\0＝＋－＠]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def shielded(text: str) -> str:
    """The text as it may stand in a cell.

    >>> shielded("=1+1"), shielded("'=1+1"), shielded("one")
    ("'=1+1", "''=1+1", 'one')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def bare(cell: str) -> str:
    """The text of a cell that `shielded` made; any other as it is."""
    return cell[1:] if _SHIELDED.match(cell) else cell


def escaped(text: str) -> str:
    """What XML cannot hold, as spreadsheets spell it: `_x0001_` (ECMA-376, 22.4.2.4)."""
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(cell: str) -> str:
    """The text that `escaped` made the cell of."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell)
