"""A disk that fails now and then: the run stops at once, and the same command ends it later."""

import os

import pytest
from jobs import content, sent_again

from system.conftest import answered, complaint, job, torn


@pytest.mark.parametrize(
    ("calls", "when"),
    [
        ("fdatasync", "1"),  # the journal is made
        ("fdatasync", "8"),  # and opened, or written for the eighth time
        ("fdatasync", "3..9"),
        ("fdatasync", "9"),
        ("fdatasync", "10+"),  # from then on, as a disk that is gone
        ("fsync", "1"),  # the reserve
        ("fsync", "2"),  # the manifest
        ("fsync", "4+"),  # derived files
        ("fsync", "6"),
        ("rename", "2"),
        ("pwrite64", "70+"),
        ("pwrite64", "120"),
    ],
)
def test_an_error_of_the_disk_stops_the_run_and_loses_nothing(
    cli, failing, server, tmp_path, unbroken, calls, when
):
    command = job(tmp_path, server)
    stopped = failing(calls, f"error=EIO:when={when}")(*command, code=5)
    assert "run/" in complaint(stopped), "it says where"
    assert torn(tmp_path) == []
    asked = len(server.asked)
    assert asked < 40 or calls != "fdatasync", "it did not go on"
    held = answered(cli, tmp_path / "run") if asked else 0

    told = cli(*command).told
    assert told["counts"]["kept"] == 40
    assert content(tmp_path / "run") == unbroken
    assert len(server.asked) - asked == 40 - held, "what the journal holds is not asked again"
    assert sent_again(server.asked) <= told["possibly_paid_twice"] <= 8


def test_a_disk_without_shared_memory_holds_a_run_all_the_same(
    cli, under, server, tmp_path, unbroken
):
    """As on network file systems, where the log's index cannot be mapped."""
    run = tmp_path / "run"
    run.mkdir()
    shared = run / "journal.sqlite-shm"
    without = under(
        "strace", "-f", "-o", os.devnull, "-P", str(shared),
        "-e", "trace=mmap", "-e", "inject=mmap:error=ENODEV",
    )  # fmt: skip
    command = job(tmp_path, server)
    assert without(*command).told["counts"]["kept"] == len(server.asked) == 40
    assert content(run) == unbroken
    assert without(*command).told["usage"]["requests"] == 0
    assert "40 answered" in without("status", "run").out
    assert cli(*command).told["usage"]["requests"] == 0, "nor on a disk that has it"
