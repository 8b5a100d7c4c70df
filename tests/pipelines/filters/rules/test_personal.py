from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from pipelines.filters.limits import Limits
from pipelines.filters.rules import personal

#: This filter reads none of them.
LIMITS = Limits()
DIGITS = "0123456789"
#: How people write the gaps of a number.
GAPS = st.sampled_from(["-", " ", ".", "", " - ", "–", "·"])
HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
WORD = st.text(HANGUL, min_size=1, max_size=8)
LINE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)


def check(ad_copy: str, product="모카포트", values=("여유",)) -> str | None:
    row = {"product": product, "values": list(values), "ad_copy": ad_copy, "source": "synthesised"}
    return personal.check(row, LIMITS)


@pytest.mark.parametrize(
    ("line", "evidence"),
    [
        ("지금 010-1234-5678로", "phone: 010-1234-5678"),
        ("01012345678", "phone: 01012345678"),
        ("0 1 0 - 1 2 3 4 - 5 6 7 8", "phone: 0 1 0 - 1 2 3 4 - 5 6 7 8"),
        ("(02) 123-4567", "phone: (02) 123-4567"),
        ("주문은 1588-1234", "phone: 1588-1234"),
        ("080-123-4567 무료 상담", "phone: 080-123-4567"),
        ("+82 10-1234-5678", "phone: +82 10-1234-5678"),
        ("0507-1234-5678", "phone: 0507-1234-5678"),
        ("문의 hanjul@naver.com으로", "e-mail: hanjul@naver.com"),
        ("hanjul 골뱅이 naver 점 com", "e-mail: hanjul 골뱅이 naver 점 com"),
        ("a.b+c (at) gmail.com", "e-mail: a.b+c (at) gmail.com"),
        ("900101-1234567", "resident registration number: 9001011234567"),
        ("210305-4123456", "resident registration number: 2103054123456"),
        ("850505 - 5123456", "resident registration number: 8505055123456"),
        ("900101-1******", "resident registration number: 900101-1******"),
        ("4111 1111 1111 1111", "card number: 4111111111111111"),
        ("국민은행 123456-12-123456", "account number: 은행 12345612123456"),
    ],
)
def test_numbers_and_addresses_are_found(line, evidence):
    assert check(line) == evidence


@pytest.mark.parametrize(
    "line",
    [
        "9,900원의 저녁",
        "1,588,000원",
        "15440000원",
        "2024-2025",
        "1800-1900년의 유리",
        "1800~1899",
        "2024.01.01 - 2024.12.31",
        "2018. 1. 1. ~ 2019. 1. 1.",
        "24시간 365일",
        "0.1초",
        "08:00-18:00",
        "12,345,678걸음",
        "WF-1000XM5",
        "RTX 4090",
        "1920x1080",
        "1 2 3 4 5 6 7 8",
        "커피@홈",
        "골뱅이무침 한 접시",
        "991332-1234567",
    ],
)
def test_other_numbers_stay(line):
    assert check(line) is None


def test_product_and_values_are_read_too():
    assert check("아침이 온다", product="꽃집 02-123-4567") == "phone: 02-123-4567"
    assert check("아침이 온다", values=["여유", "me@hanjul.kr"]) == "e-mail: me@hanjul.kr"


@given(
    LINE, st.sampled_from(["010", "02", "031", "070", "080"]), st.text("23456789", min_size=3, max_size=3), st.data()
)
def test_every_phone_number_is_found(line, prefix, middle, data):
    middle += data.draw(st.sampled_from(DIGITS)) if prefix in ("010", "070") else ""
    last = data.draw(st.text(DIGITS, min_size=4, max_size=4))
    gap = data.draw(GAPS)
    evidence = check(f"{line} {gap.join((prefix, middle, last))}")
    assert evidence is not None and evidence.startswith("phone: ")


@given(LINE, st.from_regex(r"[a-z][a-z0-9._-]{0,9}[a-z0-9]", fullmatch=True), st.data())
def test_every_address_is_found(line, name, data):
    at = data.draw(st.sampled_from(["@", " @ ", "골뱅이", " 골뱅이 ", "(at)", "[at]"]))
    dot = data.draw(st.sampled_from([".", " . ", " 점 ", "(dot)"]))
    host = data.draw(st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True))
    evidence = check(f"{line} {name}{at}{host}{dot}{data.draw(st.sampled_from(['com', 'kr', 'net']))}")
    assert evidence is not None and evidence.startswith("e-mail: ")


@given(
    LINE,
    st.dates(datetime.date(1930, 1, 1), datetime.date(2025, 12, 31)),
    st.booleans(),
    st.text(DIGITS, min_size=6, max_size=6),
    st.sampled_from(["-", "", " - ", " ", "–"]),
)
def test_every_resident_number_is_found(line, born, foreign, rest, gap):
    sex = ("5" if foreign else "1") if born.year < 2000 else ("7" if foreign else "3")
    evidence = check(f"{line} {born:%y%m%d}{gap}{sex}{rest}")
    assert evidence == f"resident registration number: {born:%y%m%d}{sex}{rest}"


@given(LINE, st.text(DIGITS, min_size=14, max_size=14), st.sampled_from([" ", "-", ""]))
def test_every_card_number_is_found(line, digits, gap):
    number = f"4{digits}{luhn.calc_check_digit('4' + digits)}"
    evidence = check(f"{line} {gap.join(number[start : start + 4] for start in range(0, 16, 4))}")
    assert evidence is not None


@given(LINE)
def test_hangul_words_alone_are_never_personal(line):
    assert check(line) is None


@given(st.text(), st.text(), st.lists(st.text()))
def test_it_never_raises(ad_copy, product, values):
    evidence = check(ad_copy, product, values)
    assert evidence is None or ": " in evidence


@given(st.text("0123456789-. @()a골뱅이점", max_size=40))
def test_it_never_raises_on_what_looks_like_a_number(text):
    evidence = check(text)
    assert evidence is None or ": " in evidence
