"""Ask the Hub again where it says that it cannot answer now.

huggingface_hub does so itself for pages of lists, downloads and uploads; for single requests it does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

from scripts.core.faults import RETRIED
from scripts.core.log import log

T = TypeVar("T")

#: Seconds before each further try, where the Hub names none.
WAITS = (1.0, 2.0, 4.0)
#: A Hub that wants us to wait longer is not asked again.
LONGEST_S = 60.0


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` returns, after a few tries at most.

    Raises:
        HfHubHTTPError: the last answer, or one that another try would not change.
    """
    for usual in WAITS:
        try:
            return ask()
        except HfHubHTTPError as error:
            wait = _named_wait(error)
            wait = usual if wait is None else wait
            if error.response.status_code not in RETRIED or wait > LONGEST_S:
                raise
            log(f"the Hub answers {error.response.status_code}; asking again in {wait:.0f} s")
            time.sleep(wait)
    return ask()


def _named_wait(error: HfHubHTTPError) -> float | None:
    """The seconds that the Hub asks us to wait, by its rate limit or `Retry-After`."""
    headers = error.response.headers
    limit = parse_ratelimit_headers(headers)
    if error.response.status_code == 429 and limit and limit.remaining == 0:
        return limit.reset_in_seconds + 1.0
    seconds = headers.get("retry-after", "").strip()
    return float(seconds) if seconds.isdecimal() else None
