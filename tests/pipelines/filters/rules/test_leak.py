"""Which words of a line tell the product or the value."""

from __future__ import annotations

import pytest
import yaml

from pipelines.filters.rules import leak
from tests.limits import LIMITS


def check(product: str, value: str, line: str) -> str | None:
    return leak.check({"product": product, "values": [value], "ad_copy": line, "source": "synthesised"}, LIMITS)


@pytest.mark.parametrize(
    ("product", "line", "part"),
    [
        ("영화 촬영지 투어", "영화보다 먼저 울던 골목", "영화"),
        ("영화 촬영지 투어", "주인공이 앉던 촬영지 벤치", "촬영지"),
        ("펀치백", "월요일의 펀치는 여기에", "펀치"),
        ("스키장", "어제보다 스키가 길어졌다", "스키"),
        ("차량용 충전기", "신호 두 번이면 충전 끝", "충전"),
        ("샤워헤드", "샤워가 길어지는 금요일", "샤워"),
        ("비디오 게임", "게임 한 판에 라면이 불었다", "게임"),
        ("ICO (초기 코인 공개)", "코인 한 닢으로 시작하는 아침", "코인"),
        ("퇴직 연금 계좌(IRA)", "계좌가 먼저 은퇴했다", "계좌"),
        ("아기 옷", "옷이 작아지는 속도로 자란다", "옷"),
        ("전자책 플랫폼", "책이 내 손안에 들어왔다", "책"),  # the head of a compound
        ("운동화 끈", "끈만 바꿨는데 뛰고 싶다", "끈"),
        ("학습 기기", "학습이 놀이터로 갔다", "학습"),  # no word of the name tells more
    ],
)
def test_a_part_of_a_product_tells_it(product: str, line: str, part: str) -> None:
    assert check(product, "여유", line) == f"part {part}"


@pytest.mark.parametrize(
    ("product", "line"),
    [
        ("영화 촬영지 투어", "주인공이 앉던 벤치에서 도시락"),
        ("여행용 펀치백", "여행 짐에도 분풀이 한 칸"),  # what stands in names of all kinds tells none
        ("어린이 치약", "어린이가 먼저 손을 든다"),
        ("아기 옷", "엄마 품에 꼭 안다가 잠들었다"),
        ("아기 옷", "옷걸이에 걸린 봄"),
        ("산책 앱", "책 한 권 들고 나온 골목"),
        ("아기 옷", "새옷처럼 개어 둔 오후"),
        ("수납장", "장을 보면 통조림부터 채운다"),
        ("키높이 구두", "마이크 높이를 올려 달라고 했습니다"),
        ("구워 먹는 치즈", "고기 안 먹는 친구 몫으로 네 쪽"),
        ("목 마사지기", "목소리까지 풀리는 저녁"),
    ],
)
def test_what_only_looks_like_a_part_is_fine(product: str, line: str) -> None:
    assert check(product, "여유", line) is None


@pytest.mark.parametrize(
    ("value", "line", "stem"),
    [
        ("스타일리시한", "어디로든 내 스타일을 담아 간다", "스타일"),
        ("컬러풀한", "컬러로 말하는 월요일", "컬러"),
        ("드라마틱한", "매일이 드라마", "드라마"),
        ("스토리텔링", "벽마다 스토리를 새긴다", "스토리"),
        ("사용하기 쉬운", "쉽게 펴면 쉽게 앉는다", "쉽"),
        ("접근 용이한", "용이하게 닿는 선반", "용이"),
    ],
)
def test_a_loanword_and_what_is_left_of_a_phrase_tell_the_value(value: str, line: str, stem: str) -> None:
    assert check("의자", value, line) == f"stem {stem}"


@pytest.mark.parametrize(
    ("value", "line"), [("한 손으로 쓰는", "손에 묻히지 않고 덧발라요"), ("사용하기 쉬운", "사용한 뒤엔 접어 두세요")]
)
def test_a_rest_of_a_phrase_does_not_tell_the_value(value: str, line: str) -> None:
    assert check("의자", value, line) is None


def test_generic_words_are_listed_once() -> None:
    listed = yaml.safe_load(leak.GENERIC_WORDS.read_text(encoding="utf-8")).split()
    assert len(leak.generic_words()) == len(listed)
