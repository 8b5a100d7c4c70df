from __future__ import annotations

import pytest

from scripts.teaching import limits

USAGE = {"input_tokens": 1_200, "output_tokens": 340, "usd": 0.5, "requests_sent": 20, "usd_sent": 0.75}


@pytest.mark.field
@pytest.mark.parametrize(
    ("limit", "named", "step"),
    [
        (
            "max_usd = 1.0 (0.7500 spent)",
            "synthesize.budget.max_usd = 1.0 (0.7500 spent)",
            "raise `synthesize.budget.max_usd` and run the same command again",
        ),
        (
            "each pair that lacks a row was asked 3 times (synthesize.attempts)",
            "each pair that lacks a row was asked 3 times (synthesize.attempts)",
            "raise `synthesize.attempts`, plan more pairs",
        ),
        (
            "200 prompts in a row brought nothing that can be used",
            "200 prompts in a row brought nothing that can be used",
            "see with one request by hand",
        ),
    ],
)
def test_a_limit_says_what_it_cost_and_what_to_do(limit: str, named: str, step: str) -> None:
    error = limits.reached(limit, "synthesize", "2 of 9 rows accepted", USAGE)
    assert error.what == (
        f"Ended by a limit, {named}: 2 of 9 rows accepted; 20 requests, 1,200 tokens in, 340 out, 0.7500 USD"
    )
    assert error.where == "synthesize" and error.next_step.startswith(step)


def test_a_cost_that_nobody_knows_is_left_out() -> None:
    error = limits.reached("max_tokens = 9 (9 spent)", "pairs.propose", "nothing", USAGE | {"usd": None}, "hf://x")
    assert error.what.endswith("340 out") and error.where == "hf://x"
