"""Turn records into blocks of text that a person reads in a terminal."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from rich.cells import cell_len, chop_cells

from distillgen.records import JSON, Record

MARKS = {
    "user_context": "",
    "images": "see",
    "question": "Q",
    "answer": "A",
    "label": "A",
    "rationale": "why",
    "kind": "failed",
    "reason": "dropped",
    "detail": "",
    "id": "id",
}
"""The fields of a record that are shown, in this order, and the mark before each."""

_HIDDEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, separators and marks that steer a terminal or turn the order of a text;
the joiners that some scripts and emoji need (U+200C, U+200D) stay."""


def blocks(
    records: Iterable[Record | Mapping[str, JSON]], width: int = 80, lines: int | None = None
) -> Iterator[str]:
    """One block a record, no line wider than `width` columns (20 at least), no final newline.

    Questions and answers show the fields in MARKS; chat rows show who says what; any other row
    shows its columns. With `lines` each text is cut after that many lines and ends in ` …`.

    >>> print(*blocks([{"question": "Buy gold?", "user_context": "I am 40", "answer": "No."}]))
         I am 40
    Q    Buy gold?
    A    No.
    """
    for record in records:
        row = record.row() if isinstance(record, Record) else record
        parts = _record(row) if "question" in row else _columns(row)
        yield "\n".join(_block(list(parts), width, lines))


def visible(text: str) -> str:
    """The text with everything that could steer the terminal spelled out; newlines stay.

    >>> visible("red \\x1b[31m")
    'red \\\\x1b[31m'
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def wrap(text: str, width: int) -> Iterator[str]:
    """The lines of a text, none wider than `width` columns; wide characters count as two.

    A line that fits stays as it is; a longer one is broken between words, within a word only
    where that alone is too long, and keeps its indentation.
    """
    for line in text.split("\n"):
        if cell_len(line) <= width:
            yield line
            continue
        indent = line[: min(len(line) - len(line.lstrip(" ")), width // 2)]
        current = indent
        for word in line.split():
            for piece in chop_cells(word, width - len(indent)):
                if current != indent and cell_len(current) + 1 + cell_len(piece) > width:
                    yield current
                    current = indent
                current += piece if current == indent else f" {piece}"
        yield current


def _record(row: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    yield from ((mark, _text(row[name])) for name, mark in MARKS.items() if row.get(name))
    matches = row.get("matches")
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, dict) and "against" in match:
            where = f"{match['against']}:{match.get('line')}, {match.get('score')}"
            texts = (match.get("user_context"), match.get("question"))
            yield (
                _text(match.get("tier")),
                "\n".join([_text(where), *map(_text, filter(None, texts))]),
            )


def _columns(row: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        turns = value if isinstance(value, list) else []
        if not turns or not all(isinstance(turn, dict) and "content" in turn for turn in turns):
            yield _text(name), _text(value)
            continue
        for turn in turns:
            if turn.get("reasoning_content"):
                yield "why", _text(turn["reasoning_content"])
            yield _text(turn.get("role", "")), "\n".join(map(_part, _listed(turn["content"])))


def _part(part: JSON) -> str:
    """A text, or the name of an image, of a message in parts."""
    match part:
        case {"type": "text", "text": text}:
            return _text(text)
        case {"type": "image_url", "image_url": {"url": url}}:
            return f"[image {_text(url)}]"
        case {"type": "image"}:
            return "[image]"
    return _text(part)


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _text(value: JSON) -> str:
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = ", ".join(value)
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _block(parts: list[tuple[str, str]], width: int, lines: int | None) -> Iterator[str]:
    marks = ["".join(chop_cells(mark.replace("\n", " "), width // 4)[:1]) for mark, _ in parts]
    column = max([len("why"), *map(cell_len, marks)]) + 2
    room = width - column
    for mark, (_, text) in zip(marks, parts, strict=True):
        start = mark + " " * (column - cell_len(mark))
        for line in _cut(wrap(text.strip("\n"), room), room, lines):
            yield (start + line).rstrip()
            start = " " * column


def _cut(wrapped: Iterator[str], width: int, lines: int | None) -> list[str]:
    kept = list(islice(wrapped, lines))
    if next(wrapped, None) is not None:
        kept[-1] = "".join(chop_cells(kept[-1], width - 2)[:1]) + " …"
    return kept
