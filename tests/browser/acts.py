"""What a reviewer does at the page in Chromium."""

from playwright.sync_api import Page, expect


def named(page: Page, name: str = "Anna") -> Page:
    """Say who reviews, by key."""
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.locator("#record .question")).to_be_visible()
    return page


def question(page: Page) -> str:
    return page.locator("#record .question .text").inner_text()


def press(page: Page, *keys: str) -> None:
    """Press keys that end in another record being shown."""
    before = question(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function(
        "before => document.querySelector('#record .question .text')?.innerText !== before",
        arg=before,
    )


def reviewed(page: Page, n: int) -> None:
    expect(page.locator("#progress")).to_contain_text(f"{n} of 30 reviewed")
