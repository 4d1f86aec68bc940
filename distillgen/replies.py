"""Read what a reply says: from its text to JSON, from JSON to fields. Pure.

What can be mended for nothing is mended here, before anything is asked again: thinking, prose and
fences around the JSON, and JSON that is a little broken. What would have to be guessed is not.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NoReturn

from distillgen.bodies import LOST, writable
from distillgen.errors import ParseError
from distillgen.records import JSON, Completion

MOST_REPAIRED = 100_000
"""Characters; longer broken JSON is not repaired, which would take seconds."""
MOST_TAGS = 1000
"""Think tags that are looked at in one reply."""
MOST_DIGITS = 300
"""Digits of a whole number; a longer one is an attack or an accident."""
KEPT = 0.9
"""Share of letters and digits that a repair must keep."""

CUT_OFF = {"length", "max_tokens", "model_length", "max_output_tokens"}
REFUSED = {"content_filter", "safety", "refusal", "recitation", "prohibited_content", "blocklist"}
BLANK = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"

THINK_TAG = re.compile(r"<(/?)(?:think|thinking|thought)>|\[(/?)THINK\]", re.I)
START = re.compile(r"""\{\s*(?:["'“}{]|\w+\s*:)|\[\s*["'“{\[\]]""")
"""Where JSON may begin; braces of prose such as {name} and marks such as [1] do not match."""
NOT_MENDED = re.compile(r"[:\[,]\s*-?(?:NaN|Infinity|undefined)\b|(?:[{\[]\s*){20}")
"""What a repair would turn into text, and what it would take minutes for."""


def thoughts(completion: Completion) -> str:
    """What the teacher thought: as the API states it, and from think blocks within the text."""
    said = [completion.reasoning, *_split(completion.text)[1]]
    return "\n\n".join(part for part in (text.strip(BLANK) for text in said) if part)


def outside(completion: Completion) -> str:
    """The text without think blocks."""
    return _split(completion.text)[0]


def value(completion: Completion) -> JSON:
    """The JSON in a completion: an object, a list, or the list of several that stand in a row.

    Raises:
        ParseError: `refused`, `empty`, `truncated` (cut off, and nothing whole), or `bad_json`.
    """
    text = _answer(completion)
    found, _ = _strict(text)
    if found:
        return found[0] if len(found) == 1 else found
    if _cut_off(completion):
        raise ParseError("truncated", "cut off at the token limit")
    return _repaired(text)


def _cut_off(completion: Completion) -> bool:
    return completion.finish_reason.lower() in CUT_OFF


def _answer(completion: Completion) -> str:
    """The text without thinking; never blank."""
    refused = completion.finish_reason.lower() in REFUSED
    if refused or (completion.refusal and not completion.text.strip(BLANK)):
        raise ParseError("refused", completion.refusal[:200] or completion.finish_reason)
    outside, _, closed = _split(completion.text)
    text = outside.strip(BLANK)
    if not closed and not START.search(text):
        raise ParseError("truncated", "ends while it thinks")
    if text:
        return text
    if _cut_off(completion):
        raise ParseError("truncated", "cut off at the token limit, before the answer")
    raise ParseError("empty", "thinks and says nothing" if thoughts(completion) else "no text")


def _split(text: str) -> tuple[str, list[str], bool]:
    """The text outside of think blocks, the texts inside, and whether the last block is closed.

    A closing tag alone ends thinking whose opening tag stood in the prompt, or which was nested.
    Tags within the JSON are part of its strings.

    >>> _split("<think>hm</think>{}")
    ('{}', ['hm'], True)
    """
    if "<" not in text and "[" not in text:
        return text, [], True
    outside: list[str] = []
    inside: list[str] = []
    at, thinking = 0, False
    json_at: int | None = None
    for tag in islice(THINK_TAG.finditer(text), MOST_TAGS):
        closing = "/" in tag[0]
        if not thinking and json_at is None and (start := START.search(text, at, tag.start())):
            json_at = start.start()
        if json_at is not None and (not closing or _covers(text, json_at, tag)):
            break
        piece, at = text[at : tag.start()], tag.end()
        if closing and not thinking:
            inside += [*outside, piece]
            outside, json_at = [], None
        else:
            (inside if thinking else outside).append(piece)
        thinking = not closing
    (inside if thinking else outside).append(text[at:])
    return "".join(outside), [part for part in inside if part.strip()], not thinking


def _covers(text: str, json_at: int, tag: re.Match[str]) -> bool:
    """Whether a tag stands in the JSON that begins at `json_at`, and not behind it."""
    try:
        return DECODER.raw_decode(text, json_at)[1] > tag.start()
    except (json.JSONDecodeError, ParseError, RecursionError):
        return START.search(text, tag.end()) is None


def _no_number(text: str) -> NoReturn:
    raise ParseError("bad_json", f"{text[:20]} is no JSON number")


def _integer(text: str) -> int:
    return int(text) if len(text) <= MOST_DIGITS else _no_number(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _once(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for key, item in pairs:
        if found.setdefault(key, item) != item:
            raise ParseError("bad_json", f"two values for `{key[:40]}`")
    return found


DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_once,
    parse_constant=_no_number,
    parse_int=_integer,
    parse_float=_finite,
)


def _strict(text: str) -> tuple[list[JSON], bool]:
    """Every object and list that stands in the text, and whether all that began were whole."""
    found: list[JSON] = []
    at = 0
    try:
        if text.startswith('"') and isinstance(inner := json.loads(text, strict=False), str):
            text = inner
    except ValueError:
        pass
    try:
        while start := START.search(text, at):
            item, at = DECODER.raw_decode(text, start.start())
            found.append(item)
    except json.JSONDecodeError:
        return found, False
    except RecursionError:
        raise ParseError("bad_json", "nested too deeply") from None
    return found, True


def _repaired(text: str) -> JSON:
    """The value of broken JSON, where no text is lost and nothing made up by reading it so."""
    import json_repair

    start = START.search(text)
    if start is None:
        raise ParseError("bad_json", f"no JSON in it: {_start(text)}")
    broken = text[start.start() :]
    broken = broken[: max(broken.rfind("}"), broken.rfind("]")) + 1] or broken
    inside_a_string = len(re.findall(r'(?<!\\)(?:\\\\)*"', broken)) % 2
    if inside_a_string or len(broken) > MOST_REPAIRED or NOT_MENDED.search(broken):
        raise ParseError("bad_json", f"broken JSON: {_start(broken)}")
    try:
        mended = json_repair.loads(broken, skip_json_loads=True)
    except (ValueError, RecursionError):
        raise ParseError("bad_json", f"broken JSON: {_start(broken)}") from None
    whole = isinstance(mended, dict | list) and mended
    if not whole or _letters(json.dumps(mended, ensure_ascii=False)) < KEPT * _letters(broken):
        raise ParseError("bad_json", f"broken JSON: {_start(broken)}")
    return mended


def _letters(text: str) -> int:
    """How many letters and digits a JSON text has, escapes aside."""
    text = re.sub(r"\\(?:u[0-9a-fA-F]{4}|.)", lambda m: "x" if m[0][1] == "u" else "", text)
    return sum(map(str.isalnum, text))


def _start(text: str) -> str:
    return " ".join(writable(text[:300]).split())[:80]


# From JSON to fields


def fields(
    completion: Completion, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, str]:
    """The fields of the one object that a completion holds, as text that is not blank.

    Keys may differ in case, blanks and underscores; numbers become text, lists of texts lines.
    Of several objects the last one with all fields counts. A reply that was cut off is
    `truncated` even if its JSON can be closed: its last field is half an answer.

    Raises:
        ParseError: as `value` does, and `schema` with the field and what is wrong with it.
    """
    read = value(completion)
    if _cut_off(completion):
        raise ParseError("truncated", "cut off at the token limit")
    return _pick(read, required, optional)


def items(
    completion: Completion,
    wanted: str = "examples",
    fields: tuple[str, ...] = ("user_context", "question"),
) -> tuple[list[dict[str, str]], list[str]]:
    """The usable items of a batch, and for each other one a line that says what is wrong with it.

    The list may stand under `wanted`, under another key, alone, or as objects in a row. Where the
    reply was cut off, or the JSON cannot be mended, the items that are whole are kept.

    Raises:
        ParseError: as `value` does, and `schema` or `empty` when no item is usable.
    """
    text = _answer(completion)
    read, whole = _strict(text)
    good: list[dict[str, str]] = []
    problems: list[str] = []
    if not (read and whole):
        try:
            if _cut_off(completion):
                raise ParseError("truncated", "cut off at the token limit")
            read = [_repaired(text)]
        except ParseError as e:
            read = list(_whole_objects(text))
            if not read:
                raise
            problems.append(f"after {len(read)} items: {e.detail}")
    for n, item in enumerate((i for part in read for i in _listed(part, wanted, fields)), 1):
        try:
            good.append(_pick(item, fields, ()))
        except ParseError as e:
            problems.append(f"item {n}: {e.detail}")
    if not good:
        raise ParseError("schema" if problems else "empty", "; ".join(problems[:3]) or "no items")
    return good, problems


def flags(completion: Completion, texts: Mapping[str, str]) -> tuple[str, ...]:
    """What a reader of these fields should know: `usage_missing`, `text_replaced`."""
    lost = any(LOST in text for text in texts.values())
    named = {"usage_missing": completion.usage.estimated, "text_replaced": lost}
    return tuple(flag for flag, holds in named.items() if holds)


def _whole_objects(text: str) -> Iterator[JSON]:
    """The objects in broken JSON that are whole themselves; after 100 broken ones it gives up."""
    at, broken = text.find("{"), 0
    while at >= 0 and broken < 100:
        try:
            item, at = DECODER.raw_decode(text, at)
            yield item
        except (json.JSONDecodeError, ParseError, RecursionError):
            broken, at = broken + 1, at + 1
        at = text.find("{", at)


def _listed(part: JSON, wanted: str, names: Sequence[str]) -> list[JSON]:
    """The items that a value holds, wherever it holds them."""
    if isinstance(part, list):
        return part
    if not isinstance(part, dict):
        return [part]
    by_name = _folded(part)
    inner = by_name.get(_fold(wanted))
    if isinstance(inner, list | dict):
        return inner if isinstance(inner, list) else [inner]
    lists = [item for item in part.values() if isinstance(item, list)]
    if len(lists) == 1 and not any(_fold(name) in by_name for name in names):
        return lists[0]
    if part and all(isinstance(item, dict) for item in part.values()):
        return list(part.values())
    return [part]


def _pick(read: JSON, required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """The named fields of an object, of the last one in a list, or of one inside these."""
    names = {name: name for name in (*required, *optional)}
    if isinstance(read, dict) and read.keys() >= names.keys():
        best = read
    else:
        names = {name: _fold(name) for name in names}
        best = _best(read, [names[name] for name in required])
    picked = {}
    for name, folded in names.items():
        item = best.get(folded)
        if name in required and folded not in best:
            raise ParseError("schema", f"no `{name}`; there is {_start(', '.join(best)) or 'none'}")
        try:
            text = _as_text(item, name)
        except RecursionError:
            raise ParseError("schema", f"`{name}` is nested too deeply") from None
        if text.strip(".…"):  # the prompt's own "…" is no answer
            picked[name] = text
        elif name in required:
            raise ParseError("schema", f"`{name}` is empty")
    return picked


def _best(read: JSON, required: Sequence[str]) -> dict[str, JSON]:
    """The object whose fields are meant, with folded names."""
    parts = read if isinstance(read, list) else [read]
    outer = [_folded(part) for part in parts if isinstance(part, dict)]
    if not outer:
        raise ParseError("schema", f"{_kind(read)}, not an object")
    inner = [_folded(part) for o in outer for part in o.values() if isinstance(part, dict)]
    for group in (outer, inner):
        full = [part for part in group if all(name in part for name in required)]
        if full:
            return full[-1]
    return outer[0]


def _folded(part: dict[str, JSON]) -> dict[str, JSON]:
    return {_fold(key): item for key, item in part.items()}


def _fold(key: str) -> str:
    if key.isalpha() and key.islower():
        return key
    return "".join(key.replace("_", "").replace("-", "").split()).lower()


def _as_text(item: JSON, path: str) -> str:
    """A value as text; blank for null. `path` names it in errors: `rationale[2]`."""
    if item is None:
        return ""
    if isinstance(item, str):
        return writable(item).strip(BLANK)
    if isinstance(item, bool | int) or (isinstance(item, float) and math.isfinite(item)):
        return json.dumps(item)
    if isinstance(item, list):
        lines = (_as_text(line, f"{path}[{n}]") for n, line in enumerate(item))
        return "\n".join(line for line in lines if line)
    raise ParseError("schema", f"`{path}` is {_kind(item)}, not text")


def _kind(item: JSON) -> str:
    names = {dict: "an object", list: "a list", str: "text", float: "a number", int: "a number"}
    return names.get(type(item), "null")
