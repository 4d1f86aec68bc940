"""Tell the way of one record: the prompt as sent, the raw reply, what was read, its fate."""

import time
from collections.abc import Iterator
from pathlib import Path

from distillgen import bodies, files, replies
from distillgen.errors import ParseError
from distillgen.prices import dollars
from distillgen.records import JSON, Completion, Request
from distillgen.show import blocks, visible
from distillgen.stored import Stored

FATES = ("answers.jsonl", "failures.jsonl", "rejected.jsonl", "inputs.jsonl", "scores.jsonl")


def of(id: str, path: Path) -> list[str]:
    """Lines on a record of this run, or on a request by its first digits; empty if neither is here.

    `id` is that of a record, or at least six digits of a request's key.
    """
    lines: list[str] = []
    keys: dict[str, None] = {}
    for name in FATES:
        for n, row in enumerate(files.rows_of(path / name), 1):
            if row.get("id") == id or (len(id) >= 6 and str(row.get("request", "")).startswith(id)):
                lines += [f"{path / name}:{n}", *_fate(row), ""]
                if row.get("request"):
                    keys[str(row["request"])] = None
    if not (path / "journal.sqlite").exists():
        return lines
    journal = Stored(path / "journal.sqlite")
    if not keys and len(id) >= 6 and all(c in "0123456789abcdef" for c in id):
        request = journal.asked(id)
        keys |= {request.key: None} if request else {}
    for key in keys:
        lines += [*_request(journal, key), ""]
    journal.close()
    return lines


def _fate(row: dict[str, JSON]) -> Iterator[str]:
    if "reason" in row:
        of = f" of {row['of']} ({row.get('similarity')})" if row.get("of") else ""
        yield f"rejected: {row['reason'].replace('_', ' ')}{of} {row.get('detail', '')}".rstrip()
    elif "kind" in row:
        yield f"failed: {row['kind'].replace('_', ' ')}: {row.get('detail', '')}"
    yield from (line for block in blocks([row]) for line in block.splitlines())
    for one in row.get("candidates", ()):
        said = one.get("problem") or one.get("label") or one.get("answer", "")
        who = ", ".join(str(part) for part in (one["teacher"], one.get("style")) if part)
        short = visible(" ".join(said.split()))[:60]
        yield f"draw {one.get('sample', 0)} of {who}, request {one['request'][:12]}: {short}"
    for turn in row.get("refinements", ()):
        keys = ", ".join(key[:12] for key in turn["requests"])
        yield f"mended, requests {keys}: {visible(' '.join(turn['criticism'].split()))[:60]}"


def _request(journal: Stored, key: str) -> Iterator[str]:
    request = journal.asked(key)
    if request is None:
        yield f"request {key}: not in the journal"
        return
    sampling = ", ".join(f"{name} {value}" for name, value in request.terms.sampling.items())
    yield f"request {key}"
    yield f"to {request.terms.teacher}, {sampling}, draw {request.sample}"
    for message in request.messages:
        yield f"\n--- {message.role}"
        yield visible(message.shown)
    for n, attempt in enumerate(journal.attempts(key), 1):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(attempt["sent"] or 0)))
        line = f"\n--- send {n}, wave {attempt['wave']!s}: {attempt['state']!s}, {at}"
        line += f", {attempt['url']!s}"
        if attempt["ended"] and attempt["sent"]:
            line += f", {float(attempt['ended']) - float(attempt['sent']):.1f} s"
        if attempt["cost"]:
            line += f", {dollars(int(attempt['cost']))}"
        yield line + (f": {visible(str(attempt['problem']))}" if attempt["problem"] else "")
        raw = attempt["raw"]
        if isinstance(raw, bytes):
            yield visible(raw.decode(errors="replace"))
            yield from _read(request, raw)


def _read(request: Request, raw: bytes) -> Iterator[str]:
    """What the reply holds, as the stages see it."""
    try:
        completion: Completion = bodies.completion(raw)
        yield f"--- read: {visible(str(replies.value(completion)))}"
        if thoughts := replies.thoughts(completion):
            yield f"--- reasoning: {visible(thoughts)}"
    except ParseError as error:
        yield f"--- of no use: {error.kind}, {visible(error.detail)}"
