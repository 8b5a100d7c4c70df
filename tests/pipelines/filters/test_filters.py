from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.corpus import load_corpus
from pipelines.filters.apply_rules import apply_rules, first_rule
from pipelines.filters.filter_rows import REASONS, filter_rows, gate_and_select
from pipelines.rows import make_row, row_id
from pipelines.text.tidy import clean_value
from tests.limits import LIMITS, limits

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT.parent / "shared" / "data" / "reference_copy.json"


def make(ad_copy: str, product="모카포트", values=("설렘",), source="synthesised", sense=0.9) -> dict:
    row = make_row(product, list(values), "", source=source)
    scores = {"sense": sense} if source == "synthesised" else None
    return {**row, "id": row_id(product, values, ad_copy), "ad_copy": ad_copy, "scores": scores}


def verdict(ad_copy: str, **columns) -> tuple[str, str] | None:
    _, rejected = filter_rows([make(ad_copy, **columns)], LIMITS)
    return (rejected[0]["reason"], rejected[0]["evidence"]) if rejected else None


@pytest.mark.parametrize(
    "ad_copy",
    [
        "치익, 가스레인지 위에서 로마가 말을 건다",
        "월요일도 반쯤은 금요일",
        "누가 다녀갔나요?",
        "'괜찮아' 한마디가 늦었다",
        "'90년대의 여름을 다시 튼다",
        "AI도 못 맡는 냄새",
        "TV보다 먼저 켜지는 아침",
        "3km 앞에서부터 마중 나온 향",
        "5GHz로 달리는 저녁, Wi-Fi는 덤",
        "영하 10°C의 퇴근길",
        '카피: "월요일도 반쯤은 금요일"',
    ],
)
def test_good_lines_stay(ad_copy):
    assert verdict(ad_copy) is None


@pytest.mark.parametrize(
    ("ad_copy", "reason", "evidence"),
    [
        ("첫째 줄\n둘째 줄", "format", "2 lines"),
        ("상품: 모카포트 가치: 여유", "format", "label: 상품:"),
        ("나의 카피라이팅은 로마입니다", "format", "label: 카피라이팅"),
        ("답안은 다음과 같습니다, 로마", "format", "label: 답안은 다음과 같"),
        ("다음과 같이 답변을 작성할 수 있습니다.", "format", "remark: 다음과 같이 답변을 작성"),
        ("요청하신 아침을 로마로", "format", "remark: 요청하신"),
        ('로마, "아침이 온다"', "format", 'quote: "'),
        ("닫지 않은 '로마의 아침", "format", "quote: not closed"),
        ("**로마의** 아침이 온다", "format", "markup: **"),
        ("- 로마의 아침이 온다", "format", "markup: -"),
        ("로마의 아침 #모닝커피", "format", "hashtag: #모"),
        ("로마의 아침이 온다 ☕", "format", "emoji: U+2615"),
        ("로마의 아침이 온다 🔥", "format", "emoji: U+1F525"),
        ("로마", "length", "2 < 4 characters"),
        ("가" * 61, "length", "61 > 60 characters"),
        ("로마의 美학이 온다", "script", "copy: Hanja 美"),
        ("로마のの 아침이 온다", "script", "copy: Hiragana の"),
        ("로마의 утро가 온다", "script", "copy: Cyrillic у"),
        ("로마의 style을 입다", "script", "copy: Latin style"),
        ("로마의 café 아침", "script", "copy: Latin café"),
        ("로마가 온다 ㅋㅋ", "script", "copy: jamo ㅋ"),
        ("로마의 아침이 \ufffd 온다", "script", "copy: broken U+FFFD"),
        ("로마의\u200b 아침이 온다", "script", "copy: broken U+200B"),
        ("모카포트가 깨우는 아침", "leak", "product 모카포트"),
        ("모카 포트가 깨우는 아침", "leak", "product 모카포트"),
        ("설렘을 끓이는 아침", "leak", "value 설렘"),
        ("설레는 아침을 끓인다", "leak", "stem 설레"),
        ("문의는 010-1234-5678, 로마로", "personal", "phone: 010-1234-5678"),
        ("지랄 맞게 진한 로마", "profanity", "swearing: 지랄"),
        ("국내 최초로 끓인 로마", "claim", "최상급 순위: 국내 최초"),
        ("로마의 새로운 세계를 연다", "template", "form 새로운 세계"),
    ],
)
def test_bad_lines_go_for_this_reason(ad_copy, reason, evidence):
    assert verdict(ad_copy) == (reason, evidence)


