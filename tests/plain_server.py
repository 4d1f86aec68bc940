"""A teacher on the standard library's server, for what happens below HTTP: TLS, proxies, idling."""

import json
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from teacher_words import completion

PEM = """\
-----BEGIN CERTIFICATE-----
MIIBpzCCAU2gAwIBAgIUQNdYfBrH86lZ0rn8gR7KSUo58aowCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZGlzdGlsbGdlbiB0ZXN0MCAXDTI2MTEyMjE4MTY1M1oYDzIx
MjYxMDI5MTgxNjUzWjAaMRgwFgYDVQQDDA9kaXN0aWxsZ2VuIHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASag13YpOMbXZQ6CRs8qzdTQpWYkP9u8BdtYmJ2
5juUQrfcad6HG61Vt8z8udOJ/ATXPptmiS4jp6ladVKO5qfYo28wbTAdBgNVHQ4E
FgQUOmYEAXkR6UnNdK5cuAcey6hn+RcwHwYDVR0jBBgwFoAUOmYEAXkR6UnNdK5c
uAcey6hn+RcwGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxob3N0MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgbaJyFKBSC1QiIUbQUGeszNcLRiWXDIoI
UX3s7KMmVysCIQD1qDRNlsH/ec4ODn8KOIxtbfjptyuVAvDbH6HGLFJO8g==
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVSqnoUvwSlt6VP2N
lHq+6wJ0wR5SIJPMUMYSpfCAjjmhRANCAASag13YpOMbXZQ6CRs8qzdTQpWYkP9u
8BdtYmJ25juUQrfcad6HG61Vt8z8udOJ/ATXPptmiS4jp6ladVKO5qfY
-----END PRIVATE KEY-----
"""
"""A certificate for 127.0.0.1 that nobody has signed but itself, with its key."""


class PlainServer:
    """Answers everything, over TLS if told so; with another `status`, nothing.

    `idle_s`: a connection that is idle for so long is closed. `elsewhere`: the `Location` of each
    reply.
    """

    def __init__(
        self, *, tls: bool = False, idle_s: float | None = None, status: int = 200,
        elsewhere: str = "",
    ) -> None:  # fmt: skip
        self.paths: list[str] = []
        """What was asked for, as it stood in the first line."""
        self.keys: list[str | None] = []
        """The Authorization header of each request."""
        self.connections = 0
        asked = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = idle_s

            def setup(self) -> None:
                asked.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.paths.append(self.path)
                asked.keys.append(self.headers["Authorization"])
                said = b"" if status != 200 else json.dumps(completion(body)).encode()
                self.send_response(status)
                if elsewhere:
                    self.send_header("Location", elsewhere)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(PEM)
                file.flush()
                context.load_cert_chain(file.name)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def certificate(folder: Path) -> Path:
    """The certificate alone, in a file."""
    path = folder / "ca.pem"
    path.write_text(PEM.partition("-----BEGIN PRIVATE")[0])
    return path
