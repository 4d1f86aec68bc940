"""Drive the Firefox of this machine over WebDriver BiDi, which it speaks itself."""

import asyncio
import base64
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("firefox-esr", "firefox")
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Control": "\ue009", "End": "\ue010"}


class Firefox:
    """One window, headless, in a profile of its own."""

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        path = next(filter(None, map(shutil.which, NAMES)), None)
        assert path, f"these tests need one of {', '.join(NAMES)}"
        self._profile = tempfile.mkdtemp()
        self._process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", self._profile,
             "--remote-debugging-port", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr
        found = None
        while not found:
            line = self._process.stderr.readline()
            assert line, "Firefox has ended"
            found = re.search(r"BiDi listening on (ws://\S+)", line)
        self._loop = asyncio.new_event_loop()  # in its own thread: playwright has this one
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._sent = 0
        self.said: list[str] = []
        """Errors, and whatever the page wrote into the console."""
        self._wait(self._open(found[1]))
        self._window = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._call("session.subscribe", events=["log.entryAdded"])
        self.resize(width, height)

    def _wait(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _open(self, address: str) -> None:
        self._http = aiohttp.ClientSession()
        self._link = await self._http.ws_connect(f"{address}/session", max_msg_size=0)
        await self._ask("session.new", {"capabilities": {}})

    async def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._sent += 1
        await self._link.send_json({"id": self._sent, "method": method, "params": params})
        while True:
            got = await self._link.receive_json(timeout=60)
            if got.get("method") == "log.entryAdded":
                self.said.append(str(got["params"].get("text")))
            if got.get("id") == self._sent:
                assert got["type"] == "success", got
                return got["result"]

    def _call(self, method: str, **params: Any) -> Any:
        return self._wait(self._ask(method, params))

    def resize(self, width: int, height: int) -> None:
        """Set the size of the page."""
        size = {"width": width, "height": height}
        self._call("browsingContext.setViewport", context=self._window, viewport=size)

    def goto(self, address: str) -> None:
        """Open a page."""
        self._call("browsingContext.navigate", context=self._window, url=address, wait="complete")

    def reload(self) -> None:
        """Load the page again."""
        self._call("browsingContext.reload", context=self._window, wait="complete")

    def evaluate(self, script: str) -> Any:
        """What an expression comes to: a text, a number or a boolean."""
        target = {"context": self._window}
        got = self._call("script.evaluate", expression=script, target=target, awaitPromise=True)
        assert got["type"] == "success", got
        return got["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true."""
        for _ in range(300):
            if found := self.evaluate(script):
                return found
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}")

    def press(self, *keys: str) -> None:
        """Press keys one after the other: a character, a name of KEYS, or `Control+Enter`."""
        actions = []
        for one in keys:
            chord = [KEYS.get(part, part) for part in (one.split("+") if len(one) > 1 else [one])]
            actions += [{"type": "keyDown", "value": part} for part in chord]
            actions += [{"type": "keyUp", "value": part} for part in reversed(chord)]
        source = {"type": "key", "id": "keys", "actions": actions}
        self._call("input.performActions", context=self._window, actions=[source])

    def click(self, selector: str) -> None:
        """Click the middle of what a selector finds first."""
        box = self.evaluate(
            "(() => { const one = document.querySelector(" + repr(selector) + ");"
            " one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2].join(' '); })()"
        )
        x, y = (round(float(one)) for one in box.split())
        moves = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0},
                 {"type": "pointerUp", "button": 0}]  # fmt: skip
        source = {"type": "pointer", "id": "mouse", "actions": moves}
        self._call("input.performActions", context=self._window, actions=[source])

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        got = self._call("browsingContext.captureScreenshot", context=self._window)
        path.write_bytes(base64.b64decode(got["data"]))

    def close(self) -> None:
        """End it."""
        self._wait(self._link.close())
        self._wait(self._http.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._process.terminate()
        self._process.communicate()
        shutil.rmtree(self._profile, ignore_errors=True)