@pytest.mark.field
@pytest.mark.parametrize(
    ("product", "values", "evidence"),
    [
        ("가" * 61, ["여유"], "product: 61 > 60 characters"),
        ("모카포트", ["여유", "나" * 61], "value: 61 > 60 characters"),
        ("모카포트", [f"여유 {n}" for n in range(11)], "11 > 10 values"),
        ("모카포트 " * 12, ["나" * 60] * 10, None),
    ],
)
def test_a_product_or_a_value_may_be_too_long_and_values_too_many(product, values, evidence):
    row = dict(make_row(product, values, "부엌이 먼저 깨는 아침", source="imported"))
    found = first_rule(row, LIMITS)
    assert found == (("length", evidence) if evidence else ("", ""))


@pytest.mark.parametrize(
    ("product", "value", "ad_copy", "leaks"),
    [
        ("의자", "혁신적인", "앉는 일의 혁신", True),
        ("의자", "혁신적인", "앉는 법을 새로 쓰다", False),
        ("의자", "조용한", "조용히 받쳐 드립니다", True),
        ("의자", "빠른", "더 빨라진 아침", True),
        ("의자", "따뜻한", "따뜻해진 저녁", True),
        ("의자", "바쁜 아침", "아침마다 먼저 와 있다", False),
        ("의자", "바쁜 아침", "아침은 늘 바쁘다", True),
        ("의자", "비 오는 날", "비 온다는 말에 웃었다", False),
        ("의자", "비 오는 날", "비오는날을 기다린다", True),
        ("의자", "여유", "낙관주의자의 오후", False),
        ("모자", "여유", "모자란 잠은 여기서", False),
        ("모자", "여유", "모자 하나로 여행이 된다", True),
        ("치약", "여유", "마치 약속처럼 개운하다", False),
        ("드립백 커피", "여유", "드립백커피 없이는 못 연다", True),
        ("책", "여유", "산책보다 먼 곳까지", False),
        ("책", "여유", "책보다 먼 곳까지", True),
        ("알람 시계", "여유", "시계를 끄고 십 분 더", True),
        ("땅콩기름", "여유", "기름 두른 자리마다 고소하다", True),
        ("여행 가방", "여유", "여행은 짐 싸는 저녁부터", False),
        ("재무 계획 서비스", "여유", "서비스로 드리는 잠", False),
        ("재무 상담 서비스", "여유", "재무가 어려운 밤", True),
        ("재무 계획 수첩", "여유", "재무도 계획도 수첩 하나", True),
        ("당뇨병 약", "여유", "약 먹을 시간이 산책 시간", True),
        ("커피잔", "여유", "커피가 식을 틈이 없다", True),
        ("밀폐제", "여유", "여름까지 밀폐됩니다", True),
        ("잼", "여유", "즐거운 순간을 잼으로 물들여라", True),
        ("통장", "믿을 수 있는", "내 돈의 밤을 믿을 수 있습니다", True),
        ("통장", "큰", "크게 웃는 아침", False),
    ],
)
def test_leak_knows_korean(product, value, ad_copy, leaks):
    found = verdict(ad_copy, product=product, values=(value,))
    assert (found is not None and found[0] == "leak") is leaks


