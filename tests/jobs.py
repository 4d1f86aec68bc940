"""What the tests of whole commands share: jobs, their files, their ledgers, what was sent twice."""

import json
import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conftest import ROOT
from teacher_server import Asked, TeacherServer

DERIVED = (
    "inputs.jsonl", "answers.jsonl", "rejected.jsonl", "failures.jsonl", "scores.jsonl",
    "comparisons.jsonl", "selected.jsonl", "excluded.jsonl", "pairs.jsonl", "unpaired.jsonl",
)  # fmt: skip


def seeds(folder: Path, name: str = "stock_advisor") -> Path:
    """A seed set that comes with distillgen, with its task file, in a folder of the test."""
    for end in (".jsonl", ".toml"):
        shutil.copyfile(ROOT / "seeds" / f"{name}{end}", folder / f"{name}{end}")
    return folder / f"{name}.jsonl"


TOPICS = """
["Investing"."Shares"]
"Reading a balance sheet" = ["debt ratio", "cash flow"]
"Choosing" = ["dividends", "growth", "fees"]
["Investing"."Funds"]
"Kinds" = ["index funds", "bonds"]
["Saving"."Reserves"]
"How much" = []
"Where" = ["accounts", "money market"]
"""
ATTRIBUTES = """
horizon = ["a week", "ten years", "for the children"]
risk = { none = 0.5, some = 0.3, much = 0.2 }
voice = ["polite", "in a hurry"]
"""


def material(folder: Path, strategy: str) -> list[object]:
    """The options that name the files of a strategy, or of a mix, that works from one."""
    options: list[object] = []
    for name, text in (("topics", TOPICS), ("attributes", ATTRIBUTES)):
        if name in strategy:
            (folder / f"{name}.toml").write_text(text)
            options += [f"--{name}", folder / f"{name}.toml"]
    if "images" in strategy:
        options += ["--images", pictures(folder)]
    return options


def teacher(server: TeacherServer, model: str = "teacher-1") -> list[str]:
    """The options that name the server of the test."""
    return ["--teacher", f"openai:{model}", "--base-url", server.url]


def questions(path: Path, n: int) -> Path:
    """A file of `n` inputs that distillgen did not write; every third has no context."""
    with path.open("w") as file:
        for i in range(n):
            row = {"question": f"What becomes of share number {i}?", "row": i}
            if i % 3:
                row["user_context"] = f"I am {20 + i} years old"
            file.write(json.dumps(row) + "\n")
    return path


def answered(path: Path, n: int) -> Path:
    """A file of `n` answered sums, each with two candidates, the second of which is wrong; every
    third answer is wrong, too, and every fifth sum comes without the right one."""
    rows = []
    for i in range(n):
        right, wrong = f"It is {2 * i + 7}.", f"It is {2 * i + 8}."
        row = {
            "id": str(i), "question": f"What is {i} and {i + 7}?", "user_context": f"I am {20 + i}",
            "rationale": "Count.", "answer": right if i % 3 else wrong, "gold": str(2 * i + 7),
            "teacher": "openai:teacher-1", "candidates": [
                {"teacher": "a:b", "answer": right, "rationale": "So it is.", "request": "r"},
                {"teacher": "a:c", "answer": wrong, "rationale": "I guess.", "request": "r"},
            ],
        }  # fmt: skip
        if i % 5 == 4:
            del row["gold"]
        rows.append(row)
    return rows_in(path, rows)


def png(n: int) -> bytes:
    """A picture of one point, of the n-th colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    point = zlib.compress(b"\0" + n.to_bytes(3))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", point), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


THINGS = "a red boat|two dogs on a sofa|a bridge in fog|a market stall|an old clock|a road sign"


def pictures(folder: Path, n: int = 6) -> Path:
    """A manifest of `n` images, with a caption, a box and a text each."""
    (folder / "pics").mkdir(exist_ok=True)
    things = THINGS.split("|")
    rows = []
    for i in range(n):
        (folder / f"pics/{i}.png").write_bytes(png(i))
        thing = things[i % len(things)]
        rows.append({
            "image": f"pics/{i}.png", "caption": [f"It shows {thing}.", f"Photo of {thing}, {i}."],
            "boxes": [{"label": thing, "box": [i, 2, 30.5, 40]}], "ocr": f"No. {i}",
            "licence": "CC0",
        })  # fmt: skip
    return rows_in(folder / "images.jsonl", rows)


def rows_in(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def content(run: Path) -> dict[str, bytes]:
    """The derived files of a run folder and of its exports, by name."""
    found = [run / name for name in DERIVED] + sorted(run.glob("export/**/*"))
    return {str(path.relative_to(run)): path.read_bytes() for path in found if path.is_file()}


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; none when it is not there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def bodies(asked: Iterable[Asked]) -> Counter[str]:
    """How often each request was sent, whatever its wire form."""
    texts = []
    for one in asked:
        body = {k: v for k, v in one.body.items() if k != "response_format"}
        texts.append(json.dumps(body, sort_keys=True))
    return Counter(texts)


def sent_again(asked: Iterable[Asked]) -> int:
    """Sends beyond the first of each request."""
    return sum(n - 1 for n in bodies(asked).values())


def balanced(told: dict[str, Any]) -> bool:
    """Whether the ledgers of what `--json` printed add up."""
    counts = told["counts"]
    stages = counts if told["command"] == "run" else {told["command"]: counts}
    return all(SUMS[name](stage) for name, stage in stages.items())


def _expand(counts: dict[str, int]) -> bool:
    names = ("kept", "duplicate", "template", "capped", "invalid", "short", "failed", "surplus")
    return counts["asked"] + counts["extra"] == sum(counts[name] for name in names)


def _answer(counts: dict[str, int]) -> bool:
    names = ("kept", "rejected", "failed", "open")
    return counts["given"] == sum(counts[name] for name in names)


def _export(counts: dict[str, int]) -> bool:
    splits = sum(counts.get(name, 0) for name in ("train", "validation", "test"))
    return splits == counts["kept"] and counts["given"] == counts["kept"] + counts["rejected"]


def _draft(counts: dict[str, int]) -> bool:
    return counts["given"] == sum(counts[name] for name in ("kept", "failed", "open"))


def _choice(counts: dict[str, int]) -> bool:
    return counts["given"] == sum(n for name, n in counts.items() if name != "given")


def _check(counts: dict[str, int]) -> bool:
    return counts["given"] == counts["passed"] + counts["failed"]


SUMS = {"check": _check, "expand": _expand, "answer": _answer, "export": _export, "report": bool,
        "topics": _draft, "attributes": _draft, "judge": _choice, "compare": _choice,
        "select": _choice, "pairs": _choice}  # fmt: skip
