"""What came over the wire, and what it is called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.endpoint.answers.payloads import MOST_CHARS, decode, described, shortened

ANSWER = {"choices": [{"message": {"content": "똠양꿍 한 그릇"}}]}
TEXT = json.dumps(ANSWER, ensure_ascii=False)


@pytest.mark.field
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (TEXT.encode(), "application/json"),
        (TEXT.encode(), "text/plain"),
        (TEXT.encode(), ""),
        (TEXT.encode("utf-8-sig"), "application/json"),
        (TEXT.encode("utf-8-sig"), "text/plain; charset=utf-8"),
        (TEXT.encode("utf-16"), "application/json"),
        (f"\n {TEXT}\n".encode(), "text/html"),
        (TEXT.encode(), "application/json; charset=euc-kr"),  # it says so, and is not
        (TEXT.encode("cp949"), "application/json; charset=euc-kr"),
        (TEXT.encode("cp949"), "application/json;charset='EUC-KR'"),
        (TEXT.encode("cp949"), "text/plain; charset=cp949"),
        (TEXT.encode("utf-8"), "application/json; charset=none-such"),
    ],
)
def test_json_is_read_whatever_the_headers_call_it(content: bytes, content_type: str) -> None:
    assert decode(content, content_type) == ANSWER


def test_what_is_no_json_is_a_text() -> None:
    assert decode(b"oops") == "oops"
    assert decode(b"") == ""


@pytest.mark.field
@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("application/json", "utf-8"),
        ("application/json; charset=utf-8", "utf-8"),
        ("text/plain; charset=ascii", "ascii"),
        ("text/plain; charset=undefined", "undefined"),
        ("text/plain; charset=idna", "idna"),
        ("text/plain; charset=punycode", "punycode"),
        ("text/plain; charset=base64", "base64"),
        ("text/plain; charset=zip", "zip"),
    ],
)
def test_text_in_another_encoding_than_it_says_is_named_and_no_json(content_type: str, charset: str) -> None:
    assert decode(TEXT.encode("cp949"), content_type).startswith(f'text that is not {charset}: {{"choices"')


def test_nesting_without_end_is_a_text() -> None:
    assert decode(b"[" * 100_000) == "[" * 100_000


@pytest.mark.field
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("<html><head><title>502 Bad\n Gateway</title></head><body>…</body></html>", "502 Bad Gateway"),
        ("<!DOCTYPE html>\n<html lang=ko><title>서비스 점검 &amp; 안내</title>", "서비스 점검 & 안내"),
        ("<center><h1>403 Forbidden</h1></center><hr>nginx", "403 Forbidden"),
    ],
)
def test_a_page_is_named_by_its_title(value: str, words: str) -> None:
    assert described(value) == f"an HTML page titled “{words}”"


def test_other_values_are_described_by_how_they_begin() -> None:
    assert (
        described("<html><style>p {}</style><p>잠시만 기다려 주세요</p></html>") == "an HTML page: 잠시만 기다려 주세요"
    )
    assert described("") == "nothing"
    assert described("upstream\n  connect error") == "upstream connect error"
    assert described({"ok": False}) == '{"ok": false}'
    assert described("가" * 5000) == "가" * MOST_CHARS + "…"


@given(st.binary(), st.text(max_size=40))
def test_any_bytes_are_read(content: bytes, content_type: str) -> None:
    words = described(decode(content, content_type))
    assert len(words) <= MOST_CHARS + len("an HTML page titled “”…") and "\n" not in words


@given(st.text(), st.integers(1, 50))
def test_shortened_is_one_line_and_short(text: str, most: int) -> None:
    line = shortened(text, most)
    assert len(line) <= most + 1 and len(line.splitlines()) <= 1
