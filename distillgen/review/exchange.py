"""Rows as tasks of Label Studio and as records of Argilla, and back.

The formats: https://labelstud.io/guide/task_format (Basic Label Studio JSON), and `Record.to_dict`
of Argilla 2, as `dataset.records.to_json` writes it.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping

from distillgen.records import JSON
from distillgen.review.cells import named
from distillgen.review.rows import Row
from distillgen.review.texts import FIELDS

LABEL_STUDIO = ".label-studio.json"
ARGILLA = ".argilla.json"
READ = ("id", "version", "failed", "judge", "candidates", "teacher")
"""What is shown and not answered."""
ASKED = ("decision", "reason", "note", "candidate", "settles", "reviewer")
"""What is answered, beside the texts."""
REMARKS = ("reason", "note")
"""Of these each says more; of the others there is one."""
TO = "record"
"""The tag of Label Studio that all answers are about."""


def tasks(given: Iterable[tuple[Row, list[Row]]]) -> Iterator[dict[str, JSON]]:
    """Tasks of Label Studio: the teacher's texts as a prediction, each decision an annotation."""
    for n, (row, said) in enumerate(given, 1):
        texts: Row = {name: row[name] for name in FIELDS if row[name]}
        yield {
            "id": n,
            "data": {name: row[name] for name in (*READ, *FIELDS)},
            "annotations": [{"result": _result(_answered(one))} for one in said],
            "predictions": [{"model_version": row["teacher"], "result": _result(texts)}],
        }


def _answered(said: Row) -> Row:
    """What a decision answers; a text may be made empty."""
    return {n: text for n, text in said.items() if n in FIELDS or (n in ASKED and text)}


def _result(said: Row) -> list[dict[str, JSON]]:
    return [
        {
            "id": name, "from_name": name, "to_name": TO,
            "type": "choices" if name == "decision" else "textarea",
            "value": {"choices" if name == "decision" else "text": [text]},
        }
        for name, text in said.items()
    ]  # fmt: skip


def of_task(task: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """The rows that the annotations of a task make, the latest last; one without a decision where
    there are none."""
    data = task["data"]
    row = {name: data.get(name) for name in (*READ, *FIELDS)}
    given = [one for one in task.get("annotations") or () if not one.get("was_cancelled")]
    for one in sorted(given, key=lambda one: str(one.get("updated_at") or "")):
        said = _answers(one.get("result") or ())
        who = one.get("completed_by")
        person = who.get("email") or who.get("id") if isinstance(who, dict) else who
        yield {**row, "reviewer": person, **said}
    if not given:
        yield row


def _answers(result: Iterable[Mapping[str, JSON]]) -> dict[str, JSON]:
    """By question what was answered."""
    found: dict[str, list[JSON]] = {}
    for part in result:
        name, value = named(str(part["from_name"])), part["value"] or {}
        if name not in READ:
            given = value.get("choices") or value.get("text")
            found.setdefault(name, []).extend(given if isinstance(given, list) else [given])
    return {name: _joined(name, given) for name, given in found.items()}


def records(given: Iterable[tuple[Row, list[Row]]]) -> Iterator[dict[str, JSON]]:
    """Records of Argilla: the teacher's texts as suggestions, each decision a set of responses."""
    for row, said in given:
        responses: dict[str, list[dict[str, str]]] = {}
        for one in said:
            user = str(uuid.uuid5(uuid.NAMESPACE_OID, one["reviewer"] + one["settles"]))
            for name, text in _answered(one).items():
                responses.setdefault(name, []).append({"value": text, "user_id": user})
        texts = {name: row[name] for name in FIELDS if row[name]}
        yield {
            "id": row["id"],
            "fields": texts,
            "metadata": {name: row[name] for name in READ if row[name] and name != "id"},
            "suggestions": {
                name: {"value": text, "score": None, "agent": row["teacher"]}
                for name, text in texts.items()
            },
            "responses": responses,
            "vectors": {},
            "_server_id": None,
        }


def of_record(record: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    """The rows that the responses of a record make; one without a decision where there are none."""
    row = {name: (record.get("metadata") or {}).get(name) for name in READ}
    row |= {name: text for name, text in record["fields"].items() if name in FIELDS}
    row["id"] = record.get("id")
    people: dict[str, dict[str, JSON]] = {}
    for given, responses in (record.get("responses") or {}).items():
        name = named(given)
        for one in responses if name not in READ else ():
            user = str(one.get("user_id") or "")
            said = people.setdefault(user, {"reviewer": user})
            said[name] = _joined(name, one.get("value"))
    yield from ({**row, **said} for said in people.values())
    if not people:
        yield row


def _joined(name: str, value: JSON) -> JSON:
    """A text area may hold several texts: remarks are put below each other, of all else there can
    be only one."""
    if not isinstance(value, list):
        return value
    if name in REMARKS and all(isinstance(text, str) for text in value):
        return "\n".join(value)
    return value[0] if len(value) == 1 else value or None


def is_task(value: JSON) -> bool:
    """Whether it is of Label Studio."""
    return isinstance(value, dict) and isinstance(value.get("data"), dict)


def is_record(value: JSON) -> bool:
    """Whether it is of Argilla."""
    return isinstance(value, dict) and isinstance(value.get("fields"), dict)
