from __future__ import annotations

import pytest

from pipelines.endpoint.next_steps import AGAIN, step_after

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
