from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.text.jaccard_join import similar_pairs
from pipelines.text.line_index import Lines
from pipelines.text.ngrams import grams, letters

#: Few letters, so that many lines are alike; some beyond the basic plane, and half a surrogate pair.
TEXT = st.text(st.sampled_from("가나다라 ,A\U0001f600\ud800"), max_size=24)


def jaccard(one: str, other: str) -> float:
    left, right = grams(letters(one)), grams(letters(other))
    return len(left & right) / len(left | right) if left | right else 0.0


def slowly(lines: list[str], least: float, apart: list[bool] | None = None) -> dict[tuple[int, int], float]:
    pairs = combinations(range(len(lines)), 2)
    found = {(one, other): jaccard(lines[one], lines[other]) for one, other in pairs}
    return {
        (one, other): similarity
        for (one, other), similarity in found.items()
        if similarity >= least and (apart is None or apart[one] != apart[other])
    }


def quickly(lines: list[str], least: float, apart: list[bool] | None = None) -> dict[tuple[int, int], float]:
    columns = (column.tolist() for column in similar_pairs(lines, least, apart))
    return {(left, right): similarity for left, right, similarity in zip(*columns, strict=True)}


@settings(deadline=None, max_examples=300)
@given(st.lists(TEXT, max_size=30), st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.75, 0.8, 0.9, 1.0]), st.data())
def test_the_join_is_exact(lines, least, data):
    assert quickly(lines, least) == pytest.approx(slowly(lines, least))
    apart = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    assert quickly(lines, least, apart) == pytest.approx(slowly(lines, least, apart))


def test_pairs_that_take_several_chunks_are_found_once(monkeypatch):
    lines = [f"오늘도 {number}번째 아침이 온다" for number in range(60)]
    whole = quickly(lines, 0.5)
    monkeypatch.setattr("pipelines.text.jaccard_join.CHUNK", 7)
    assert quickly(lines, 0.5) == whole == pytest.approx(slowly(lines, 0.5))


@pytest.mark.parametrize(
    ("line", "similarity", "closest"),
    [
        ("여행은 살아보는거야!", 1.0, "여행은 살아보는 거야"),
        ("주말엔 역시 여행은 살아보는 거야", 1.0, "여행은 살아보는 거야"),
        ("여행은 살아 보는 거예요", 6 / 9, "여행은 살아보는 거야"),
        ("냉장고에서 꺼내 흔들어 주세요", 4 / 11, "흔들어 주세요"),
        ("인생은 살아보는 거야", 2 / 3, "여행은 살아보는 거야"),
        ("빨래", 0.0, ""),
        ("…", 0.0, ""),
    ],
)
def test_closest_line(line, similarity, closest):
    found = Lines(["여행은 살아보는 거야", "흔들어 주세요", ""]).closest(line)
    assert found == (pytest.approx(similarity), closest)


def test_lines_are_equal_by_what_they_hold():
    assert Lines(["가", "나", "가"]) == Lines(["가", "나"]) and hash(Lines(["가"])) == hash(Lines(["가"]))
    assert Lines(["가"]) != Lines(["나"]) and Lines() != ()


@given(TEXT)
def test_grams_are_of_letters_alone(line):
    assert letters(f" {line}!") == letters(line)
    assert all(len(gram) <= 3 for gram in grams(letters(line)))
