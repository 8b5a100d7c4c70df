from __future__ import annotations

import pytest

from pipelines.drought import AT_FIRST, LATER, Drought


def test_a_teacher_that_never_gave_anything_is_given_up_sooner_than_one_that_did():
    drought = Drought()
    assert [drought.add(usable=False) for _ in range(AT_FIRST)] == [False] * (AT_FIRST - 1) + [True]
    assert not drought.broken
    drought = Drought()
    assert not drought.add(usable=True)
    assert [drought.add(usable=False) for _ in range(LATER)] == [False] * (LATER - 1) + [True]
    assert drought.broken
    assert str(drought) == "200 prompts in a row brought nothing that can be used"


@pytest.mark.parametrize("every", [2, AT_FIRST, LATER])
def test_few_are_no_drought(every):
    drought = Drought()
    drought.add(usable=True)
    assert not any(drought.add(usable=number % every == 0) for number in range(1, 1_000))
