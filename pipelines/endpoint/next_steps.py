"""Says what a reader can do about an endpoint that answers nothing."""

from __future__ import annotations

#: Nothing is lost by it.
AGAIN = "run it again: what was answered is not asked again"
#: A model that thinks first may not come to its answer.
RAISE = "raise `max_new_tokens`, or have the endpoint serve the model without thinking"
START = f"start it or check `base_url`, then {AGAIN}"
FASTER = f"raise the budget's `timeout` or lower `concurrency`, and {AGAIN}"
EMPTY = "see what the endpoint's log says of the model's answers, or name another model"


def step_after(status: int, *, place: str = "", model: str = "", variable: str = "") -> str:
    """What to do where the endpoint answers every request with a status of HTTP.

    Args:
        place: where a recipe names the endpoint; empty where none does.
        model: its name at the endpoint.
        variable: the environment variable that holds the key; empty where none is asked for.
    """
    at = f"{place}." if place else ""
    named = f"`{at}model` ({model})" if place else "`model`"
    of_key = f" of the key in {variable}" if variable else ""
    valid = f"put a valid key into {variable}" if variable else f"name the variable of a key in `{at}api_key_env`"
    mend = f"mend what the endpoint complains about, or name another `{at}model`"
    steps = {
        401: valid,
        402: f"add credit to the account{of_key}, or name another `{at}base_url`; then {AGAIN}",
        403: f"check that {f'the key in {variable}' if variable else 'you'} may use {named}",
        404: f"check {named} and `{at}base_url`",
        405: f"check `{at}base_url`, up to and with `/v1`",
        413: "lower the number of `examples`",
        429: f"wait, lower `concurrency` or ask the provider for a higher limit, then {AGAIN}",
    }
    return steps.get(status, mend if status < 500 else f"look into the endpoint's log; once it works {AGAIN}")
