"""What tests share: servers on loopback, and the command line as users meet it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer
from hypothesis import settings
from teacher_server import TeacherServer

ROOT = Path(__file__).parent.parent
KEY = "sk-test-0123456789abcdefghij"
"""The canary: it must turn up nowhere but in the header of a request."""


settings.register_profile("any machine", deadline=None)  # a busy one takes its time
settings.load_profile("any machine")


@pytest.fixture
def server() -> Iterator[TeacherServer]:
    """A teacher that answers everything, until its knobs are turned."""
    teacher = TeacherServer()
    yield teacher
    teacher.close()


@pytest.fixture
def faulty() -> Iterator[Callable[..., FaultServer]]:
    """Makes servers that break off, hang or talk nonsense."""
    made: list[FaultServer] = []

    def make(*faults: str, only: str = "") -> FaultServer:
        made.append(FaultServer(*faults, only=only))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def nowhere() -> str:
    """A base URL on this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@pytest.fixture
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines of this process wait no longer than a moment between two sends of a request."""
    from distillgen.engine import Engine

    monkeypatch.setattr(Engine, "_wait_s", lambda *_: 0.01)


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        """The object that `--json` printed."""
        return json.loads(self.out)


class CLI:
    """The command line, run as a process of its own in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
            "OPENAI_API_KEY": KEY,
            "COLUMNS": "300",
        }
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *args: object, stdin: str | None = None, **env: str) -> "subprocess.Popen[str]":
        """Start a command and do not wait for it; whoever gives it a `stdin` has to write it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "distillgen", *map(str, args)],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def __call__(self, *args: object, code: int | None = 0, **env: str) -> Ran:
        """Run a command to its end; `code` is the exit code that it must end with, None for any."""
        ran = ended(self.start(*args, **env))
        assert code is None or ran.code == code, f"exit {ran.code}, not {code}:\n{ran.err}"
        return ran

    def patched(self, code: str) -> dict[str, str]:
        """Environment of a distillgen that was changed: `code` runs before it starts."""
        folder = Path(tempfile.mkdtemp(prefix="patch-", dir=self.folder))
        (folder / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}

    def close(self) -> None:
        """End what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()


def ended(process: "subprocess.Popen[str]") -> Ran:
    """Wait for a command that was started."""
    out, err = process.communicate(timeout=150)
    assert KEY not in out + err
    return Ran(process.returncode, out, err)


def keys_in(folder: Path) -> list[str]:
    """Files that hold the canary, but for those that a test wrote it into."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != ".env"]
    return [str(path) for path in found if KEY.encode() in path.read_bytes()]


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CLI]:
    """The command line, at work in `tmp_path`; the key must not be left in any file there."""
    command = CLI(tmp_path)
    yield command
    command.close()
    assert keys_in(tmp_path) == []


@pytest.fixture
def refused(cli: CLI, server: TeacherServer) -> Callable[..., str]:
    """Runs a command that must be refused before anything is asked; gives back what it said."""

    def run(*job: object, **env: str) -> str:
        ran = cli(*job, code=2, **env)
        assert server.asked == []
        assert "Traceback" not in ran.err
        assert KEY not in ran.out + ran.err
        return ran.err

    return run
