"""A real browser for tests: headless Chromium, each page in a profile of its own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"these tests need one of {', '.join(NAMES)}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Opened:
    """A page that was opened, and what it did meanwhile."""

    page: Page
    asked: list[str] = field(default_factory=list)
    """Everything that it asked for, itself aside."""
    said: list[str] = field(default_factory=list)
    """Errors, and whatever it wrote into the console."""


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a file at a width, light or dark, on a screen or on paper."""
    contexts = []

    def look(path: Path, width: int, scheme: str = "light", media: str = "screen") -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=False
        )
        contexts.append(context)
        page = context.new_page()
        page.emulate_media(media=media, color_scheme=scheme)
        found = Opened(page)
        address = path.resolve().as_uri()
        page.on("request", lambda one: found.asked.append(one.url) if one.url != address else None)
        page.on("console", lambda one: found.said.append(one.text))
        page.on("pageerror", lambda one: found.said.append(str(one)))
        page.goto(address, wait_until="load")
        return found

    yield look
    for context in contexts:
        context.close()
