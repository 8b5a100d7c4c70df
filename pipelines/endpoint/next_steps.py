"""Says what a reader can do about an endpoint that answers nothing."""

from __future__ import annotations

#: Nothing is lost by it.
AGAIN = "run it again: what was answered is not asked again"
#: A model that thinks first may not come to its answer.
RAISE = "raise `max_new_tokens`, or have the endpoint serve the model without thinking"
START = f"start it or check `base_url`, then {AGAIN}"
FASTER = f"raise the budget's `timeout` or lower `concurrency`, and {AGAIN}"
EMPTY = "see what the endpoint's log says of the model's answers, or name another model"
_OF_STATUS = {
    400: "mend what the endpoint complains about, or name another `model`",
    401: "put a valid key into the environment variable that `api_key_env` names",
    402: f"add credit to the account, then {AGAIN}",
    403: "check that the key may use this `model`",
    404: "check `model` and `base_url`",
    405: "check `base_url`, up to and with `/v1`",
    413: "lower the number of `examples`",
    422: "mend what the endpoint complains about, or name another `model`",
    429: f"wait, lower `concurrency` or ask the provider for a higher limit, then {AGAIN}",
}


def step_after(status: int) -> str:
    """What to do where the endpoint answers every request with a status of HTTP."""
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    if status < 500:
        return _OF_STATUS[400]
    return f"look into the endpoint's log; once it works {AGAIN}"
