"""Connect to the Hub that the environment names, and say at once what stands in the way."""

from __future__ import annotations

import httpx2
from huggingface_hub import HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

from pipelines.errors import HanjulError
from scripts.core.faults import hub_fault
from scripts.hub.hub import Hub
from scripts.hub.patience import patiently

#: Seconds that a Hub may take to say that it is there. The clients themselves wait for ever, or ask for a minute.
ALIVE_S = 5.0
LOCAL = "work on the local Hub with `hanjul --local …`"


def connect() -> Hub:
    """The Hub that HF_ENDPOINT and HF_TOKEN name.

    Raises:
        HanjulError: it is not there, is no Hub, fails, or does not accept the token.
    """
    api = HfApi()
    endpoint = str(api.endpoint)
    knock(endpoint)
    try:
        return Hub(api, str(patiently(api.whoami)["name"]))
    except LocalTokenNotFoundError as error:
        raise HanjulError("There is no token", "HF_TOKEN", f"log in with `hf auth login`, or {LOCAL}") from error
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403):
            raise HanjulError(
                "The Hub does not accept the token",
                endpoint,
                f"check HF_TOKEN or log in with `hf auth login`, or {LOCAL}",
            ) from error
        raise hub_fault(error) or HanjulError(
            f"The Hub cannot say whose the token is: {error.server_message or error}", endpoint, "check HF_ENDPOINT"
        ) from error
    except httpx2.RequestError as error:
        raise _unreachable(error, endpoint) from error
    except UnicodeEncodeError as error:
        raise HanjulError("The token has characters that no token has", "HF_TOKEN", "set it anew") from error
    except (ValueError, KeyError, TypeError) as error:  # a page for people, where the name should be
        raise HanjulError("What answers there is no Hub", endpoint, "check HF_ENDPOINT and the network") from error


def knock(endpoint: str) -> None:
    """Ask a Hub for anything, once, and not for long.

    Raises:
        HanjulError: there is no answer.
    """
    try:
        get_session().head(endpoint, timeout=ALIVE_S)
    except (httpx2.RequestError, httpx2.InvalidURL, OfflineModeIsEnabled) as error:
        raise _unreachable(error, endpoint) from error


def _unreachable(error: Exception, endpoint: str) -> HanjulError:
    reason = f"no answer within {ALIVE_S:.0f} s" if isinstance(error, httpx2.TimeoutException) else error
    return HanjulError(
        f"The Hub cannot be reached: {reason}", endpoint, f"check HF_ENDPOINT and the network, or {LOCAL}"
    )
