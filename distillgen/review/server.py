"""Serve the review page to the browser of this machine, until Ctrl-C."""

import ipaddress
import os
import signal
import socket
import sys
import webbrowser
from contextlib import suppress
from html import escape

import uvicorn

from distillgen.errors import DONE, TERMINATED, UserError
from distillgen.review.api import Api
from distillgen.review.desk import Desk
from distillgen.review.guard import LOOPBACK, Guard
from distillgen.review.opening import Opening

HERE = "127.0.0.1"
PORT = 8717
"""Where the page stands, if the port is free: a browser gives what was being written back to the
same address alone."""
STOP_S = 2
"""Seconds that requests under way have to end when we stop."""
BEYOND = (
    "warning: whoever knows this address can read and change the review, and so can whoever listens"
    " on the network, for it is not encrypted"
)
"""What is said of a page that others can reach."""


class Server:
    """The page of a desk at an address, once it is bound; `run` serves it."""

    def __init__(
        self,
        desk: Desk,
        host: str = HERE,
        port: int | None = None,
        *,
        remote: bool = False,
        reviewer: str = "",
    ) -> None:
        """Binds the port, 0 for any that is free; without one `PORT`, or any if it is taken.
        `remote` allows a host that others can reach; `reviewer` is who reviews, where the page
        need not ask.

        Raises:
            UserError: the port is taken, or the host is none of this machine or not allowed.
        """
        alone = is_loopback(host)
        if not alone:
            _refuse(host, remote)
        self.desk = desk
        self._socket = _first_free(host) if port is None else _bound(host, port)
        bound: int = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        names = (*LOOPBACK, shown) if alone else (shown,)
        self.remote = not alone
        """Whether others can reach it."""
        self._serving: uvicorn.Server | None = None
        self._opening = Opening(desk, self._stop)
        guard = Guard(Api(self._opening, reviewer).app(), bound, names)
        self.app = guard
        self.address = f"http://{shown}:{bound}/?t={guard.token}"
        """What a person opens; it holds the token."""
        self._door = desk.run.resolve() / f"review-{os.getpid()}.html"

    def open(self) -> bool:
        """Open the page in the browser, if there is one to be seen.

        The address goes through a file that only this user can read: the arguments of a process
        are read by all users of the machine.
        """
        if sys.platform != "darwin" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            return False
        self._door.unlink(missing_ok=True)
        with os.fdopen(
            os.open(self._door, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as out:
            out.write(f'<meta http-equiv="refresh" content="0;url={escape(self.address)}">\n')
        with suppress(webbrowser.Error):
            return webbrowser.open(self._door.as_uri())
        return False

    def run(self) -> int:
        """Serve until a signal; the exit code: Ctrl-C is the usual end.

        Raises:
            UserError: the answers cannot be read to their end.
        """
        config = uvicorn.Config(
            self.app, log_config=None, access_log=False, lifespan="off", ws="none",
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=STOP_S,
        )  # fmt: skip
        came: list[int] = []  # uvicorn stops at a signal, then raises it again for us
        old = {
            number: signal.signal(number, lambda got, _: came.append(got))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            self._serving = uvicorn.Server(config)
            self._opening.check()
            self._serving.run(sockets=[self._socket])
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            self.close()
        self._opening.check()
        return TERMINATED if signal.SIGTERM in came else DONE

    def _stop(self) -> None:
        if self._serving:
            self._serving.should_exit = True

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()
        self._door.unlink(missing_ok=True)


def _refuse(host: str, remote: bool) -> None:
    if not remote:
        raise UserError(f"--host {host}: others could reach the page; add --remote if they may")
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            raise UserError(f"--host {host}: name the one address that others come by")


def _first_free(host: str) -> socket.socket:
    try:
        return _bound(host, PORT)
    except UserError:
        return _bound(host, 0)


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens, so that a browser may come before we are ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(128)
        except OSError:
            found.close()
            raise
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "no port"
        raise UserError(f"--port {port}: {host}:{port} cannot be had ({why}); take another, or 0"
                        " for any that is free") from error  # fmt: skip
    return found


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
