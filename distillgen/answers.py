"""Read a file of answers: ours, or any with a question and an answer or a label."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from distillgen import files
from distillgen.inputs import READ_FIELDS, Line, Records
from distillgen.records import JSON, Answer, content_id

FIELDS = frozenset(Answer.model_fields)
READ = (*(name for name in READ_FIELDS if name in FIELDS), "meta")
"""What is read of a file of answers that anybody wrote; `of_line` takes the rest of ours."""


def read(path: Path) -> Iterator[Answer]:
    """The answers of a file, in order; columns that we do not know travel in `meta`.

    Raises:
        UserError: a line is no answer; says where and why.
    """
    return files.read_lines(path, of_bytes)


def with_images(path: Path) -> bool:
    """Whether images belong to any of the answers."""
    return any(files.read_lines(path, lambda line: b'"images"' in line and of_bytes(line).images))


def closed(path: Path) -> bool:
    """Whether the answers are labels: judged by the first."""
    first = next(read(path), None)
    return first is not None and first.label is not None and not first.answer


def records(path: Path, fields: Mapping[str, str] | None = None) -> Records:
    """The rows of a file of answers in any format, as `of_line` takes them."""
    return Records(path, fields, READ)


def of_line(line: Line) -> Answer:
    """A row as an answer; columns that we do not know, or that do not fit, travel in `meta`."""
    known = {"teacher": "", "request": "", **line.known}
    rest = known.pop("meta", {})
    ours = {name: rest[name] for name in rest.keys() & FIELDS}
    try:
        others = {name: rest[name] for name in rest.keys() - FIELDS}
        return _answer({**known, **ours, "meta": others})
    except ValidationError:
        return _answer({**known, "meta": rest})


def of_bytes(line: bytes) -> Answer:
    """An answer of ours at once, any other as well as it fits."""
    try:
        answer = Answer.model_validate_json(line)
        if "rationale_source" in answer.model_fields_set and not answer.meta:
            return answer
    except ValidationError:
        pass
    try:
        return _answer(files.row(line))
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise ValueError(f"`{field}`: {fault['msg'].lower()}") from error


def _answer(row: dict[str, JSON]) -> Answer:
    known = {"teacher": "", "request": "", **row}
    if others := {name: known.pop(name) for name in row.keys() - FIELDS}:
        known["meta"] = {**known.get("meta", {}), **others}
    if known.get("rationale") and "rationale_source" not in known:
        known["rationale_source"] = "requested"
    if known.get("id") in (None, ""):
        known["id"] = content_id(
            str(known.get("user_context", "")), str(known.get("question", "")),
            images if isinstance(images := known.get("images"), list | tuple) else (),
        )  # fmt: skip
    known["id"] = str(known["id"])
    if isinstance(parents := known.get("parents"), list | tuple):
        known["parents"] = [str(one) if isinstance(one, int) else one for one in parents]
    return Answer.model_validate(known)
