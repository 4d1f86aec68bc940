"""What the tests that need root share: small disks, other programs around the command line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CLI, Ran
from jobs import content, questions, teacher
from teacher_server import TeacherServer


class Disk:
    """A file system of its own, mounted in the folder of a test."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir()
        system("mount", *options, str(path))

    def remount(self, options: str) -> None:
        """Change its size, or whether it can be written."""
        system("mount", "-o", f"remount,{options}", str(self.path))

    def close(self) -> None:
        """Take it away."""
        system("umount", str(self.path))


def system(*words: str) -> None:
    """Run a program of the system; what it says is in the error when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr} (these tests need root)"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """Makes a disk in memory: `disk("2m")`."""
    made: list[Disk] = []

    def make(size: str) -> Disk:
        made.append(
            Disk(tmp_path / f"disk{len(made)}", "-t", "tmpfs", "-o", f"size={size}", "none")
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


class Under(CLI):
    """The command line, started by another program."""

    def __init__(self, folder: Path, *words: str) -> None:
        super().__init__(folder)
        self._words = words

    def start(self, *args: object, **env: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*self._words, sys.executable, "-m", "distillgen", *map(str, args)],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process


@pytest.fixture
def under(tmp_path: Path) -> Iterator[Callable[..., Under]]:
    """Makes command lines that are started by another program, at work in `tmp_path`."""
    made: list[Under] = []

    def make(*words: str) -> Under:
        made.append(Under(tmp_path, *words))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def failing(under: Callable[..., Under]) -> Callable[[str, str], Under]:
    """Makes command lines of which some system calls fail, or kill: see strace's `inject`.

    strace counts the calls of each thread apart: the main one opens and closes the journal and
    writes the files, another writes the journal while requests are under way.
    """

    def make(calls: str, fault: str) -> Under:
        return under(
            "strace", "-f", "-o", os.devnull,
            "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}",
        )  # fmt: skip

    return make


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the job in `job` when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("unbroken")
    server = TeacherServer()
    command = CLI(folder)
    command(*job(folder, server))
    server.close()
    return content(folder / "run")


def job(folder: Path, server: TeacherServer) -> list[object]:
    """A small job of one stage, worked on in the folder `run`."""
    source = questions(folder / "mine.jsonl", 40)
    return ["answer", source, "-o", "run", "--concurrency", 8, *teacher(server), "--json"]


def answered(cli: CLI, run: Path) -> int:
    """Replies that the journal of a run folder holds."""
    (told,) = cli("status", run, "--json").told["runs"]
    return int(told["requests"]["answered"])


def complaint(ran: Ran) -> str:
    """The one line that says what is wrong: `stopped …`, or the last that was written."""
    assert "Traceback" not in ran.err, ran.err
    lines = ran.err.splitlines()
    return next((line for line in lines if line.startswith("stopped")), lines[-1])


def torn(folder: Path) -> list[str]:
    """Files that were begun and not finished."""
    return sorted(str(path) for path in folder.rglob("*.part"))
