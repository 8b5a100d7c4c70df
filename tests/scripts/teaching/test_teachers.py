from __future__ import annotations

import pytest

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.next_steps import AGAIN
from pipelines.errors import HanjulError
from pipelines.execution.deaths import watched
from scripts.teaching.teachers import TeacherEndpoint, raise_if_gone

URL = "https://teacher.example/v1"
ENDPOINT = TeacherEndpoint(URL, "writer", "sk", "writer", "who", tuned=False)


@pytest.mark.field
@pytest.mark.parametrize(("said", "step"), [("wait for it", "wait for it"), ("", AGAIN)])
def test_an_endpoint_that_is_gone_is_told_with_its_next_step(said: str, step: str) -> None:
    with pytest.raises(HanjulError, match="the words") as raised:
        raise_if_gone(ENDPOINT, [None, Failure(FailureKind.GONE, "the words", 503, said)])
    assert (raised.value.where, raised.value.next_step) == (URL, step)
    raise_if_gone(ENDPOINT, [None, Failure(FailureKind.LIMIT, "max_requests = 3 (3 sent)")])


@pytest.mark.field
def test_a_server_of_ours_that_died_is_named() -> None:
    gone = [Failure(FailureKind.GONE, "the endpoint does not answer")]
    with watched("The embedded teacher", lambda: -9), pytest.raises(HanjulError, match="The embedded teacher died"):
        raise_if_gone(ENDPOINT, gone)
    with watched("The embedded teacher", lambda: None), pytest.raises(HanjulError, match="does not answer"):
        raise_if_gone(ENDPOINT, gone)
