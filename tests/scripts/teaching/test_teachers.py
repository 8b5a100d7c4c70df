from __future__ import annotations

import pytest

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.errors import HanjulError
from scripts.teaching.teachers import AGAIN, TeacherEndpoint, raise_if_gone

URL = "https://teacher.example/v1"
KEYED = TeacherEndpoint(URL, "writer", "sk", "writer", "who", tuned=False, key_variable="MY_KEY")
OPEN = TeacherEndpoint(URL, "writer", "none", "writer", "who", tuned=False, place="pairs.propose.teacher")


@pytest.mark.field
@pytest.mark.parametrize(
    ("endpoint", "status", "step"),
    [
        (KEYED, 401, "put a valid key into MY_KEY"),
        (KEYED, 402, "add credit to the account of the key in MY_KEY, or name another `synthesize.teacher.base_url`"),
        (KEYED, 403, "check that the key in MY_KEY may use writer (`synthesize.teacher.model`)"),
        (KEYED, 404, "check `synthesize.teacher.model` (writer) and `synthesize.teacher.base_url`"),
        (OPEN, 401, "name the variable of a key in `pairs.propose.teacher.api_key_env`"),
        (OPEN, 402, "add credit to the account, or name another `pairs.propose.teacher.base_url`"),
        (OPEN, 403, "check that you may use writer (`pairs.propose.teacher.model`)"),
        (KEYED, 503, AGAIN),
        (KEYED, None, AGAIN),
    ],
)
def test_the_next_step_says_what_to_change(endpoint: TeacherEndpoint, status: int | None, step: str) -> None:
    waited = Failure(FailureKind.GONE, "the words")
    with pytest.raises(HanjulError, match="the words") as raised:
        raise_if_gone(endpoint, [None, waited, Failure(FailureKind.GONE, "the words", status)])
    assert (raised.value.where, raised.value.next_step) == (URL, step)


def test_the_endpoints_own_step_counts_where_there_is_one() -> None:
    with pytest.raises(HanjulError) as raised:
        raise_if_gone(KEYED, [Failure(FailureKind.GONE, "not ready", 503, "wait for it")])
    assert raised.value.next_step == "wait for it"
    raise_if_gone(KEYED, [None, Failure(FailureKind.LIMIT, "max_requests = 3 (3 sent)")])
