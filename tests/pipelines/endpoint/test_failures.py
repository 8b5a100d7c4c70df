from __future__ import annotations

import json

import pytest

from pipelines.endpoint.failures import BudgetSpentError, EndpointGoneError, Failure, FailureKind


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize(("message", "status"), [("", None), ("안 됩니다: no", 422)])
def test_a_failure_travels_as_json(kind: FailureKind, message: str, status: int | None) -> None:
    failure = Failure(kind, message, status)
    found = Failure.from_json(json.loads(json.dumps(failure.to_json())))
    assert found == failure and found.kind is kind


def test_null_is_no_failure() -> None:
    assert Failure.from_json(None) is None


def test_the_label_holds_none_of_the_endpoint_s_words() -> None:
    failure = Failure(FailureKind.REJECTED, "BadRequestError: organisation org-7 may not", 400)
    assert failure.label == "rejected 400"
    assert str(failure) == "BadRequestError: organisation org-7 may not"
    assert Failure(FailureKind.GAVE_UP, "time-out (8 attempts)").label == "gave up"
    assert str(Failure(FailureKind.REFUSED, "쓸 수 없습니다")) == "refused: 쓸 수 없습니다"


@pytest.mark.parametrize(
    ("error", "kind"), [(BudgetSpentError, FailureKind.LIMIT), (EndpointGoneError, FailureKind.GONE)]
)
def test_an_error_is_a_failure_too(error: type[BudgetSpentError | EndpointGoneError], kind: FailureKind) -> None:
    assert error("no more").failure == Failure(kind, "no more")
