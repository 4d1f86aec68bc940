"""Refuse every request but those of our own page: host, origin, token, method, type and size.

Who may not ask is told nothing. The token stands in the address once; from then on the page sends
it in a header, which no other site can. A cookie lets the page itself be loaded again, and nothing
of the data: cookies of this machine go to every port of it.
"""

import asyncio
import hmac
import secrets
from collections.abc import Iterator
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
LARGEST = 16 << 20
"""Bytes of a request; the texts of a record that can be edited are far below."""
PART_S = 1.5
"""Seconds without a byte of a body that is on its way."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PAGE = "/"
CHANGES = "POST"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The page runs its own script and style, talks to us alone, and cannot be framed; what would take
a text for markup throws (Trusted Types)."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Stands before an app. `names` are the hosts that the page is reached by, without the port."""

    def __init__(self, app: ASGIApp, port: int, names: tuple[str, ...] = LOOPBACK) -> None:
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self._pass = secrets.token_urlsafe(TOKEN_BYTES)
        self._cookie = f"distillgen-{port}"
        self._app = app
        self._hosts = {f"{name}:{port}" for name in names}
        if port == 80:
            self._hosts |= set(names)
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            raise Refused(400, "http alone")  # uvicorn closes the connection

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if scope["path"] == PAGE and message["status"] == 200:
                    headers["Set-Cookie"] = (
                        f"{self._cookie}={self._pass}; HttpOnly; SameSite=Strict; Path=/"
                    )
            await send(message)

        try:
            self.check(scope)
            answer: ASGIApp = self._app
            limited = _limited(receive)
        except Refused as error:
            answer, limited = _refusal(error), receive
        await answer(scope, limited, sealed)

    def check(self, scope: Scope) -> None:
        """Whether a request is one of our page.

        Raises:
            Refused: it is not.
        """
        headers, method = Headers(scope=scope), scope["method"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Refused(403, "This address is not mine.")
        if method not in ("GET", CHANGES):
            raise Refused(405, "GET and POST alone.")
        origins = headers.getlist("origin")
        if any(one not in self._origins for one in origins) or (method == CHANGES and not origins):
            raise Refused(403, "Another site asks.")
        is_page = scope["path"] == PAGE and method == "GET"
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none") and not is_page:
            raise Refused(403, "Another site asks.")
        if is_page and headers.get("sec-fetch-dest", "document") != "document":
            raise Refused(403, "The page stands alone.")
        if not self._may(scope, headers):
            raise Refused(403, "No key, or an old one. Open the address that distillgen printed.")
        if method == CHANGES:
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise Refused(415, "JSON alone.")
            if not headers.get("content-length", "").isdecimal():
                raise Refused(411, "The length is missing.")
            if int(headers["content-length"]) > LARGEST:
                raise Refused(413, "Too large.")

    def _may(self, scope: Scope, headers: Headers) -> bool:
        path = scope["path"]
        if path.startswith("/api/"):
            kind, _, token = headers.get("authorization", "").partition(" ")
            return kind == "Bearer" and _same(token, self.token)
        if path == PAGE:
            query = scope["query_string"].decode("latin-1")
            if given := parse_qs(query, keep_blank_values=True).get("t", []):
                return len(given) == 1 and _same(given[0], self.token)
        return any(_same(one, self._pass) for one in self._cookies(headers))

    def _cookies(self, headers: Headers) -> Iterator[str]:
        for line in headers.getlist("cookie"):
            for part in line.split(";"):
                name, _, value = part.strip().partition("=")
                if name == self._cookie:
                    yield value


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _refusal(error: Refused) -> Response:
    headers = {"Allow": "GET, POST"} if error.status == 405 else {}
    # what was sent along is not read, so that nothing may follow on this connection
    return PlainTextResponse(f"{error}\n", error.status, {**headers, "Connection": "close"})


def _limited(receive: Receive) -> Receive:
    """No more of a body than is allowed, and none that stops coming."""
    size = 0

    async def next_part() -> Message:
        nonlocal size
        try:
            message = await asyncio.wait_for(receive(), PART_S)
        except TimeoutError as error:
            raise HTTPException(408, "The rest never came.", {"Connection": "close"}) from error
        size += len(message.get("body", b""))
        if size > LARGEST:
            raise HTTPException(413, "Too large.", {"Connection": "close"})
        return message

    return next_part
