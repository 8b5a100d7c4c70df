"""A person at the page: Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

#: As root, without a GPU, and without Chromium's own calls home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def wait_for(url: str, server: subprocess.Popen[bytes] | None = None, seconds: float = 60) -> None:
    """Return when the page answers.

    Raises:
        RuntimeError: the server has ended, or does not answer in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server is not None and server.poll() is not None:
            raise RuntimeError(f"the page ended with exit code {server.returncode}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise RuntimeError(f"{url} does not answer")


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("상품", exact=True).wait_for(timeout=30_000)


def press(page: Page) -> None:
    """Press the button; the sentence that stands there is marked, so that nobody takes it for the answer."""
    page.evaluate("document.querySelectorAll('#result .said').forEach((said) => said.classList.add('stale'))")
    page.get_by_role("button", name="카피 쓰기").click()


def ask(page: Page, product: str, values: str) -> None:
    page.get_by_label("상품", exact=True).fill(product)
    page.get_by_label("담을 가치").fill(values)
    press(page)


def read_lines(page: Page, seconds: float = 120) -> list[str]:
    """The finished list, once the button can be pressed again.

    Raises:
        RuntimeError: the page shows a problem instead; the message is its sentence.
    """
    said = page.locator("#result .said:not(.stale):not(.writing)")
    said.wait_for(timeout=seconds * 1000)
    if "problem" in (said.get_attribute("class") or ""):
        raise RuntimeError(said.text_content())
    return page.locator("#result .line").all_text_contents()


def generate(url: str, product: str, values: str, seconds: float = 120) -> list[str]:
    """Open the page, type, press, read: the lines a visitor would see."""
    wait_for(url)
    with chromium() as browser:
        page = browser.new_page(viewport=DESKTOP, locale="ko-KR")
        open_page(page, url)
        ask(page, product, values)
        return read_lines(page, seconds)
