"""Opens a client of an endpoint, and keeps the account with OpenAI from every other host."""

from __future__ import annotations

from typing import Any

import openai

from pipelines.endpoint.origin import OPENAI, origin_of


class _Stranger(openai.AsyncOpenAI):
    """A client of somebody else than OpenAI.

    OpenAI's reads OPENAI_ORG_ID, OPENAI_PROJECT_ID, OPENAI_ADMIN_KEY and OPENAI_CUSTOM_HEADERS, and sends them to
    whatever address it is given. They stay in the environment for a client of OpenAI that is opened beside this one.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)  # also where a client is copied, by `with_options`
        self.organization = self.project = self.admin_api_key = self.webhook_secret = None
        self._custom_headers = given.get("default_headers") or {}


def open_api(base_url: str, api_key: str, timeout: float) -> openai.AsyncOpenAI:
    """A client that retries nothing. It sends what the environment says of an account with OpenAI to OpenAI alone."""
    kind = openai.AsyncOpenAI if origin_of(base_url) == OPENAI else _Stranger
    return kind(base_url=base_url, api_key=api_key, max_retries=0, timeout=timeout)
