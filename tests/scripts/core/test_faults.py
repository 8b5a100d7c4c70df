"""What the world does to a command comes out as a known error; a bug of ours does not."""

from __future__ import annotations

import errno
import json
import sqlite3
from multiprocessing import Pipe
from pathlib import Path

import httpx2
import numpy as np
import openai
import pytest
import torch
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, LocalEntryNotFoundError
from pydantic import TypeAdapter

from pipelines.errors import HanjulError
from scripts.core.faults import explained, hub_fault, input_errors, raised_by

REQUEST = httpx2.Request("GET", "http://127.0.0.1:9/x")


def answered(status: int, kind: type[HfHubHTTPError] = HfHubHTTPError) -> HfHubHTTPError:
    return kind("no", response=httpx2.Response(status, request=REQUEST))


def wrapped(cause: Exception) -> OSError:
    """As transformers does where a file cannot be had."""
    error = OSError("We couldn't connect to the Hub")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/blob"), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), "No permission"),
        (OSError(errno.EROFS, "Read-only file system", "/data"), "No permission"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "port is in use"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "connection failed"),
        (httpx2.ConnectError("refused", request=REQUEST), "cannot be reached"),
        (wrapped(httpx2.ConnectError("refused", request=REQUEST)), "cannot be reached"),
        (LocalEntryNotFoundError("check your connection"), "cannot be reached"),
        (answered(403), "The Hub refused"),
        (answered(503), "The Hub failed"),
        (wrapped(answered(404)), "The Hub refused"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk is full"),
        (RuntimeError("database or disk is full"), "disk is full"),
        (sqlite3.OperationalError("database is locked"), "Another program holds the file of kept answers"),
        (KeyboardInterrupt(), "Interrupted"),
        (ModuleNotFoundError("No module named 'deepeval'", name="deepeval"), "The judges need deepeval"),
    ],
)
def test_faults_are_explained(fault: BaseException, what: str) -> None:
    with pytest.raises(HanjulError, match=what) as caught, explained():
        raise fault
    assert caught.value.next_step


@pytest.mark.parametrize("make", [lambda path: path.mkdir(exist_ok=True), lambda path: (path / "a").write_text("")])
def test_a_file_in_place_of_a_folder_is_explained(make, tmp_path: Path) -> None:
    file = tmp_path / "work"
    file.write_text("")
    with pytest.raises(HanjulError, match="Something else stands") as caught, explained():
        make(file)
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    "bug",
    [
        ValueError("x"),
        KeyError("x"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        ModuleNotFoundError("x", name="scripts.x"),
        answered(400, BadRequestError),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ],
)
def test_bugs_pass_as_they_are(bug: Exception) -> None:
    with pytest.raises(type(bug)) as caught, explained():
        raise bug
    assert caught.value is bug


def test_a_folder_made_twice_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), explained():
        tmp_path.mkdir()


def test_a_process_of_ours_that_hangs_up_is_a_bug() -> None:
    ours, other = Pipe()
    other.close()
    with pytest.raises(BrokenPipeError), explained():
        ours.send("x")


def a_bug_while_an_answer_is_read() -> None:
    try:
        raise answered(404)
    except HfHubHTTPError:
        {}["headers"]


@pytest.mark.field
@pytest.mark.parametrize("kind", [openai.APIConnectionError, openai.APITimeoutError])
def test_an_endpoint_is_not_taken_for_the_hub(kind: type[openai.APIConnectionError]) -> None:
    lost = kind(request=REQUEST)
    lost.__cause__ = httpx2.ConnectError("refused", request=REQUEST)
    for error in (lost, wrapped(lost)):
        assert hub_fault(error) is None
    assert hub_fault(wrapped(httpx2.ConnectError("refused", request=REQUEST)))


def test_a_bug_after_a_fault_is_a_bug() -> None:
    with pytest.raises(KeyError), explained():
        a_bug_while_an_answer_is_read()


def test_errors_raised_on_purpose_get_their_place() -> None:
    with pytest.raises(HanjulError, match="too few") as caught, input_errors("pairs"):
        raise HanjulError("too few")
    assert (caught.value.where, caught.value.next_step) == ("pairs", "change the recipe or the input and run again")
    with pytest.raises(HanjulError) as caught, input_errors("pairs"):
        raise HanjulError("too few", "pairs.n", "lower it")
    assert (caught.value.where, caught.value.next_step) == ("pairs.n", "lower it")


@pytest.mark.parametrize(
    "bug",
    [
        lambda: np.zeros(2) + np.zeros(3),
        lambda: torch.zeros(2).view(3),
        lambda: torch.optim.SGD([], lr=0.1),
        lambda: json.loads("{"),
        lambda: TypeAdapter(int).validate_python("x"),
        lambda: list(zip([1], [], strict=True)),
    ],
    ids=["numpy", "torch", "torch value", "json", "pydantic", "zip"],
)
def test_errors_of_libraries_are_bugs(bug) -> None:
    with pytest.raises((ValueError, RuntimeError)) as caught, explained(), input_errors("pairs"):
        bug()
    assert not isinstance(caught.value, HanjulError)


def test_which_package_raised() -> None:
    with pytest.raises(ValueError) as caught:
        json.loads("{")
    assert raised_by(caught.value, "json")
    assert not raised_by(caught.value, "tests")
    assert not raised_by(ValueError("never raised"), "json")
