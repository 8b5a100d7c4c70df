from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.corpus import load_corpus
from pipelines.filters.limits import Limits
from pipelines.filters.rules import claim
from pipelines.filters.rules.claims import entries
from pipelines.slogans import load_slogans

#: This filter reads none of them.
LIMITS = Limits()
CLAIMS = entries.load_claims()


def check(product: str, ad_copy: str, **columns) -> str | None:
    row = {"product": product, "values": ["여유"], "ad_copy": ad_copy, "source": "synthesised"}
    return claim.check(row | columns, LIMITS)


@pytest.mark.parametrize(("name", "example"), [(entry.name, line) for entry in CLAIMS for line in entry.examples])
def test_examples_are_found_by_their_claim(name, example):
    evidence = check(*example.split(" | "))
    assert evidence is not None and evidence.startswith(f"{name}: ")


@pytest.mark.parametrize("example", [line for entry in CLAIMS for line in entry.fine])
def test_what_a_copywriter_may_write_stays(example):
    assert check(*example.split(" | ")) is None


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry.name for entry in CLAIMS])
def test_every_claim_names_its_law_and_has_both_kinds_of_lines(entry):
    assert re.search(r"법 (시행규칙 별표|제\d+조)|법률 (시행령 별표|제\d+조)", entry.law)
    assert len(entry.examples) >= 2 and len(entry.fine) >= 2


CUED = [entry for entry in CLAIMS if entry.cues]


@pytest.mark.parametrize("entry", CUED, ids=[entry.name for entry in CUED])
def test_whatever_a_pattern_matches_holds_a_cue(entry):
    letters = st.sampled_from("가나 %.,0123456789" + _letters(entry))

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def holds(data):
        parts = data.draw(st.sampled_from(entry.patterns))
        line = " ".join(data.draw(st.from_regex(part, alphabet=letters)) for part in parts)
        assert any(cue in line for cue in entry.cues), line

    holds()


def _letters(entry: entries.Claim) -> str:
    patterns = "".join(part.pattern for parts in entry.patterns for part in parts)
    return "".join(sorted(set(re.findall(r"[가-힣A-Za-z/]", patterns))))


def test_claims_on_every_product_have_cues():
    assert [entry.name for entry in CLAIMS if not entry.cues and not entry.products] == []


@pytest.mark.parametrize("field", ["words", *entries.FIELDS])
def test_only_open_syllables_may_have_any_final_consonant(field):
    text = (entries.FOLDER / f"{field}.yaml").read_text(encoding="utf-8")
    assert [mark for mark in re.findall("([가-힣])~", text) if (ord(mark) - ord("가")) % entries.FINALS] == []


def test_every_file_of_claims_is_read():
    assert {path.stem for path in entries.FOLDER.glob("*.yaml")} == {"words", *entries.FIELDS}


@pytest.mark.parametrize(
    ("product", "ad_copy", "evidence"),
    [
        ("오일 필터", "최고의 필터와 함께라면", "최상급 품질: 최고의 필터와"),
        ("엔진 오일", "최고의 필터와 함께라면", None),
        ("진통제", "통증이 사라질 때 감각이 살아납니다", None),
        ("베개", "통증이 사라지는 밤", "통증과 치유: 통증이 사라"),
        ("펀드", "원금을 지키는 투자", "원금과 수익: 원금을 지키"),
        ("금고", "원금을 지키는 상자", None),
        ("", "최고의 하루", None),
        ("", "최고의 기술", "최상급 품질: 최고의 기술"),
    ],
)
def test_the_product_decides(product, ad_copy, evidence):
    assert check(product, ad_copy) == evidence


def test_the_category_counts_as_the_product():
    assert check("한 포", "면역력을 깨우다") is None
    assert check("한 포", "면역력을 깨우다", category="건강기능식품") == "면역과 몸의 수치: 면역력"


@pytest.mark.parametrize("rows", [load_corpus(), load_slogans()], ids=["corpus", "slogans"])
def test_no_written_line_and_no_real_slogan_is_rejected(rows):
    assert [row["ad_copy"] for row in rows if claim.check(row, LIMITS)] == []


@given(st.text(), st.text())
def test_it_never_raises(product, ad_copy):
    assert check(product, ad_copy) is None or ": " in check(product, ad_copy)
