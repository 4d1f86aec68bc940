"""Where distillgen may not write, what others may not read, and who may work in a run folder."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest
from conftest import KEY, ended
from jobs import lines, seeds, teacher

from system.conftest import complaint, job

ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Without root's rights: what belongs to others is closed, as to anybody."""
NOBODY = 65534


def theirs(folder: Path, mode: int) -> Path:
    """A folder of somebody else."""
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(mode)
    return folder


def test_a_read_only_disk_is_told_before_anything_is_asked(cli, server, tmp_path, disk):
    small = disk("8m")
    command = job(tmp_path, server)
    command[command.index("run")] = small.path / "run"
    small.remount("ro")
    assert "Read-only" in complaint(cli(*command, code=5))
    assert server.asked == []


def test_a_run_on_a_disk_that_became_read_only_can_be_read_and_not_gone_on_with(
    cli, server, tmp_path, disk
):
    small = disk("8m")
    command = job(tmp_path, server)
    command[command.index("run")] = run = small.path / "run"
    cli(*command, "--limit", 20)
    small.remount("ro")
    with server.counting() as asked:
        assert "Read-only" in complaint(cli(*command, code=5))
        assert "20 answered" in cli("status", run).out
        assert "share number 7" in cli("show", run).out
        request = lines(run / "answers.jsonl")[0]["request"]
        assert "chatcmpl" in cli("trace", request[:12], "--run", run).out
    assert asked == []


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o000])
def test_a_folder_of_somebody_else_is_told_before_anything_is_asked(under, server, tmp_path, mode):
    command = job(tmp_path, server)
    command[command.index("run")] = run = theirs(tmp_path / "closed", mode) / "run"
    told = complaint(under(*ORDINARY)(*command, code=5))
    assert str(run) in told
    assert "ermission" in told
    assert server.asked == []


def test_the_run_of_somebody_else_is_told_before_anything_is_asked(cli, under, server, tmp_path):
    command = job(tmp_path, server)
    cli(*command, "--limit", 20)
    run = tmp_path / "run"
    for path in (run, *run.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    with server.counting() as asked:
        for again in (["answer", "run", *teacher(server)], ["export", "run"]):
            assert "ermission" in complaint(under(*ORDINARY)(*again, code=5))
    assert asked == []


def test_everything_is_for_its_owner_alone_whatever_the_umask(under, server, tmp_path):
    open_to_all = under("sh", "-c", 'umask 0; exec "$@"', "sh")
    server.set(latency_s=0.05)
    run = tmp_path / "deep/er/run"
    source = seeds(tmp_path)
    source.with_suffix(".toml").unlink()
    command = ["run", source, "-n", 24, "--per-call", 4, "-o", run, *teacher(server)]
    working = open_to_all.start(*command)
    seen: dict[Path, int] = {}
    while working.poll() is None:
        seen |= modes(run)
        time.sleep(0.02)
    assert ended(working).code == 0
    seen |= modes(tmp_path / "deep")
    open_ones = {path.name: oct(mode) for path, mode in seen.items() if mode & 0o077}
    names = {path.name for path in seen}
    assert {"journal.reserve", "journal.sqlite-wal", "train.jsonl"} <= names
    assert open_ones == {}


def modes(folder: Path) -> dict[Path, int]:
    """The rights of all that lies in a folder at this moment, itself included."""
    found = {}
    for path in [folder, *folder.rglob("*")] if folder.exists() else []:
        try:
            found[path] = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            continue
    return found


def test_a_second_process_is_refused_at_once_and_told_who_works_there(cli, server, tmp_path):
    server.set(latency_s=60)
    command = job(tmp_path, server)
    first = cli.start(*command)
    while not server.asked:
        time.sleep(0.02)
    assert f"process {first.pid} works in it" in complaint(cli(*command, code=5))
    assert f"process {first.pid} works in it" in cli("status", "run").out
    assert len(server.asked) == 1
    first.send_signal(signal.SIGKILL)
    ended(first)
    server.set(latency_s=0)
    assert cli(*command).told["counts"]["kept"] == 40


def test_the_key_stands_nowhere_but_in_the_header(cli, server, tmp_path):
    server.set(latency_s=0.1, fail_share=0.1, fail_status=400)
    command = ["run", seeds(tmp_path), "-n", 24, "--per-call", 4, "-o", "run", "--max-failed", 1,
               *teacher(server)]  # fmt: skip
    working = cli.start(*command)
    cmdline = b""
    while not server.asked and working.poll() is None:
        cmdline += Path(f"/proc/{working.pid}/cmdline").read_bytes()
    said = ended(working)
    told = said.out + said.err
    for more in (["status", "run", "--json"], [*command, "--json"], [*command, "--dry-run"]):
        ran = cli(*more, code=None)
        told += ran.out + ran.err
    request = lines(tmp_path / "run/answers.jsonl")[0]["request"]
    told += cli("trace", request[:12], "--run", "run").out
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert b"distillgen" in cmdline
    assert KEY.encode() not in cmdline
    assert KEY not in told
    assert spilt(tmp_path) == []


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_that_the_server_repeats_is_struck_out(cli, server, tmp_path, status):
    server.set(status=status, message=f"Incorrect request: {KEY}. Find yours on our site.")
    command = [*job(tmp_path, server), "--resample", 0]
    ran = cli(*command, code=4)
    assert "Find yours on our site" in ran.err
    assert KEY not in ran.err + ran.out
    assert spilt(tmp_path) == []


def spilt(folder: Path) -> list[Path]:
    """Files with the key in them."""
    return [
        path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]
