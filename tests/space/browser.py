"""A person at the page: Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

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
    """Open the page and wait until the form knows what the server takes."""
    page.goto(url)
    page.locator("#examples button").first.wait_for(timeout=30_000)


def press(page: Page) -> None:
    page.locator("#write").click()


def fill(page: Page, product: str, values: str) -> None:
    """Fill in the brief anew."""
    page.locator("#product").fill(product)
    while page.locator(".chip").count():
        page.locator(".chip").first.click()
    page.locator("#values").fill(values)
    page.locator("#values").press("Enter")


def ask(page: Page, product: str, values: str) -> None:
    fill(page, product, values)
    press(page)


def rows(page: Page, within: str = "#current") -> Locator:
    """The rows of lines that have come."""
    return page.locator(f"{within} .lines li:not(.pending)")


def read_lines(page: Page, seconds: float = 120) -> list[str]:
    """The finished lines of the newest press.

    Raises:
        RuntimeError: the page shows a problem instead, in the form or over the lines; the message is its sentence.
    """
    wrong = page.locator("#brief .wrong:not(:empty)")
    if wrong.count():
        raise RuntimeError(wrong.first.text_content())
    page.locator("#write[aria-disabled=false]").wait_for(timeout=seconds * 1000)
    problem = page.locator("#current .said.problem")
    if problem.count():
        raise RuntimeError(problem.first.text_content())
    return rows(page).locator(".line").all_text_contents()


def generate(url: str, product: str, values: str, seconds: float = 120) -> list[str]:
    """Open the page, type, press, read: the lines a visitor would see."""
    wait_for(url)
    with chromium() as browser:
        page = browser.new_page(viewport=DESKTOP, locale="ko-KR")
        open_page(page, url)
        ask(page, product, values)
        return read_lines(page, seconds)
