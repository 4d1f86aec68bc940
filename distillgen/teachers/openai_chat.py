"""Ask any server that speaks OpenAI's chat completions."""

import asyncio
import difflib
import ssl
from functools import partial

import aiohttp
import orjson

from distillgen.providers import Endpoint, is_loopback
from distillgen.records import JSON, Request
from distillgen.wire import Form, Lost, Reply

LARGEST_REPLY = 32 << 20
"""Bytes; a longer body is not read to its end and counts as `too_large`."""
CONNECT_S = 30.0
SECRET = 16
"""Shorter keys, such as `none` or `lm-studio`, are placeholders, and may be words of a reply."""


class OpenAIChat:
    """One POST to `/chat/completions` a request; the raw body is kept."""

    path = "/chat/completions"
    """Added to the base URL."""

    def __init__(self, name: str, model: str, endpoint: Endpoint, deadline_s: float) -> None:
        """`deadline_s` bounds one attempt as a whole, the last byte included."""
        self.name, self.model, self.url = name, model, endpoint.url
        self.endpoint, self.deadline_s = endpoint, deadline_s
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool; nothing is sent yet."""
        headers = {"Content-Type": "application/json"}
        if self.endpoint.key:
            headers["Authorization"] = f"Bearer {self.endpoint.key}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self.deadline_s, sock_connect=CONNECT_S),
            # A proxy of the environment is honoured, but what is on this machine stays on it.
            trust_env=not is_loopback(self.url),
        )

    async def send(self, request: Request, seed: int, form: Form) -> Reply:
        """One POST, within the deadline.

        Raises:
            Lost: no whole reply came.
            UserError: an image of the request is no longer what it was.
        """
        spell = partial(self._body, request, seed, form)
        # Images are read in a thread, so that other requests need not wait for the disk.
        body = orjson.dumps(await asyncio.to_thread(spell) if request.images else spell())
        try:
            return await self._post(body)
        except aiohttp.ClientConnectorCertificateError as error:
            raise Lost("connection", "TLS", paid=False, fatal=_tls(self.url, error)) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise Lost("connection", f"cannot find the host {error.host}", paid=False) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Lost("connection", "cannot connect", paid=False) from error
        except TimeoutError as error:
            problem = f"no whole reply within {self.deadline_s:g} s"
            raise Lost("timeout", problem, paid=True) from error
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise Lost("connection", "the connection broke", paid=True) from error

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session:
            await self._session.close()

    async def explain(self, status: int, message: str) -> str:
        """What the user can do about a refusal of every request.

        For a 404 the server is asked once which models it has.
        """
        who = f"{self.name.split(':')[0]} at {self.url}"
        match status:
            case 401:
                key = self.endpoint.key_variable or "no variable"
                what = f"the key in {key}" if self.endpoint.key else "a request without a key"
                why = (
                    f" {key} is not sent over plain http to another machine, where it could be"
                    " read on the way: give an https:// URL, or a tunnel to this machine."
                    if self.endpoint.withheld
                    else ""
                )
                return f"{who} refuses {what} (401).{why} {message}"
            case 404:
                return await asyncio.to_thread(self._not_found, message)
            case 0:
                return f"cannot reach {self.url}: {message}. Is the server up and the URL right?"
            case 402 | 429:
                return (
                    f"{who} has no credit or quota left for this key ({message}). Mend the account,"
                    " then run the same command again: what is answered is kept"
                )
        return f"{who} refuses every request ({message})"

    def _body(self, request: Request, seed: int, form: Form) -> dict[str, JSON]:
        return form.body(self.model, request, seed)

    async def _post(self, body: bytes) -> Reply:
        assert self._session
        async with self._session.post(
            f"{self.url}{self.path}", data=body, allow_redirects=False
        ) as response:
            parts: list[bytes] = []
            size = 0
            async for part in response.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > LARGEST_REPLY:
                    response.close()
                    raise Lost(
                        "too_large", f"the reply is longer than {LARGEST_REPLY >> 20} MB", paid=True
                    )
            return Reply(response.status, response.headers, self._without_key(b"".join(parts)))

    def _without_key(self, body: bytes) -> bytes:
        """A body without the key, which some servers repeat in errors; what is no secret stays."""
        key = (self.endpoint.key or "").encode()
        return body.replace(key, b"[key]") if len(key) >= SECRET else body

    def _not_found(self, message: str) -> str:
        """A wrong model or a wrong URL: whichever the server's list of models shows."""
        models = self._models(self.url)
        if models is None:
            if self._models(f"{self.url}/v1") is not None:
                return f"{self.url} is not there (404), {self.url}/v1 is: --base-url {self.url}/v1"
            return f"{self.url}{self.path} is not there ({message}); is the URL right?"
        near = difflib.get_close_matches(self.model, models, n=3, cutoff=0.4) or sorted(models)[:5]
        has = f" Near: {', '.join(near)}" if near else ""
        return f"{self.url} does not serve {self.model} ({message}).{has}"

    def _models(self, url: str) -> list[str] | None:
        """Names of the models that a server lists; None when it does not answer so."""
        import openai

        client = openai.OpenAI(
            base_url=url, api_key=self.endpoint.key or "none", max_retries=0, timeout=3
        )
        with client:
            try:
                return [model.id for model in client.models.list().data]
            except (openai.OpenAIError, ValueError, AttributeError, TypeError):
                return None


def _tls(url: str, error: Exception) -> str:
    return (
        f"{url}: the certificate is not trusted ({str(error)[:120]}). For a CA of your own, name"
        " its file in SSL_CERT_FILE"
    )
