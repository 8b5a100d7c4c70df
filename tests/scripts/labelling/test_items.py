"""Two lines become one item, whoever comes first; items come in an order blind to their writers."""

from __future__ import annotations

import pytest

from pipelines.errors import HanjulError
from scripts.labelling.items import WrittenLine, a_shown_first, lines_of_reports, lines_of_rows, make_item, pair_lines
from tests.scripts.labelling.lines import PAIRS, report


def line(text: str, system: str = "", product: str = "책") -> WrittenLine:
    return WrittenLine(product, ("쉼", "여유"), text, system)


def test_an_item_is_the_same_whichever_line_comes_first() -> None:
    one = make_item(line("나", "n"), line("가", "g"))
    assert one == make_item(line("가 ", "g"), line("나", "n"))
    assert (one.line_a, one.system_a, one.line_b, one.system_b) == ("가", "g", "나", "n")
    turned = make_item(WrittenLine("책", ("여유", "쉼"), "가"), WrittenLine("책", ("여유", "쉼"), "나"))
    assert turned.id == one.id
    assert make_item(line("가"), line("다")).id != one.id
    assert [one.side("가"), one.side(" 나")] == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (line("가"), line(" 가"), "the same"),
        (line("가"), line("나", product="펜"), "different pairs"),
        (line("가"), line(" "), "empty"),
        (line("가", product=""), line("나", product=""), "empty"),
    ],
)
def test_what_is_no_item(first: WrittenLine, second: WrittenLine, what: str) -> None:
    with pytest.raises(HanjulError, match=what):
        make_item(first, second)


def test_lines_of_two_systems_meet_without_broken_and_equal_ones() -> None:
    same = [*PAIRS[:3], ("책", ("쉼",), "같은 줄", "같은 줄")]
    items = pair_lines(lines_of_reports([report(same, broken=PAIRS[0][2])]), None, 1)
    assert {item.product for item in items} == {"독립 서점", "향초"}
    found = next(item for item in items if item.product == "향초")
    assert {found.line_a: found.system_a, found.line_b: found.system_b} == {
        PAIRS[2][2]: "base (us/base@0123456)",
        PAIRS[2][3]: "adapter (us/adapter@0123456)",
    }


def test_every_pair_comes_once_before_any_comes_again() -> None:
    reports = [report(), report([(*pair[:2], pair[2] + "1", pair[3] + "2") for pair in PAIRS], ("c", "d"))]
    items = pair_lines(lines_of_reports(reports), None, 3)
    assert len(items) == 5 * 6
    assert len({item.id for item in items}) == 30
    for start in range(0, 30, 5):
        assert len({item.product for item in items[start : start + 5]}) == 5
    assert pair_lines(lines_of_reports(reports), 7, 3) == items[:7]
    assert pair_lines(lines_of_reports(reports), None, 4) != items


def test_rows_of_one_teacher_meet_only_where_rivals_are_not_asked_for() -> None:
    rows = [
        {"product": "책", "values": ["쉼"], "ad_copy": text, "teacher": "t"} for text in ("가", "나", "", "no Hangul")
    ]
    written = lines_of_rows(rows)
    assert [one.line for one in written] == ["가", "나"]
    assert pair_lines(written, None, 0) == []
    assert len(pair_lines(written, None, 0, across_systems=False)) == 1


def test_half_of_the_items_show_line_a_first_and_people_differ() -> None:
    items = pair_lines(lines_of_reports([report()]), None, 1)[:4]
    shown = {voter: a_shown_first(items, voter, 1) for voter in "abcdefgh"}
    assert all(sum(first.values()) == 2 for first in shown.values())
    assert len({tuple(first.items()) for first in shown.values()}) > 1
    assert a_shown_first(items, "a", 1) == shown["a"]
