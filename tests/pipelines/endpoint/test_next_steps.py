from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.endpoint.failures import EndpointGoneError
from pipelines.endpoint.next_steps import AGAIN, step_after
from pipelines.endpoint.session import Session
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Raw, serve
from tests.pipelines.endpoint.teachers import options_for

KEYED = {"place": "synthesize.teacher", "model": "writer", "variable": "MY_KEY"}
OPEN = {"place": "pairs.propose.teacher", "model": "writer"}


@pytest.mark.field
@pytest.mark.parametrize(
    ("named", "status", "step"),
    [
        (KEYED, 401, "put a valid key into MY_KEY"),
        (KEYED, 402, "add credit to the account of the key in MY_KEY, or name another `synthesize.teacher.base_url`; "),
        (KEYED, 403, "check that the key in MY_KEY may use `synthesize.teacher.model` (writer)"),
        (KEYED, 404, "check `synthesize.teacher.model` (writer) and `synthesize.teacher.base_url`"),
        (KEYED, 418, "mend what the endpoint complains about, or name another `synthesize.teacher.model`"),
        (KEYED, 503, f"look into the endpoint's log; once it works {AGAIN}"),
        (OPEN, 401, "name the variable of a key in `pairs.propose.teacher.api_key_env`"),
        (OPEN, 402, "add credit to the account, or name another `pairs.propose.teacher.base_url`; "),
        (OPEN, 403, "check that you may use `pairs.propose.teacher.model` (writer)"),
        ({}, 401, "name the variable of a key in `api_key_env`"),
        ({}, 404, "check `model` and `base_url`"),
    ],
)
def test_the_next_step_says_what_to_change(named: dict[str, str], status: int, step: str) -> None:
    assert step_after(status, **named) == step + (f"then {AGAIN}" if status == 402 else "")


@pytest.mark.field
@pytest.mark.parametrize(("status", "code"), [(402, None), (429, "insufficient_quota")])
def test_an_empty_account_is_named_whatever_the_status(tmp_path: Path, status: int, code: str | None) -> None:
    said = Raw({"error": {"message": "no credit", "type": "error", "code": code}}, status)
    with serve(lambda body, number: said) as endpoint:
        options = options_for(endpoint.url, tmp_path, place="evaluate.judge", key_variable="MY_KEY")
        body = {"model": MODEL, "messages": [{"role": "user", "content": "줄"}], "max_tokens": 5}
        with Session(options, KEY) as session, pytest.raises(EndpointGoneError) as raised:
            session.run(session.client.ask(body))
    assert raised.value.next_step.startswith(
        "add credit to the account of the key in MY_KEY, or name another `evaluate"
    )
