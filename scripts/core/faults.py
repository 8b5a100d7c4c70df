"""What the world does to a command, said as known errors: interrupts, disks, permissions, networks."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.core.errors import HanjulError

#: deepeval and huggingface_hub allow no click in common: no resolver installs both, so deepeval comes by itself.
INSTALL_DEEPEVAL = "pip install --no-deps 'deepeval>=4.3'"

KEPT = "finished stages are kept; run the same command to go on"


@contextmanager
def explained() -> Iterator[None]:
    """Raise HanjulError for faults that no code of ours can prevent; anything else passes as it is."""
    try:
        yield
    except KeyboardInterrupt:
        raise HanjulError("Interrupted", next_step=KEPT) from None
    except ModuleNotFoundError as error:
        if error.name != "deepeval":
            raise
        raise HanjulError("The judges need deepeval", "not installed", f"run `{INSTALL_DEEPEVAL}`") from error
    except Exception as error:
        known = _explain_disk(error) or (_explain_os(error) if isinstance(error, OSError) else _explain_http(error))
        if known is None:
            raise
        raise known from error


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Around calls into `pipelines` and `model_card`: their ValueErrors are sentences for the reader of a recipe."""
    try:
        yield
    except ValueError as error:
        raise HanjulError(str(error), where, "change the recipe or the input and run again") from error


def _explain_disk(error: BaseException | None) -> HanjulError | None:
    """A full disk, however deep in the chain: safetensors, torch and datasets raise classes of their own."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT) or any(
            word in str(error) for word in ("No space left", "os error 28")
        ):
            where = str(getattr(error, "filename", None) or error)
            return HanjulError("The disk is full", where, f"free some space or set HANJUL_HOME to another disk; {KEPT}")
        error = error.__cause__ or error.__context__
    return None


def _explain_os(error: OSError) -> HanjulError | None:
    where = str(error.filename or error)
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return HanjulError(
            "Something else stands where a folder is needed", where, "move it or set HANJUL_HOME elsewhere"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HanjulError(
            "No permission to write or read", where, "change the permissions or set HANJUL_HOME elsewhere"
        )
    if error.errno == errno.EADDRINUSE:
        return HanjulError("The port is in use", where, "stop the other program or give another --port")
    if isinstance(error, ConnectionError):
        return HanjulError("The connection failed", where, f"check that the server is up; {KEPT}")
    return _explain_http(error)


def _explain_http(error: Exception) -> HanjulError | None:
    from httpx2 import RequestError
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        url = str(error.response.request.url)
        return HanjulError(f"The Hub refused: {error.server_message or error}", url, f"check token and name; {KEPT}")
    if isinstance(error, RequestError):
        return HanjulError(f"The Hub cannot be reached: {error}", str(error.request.url), f"check the network; {KEPT}")
    return None
