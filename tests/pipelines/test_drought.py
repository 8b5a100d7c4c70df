from __future__ import annotations

import pytest

from pipelines.drought import AT_FIRST, LATER, Drought
from pipelines.endpoint.failures import Failure, FailureKind


def test_a_teacher_that_never_gave_anything_is_given_up_sooner_than_one_that_did():
    drought = Drought()
    assert [drought.add(None, usable=False) for _ in range(AT_FIRST)] == [False] * (AT_FIRST - 1) + [True]
    assert not drought.broken
    drought = Drought()
    assert not drought.add(None, usable=True)
    assert [drought.add(None, usable=False) for _ in range(LATER)] == [False] * (LATER - 1) + [True]
    assert drought.broken
    assert str(drought) == "200 prompts in a row brought nothing that can be used"


@pytest.mark.parametrize("every", [2, AT_FIRST, LATER])
def test_few_are_no_drought(every):
    drought = Drought()
    drought.add(None, usable=True)
    assert not any(drought.add(None, usable=number % every == 0) for number in range(1, 1_000))


@pytest.mark.parametrize("kind", FailureKind)
def test_what_was_not_asked_is_no_drought(kind):
    drought = Drought()
    ends = [drought.add(Failure(kind), usable=False) for _ in range(AT_FIRST)]
    assert any(ends) == (kind not in (FailureKind.LIMIT, FailureKind.GONE))


def test_a_drought_after_something_usable_is_a_limit():
    drought, failure = Drought(), Failure(FailureKind.UNUSABLE, "no usable answer")
    assert drought.end(failure) == failure and drought.end(None) is None
    drought.add(None, usable=True)
    drought.add(failure, usable=False)
    assert drought.end(failure) == Failure(FailureKind.LIMIT, "1 prompts in a row brought nothing that can be used")