def test_values_and_products_are_checked_too():
    assert verdict("불 위에서 로마가 끓는다", values=()) == ("format", "no value")
    assert verdict("불 위에서 로마가 끓는다", values=("",)) == ("format", "no value")
    assert verdict("불 위에서 로마가 끓는다", values=('캔"에 맞는 말은',)) == ("format", 'value: 캔"에 맞는 말은')
    assert verdict("불 위에서 로마가 끓는다", values=("即각적인",)) == ("script", "value: Hanja 即")
    assert verdict("불 위에서 로마가 끓는다", values=("Comfortable",)) == ("script", "value: Latin Comfortable")
    assert verdict("불 위에서 로마가 끓는다", product="Blu-ray 플레이어", source="imported") is None


def test_the_gate_is_for_synthesised_rows_alone():
    assert verdict("불 위에서 로마가 끓는다", sense=0.5) is None
    assert verdict("불 위에서 로마가 끓는다", sense=0.499) == ("judge", "sense 0.499 < 0.500")
    for source in ("written", "imported"):
        assert verdict("불 위에서 로마가 끓는다", source=source) is None
        assert verdict("모카포트의 아침이 온다", source=source) == ("leak", "product 모카포트")
    assert verdict("모카포트의 아침이 온다", sense=0.0) == ("leak", "product 모카포트")


def test_without_a_threshold_no_synthesised_row_comes_in():
    rows = [make("불 위에서 로마가 끓는다", sense=1.0), make("부엌이 먼저 깬다", source="written")]
    kept, rejected = filter_rows(rows, limits(min_sense=None))
    assert [row["source"] for row in kept] == ["written"]
    assert [(row["reason"], row["evidence"]) for row in rejected] == [
        ("judge", "no threshold of the judge reaches precision 0.8")
    ]


@pytest.mark.parametrize(("product", "split"), [("건조기", "validation"), ("우산", "test")])
def test_validation_and_test_hold_no_synthesised_row(product, split):
    for bounds in (LIMITS, limits(gated=False)):
        rows = [make("불 위에서 로마가 끓는다", product), make("부엌이 먼저 깬다", product, source="imported")]
        kept, rejected = filter_rows(rows, bounds)
        assert [row["source"] for row in kept] == ["imported"]
        assert [(row["reason"], row["evidence"]) for row in rejected] == [("held_out", f"split {split}")]


def test_duplicate_keeps_the_best():
    rows = [
        make("불 위에서 로마가 끓는다", product="모카포트", sense=0.6),
        make("불 위에서 로마가, 끓는다.", product="원두", sense=0.9),
        make("불위에서로마가끓는다", product="커피잔", source="written"),
    ]
    kept, rejected = filter_rows(rows, LIMITS)
    assert [row["product"] for row in kept] == ["커피잔"]
    assert {row["evidence"] for row in rejected} == {f"same as {rows[2]['id']}"}
    kept, _ = filter_rows(rows[:2], LIMITS)
    assert [row["product"] for row in kept] == ["원두"]


def test_a_line_is_no_duplicate_of_a_rejected_one():
    kept, rejected = filter_rows(
        [make("불 위에서 로마가 끓는다", sense=0.1), make("불 위에서 로마가 끓는다.", product="원두")], LIMITS
    )
    assert [row["product"] for row in kept] == ["원두"] and [row["reason"] for row in rejected] == ["judge"]


def test_outranked_keeps_the_best_synthesised_lines_of_a_pair():
    rows = [
        make("불 위에서 로마가 끓는다", sense=0.6),
        make("부엌이 먼저 깬다", sense=0.9),
        make("향이 알람보다 빠르다", sense=0.7),
    ]
    imported = make("골목이 부엌으로 들어왔다", source="imported")
    kept, rejected = filter_rows([*rows, imported], LIMITS)
    assert [row["ad_copy"] for row in kept] == ["부엌이 먼저 깬다", "골목이 부엌으로 들어왔다"]
    assert [(row["reason"], row["evidence"]) for row in rejected] == [
        ("outranked", "place 3 of 3"),
        ("outranked", "place 2 of 3"),
    ]


