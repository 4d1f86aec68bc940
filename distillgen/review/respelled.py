"""Tell what a spreadsheet makes of a cell that nobody touched: of 3.50 3.5, of 1/2 01. Feb.

Such programs read numbers, dates and truth values in what was meant as a text, and save them in
their own spelling.
"""

import re
from decimal import Decimal

CUT = 32_000
"""Characters from which on a text may have been cut: a cell of Excel takes 32,767."""
LONG = 60
"""Characters of a longer text, which no program takes for a number or date."""
NEAR = Decimal("1e-5")
"""Of the number itself: 1.23457E+19 is what Excel shows of 12345678901234567890."""
TRUE = frozenset({"true", "wahr", "vrai", "vero", "verdadero", "verdadeiro", "waar"})
FALSE = frozenset({"false", "falsch", "faux", "falso", "onwaar"})
_ERROR = re.compile(r"#(?:[A-Z0-9/]+[!?]|N/A|NV)|###+|Err:\d{3}")
_ENGLISH = re.compile(r"(?=\.?\d)(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[Ee][+-]?\d{1,3})?")
_CONTINENTAL = re.compile(r"(?=,?\d)(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?(?:[Ee][+-]?\d{1,3})?")
_NO_DIGIT = re.compile(r"[$€£¥\s]")
_DATE = re.compile(r"[\d\s./:,-]*(?P<word>[^\W\d_]{3,9})?[\d\s./:,-]*(?:[AaPp]\.?[Mm]\.?)?")
_PARTED = re.compile(r"\d[-/.:]\d|\d\W*[^\W\d_]|[^\W\d_]\W*\d")
"""At least two numbers, or one and a word: a month."""


def respelled(before: str, after: str) -> bool:
    """Whether `after`, another text, is what a spreadsheet leaves where `before` stood.

    >>> respelled("3.50", "3.5"), respelled("1/2", "01. Feb"), respelled("3.50", "4.5")
    (True, True, False)
    """
    one, other = before.strip(), after.strip()
    if not other:
        return False
    if len(other) >= CUT:
        return before.startswith(after)
    if len(one) > LONG or len(other) > LONG:
        return False
    is_error = _ERROR.fullmatch(other) is not None
    return is_error or _same_truth(one, other) or _same_number(one, other) or _same_day(one, other)


def _same_truth(one: str, other: str) -> bool:
    both = {one.casefold(), other.casefold()}
    return other.isupper() and (both <= TRUE or both <= FALSE)


def _same_number(one: str, other: str) -> bool:
    found, there = _numbers(one), _numbers(other)
    rounded = "e" in other.casefold() or sum(map(str.isdigit, one)) > 15
    return bool(found & there) or (
        rounded and any(abs(n - m) <= NEAR * abs(n) for n in found for m in there)
    )


def _numbers(text: str) -> set[Decimal]:
    """What number a text may be, as the English write it and as others do."""
    text, found = _NO_DIGIT.sub("", text), set[Decimal]()
    minus = text[:1] in ("-", "−") or text[-1:] == "-" or (text[:1], text[-1:]) == ("(", ")")
    bare = text.strip("+-−()").removesuffix("%")
    for spelling, thousands, point in ((_ENGLISH, ",", "."), (_CONTINENTAL, ".", ",")):
        if spelling.fullmatch(bare):
            number = Decimal(bare.replace(thousands, "").replace(point, "."))
            found.add((-number if minus else number) / (100 if "%" in text else 1))
    return found


def _same_day(one: str, other: str) -> bool:
    """Whether both are dates or times with the same numbers; a word may stand for one of them, and
    a year or a time be added."""
    before, after = _DATE.fullmatch(one), _DATE.fullmatch(other)
    if not (before and after and _PARTED.search(one) and _PARTED.search(other)):
        return False
    there = [int(n) % 100 for n in re.findall(r"\d{1,4}", other)]
    missing = [n for n in map(int, re.findall(r"\d{1,4}", one)) if n % 100 not in there]
    month = after["word"] and not before["word"]
    return not missing or (bool(month) and len(missing) == 1 and missing[0] <= 12)
