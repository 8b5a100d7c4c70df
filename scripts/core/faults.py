"""What the world does to a command, said as known errors: interrupts, disks, permissions, networks."""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.errors import HanjulError
from scripts.core import env

#: deepeval and huggingface_hub allow no click in common: no resolver installs both, so deepeval comes by itself.
INSTALL_DEEPEVAL = "pip install --no-deps 'deepeval>=4.3'"

#: Answers after which the same request may be sent again.
RETRIED = (408, 429, 500, 502, 503, 504)
KEPT = "finished stages are kept; run the same command to go on"
#: How safetensors, torch, datasets and SQLite, whose errors carry no number, say that a disk is full.
FULL = re.compile(r"No space left on device|os error 28\b|database or disk is full")
#: How SQLite says that another process writes.
LOCKED = "database is locked"


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
        known = _explain_disk(error) or _explain_lock(error)
        if known is None and not isinstance(error, HanjulError):
            known = _explain_os(error) if isinstance(error, OSError) else hub_fault(error)
        if known is None:
            raise
        raise known from error


@contextmanager
def input_errors(where: str, next_step: str = "change the recipe or the input and run again") -> Iterator[None]:
    """Around calls into `pipelines` and `model_card`: add the place and the step that their errors cannot know."""
    try:
        yield
    except HanjulError as error:
        error.where = error.where or where
        error.next_step = error.next_step or next_step
        raise


def raised_by(error: BaseException, *packages: str) -> bool:
    """Whether the line that raised an error stands in one of these packages, and not in what they called."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = str(place.tb_frame.f_globals.get("__name__", "")) if place else ""
    return module.partition(".")[0] in packages


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came of."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _explain_disk(error: BaseException) -> HanjulError | None:
    """A full disk, however deep in the chain: safetensors, torch and datasets raise classes of their own."""
    for link in _chain(error):
        if (isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT)) or FULL.search(str(link)):
            where = str(getattr(link, "filename", None) or link)
            return HanjulError("The disk is full", where, f"free some space or set HANJUL_HOME to another disk; {KEPT}")
    return None


def _explain_lock(error: BaseException) -> HanjulError | None:
    """A database that another program has held for longer than anybody waits."""
    if any(isinstance(link, sqlite3.OperationalError) and LOCKED in str(link) for link in _chain(error)):
        return HanjulError(
            "Another program holds the file of kept answers",
            str(env.answers_path()),
            f"end what reads or copies it (a database browser, a backup); {KEPT}",
        )
    return None


def _explain_os(error: OSError) -> HanjulError | None:
    where = str(error.filename or error)
    if error.filename and (thing := _in_the_way(Path(str(error.filename)), error.errno)):
        return HanjulError("Something else stands where a folder is needed", str(thing), "move it away")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HanjulError(
            "No permission to write or read", where, "change the permissions or set HANJUL_HOME elsewhere"
        )
    if error.errno == errno.EADDRINUSE:
        return HanjulError("The port is in use", where, "stop the other program or give another --port")
    # Processes of ours speak to each other by sockets and pipes, too: where one of these ends, that is a bug.
    ours = isinstance(error, BrokenPipeError) or raised_by(error, "multiprocessing")
    if isinstance(error, ConnectionError) and not ours:
        return HanjulError("The connection failed", where, f"check that the server is up; {KEPT}")
    return hub_fault(error)


def _in_the_way(path: Path, number: int | None) -> Path | None:
    """The file that stands where a folder of this path is needed; None where it is all folders, as our code has it."""
    if number not in (errno.ENOTDIR, errno.EEXIST):
        return None
    there = next((part for part in (path, *path.parents) if part.exists()), None)
    return there if there and not there.is_dir() else None


def hub_fault(error: BaseException, *, absent: bool = True) -> HanjulError | None:
    """What the Hub answers or that it does not, also where a library raises an error of its own from that; else None.

    For whoever catches what libraries raise, too: they take such a fault for a file or a table that is not there.

    Args:
        absent: whether it is a fault that something is not there.
    """
    from httpx2 import RequestError
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    link: BaseException | None = error
    unreached: BaseException | None = None
    while link is not None and not isinstance(link, HfHubHTTPError | RequestError):
        if type(link).__module__.partition(".")[0] == "openai":  # another server than the Hub
            return None
        if isinstance(link, LocalEntryNotFoundError):  # which says so of an answer, too, where one is its cause
            unreached = link
        link = link.__cause__
    if isinstance(link, HfHubHTTPError):
        return None if link.response.status_code == 404 and not absent else _explain_answer(link)
    if isinstance(link, RequestError):
        return HanjulError(f"The Hub cannot be reached: {link}", str(link.request.url), f"check the network; {KEPT}")
    if unreached:
        return HanjulError(f"The Hub cannot be reached: {unreached}", next_step=f"check the network; {KEPT}")
    return None


def _explain_answer(error: Any) -> HanjulError | None:
    """An `HfHubHTTPError`: the Hub failed, or refuses; None where it found fault with the request, which is ours."""
    from huggingface_hub.errors import GatedRepoError

    response = error.response
    said, url, status = error.server_message or error, str(response.request.url), response.status_code
    steps = {
        401: "log in with `hf auth login`, or set HF_TOKEN anew",
        402: "free some space there, or raise the account's limit",
        403: "take a token with the right to do this, or repositories of your own",
        404: "check token and name",
        413: "free some space there",
        507: "free some space there",
    }
    if isinstance(error, GatedRepoError):
        steps[status] = "accept the terms on the page of that repository"
    if status in steps:
        return HanjulError(f"The Hub refused ({status}): {said}", url, f"{steps[status]}; {KEPT}")
    if status in RETRIED or status in (409, 412, 423, 425) or status >= 500:
        return HanjulError(f"The Hub failed ({status}): {said}", url, f"wait a little; {KEPT}")
    return None
