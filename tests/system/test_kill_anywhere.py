"""SIGKILL at any write: what was acknowledged is there, and the same command ends the run."""

import pytest
from conftest import ended
from jobs import bodies, content, sent_again

from system.conftest import answered, job

MOMENTS = [
    *(("pwrite64", n) for n in (1, 2, 4, 9, 16, 20, 24, 30, 37, 45, 56)),
    *(("pwrite64", n) for n in (70, 85, 100, 115, 130, 145, 160, 175)),
    *(("fdatasync", n) for n in (1, 5, 10, 14)),
    *(("fsync", n) for n in (1, 2, 3, 4, 5, 7)),
    *(("rename", n) for n in (1, 2, 3)),
    *(("unlink", n) for n in (1, 3, 8)),
]


@pytest.mark.parametrize(("calls", "when"), MOMENTS)
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(
    cli, failing, server, tmp_path, unbroken, calls, when
):
    command = job(tmp_path, server)
    killed = ended(failing(calls, f"signal=SIGKILL:when={when}").start(*command))
    assert killed.code == -9, killed.err
    asked = server.asked
    held = answered(cli, tmp_path / "run") if asked else 0
    assert held >= len(asked) - 8, "what came back before those in flight is stored"

    told = cli(*command).told
    assert told["counts"]["kept"] == 40
    assert content(tmp_path / "run") == unbroken
    assert len(server.asked) - len(asked) == 40 - held, "what the journal holds is not asked again"
    assert sent_again(server.asked) <= told["possibly_paid_twice"] <= 8
    assert len(bodies(server.asked)) == 40
