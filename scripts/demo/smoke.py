"""Ask a served page for lines, as anybody's program would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as TooLate
from typing import Any

import httpx2
from gradio_client import Client  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]

from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.core.log import log

#: What is asked for. Of several lines a small model may well write one that breaks no rule.
PRODUCT, VALUES, COUNT = "제습기", ["뽀송함", "여유"], 5
#: Seconds between two looks, and that a look may take.
EVERY_S, LOOK_S = 1.0, 15.0
HANGUL = re.compile("[가-힣]")


def check_page(
    address: str, seconds: float, token: str | None = None, look_after: Callable[[], None] = lambda: None
) -> str:
    """The first line that a page writes, once its model is there.

    Args:
        address: where it is served.
        seconds: that loading and writing may take.
        token: that opens it, where it is private.
        look_after: raises where the page cannot come any more.

    Raises:
        HanjulError: the page says that something is wrong, writes nothing, or takes too long.
    """
    deadline = time.monotonic() + seconds
    _wait_for_model(address, deadline, token, look_after)
    client = Client(address, token=token, verbose=False, download_files=False, analytics_enabled=False)
    try:
        job = client.submit(PRODUCT, VALUES, COUNT, api_name="/write_copy")
        with Progress("space: asking the page for lines"):
            lines = job.result(timeout=max(1.0, deadline - time.monotonic()))
    except TooLate as error:
        raise _too_late(address, "to write a line") from error
    except AppError as error:
        raise HanjulError(f"The page writes no line: {error}", address, "open it and look at its log") from error
    finally:
        client.close()
    if not (isinstance(lines, list) and lines and HANGUL.search(str(lines[0]))):
        raise HanjulError(f"The page's answer is no line of copy: {lines!r}", address, "open it and look at its log")
    log(f"space: the page writes: {lines[0]}")
    return str(lines[0])


def _wait_for_model(address: str, deadline: float, token: str | None, look_after: Callable[[], None]) -> None:
    said = ""
    with Progress("space: the page loads its model", state=lambda: said):
        while time.monotonic() < deadline:
            look_after()
            status = _status(address, token)
            said = status.get("message", {}).get("ko", "")
            if status.get("state") == "ready":
                return
            if status.get("state") == "problem":
                raise HanjulError(f"The page cannot write: {said}", address, "mend what it names and deploy again")
            time.sleep(EVERY_S)
    raise _too_late(address, "to load its model")


def _status(address: str, token: str | None) -> dict[str, Any]:
    """What the page says of itself; empty while nobody answers there."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx2.get(f"{address}/status", headers=headers, timeout=LOOK_S, follow_redirects=True)
        found = answer.json() if answer.status_code == httpx2.codes.OK else {}
    except (httpx2.RequestError, ValueError):  # it starts, or the Hub shows a page of its own meanwhile
        return {}
    return found if isinstance(found, dict) else {}


def _too_late(address: str, what: str) -> HanjulError:
    return HanjulError(f"The page has taken too long {what}", address, "open it and look at its log, then deploy again")
