"""A small release, the same every time: two written lines, eight synthesised ones; five of them rejected."""

from __future__ import annotations

from typing import Any

from dataset_card.changes import Changes
from dataset_card.facts import Facts, Given, Produced, gather
from dataset_card.gate import GateFacts, ReadingFacts
from pipelines.rows import make_row
from tests.limits import LIMITS

GIVEN = Given("NS/hanjul-copy", "한 줄 Hanjul")
GATE = GateFacts(
    judge="sense on google/gemma-3-270m@2222222",
    auc=[0.86, 0.81, 0.9],
    reliable=True,
    threshold=0.5,
    why="18 of the 22 graded lines from there on are usable",
    precision=0.8,
)
READING = ReadingFacts("두 사람이 읽었습니다", "two people", {"written": [46, 50], "flat": [0, 0], "model": [3, 60]})
PRODUCED = Produced(
    teacher=f"hf://NS/hanjul-gemma-3-270m-lora@{'1' * 40}",
    teacher_base="google/gemma-3-270m",
    limits=LIMITS,
    seed=7,
    usage={"input_tokens": 12_345, "output_tokens": 678, "usd": 1.2345},
    version="v0.2.0",
    prompts={"brief.jinja": "0123456789abcdef" * 4},
    gate=GATE,
    reading=READING,
)
CHANGES = Changes("v0.1.0", added=2, removed=1, kept=3, moved={"default → leak": 1})
#: source, product, category, value, line, device, score, rejection reason, evidence.
LINES = [
    ("written", "모카포트", "커피", "설렘", "치익, 가스레인지 위에서 로마가 말을 건다", "narrative", None, "", ""),
    ("written", "수제 맥주", "주류", "여유", "월요일도 반쯤은 금요일", "hyperbole", None, "", ""),
    ("synthesised", "슬리퍼", "신발", "편안함", "발이 먼저 퇴근했다", "personification", 0.9, "", ""),
    ("synthesised", "건조기", "생활가전", "빠른", "엄마 손보다 먼저 마르는 셔츠", "contrast", 0.7, "", ""),
    ("synthesised", "이불 | 담요", "침구", "포근함", "겨울이 들어오다 잠든 자리", "narrative", 0.6, "", ""),
    ("synthesised", "건조기", "생활가전", "빠른", "빨라진 저녁", "pun", None, "leak", "stem 빠르"),
    ("synthesised", "우산", "가방", "든든함", "우산 하나면 됩니다", "imperative", None, "leak", "product 우산"),
    ("synthesised", "시계", "시계·주얼리", "신뢰", "약속이 먼저 도착했다", "pun", 0.2, "judge", "sense 0.200 < 0.500"),
    ("synthesised", "양말", "속옷·양말", "편안함", "발이 먼저 퇴근했다!", "pun", 0.7, "near_duplicate", "same as 0"),
    ("synthesised", "슬리퍼", "신발", "편안함", "발등에 내려앉은 일요일", "metaphor", 0.8, "outranked", "place 2 of 2"),
]


def release(source: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(kept, rejected); with a source, all rows come from it and have neither category nor device nor scores."""
    kept, rejected = [], []
    for origin, product, category, value, line, device, score, reason, evidence in LINES:
        columns = {} if source else {"category": category, "device": device}
        columns |= {"merit": "good"} if origin == "written" and not source else {}
        made = make_row(product, [value], line, source=source or origin, **columns)
        scores = {"sense": score} if score and not source else None
        row = {**made, "scores": scores, "group_id": "" if reason else made["id"]}
        if reason:
            place = {"place": 2} if reason == "outranked" else {}
            rejected.append(row | {"reason": reason, "evidence": evidence} | place)
        else:
            kept.append(row)
    return kept, rejected


def facts(source: str = "", given: Given = GIVEN) -> Facts:
    """What the card says of it."""
    return gather(given, PRODUCED, *release(source), preferences={"train": 1}, pairs=True, changes=CHANGES)
