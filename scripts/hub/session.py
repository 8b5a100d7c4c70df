"""Open the Hub that a command works with: the real one with a token, else the local one.

huggingface_hub reads HF_ENDPOINT and HF_HOME when it is imported: nothing that imports it may be imported here before
both are set, which is why `connect` is imported inside the function.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.errors import HanjulError
from scripts.core import env
from scripts.local_hub.errors import LocalHubError
from scripts.local_hub.lifecycle import running

if TYPE_CHECKING:
    from scripts.hub.hub import Hub


@contextmanager
def local_hub_errors() -> Iterator[None]:
    """Raise an error of the local Hub, which knows nothing of this project, as HanjulError."""
    try:
        yield
    except LocalHubError as error:
        raise HanjulError(error.what, error.where, error.next_step) from error


@contextmanager
def hub_session(*, local: bool = False) -> Iterator[Hub]:
    """The Hub this command works with: the real one with a token, else the local one, started for the command.

    Args:
        local: use the local Hub although a token is there.
    """
    env.opt_out()
    if env.has_token() and not local:
        from scripts.hub.connect import connect

        yield connect()
        return
    with local_hub_errors(), running(env.hub_store()) as endpoint:
        os.environ.update(
            HF_ENDPOINT=endpoint.url,
            HF_TOKEN=endpoint.token,
            HF_HOME=str(env.data_dir() / "hf-home"),
            HF_HUB_DISABLE_XET="1",
        )
        for name in ("HF_HUB_CACHE", "HF_TOKEN_PATH", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE"):
            os.environ.pop(name, None)  # they would point the clients past HF_HOME or past the server
        from scripts.hub.connect import connect

        yield connect()
