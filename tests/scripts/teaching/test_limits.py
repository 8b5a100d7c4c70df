from __future__ import annotations

import pytest

from pipelines.endpoint.next_steps import AGAIN
from scripts.teaching import limits

USAGE = {"input_tokens": 1_200, "output_tokens": 340, "usd": 0.5, "requests_sent": 20, "usd_sent": 0.75}


@pytest.mark.field
@pytest.mark.parametrize(
    ("limit", "named", "step"),
    [
        (
            "max_usd = 1.0 (0.7500 spent)",
            "synthesize.budget.max_usd = 1.0 (0.7500 spent)",
            f"raise `synthesize.budget.max_usd`; then {AGAIN}",
        ),
        (
            "each pair that lacks a row was asked 3 times (synthesize.attempts)",
            "each pair that lacks a row was asked 3 times (synthesize.attempts)",
            "be content with what there is, or raise `synthesize.attempts` or `pairs.n`",
        ),
        (
            "200 prompts in a row brought nothing that can be used",
            "200 prompts in a row brought nothing that can be used",
            "be content with what there is, or change `synthesize.teacher.model` or `seed`",
        ),
    ],
)
def test_a_limit_says_what_it_cost_and_what_to_do(limit: str, named: str, step: str) -> None:
    error = limits.reached(limit, "synthesize", "2 of 9 rows accepted", USAGE)
    assert error.what == (
        f"Ended by a limit, {named}: 2 of 9 rows accepted; 20 requests, 1,200 tokens in, 340 out, 0.7500 USD"
    )
    assert error.where == "synthesize" and error.next_step == step
    released = limits.reached(limit, "synthesize", "2 of 9 rows accepted", USAGE, version="v0.1.0")
    assert released.next_step == step.removesuffix(f"; then {AGAIN}") + ", and `version`: v0.1.0 is released" + (
        f"; then {AGAIN}" if AGAIN in step else ""
    )


def test_a_cost_that_nobody_knows_is_left_out() -> None:
    error = limits.reached("max_tokens = 9 (9 spent)", "pairs.propose", "nothing", USAGE | {"usd": None}, "hf://x")
    assert error.what.endswith("340 out") and error.where == "hf://x"
