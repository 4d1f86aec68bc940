"""Disks that are really full: nothing is lost, and the same command goes on when there is room."""

import shutil
from pathlib import Path

import pytest
from jobs import content, lines, questions, seeds, sent_again, teacher

from system.conftest import answered, complaint, job, torn

SIZES = [*((f"{kilobytes}k", 400) for kilobytes in range(1300, 4100, 175)), ("8m", 2200)]


@pytest.mark.parametrize(("size", "inputs"), SIZES)
def test_answers_that_fill_the_disk_are_kept_and_the_rest_follows(
    cli, server, tmp_path, disk, size, inputs
):
    small = disk(size)
    server.set(latency_s=0.01)
    run = small.path / "run"
    command = ["answer", questions(tmp_path / "mine.jsonl", inputs), "-o", run, *teacher(server)]
    stopped = cli(*command, code=5)
    assert "the disk is full" in complaint(stopped)
    asked = len(server.asked)
    assert 0 < asked < inputs
    assert answered(cli, run) == asked, "all that was asked came back, and is stored"
    assert torn(run) == []
    assert len(lines(run / "answers.jsonl")) in (0, asked)

    small.remount("size=64m")
    told = cli(*command, "--json").told
    assert told["counts"]["kept"] == inputs
    assert told["possibly_paid_twice"] == 0
    assert len(server.asked) == inputs
    assert sent_again(server.asked) == 0


@pytest.mark.parametrize("size", ["2m", "4m"])
def test_inputs_that_fill_the_disk_are_kept_and_the_rest_follows(cli, server, tmp_path, disk, size):
    small = disk(size)
    run = small.path / "run"
    command = ["expand", seeds(tmp_path), "-n", 1000, "--per-call", 4, *teacher(server)]
    stopped = cli(*command, "-o", run, code=5)
    assert "the disk is full" in complaint(stopped)
    asked = len(server.asked)
    assert 0 < asked == answered(cli, run)
    assert torn(run) == []
    before = lines(run / "inputs.jsonl")

    small.remount("size=64m")
    told = cli(*command, "-o", run, "--json").told
    assert told["counts"]["kept"] == 1000
    assert sent_again(server.asked) == 0
    assert lines(run / "inputs.jsonl")[: len(before)] == before
    cli(*command, "-o", tmp_path / "elsewhere")
    assert content(run) == content(tmp_path / "elsewhere")


def test_a_disk_without_room_is_told_before_anything_is_asked(cli, server, tmp_path, disk):
    small = disk("1m")
    (small.path / "ballast").write_bytes(bytes((1 << 20) - (1 << 15)))
    command = job(tmp_path, server)
    command[command.index("run")] = small.path / "run"
    stopped = cli(*command, code=5)
    assert "the disk is full" in complaint(stopped)
    assert server.asked == []

    (small.path / "ballast").unlink()
    small.remount("size=64m")
    assert cli(*command).told["counts"]["kept"] == 40


def exported(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.jsonl")}


def test_an_export_that_fills_the_disk_leaves_whole_files_or_none(cli, server, tmp_path, disk):
    cli("answer", questions(tmp_path / "mine.jsonl", 300), "-o", "run", *teacher(server))
    small = disk("64k")
    out = small.path / "export"
    export = ["export", "run", "-o", out, "--format", "trl-messages", "--format", "step-by-step"]
    stopped = cli(*export, code=5)
    assert "the disk is full" in complaint(stopped)
    assert torn(out) == []
    for file in out.rglob("*.jsonl"):
        assert lines(file), "every line of it is JSON"

    small.remount("size=8m")
    cli(*export)
    cli(*export[:2], "-o", "roomy", *export[4:])
    assert exported(out) == exported(tmp_path / "roomy")


def test_a_run_on_a_full_disk_can_still_be_read(cli, server, tmp_path, disk):
    small = disk("4m")
    cli(
        "answer", questions(tmp_path / "mine.jsonl", 40), "-o", small.path / "run", *teacher(server)
    )
    free = shutil.disk_usage(small.path).free
    (small.path / "ballast").write_bytes(bytes(free))
    assert "What becomes of share number 7?" in cli("show", small.path / "run").out
    assert "40 answered" in cli("status", small.path / "run").out
