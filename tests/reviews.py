"""Runs to be reviewed, and the review page served for them by a process of its own."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

SERVE = """
import json
import sys
from pathlib import Path
from distillgen.review.desk import Desk, Setting
from distillgen.review.server import Server
port, double, most = json.loads(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
server = Server(Desk(Path(sys.argv[1]), Setting(double=double), most), port=port)
print(server.address, flush=True)
sys.exit(server.run())
"""


def record(n: int, **more: Any) -> dict[str, Any]:
    """An answer as `answer` writes it; each third has others beside it, each fourth failed."""
    row = {
        "question": f"Should I buy gold, and if so how much of it? ({n})",
        "user_context": "I am a 62-year-old teacher with a small pension and no debts.",
        "rationale": "Gold pays no interest and swings widely; a pension needs what is steady.",
        "answer": "Hold a tenth in gold at most.",
        "rationale_source": "requested",
        "vote_share": (1.0, 0.67, 0.33)[n % 3],
        "checks": {
            "grounded": {"passed": n % 4 != 1, "value": ["20 years"] if n % 4 == 1 else []},
            "language": {"passed": True, "value": "en"},
        },
        "scores": {"correct": 3 + n % 3},
        "topic": [("savings", "metals", "funds")[n % 3]],
        "id": f"r{n:06}",
        "teacher": "scripted:x",
        "request": f"k{n}",
    }
    if n % 3 == 0:
        row["candidates"] = [
            {"teacher": "scripted:x", "rationale": row["rationale"], "answer": row["answer"],
             "rationale_source": "requested", "request": f"k{n}"},
            {"teacher": "scripted:y", "rationale": "It keeps its worth.", "answer": "Half of it.",
             "rationale_source": "requested", "request": f"l{n}"},
        ]  # fmt: skip
    return row | more


def run(folder: Path, records: list[dict[str, Any]]) -> Path:
    """A run folder with these answers."""
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema_version": 1, "commands": {}, "files": {}}\n')
    with (folder / "answers.jsonl").open("w") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in records)
    return folder


def decisions(run: Path) -> list[dict[str, Any]]:
    """The lines of `reviews.jsonl`."""
    path = run / "reviews.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass
class Served:
    """The page of a run, and the process that serves it."""

    run: Path
    process: "subprocess.Popen[str]"
    address: str

    @property
    def port(self) -> int:
        """Of the address."""
        found = re.search(r":(\d+)/", self.address)
        assert found
        return int(found[1])

    @property
    def token(self) -> str:
        """In the address."""
        return self.address.partition("?t=")[2]

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """What the page gets: the status, and the answer."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"Authorization": f"Bearer {self.token}"} | headers
        if body is None:
            link.request("GET", path, headers=sent)
        else:
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
            link.request("POST", path, json.dumps(body), sent | headers)
        reply = link.getresponse()
        text = reply.read()
        link.close()
        is_json = reply.headers["Content-Type"] == "application/json"
        return reply.status, json.loads(text) if is_json else {"text": text.decode()}

    def next(self, **given: Any) -> dict[str, Any]:
        """The next record."""
        query = "&".join(
            f"{name}={value}" for name, value in ({"reviewer": "Anna"} | given).items()
        )
        return self.ask(f"/api/next?{query}")[1]

    def decide(self, record: Mapping[str, Any], verdict: str, **more: Any) -> tuple[int, Any]:
        """Send a decision about a record."""
        body = {"id": record["id"], "version": record["version"], "reviewer": "Anna"}
        return self.ask("/api/decisions", body | {"verdict": verdict} | more)


@contextmanager
def served(
    run: Path, port: int | None = 0, double: float = 0.0, most: float = math.inf
) -> Iterator[Served]:
    """The page of a run, until the block ends; `most` are the bytes that are read first."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(run), json.dumps(port), str(double), str(most)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert address, process.stderr.read() if process.stderr else ""
        yield Served(run, process, address)
    finally:
        process.kill()
        process.communicate()
