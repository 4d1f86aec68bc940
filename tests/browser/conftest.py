"""A real browser for tests: headless Chromium, each page in a profile of its own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from reviews import record, run

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


@pytest.fixture
def gold(tmp_path) -> Path:
    return run(tmp_path / "gold", [record(n) for n in range(30)])


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Page]]:
    """Opens an address; whatever the page says in the console, its own errors too, fails a test."""
    contexts, said = [], []

    def look(address: str, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: said.append(one.text))
        page.on("pageerror", lambda one: said.append(str(one)))
        page.goto(address)
        return page

    yield look
    for context in contexts:
        context.close()
    network = "Failed to load resource"  # a killed server, a stale decision
    assert [one for one in said if not one.startswith(network)] == []
