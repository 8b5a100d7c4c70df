"""Sends requests to an endpoint and reads what comes back, in its own words and without the key."""

from __future__ import annotations

import asyncio
import email.utils
import time
from typing import Any

import httpx2
import openai

from pipelines.endpoint.answers.error_bodies import Said, read_error
from pipelines.endpoint.answers.payloads import decode, shortened
from pipelines.endpoint.failures import TransientError

#: Seconds to wait for a connection to an endpoint.
PROBE_SECONDS = 10
#: Characters from which on a key is one, and no word that stands for none.
SECRET_CHARS = 5
#: What can only happen once there is a connection.
_CONNECTED = (httpx2.ReadTimeout, httpx2.ReadError, httpx2.RemoteProtocolError)


class Connection:
    """The way to one endpoint.

    Attributes:
        api: sends the requests; holds the key.
    """

    def __init__(self, api: openai.AsyncOpenAI, timeout: float) -> None:
        self.api, self._timeout = api, timeout

    async def post(self, sent: dict[str, Any]) -> Any:
        """What a request for a chat completion brought, as JSON or text.

        Raises:
            openai.APIStatusError: an error.
            TransientError: nothing.
        """
        try:
            # The client's own time-out is for each read: a server that drips would hold its place for ever.
            async with asyncio.timeout(self._timeout):
                # `chat.completions.create` takes as long again to turn parameters and answer into typed objects, and
                # reads JSON only where the headers call it so.
                return self._decoded(await self.api.post("/chat/completions", body=sent, cast_to=httpx2.Response))
        except (TimeoutError, openai.APITimeoutError) as error:
            raise TransientError(f"time-out after {self._timeout:g} s") from error
        except openai.APIStatusError:
            raise
        except openai.OpenAIError as error:
            raise TransientError(self.in_words(error)) from error

    async def trouble(self) -> str:
        """Why there is no connection; empty if there is one, whatever the endpoint answers.

        The list of models is asked for, which costs nothing. Many endpoints have none, or not for every key.
        """
        try:
            await self.api.with_options(max_retries=0, timeout=PROBE_SECONDS).get("/models", cast_to=httpx2.Response)
        except openai.APIConnectionError as error:
            cause = error.__cause__
            return "" if isinstance(cause, _CONNECTED) else self._without_key(str(cause or error))
        except openai.APIStatusError:
            return ""
        except UnicodeEncodeError:
            return "its key holds letters that no header can"
        return ""

    def said(self, error: openai.APIStatusError) -> Said:
        """What the endpoint said in an error; the client's own words are "Error code: 400" for most shapes."""
        return read_error(self._decoded(error.response))

    def in_words(self, error: openai.OpenAIError) -> str:
        """An error in the endpoint's own words."""
        if isinstance(error, openai.APIStatusError):
            words = shortened(self.said(error).message)
            return self._without_key(f"{type(error).__name__}: Error code: {error.status_code} - {words}")
        return self._without_key(f"{type(error).__name__}: {error}")

    def _decoded(self, response: httpx2.Response) -> Any:
        """What a response holds, without the key, which some endpoints say again."""
        content = self._bytes_without_key(response.content)
        return decode(content, response.headers.get("content-type", ""))

    def _without_key(self, words: str) -> str:
        return self._bytes_without_key(words.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def _bytes_without_key(self, content: bytes) -> bytes:
        """What may hold the key, as it is or as Python shows the bytes of a header, with … in its place."""
        key = self.api.api_key.strip().encode("utf-8", "surrogatepass")
        if len(key) >= SECRET_CHARS:
            for spelling in (key, repr(key)[2:-1].encode()):
                content = content.replace(spelling, "…".encode())
        return content


def timed_out(error: TransientError) -> bool:
    """Whether there was no answer in time."""
    return isinstance(error.__cause__, TimeoutError | openai.APITimeoutError)


def is_unconnected(error: TransientError) -> bool:
    """Whether the connection failed."""
    return isinstance(error.__cause__, openai.APIConnectionError) and not timed_out(error)


def status_of(error: TransientError) -> int | None:
    """The status of HTTP that was answered, if one was."""
    cause = error.__cause__
    return cause.status_code if isinstance(cause, openai.APIStatusError) else None


def retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that the endpoint asks us to wait: a number, or a date (RFC 9110, 10.2.3)."""
    value = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
