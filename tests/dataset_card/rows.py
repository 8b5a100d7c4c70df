"""A small release, the same every time: two written lines, three synthesised ones, four rejected."""

from __future__ import annotations

from typing import Any

from dataset_card.facts import Facts, Given, Produced, gather
from pipelines.filters import filter_rows
from pipelines.filters.limits import Limits
from pipelines.rows import make_row

LIMITS = Limits(min_chars=4, max_chars=60, min_pv=0.5, min_naturalness=0.3, keep_per_pair=1, trust_written=True)
GIVEN = Given("NS/hanjul-copy", "한 줄 Hanjul")
PRODUCED = Produced(
    teacher=f"hf://NS/hanjul-gemma-3-270m-teacher-lora@{'1' * 40}",
    teacher_base="google/gemma-3-270m",
    scorer=f"google/gemma-3-270m@{'2' * 40}",
    limits=LIMITS,
    seed=7,
    usage={"input_tokens": 12_345, "output_tokens": 678, "usd": 1.2345},
)
LINES = [
    ("written", "모카포트", "커피", "설렘", "치익, 가스레인지 위에서 로마가 말을 건다", "personification", None),
    ("written", "수제 맥주", "주류", "여유", "월요일도 반쯤은 금요일", "hyperbole", None),
    ("synthesised", "슬리퍼", "신발", "편안함", "발이 먼저 퇴근했다", "personification", 0.9),
    ("synthesised", "슬리퍼", "신발", "편안함", "발등에 내려앉은 일요일", "metaphor", 0.8),
    ("synthesised", "건조기", "생활가전", "빠른", "엄마 손보다 먼저 마르는 셔츠", "contrast", 0.7),
    ("synthesised", "건조기", "생활가전", "빠른", "빨라진 저녁", "pun", 0.9),
    ("synthesised", "우산", "잡화", "든든함", "우산 하나면 됩니다", "imperative", 0.9),
    ("synthesised", "이불 | 담요", "침구", "포근함", "겨울이 들어오다 잠든 자리", "narrative", 0.6),
    ("synthesised", "시계", "시계", "신뢰", "약속이 먼저 도착했다", "metaphor", 0.2),
]


def release(source: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(kept, rejected); with a source, all rows come from it and have neither category nor device."""
    rows = []
    for origin, product, category, value, line, device, pv in LINES:
        columns = {"category": category, "device": device} if not source else {}
        row = make_row(product, [value], line, source=source or origin, **columns)
        score = 0.9 if source else pv
        rows.append({**row, "scores": {"pv": score, "naturalness": score, "creativity": None} if score else None})
    return filter_rows(rows, LIMITS)


def facts(source: str = "", given: Given = GIVEN) -> Facts:
    """What the card says of it."""
    return gather(given, PRODUCED, *release(source))
