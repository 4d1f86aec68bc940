"""A power cut: what the disk itself holds at any moment has all that was acknowledged before it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

from distillgen.journal import Journal
from distillgen.records import Message, Request, Terms
from system.conftest import Disk, system

CUTS = 20
WRITER = """
import asyncio, sys
from pathlib import Path
from distillgen.journal import Ended, Journal
from system.test_power_cut import ask

journal = Journal(Path(sys.argv[1]))
told = 0

def acknowledged(i, error):
    global told
    assert error is None
    told += 1
    print(i, flush=True)

async def work():
    journal.serve(asyncio.get_running_loop())
    for i in range(10**6):
        ticket = journal.note(ask(i), 0, url="http://h/v1", form="text max_tokens", worst=None)
        reply = Ended("answered", 200, b"x" * 2000)
        journal.end(ticket, reply, lambda error, i=i: acknowledged(i, error))
        while i - told >= 16:
            await asyncio.sleep(0.001)

asyncio.run(work())
"""


def ask(i: int) -> Request:
    return Request(Terms("openai:t"), messages=(Message(role="user", content="?"),), sample=i)


def test_what_was_acknowledged_survives_a_power_cut(tmp_path):
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    system("mkfs.ext4", "-q", str(image))
    disk = Disk(tmp_path / "disk", "-o", "loop", str(image))
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(disk.path / "journal.sqlite")],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    told: set[int] = set()
    try:
        for cut in range(CUTS):
            while len(told) < 90 * cut + 20:
                told.add(int(writer.stdout.readline()))
            writer.send_signal(signal.SIGSTOP)
            after = tmp_path / "after"
            system("cp", "--sparse=always", str(image), str(after))
            writer.send_signal(signal.SIGCONT)
            assert told - held(after, max(told)) == set(), f"at cut {cut}"
    finally:
        writer.kill()
        writer.communicate()
        disk.close()


def held(image: Path, most: int) -> set[int]:
    """The replies on a copy of the disk, mounted as after a cut."""
    disk = Disk(image.with_suffix(".disk"), "-o", "loop", str(image))
    try:
        journal = Journal(disk.path / "journal.sqlite")
        found = {i for i in range(most + 1) if any(journal.look(ask(i).key))}
        journal.close()
    finally:
        disk.close()
        disk.path.rmdir()
    return found
