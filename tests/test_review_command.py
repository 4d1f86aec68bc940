"""The command that serves the review page: its first line, its end, and who else may come."""

import re
import signal
import socket

import pytest
from reviews import Served, decisions, record, run

LOCAL = "import distillgen.review.server as s; s.is_loopback = lambda host: host != '127.0.0.2'"
"""Has an address that every machine has taken for one that others can reach."""


@pytest.fixture
def gold(cli):
    return run(cli.folder / "gold", [record(n) for n in range(3)])


def test_the_address_is_its_first_line_and_ctrl_c_its_end(cli, gold):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = cli.start("review", "gold", "--no-browser", "--port", port)
    page = Served(gold, process, process.stdout.readline().strip())
    assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/\?t=[\w-]{{43}}", page.address)
    assert page.decide(page.next()["record"], "accept")[0] == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "open this address in your browser" in err
    assert "saved 1 decision. " in err
    assert "Traceback" not in err
    assert len(decisions(gold)) == 1


def test_others_are_let_in_only_by_a_flag_and_then_with_a_warning_and_the_token(cli, gold):
    env = cli.patched(LOCAL)
    assert "--remote" in cli("review", "gold", "--host", "127.0.0.2", code=2, **env).err
    process = cli.start("review", "gold", "--host", "127.0.0.2", "--remote", "--no-browser", **env)
    address = process.stdout.readline().strip()
    port, token = re.fullmatch(r"http://127\.0\.0\.2:(\d+)/\?t=(\S+)", address).groups()

    def status(host, key):
        with socket.create_connection(("127.0.0.2", int(port)), timeout=10) as link:
            lines = ["GET /api/start HTTP/1.1", f"Host: {host}:{port}",
                     f"Authorization: Bearer {key}", "Connection: close", "", ""]  # fmt: skip
            link.sendall("\r\n".join(lines).encode())
            return int(link.makefile().readline().split()[1])

    assert status("127.0.0.2", token) == 200
    assert status("127.0.0.2", "x" * 43) == 403
    assert status("localhost", token) == 403
    process.send_signal(signal.SIGINT)
    assert "warning: whoever knows this address" in process.communicate(timeout=30)[1]
