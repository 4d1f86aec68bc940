"""A server for tests that breaks off, hangs, drips or talks nonsense, on bare sockets."""

import json
import socket
import struct
import threading
import time
from typing import Any

from teacher_words import completion

HTML = b"<html><head><title>Welcome</title></head><body>Please log in to the network</body></html>"


class FaultServer:
    """Each request meets the next of `faults`; after them all are answered as they should be.

    `reset` and `midreset` break off before and within the reply,
    `short` states a longer body than it sends, `hang` and `drip` go on until the client leaves,
    `huge` is a reply of 40 MB, `html` a page with status 200, `garbled` a 200 cut off within its
    JSON, `latin1` one that is no UTF-8, `empty` one without a body, `busy` a 502 with a page.
    """

    def __init__(self, *faults: str, only: str = "") -> None:
        """`only`: faults are for requests with these words in them, all others go well."""
        self._faults, self._only = list(faults), only
        self.hits = 0
        """Requests that were read whole."""
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; what hangs is let go."""
        self._closing.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(client,), daemon=True).start()

    def _meet(self, client: socket.socket) -> None:
        with client:
            try:
                body = _read(client)
                self.hits += 1
                meant = self._only in json.dumps(body)
                fault = self._faults.pop(0) if self._faults and meant else ""
                self._answer(client, fault, body)
            except OSError:
                return

    def _answer(self, client: socket.socket, fault: str, body: Any) -> None:
        good = json.dumps(completion(body), ensure_ascii=False).encode()
        whole = {
            "html": (200, HTML),
            "busy": (502, HTML),
            "garbled": (200, good[:-40]),
            "latin1": (200, '{"choices": ["é"]}'.encode("latin-1")),
            "empty": (200, b""),
        }
        match fault:
            case "reset":
                _break_off(client)
            case "midreset":
                client.sendall(_head(200, len(good)) + good[:40])
                time.sleep(0.05)
                _break_off(client)
            case "short":
                client.sendall(_head(200, len(good)) + good[:-40])
            case "hang":
                self._closing.wait(30)
            case "huge":
                client.sendall(_head(200, 40 << 20) + bytes(40 << 20))
            case "drip":
                client.sendall(_head(200, len(good)))
                for i in range(len(good)):
                    if self._closing.wait(0.05):
                        return
                    client.sendall(good[i : i + 1])
            case _:
                status, said = whole.get(fault, (200, good))
                client.sendall(_head(status, len(said)) + said)


def _head(status: int, length: int) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()


def _read(client: socket.socket) -> Any:
    """The JSON body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536) or _gone()
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += client.recv(65536) or _gone()
    return json.loads(body)


def _gone() -> bytes:
    raise ConnectionError("the client went away")


def _break_off(client: socket.socket) -> None:
    """Close with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
