"""SIGKILL at any write: what was acknowledged is there, and the same command ends the run."""

import pytest
from conftest import ended
from jobs import bodies, content, sent_again

from system.conftest import answered, job

CALLS = {"pwrite64": 160, "write": 16, "fdatasync": 10, "unlink": 11, "fsync": 9, "rename": 3,
         "ftruncate": 3}  # fmt: skip
"""Each of these calls is the last one of a run, from the first of its kind to this."""
MOMENTS = [(name, n) for name, last in CALLS.items() for n in range(1, last + 1)]


@pytest.mark.parametrize(("calls", "when"), MOMENTS)
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(
    cli, failing, server, tmp_path, unbroken, calls, when
):
    command = job(tmp_path, server)
    killed = ended(failing(calls, f"signal=SIGKILL:when={when}").start(*command))
    assert killed.code == -9, killed.err
    held = answered(cli, tmp_path / "run") if server.asked else 0
    asked = server.asked  # by now those that were on their way have arrived too
    assert held >= len(asked) - 8, "what came back before those in flight is stored"

    told = cli(*command).told
    assert told["counts"]["kept"] == 40
    assert content(tmp_path / "run") == unbroken
    assert len(server.asked) - len(asked) == 40 - held, "what the journal holds is not asked again"
    assert sent_again(server.asked) <= told["possibly_paid_twice"] <= 8
    assert len(bodies(server.asked)) == 40
