"""`personal`: the row holds a phone, resident registration, card or bank account number, or an e-mail address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import phonenumbers
from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.kr import rrn

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "personal",
    "개인 정보",
    "전화번호, 이메일 주소, 주민등록번호, 카드나 계좌 번호가 들어 있습니다.",
    "Holds a phone, resident registration, card or account number, or an e-mail address.",
)

AT = r"(?:@|＠|골뱅이|[(\[]at[)\]])"
DOT = r"(?:\s*\.\s*|\s*(?:점|닷)\s*|[(\[]dot[)\]])"
EMAIL = re.compile(
    rf"[\w.+-]+\s*{AT}\s*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:{DOT}[A-Za-z0-9-]+)*{DOT}[A-Za-z]{{2,}}", re.I
)
#: A text without any of these holds nothing personal: an at sign, seven digits close together.
SIGN = re.compile(r"[@＠]|[(\[]at[)\]]|[A-Za-z0-9]\s*골뱅이|\d(?:[^\d가-힣]{0,3}\d){6}", re.I)
#: What people put between the digits of one number; white space around a dash counts as one gap.
GAP = re.compile(r"(?<=\d)[\s.\-‐-―·_/()*]{1,3}(?=\d)")
#: Amounts and years are read by what follows them.
COUNTED = re.compile(r"\d[\d,.\s~-]*(?=\s?(?:원|년|억|만|천|개|명|회|장|걸음|달러|엔|유로|시간|그램|킬로|칼로리))")
RESIDENT = re.compile(r"(?<!\d)\d{6}[1-8]\d{6}(?!\d)")
MASKED_RESIDENT = re.compile(r"(?<!\d)\d{6}\s?[-‐-―]\s?[1-8][*＊xX●]{4,6}")
MOBILE = re.compile(r"(?<!\d)01[016-9]\d{7,8}(?!\d)")
CARD = re.compile(r"(?<!\d)[3-69]\d{15}(?!\d)")
ACCOUNT = re.compile(r"(?:은행|뱅크|계좌|입금|농협|수협|새마을금고|우체국)\D{0,10}(?<!\d)\d{10,14}(?!\d)")


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`phone: 010-1234-5678`, the kind of number and how it is written (joined up, if it was spread), or None."""
    return next((found for text in (row["ad_copy"], row["product"], *row["values"]) if (found := _number(text))), None)


def _number(text: str) -> str | None:
    if not SIGN.search(text):
        return None
    joined = GAP.sub("", COUNTED.sub(" ", text))
    return _email(text) or _resident(text, joined) or _phone(COUNTED.sub(" ", text), joined) or _money(joined)


def _email(text: str) -> str | None:
    found = EMAIL.search(text)
    return f"e-mail: {found.group()}" if found else None


def _resident(text: str, joined: str) -> str | None:
    """Numbers of residents (1-4) and foreigners (5-8). No check digit: those given since October 2020 have none."""
    if masked := MASKED_RESIDENT.search(text):
        return f"resident registration number: {masked.group()}"
    for found in RESIDENT.finditer(joined):
        try:
            rrn.get_birth_date(found.group(), allow_future=False)
        except ValidationError:
            continue
        return f"resident registration number: {found.group()}"
    return None


def _phone(*spellings: str) -> str | None:
    """Any number that the Korean numbering plan has: mobile, geographic, 070, 080, 050 and 15xx/16xx/18xx.

    Mobile ones also where phonenumbers has the range for something else, as it has 010-597.
    """
    for text in spellings:
        for found in phonenumbers.PhoneNumberMatcher(text, "KR"):
            return f"phone: {found.raw_string}"
    mobile = MOBILE.search(spellings[-1])
    return f"phone: {mobile.group()}" if mobile else None


def _money(joined: str) -> str | None:
    for found in CARD.finditer(joined):
        if luhn.is_valid(found.group()):
            return f"card number: {found.group()}"
    if account := ACCOUNT.search(joined):
        return f"account number: {account.group()}"
    return None
