from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.corpus import load_corpus
from pipelines.filters.limits import Limits
from pipelines.filters.rules import profanity
from pipelines.filters.word_lists import load_words
from pipelines.slogans import load_slogans

#: This filter reads none of them.
LIMITS = Limits()
WORDS = load_words(profanity.WORDS)


def check(ad_copy: str, product="모카포트", values=("여유",)) -> str | None:
    row = {"product": product, "values": list(values), "ad_copy": ad_copy, "source": "synthesised"}
    return profanity.check(row, LIMITS)


def said(text: str) -> str | None:
    """Of a list's example: `product | line`, or a line of any product."""
    product, _, line = text.rpartition(" | ")
    return check(line, product or "모카포트")


@pytest.mark.parametrize(("kind", "line"), [(entry.kind, line) for entry in WORDS for line in entry.examples])
def test_examples_are_found(kind, line):
    evidence = said(line)
    assert evidence is not None and evidence.startswith(f"{kind}: ")


@pytest.mark.parametrize("line", [line for entry in WORDS for line in entry.clean])
def test_words_that_only_look_like_it_stay(line):
    assert said(line) is None


@pytest.mark.parametrize("word", sorted({word for entry in WORDS for word in entry.fine}))
def test_exceptions_stay(word):
    assert check(word) is None


@pytest.mark.parametrize(
    ("line", "evidence"),
    [
        ("시1발 또 월요일", "swearing: 시1발"),
        ("병..신 같은 날", "swearing: 병..신"),
        ("FUCK 월요일", "swearing: fuck"),
        ("솜씨발휘하다 씨발", "swearing: 씨발"),
        ("엎드린 젖꼭지가 땀을 닦아요", "sexual: 젖꼭지"),
        ("거실의 한 번 더 발정돼요", "sexual: 발정"),
        ("죽어라!", "threat: 죽어라"),
        ("죽어라 뛰던 날", None),
        ("개발자의 족발, 시발점의 새끼손가락", None),
        ("보지 못한 바다, 자지 않는 도시", None),
        ("미친 듯이 웃던 여름", None),
    ],
)
def test_what_is_found(line, evidence):
    assert check(line) == evidence


def test_product_and_values_are_read_too():
    assert check("아침이 온다", product="짱깨 만두") == "demeaning: 짱깨"
    assert check("아침이 온다", values=["여유", "지랄"]) == "swearing: 지랄"


@given(st.data(), st.sampled_from([(entry.kind, word) for entry in WORDS for word in entry.words]))
def test_every_word_is_found_with_signs_between_its_letters(data, kind_and_word):
    kind, word = kind_and_word
    sign = data.draw(st.text("0123456789.*-_~!^,", max_size=2))
    spread = " ".join(sign.join(part) for part in word.split())
    evidence = check(f"오늘 {spread}. 내일")
    assert evidence is not None and evidence.split(":")[0] == kind


@pytest.mark.parametrize("rows", [load_corpus(), load_slogans()], ids=["corpus", "slogans"])
def test_no_written_line_and_no_real_slogan_is_rejected(rows):
    assert [row["ad_copy"] for row in rows if profanity.check(row, LIMITS)] == []


@given(st.text(), st.text(), st.lists(st.text()))
def test_it_never_raises(ad_copy, product, values):
    evidence = check(ad_copy, product, values)
    assert evidence is None or evidence.split(":")[0] in {"swearing", "sexual", "threat", "demeaning"}
