"""What is left of lines that are too much alike, too many, or too close to an evaluation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.filters.apply_rules import apply_rules
from pipelines.filters.filter_rows import gate_and_select
from pipelines.filters.selection import Decision, select
from pipelines.rows import make_row, split_of
from pipelines.text.line_index import Lines
from pipelines.text.ngrams import grams, letters
from tests.limits import limits

TRAIN, TEST = "모카포트", "우산"


def make(line: str, product: str = TRAIN, score: float = 0.9, source: str = "synthesised", value: str = "여유") -> dict:
    row = make_row(product, [value], line, source=source)
    return {**row, "scores": {"sense": score}}


def test_products_stand_where_these_tests_want_them():
    assert (split_of(TRAIN), split_of(TEST), split_of("원두")) == ("train", "test", "train")


def test_of_near_duplicates_the_best_stays_and_names_the_group():
    rows = [
        make("가스레인지 위에서 로마가 말을 건다", score=0.6),
        make("가스레인지 위에서 로마가 말을 걸다", product="원두", score=0.9),
        make("가스레인지 위에서, 로마가 말을 건다!", product="머그컵", score=0.7),
        make("월요일도 반쯤은 금요일", score=0.5),
    ]
    best = rows[1]["id"]
    assert select(rows, limits(max_similarity=0.7)) == [
        Decision("near_duplicate", f"0.73 like {best}", best),
        Decision("", "", best),
        Decision("near_duplicate", f"0.73 like {best}", best),
        Decision("", "", rows[3]["id"]),
    ]
    assert [verdict.reason for verdict in select(rows, limits(max_similarity=0.8))] == ["near_duplicate", "", "", ""]


def test_a_line_is_measured_by_those_that_stay_alone():
    # The middle line is like both others, which are not alike: the best pushes it out, and the last stays.
    rows = [make("하나둘셋넷다섯여섯일곱여덟", score=0.9), make("둘셋넷다섯여섯일곱여덟아홉", score=0.8)]
    rows.append(make("셋넷다섯여섯일곱여덟아홉열하나", score=0.7))
    assert [verdict.reason for verdict in select(rows, limits(max_similarity=0.6, keep_per_pair=3))] == [
        "",
        "near_duplicate",
        "",
    ]


def test_an_outranked_line_pushes_none_out():
    rows = [
        make("월요일도 반쯤은 금요일", score=0.9, source="synthesised"),
        make("가스레인지 위에서 로마가 말을 건다", score=0.8, source="synthesised"),
        make("가스레인지 위에서 로마가 말을 걸다", product="원두", score=0.7, source="synthesised"),
    ]
    verdicts = select(rows, limits())
    assert [(verdict.reason, verdict.evidence) for verdict in verdicts] == [
        ("", ""),
        ("outranked", "place 2 of 2"),
        ("", ""),
    ]
    assert [verdict.place for verdict in verdicts] == [0, 2, 0]


def flat(line: str, product: str = TRAIN, source: str = "written") -> dict:
    return make(line, product, source=source) | {"merit": "flat"}


def test_a_flat_line_is_outranked_by_the_lines_that_people_wrote_for_its_pair():
    rows = [
        flat("물만 부으면 커피가 돼요"),
        make("월요일도 반쯤은 금요일", source="written"),
        make("부엌이 먼저 깬다", source="synthesised"),
        make("골목이 늦잠을 자는 동안", source="written", value="느긋함"),
        make("향이 알람보다 빠르다", source="imported"),
    ]
    verdicts = select(rows, limits())
    assert [(verdict.reason, verdict.evidence, verdict.place) for verdict in verdicts] == [
        ("outranked", "place 3 of 3", 3),
        *[("", "", 0)] * 4,
    ]
    assert select(rows[:1], limits()) == [Decision("outranked", "place 1 of 1", "", 1)]


def test_a_flat_line_pushes_none_out_and_counts_for_no_phrase():
    near = [flat("가스레인지 위에서 로마가 말을 건다"), make("가스레인지 위에서 로마가 말을 걸다", "원두", 0.1)]
    assert [verdict.reason for verdict in select(near, limits(max_similarity=0.7))] == ["near_duplicate", ""]
    of_test = [flat("가스레인지 위에서 로마가 말을 건다", TEST), make("가스레인지 위에서 로마가 말을 건다")]
    assert [verdict.reason for verdict in select(of_test, limits())] == ["outranked", ""]
    others = [make(line, source="imported") for line in ("오늘 밤 골목이 잠든다", "바다가 조용히 내려온다")]
    overused = [flat("오늘 밤 별이 내려온다"), *others]
    few = limits(max_phrase_count=1, max_phrase_share=1e-9)
    assert [verdict.reason for verdict in select(overused, few)] == ["template", "", ""]
    many = [*overused, *(flat(f"{place}번째 물결이 출렁인다") for place in range(100))]
    share = limits(max_phrase_count=1, max_phrase_share=0.5)  # of two lines that can stay
    assert [verdict.reason for verdict in select(many, share)][:3] == ["template", "", ""]


def test_the_test_split_comes_first():
    rows = [
        make("가스레인지 위에서 로마가 말을 건다", score=0.9),
        make("가스레인지 옆에서 로마가 말을 건다", product=TEST, score=0.1),
    ]
    assert select(rows, limits(max_eval_similarity=0.5)) == [
        Decision("contaminated", f"0.62 like {rows[1]['id']} of the test split", ""),
        Decision("", "", rows[1]["id"]),
    ]
    assert [verdict.reason for verdict in select(rows, limits(max_eval_similarity=0.7))] == ["", ""]


def test_what_resembles_somebodys_evaluation_goes_from_every_split():
    rows = [make("월요일도 반쯤은 금요일"), make("월요일도 반쯤은 금요일!", product=TEST), make("부엌이 먼저 깬다")]
    kept, rejected = apply_rules(rows, limits(reserved=Lines(["월요일도 반쯤은 금요일"])))
    assert kept == rows[2:]
    assert [(row["reason"], row["evidence"]) for row in rejected] == [
        ("contaminated", "1.00 like 월요일도 반쯤은 금요일")
    ] * 2


def test_of_overused_openings_and_endings_the_best_stay():
    lines = ["오늘 밤 별이 내려온다", "오늘 밤 창문이 조용하다", "오늘 밤 골목이 잠든다", "바다가 조용히 내려온다"]
    rows = [make(line, score=score) for line, score in zip(lines, (0.7, 0.9, 0.8, 0.6), strict=True)]
    few = limits(max_phrase_count=1, max_phrase_share=1e-9, keep_per_pair=4)
    assert [(verdict.reason, verdict.evidence) for verdict in select(rows, few)] == [
        ("template", "opening 오늘 밤: in 1 lines"),
        ("", ""),
        ("template", "opening 오늘 밤: in 1 lines"),
        ("", ""),  # its ending stands only in a line that is gone
    ]
    some = limits(max_phrase_count=1, max_phrase_share=0.5, keep_per_pair=4)
    assert [verdict.reason for verdict in select(rows, some)] == ["template", "", "", ""]


def test_of_many_candidates_the_share_is_that_of_the_lines_that_can_stay():
    rows = [
        make(
            f"{pair}번 {place}시 {'조용한 골목' if place == 0 else '느린 바람'}",
            f"물건 {pair}",
            0.9 - place / 10,
            "synthesised",
        )
        for pair in range(100)
        for place in range(4)
    ]
    verdicts = select(rows, limits(max_phrase_share=0.05, max_phrase_count=1, max_similarity=1, max_eval_similarity=1))
    kept = [row["ad_copy"] for row, verdict in zip(rows, verdicts, strict=True) if not verdict.reason]
    assert sum(line.endswith("골목") for line in kept) == sum(line.endswith("바람") for line in kept) == 5


def test_a_better_line_of_another_split_is_contaminated():
    rows = [
        make("가스레인지 위에서 로마가 말을 건다", score=0.95),
        make("가스레인지 위에서 로마가 말을 건다", TEST, 0.8),
    ]
    best = rows[1]["id"]
    assert select(rows, limits()) == [
        Decision("contaminated", f"1.00 like {best} of the test split", ""),
        Decision("", "", best),
    ]
    assert (
        select(rows, limits(max_eval_similarity=1, max_similarity=1), similar=[(0, 1, 0.97)])[0].reason
        == "contaminated"
    )


def test_lines_that_mean_the_same_are_near_duplicates_too():
    rows = [
        make("부엌이 먼저 깬다", score=0.7),
        make("주방이 먼저 눈을 뜬다", score=0.9),
        make("골목이 잠든다", score=0.1),
    ]
    kept, rejected = gate_and_select(rows, limits(min_sense=0.5), similar=[(0, 1, 0.93), (1, 2, 0.99)])
    assert [row["ad_copy"] for row in kept] == ["주방이 먼저 눈을 뜬다"]
    assert [(row["reason"], row["evidence"]) for row in rejected] == [
        ("near_duplicate", f"0.93 in meaning like {rows[1]['id']}"),
        ("judge", "sense 0.100 < 0.500"),
    ]


LINES = st.lists(
    st.tuples(
        st.text(st.sampled_from("가나다라마 "), min_size=1, max_size=12).filter(str.strip),
        st.sampled_from([TRAIN, TEST, "원두", "의자"]),
        st.sampled_from([0.5, 0.6, 0.9]),
        st.sampled_from(["written", "imported", "synthesised"]),
    ),
    max_size=40,
)


def similarity(one: dict, other: dict) -> float:
    left, right = grams(letters(one["ad_copy"])), grams(letters(other["ad_copy"]))
    return len(left & right) / len(left | right) if left | right else 1.0


@settings(deadline=None, max_examples=200)
@given(LINES, st.sampled_from([0.5, 0.8, 1.0]), st.sampled_from([0.3, 0.6]))
def test_nothing_that_stays_is_alike_and_all_that_goes_says_why(lines, same, close):
    rows = [make(line, product, score, source) for line, product, score, source in lines]
    bounds = limits(max_similarity=same, max_eval_similarity=close, max_phrase_count=3)
    verdicts = select(rows, bounds)
    kept = [row for row, verdict in zip(rows, verdicts, strict=True) if not verdict.reason]
    by_id = {row["id"]: row for row in kept}
    for place, row in enumerate(kept):
        for other in kept[:place]:
            crosses = (split_of(row["product"]) == "test") != (split_of(other["product"]) == "test")
            assert similarity(row, other) < (close if crosses else same)
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.reason == "near_duplicate":
            assert similarity(row, by_id[verdict.group_id]) >= same
        elif verdict.reason == "contaminated":
            assert split_of(row["product"]) != "test"
        assert bool(verdict.group_id) == (verdict.reason in ("", "near_duplicate"))


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows(count):
    rows = [make("월요일도 반쯤은 금요일")] * count
    assert select(rows, limits()) == [Decision("", "", row["id"]) for row in rows]
