from __future__ import annotations

import pytest

from dataset_card.quality import Quality, measure
from pipelines.rows import make_row
from tests.dataset_card.rows import LIMITS


def test_measures_exactly_this():
    rows = [
        make_row("의자", ["여유", "설렘"], "봄이 왔다", category="가구", device="pun"),
        make_row("의자", ["여유"], "봄이 왔다", category="가구", device="contrast"),
        make_row("우산", ["여유"], "우산이 왔다", device="pun"),
        make_row("우산", ["여유"], "봄이 왔다", device="contrast"),
    ]
    # 봄 이 오 었 다 | 우산 이 오 었 다: 20 morphemes of 6 kinds, 16 pairs of 5 kinds.
    assert measure(rows, LIMITS) == Quality(
        rows=4,
        products=2,
        values=2,
        categories=1,
        mean_chars=pytest.approx((5 * 3 + 6) / 4),
        distinct_1=6 / 20,
        distinct_2=5 / 16,
        device_entropy=pytest.approx(1.0),
        devices=2,
        leak_rate=0.25,
    )


def test_nothing_measures_zero():
    assert measure([], LIMITS) == Quality(0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0, 0.0)