def test_first_reason_wins_and_rows_are_exactly_these():
    row = make('"설렘 美 #1"', sense=0.0)
    kept, rejected = filter_rows([row], LIMITS)
    assert kept == []
    line = "설렘 美 #1"
    assert rejected == [
        {
            **row,
            "ad_copy": line,
            "id": row_id("모카포트", ["설렘"], line),
            "reason": "format",
            "evidence": "hashtag: #1",
            "group_id": "",
        }
    ]


def test_rules_first_and_thresholds_later_is_the_same_as_all_at_once():
    rows = [
        make(line, sense=sense)
        for line in ("설렘이 온다", "불 위에서 로마가 끓는다", "부엌이 먼저 깬다")
        for sense in (0.2, 0.8)
    ]
    passed, by_rules = apply_rules(rows, LIMITS)
    kept, by_scores = gate_and_select(passed, LIMITS)
    both = filter_rows(rows, LIMITS)
    assert kept == both[0]
    assert Counter(map(str, [*by_rules, *by_scores])) == Counter(map(str, both[1]))


def test_missing_scores_are_errors():
    bare = {**make("불 위에서 로마가 끓는다"), "scores": None}
    assert apply_rules([bare], LIMITS) == ([bare], [])
    assert filter_rows([bare], limits(gated=False)) == ([{**bare, "group_id": bare["id"]}], [])
    with pytest.raises(ValueError, match=f"row {bare['id']} has no score `sense`: score the rows"):
        filter_rows([bare], LIMITS)


HOSTILE = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("가힣ㅋ\u1100美のяé\u200b\ufffd\n\t\"'“”*#`:：카피상품 A1.☕\U0001f525\u0301"),
    ),
    max_size=80,
)


@settings(deadline=None, max_examples=300)
@given(ad_copy=HOSTILE, product=HOSTILE, value=HOSTILE)
def test_hostile_text_is_parted_and_what_stays_is_plain(ad_copy, product, value):
    kept, rejected = filter_rows([make(ad_copy, product=product, values=(clean_value(value),))], LIMITS)
    assert len(kept) + len(rejected) == 1
    for row in kept:
        line = row["ad_copy"]
        assert 4 <= len(line) <= 60 and line == line.strip()
        assert not set(line) & set('\n"“”「」*`\ufffd\u200b美のяㅋ☕🔥')
        assert product not in line and row["values"][0] not in line
        assert row["id"] == row_id(product, row["values"], line)
        assert filter_rows([row], LIMITS) == ([row], [])
    for row in rejected:
        assert row["reason"] in REASONS and row["evidence"]


def test_starter_corpus_passes_every_rule():
    records = load_corpus()
    rows = [
        make(row["ad_copy"], product=row["product"], values=row["values"], source="written") | {"merit": row["merit"]}
        for row in records
    ]
    kept, rejected = filter_rows(rows, LIMITS)
    assert {row["merit"] for row in kept} == {"good", "plain"}
    assert [row for row in rejected if (row["reason"], row["merit"]) != ("outranked", "flat")] == []
    assert len(kept) + len(rejected) == len(rows) and all(row["place"] > 1 for row in rejected)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference corpus is not here")
def test_reference_corpus():
    records = json.loads(REFERENCE.read_text(encoding="utf-8"))
    rows = [
        make(row["카피라이팅"], product=row["상품"], values=[clean_value(row["담고자 하는 가치"])], source="imported")
        for row in records
    ]
    _, rejected = filter_rows(rows, LIMITS)
    counts = Counter(row["reason"] for row in rejected)
    assert 4_000 < counts["leak"] < 4_800 and 3_400 < counts["template"] < 4_300
    assert (
        15 <= counts["format"] <= 40 and 60 <= counts["script"] <= 100 and 5 < counts["near_duplicate"] < 20
    )  # most fall by a rule before
