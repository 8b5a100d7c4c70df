"""What the rejection reasons are called and what they mean, in the order of the filters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A rejection reason: its Korean name, short enough for a bar, and a sentence in both languages."""

    name: str
    korean: str
    english: str


REASONS = {
    "refusal": Reason(
        "쓰기를 거절함",
        "교사 모델이나 그 제공자가 쓰기를 거절했습니다.",
        "The teacher or its provider declined to write.",
    ),
    "format": Reason(
        "한 줄이 아님",
        "줄바꿈, 머리말, 마크업, 해시태그, 따옴표, 이모지가 섞여 카피 한 줄로 볼 수 없습니다.",
        "Not one plain line: line breaks, labels, markup, hashtags, quotation marks or emoji.",
    ),
    "length": Reason(
        "길이",
        "정한 글자 수보다 짧거나 깁니다.",
        "Shorter or longer than the limits.",
    ),
    "script": Reason(
        "한글 아닌 글자",
        "한자, 가나, 낱자모, 불필요한 로마자, 깨진 글자가 들어 있습니다.",
        "Hanja, kana, loose jamo, stray Latin words or broken characters.",
    ),
    "personal": Reason(
        "개인 정보",
        "전화번호, 이메일 주소, 주민등록번호, 카드나 계좌 번호가 들어 있습니다.",
        "Holds a phone, resident registration, card or account number, or an e-mail address.",
    ),
    "profanity": Reason(
        "욕설·비하",
        "욕설이나 남을 깎아내리는 말이 들어 있습니다.",
        "Holds swear words or slurs.",
    ),
    "contaminated": Reason(
        "평가용 줄과 겹침",
        "평가에 쓰는 줄과 거의 같아, 학습에 섞이면 평가를 믿을 수 없게 됩니다.",
        "Resembles a line kept for evaluation, which training must not see.",
    ),
    "leak": Reason(
        "상품·가치 노출",
        "상품이나 가치를 느끼게 하지 않고 그 낱말을 그대로 말했습니다.",
        "Says the product or a value instead of making it felt.",
    ),
    "claim": Reason(
        "근거 없는 주장",
        "1위, 최고, 효능, 보장처럼 근거가 있어야 쓸 수 있는 말을 했습니다.",
        "Makes a claim that would need proof, such as a rank, a superlative, an effect or a guarantee.",
    ),
    "slogan": Reason(
        "실제 슬로건과 닮음",
        "이미 쓰인 광고 문구를 그대로 옮겼거나 거의 같습니다.",
        "Quotes or closely resembles a real slogan.",
    ),
    "template": Reason(
        "틀에 박힌 말",
        "어느 상품에나 붙는 닳은 말이거나, 너무 많은 줄이 같은 첫머리나 끝맺음을 씁니다.",
        "A worn-out form that would do for any product, or an opening or ending that too many lines share.",
    ),
    "judge": Reason(
        "점수 미달",
        "평가 점수가 기준보다 낮습니다.",
        "A judge's score is under its threshold.",
    ),
    "near_duplicate": Reason(
        "거의 같은 줄",
        "글자가 거의 같은, 더 나은 줄이 있습니다.",
        "A better line has almost the same letters.",
    ),
    "outranked": Reason(
        "더 나은 줄 있음",
        "흠은 없지만 같은 상품과 가치로 쓴 더 나은 줄이 있습니다.",
        "Nothing is wrong with it, but a better line was written for the same product and values.",
    ),
}
