"""The quality table of the card, its numbers written out, for both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_card.facts import Computed
from dataset_card.quality import Quality, Score
from pipelines.metrics import METRICS

NONE = "–"


@dataclass(frozen=True)
class Number:
    """A row of the table."""

    korean: str
    english: str
    before: str
    after: str


def numbers(computed: Computed) -> list[Number]:
    """All rows of the table; judge's metrics that no row was scored by are left out."""
    before, after = _column(computed.before), _column(computed.after)
    labels = [
        ("행", "Rows"),
        ("상품", "Products"),
        ("가치", "Values"),
        ("상품 범주(균등도)", "Product categories (evenness)"),
        ("수사법(균등도)", "Rhetorical devices (evenness)"),
        ("평균 글자 수", "Characters, mean"),
        ("글자 수 p5 / p50 / p95", "Characters, p5 / p50 / p95"),
        ("상품 이름이 그대로 나온 카피", "Lines with the product verbatim"),
        ("가치가 그대로 나온 카피", "Lines with a value verbatim"),
        ("`leak`: 상품", "`leak`: product"),
        ("`leak`: 상품 이름의 일부", "`leak`: part of the product's name"),
        ("`leak`: 가치", "`leak`: value"),
        ("`leak`: 가치의 어간", "`leak`: stem of a value"),
        ("따옴표가 남은 카피", "Lines with stray quotation marks"),
        ("거의 같은 카피", "Near-duplicates"),
        ("distinct-1 / 2 / 3", "distinct-1 / 2 / 3"),
        ("n-그램 엔트로피 1 / 2 / 3 (비트)", "n-gram entropy 1 / 2 / 3 (bits)"),
        ("Self-BLEU (낮을수록 다양함)", "Self-BLEU (lower is more varied)"),
        ("Vendi 점수 / 카피 수", "Vendi score / lines"),
        *((metric.korean, metric.name) for metric in METRICS.values()),
    ]
    rows = [Number(*label, *values) for label, *values in zip(labels, before, after, strict=True)]
    unscored = {metric.korean for key, metric in METRICS.items() if key not in computed.before.scores}
    return [row for row in rows if row.korean not in unscored]


def _column(found: Quality) -> list[str]:
    varied = found.diversity
    return [
        f"{found.rows:,}",
        f"{found.products:,}",
        f"{found.values:,}",
        _even(found.categories, found.category_coverage),
        _even(found.devices, found.device_coverage),
        f"{found.lengths.mean:.1f}",
        f"{found.lengths.p5} / {found.lengths.p50} / {found.lengths.p95}",
        percent(found.product_verbatim),
        percent(found.value_verbatim),
        *(percent(share) for share in found.leaks.values()),
        percent(found.stray_quotes),
        percent(varied.near_duplicates),
        " / ".join(f"{share:.3f}" for share in varied.distinct),
        " / ".join(f"{bits:.2f}" for bits in varied.entropy),
        f"{varied.self_bleu:.1f}",
        f"{varied.vendi:,.0f} / {varied.lines:,}",
        *(_score(found.scores.get(metric)) for metric in METRICS),
    ]


def occurring(counts: Mapping[str, int]) -> int:
    """How many names have rows."""
    return sum(count > 0 for count in counts.values())


def percent(share: float) -> str:
    """`12.3%`."""
    return f"{share * 100:.1f}%"


def _even(counts: Mapping[str, int], coverage: float | None) -> str:
    return NONE if coverage is None else f"{occurring(counts)} ({coverage:.3f})"


def _score(score: Score | None) -> str:
    return f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], n={score.rows:,}" if score else NONE
