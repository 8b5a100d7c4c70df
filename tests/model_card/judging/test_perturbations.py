"""Mistakes of particles and endings, each in one word."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_card.judging.perturbations import wrong_ending


def mistakes(line):
    """All that are made of a line."""
    return {wrong_ending(line, random.Random(seed)) for seed in range(40)}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        # a particle in its other form
        ("물방울이", "물방울가"),
        ("비가", "비이"),
        ("나와 너", "나과 너"),
        ("바람과 나", "바람와 나"),
        ("오늘은 맑음", "오늘는 맑음"),
        ("어제는 맑음", "어제은 맑음"),
        # in another case
        ("엄마의 손맛 그대로", "엄마를 손맛 그대로"),
        ("당신의 하루", "당신을 하루"),
        # a modifier's ending, joined to its stem
        ("빛나는 하루", "빛나러 하루"),
        ("은은한 향", "은은하러 향"),
        ("깊은 밤", "깊으러 밤"),
        # the ending before an auxiliary verb
        ("먹어 보다", "먹는 보다"),
        ("오래 살아 있다", "오래 사는 있다"),
        ("잊지 않아", "잊기 않아"),
    ],
)
def test_the_one_mistake_that_can_be_made(line, wrong):
    assert mistakes(line) == {wrong}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("물방울이 웃는다", {"물방울가 웃는다", "물방울을 웃는다"}),
        ("향기가 좋다", {"향기이 좋다", "향기를 좋다"}),
        ("집에서 마시는 바다", {"집에서 마시러 바다"}),
        ("가지 않는 마음", {"가기 않는 마음", "가지 않으러 마음"}),
        ("ABC가 간다", {"ABC이 간다", "ABC를 간다"}),
    ],
)
def test_all_mistakes_that_can_be_made(line, wrong):
    assert mistakes(line) == wrong


def test_a_case_is_changed_only_with_something_behind_it():
    assert mistakes("문이") == {"문가"}
    assert mistakes("문이 열린다") == {"문가 열린다", "문을 열린다"}


def test_an_object_is_not_made_a_subject():
    """구름이 덮고 잤어요 is good Korean."""
    assert mistakes("문을 연다") == {"문를 연다"}


def test_the_same_seed_makes_the_same_mistake():
    line = "밤을 새워 본 사람의 마음이 가지 않는 길"
    made = [wrong_ending(line, random.Random(3)) for _ in range(3)]
    assert len(set(made)) == 1 and made[0] in mistakes(line)


@pytest.mark.parametrize(
    "line", ["", " ", "하나", "창밖에서만", "오늘도 맑음", "ABC", "😀", "!", "ㅋㅋㅋ", "은 시계", "그게 좋다"]
)
def test_none_where_nothing_can_be_wrong(line):
    assert wrong_ending(line, random.Random(0)) is None


def of_one_word(line, wrong):
    """Whether the two differ in one word, with the same white space between words."""
    before, after = line.split(), wrong.split()
    same = [one == other for one, other in zip(before, after, strict=False)]
    return len(before) == len(after) and same.count(False) == 1 and _spaces(line) == _spaces(wrong)


def _spaces(text):
    return [letter for letter in text if letter.isspace()]


@pytest.mark.parametrize(
    "line",
    [
        "이 소리가 아닙니다. 이 소리도 아닙니다. 용각산은 소리가 나지 않습니다.",
        "불 꺼 주세요, 주인공 들어갑니다",
        "쌀은 씻지 마세요, 손만 씻고 오세요",
        "도마부터 꺼내두세요, 완도가 옵니다",
        "밤 열 시에 내려요? 네, 그리고 잘 거예요",
        "환상의 나라로 오세요, 즐거운 축제가 열리는 곳",
    ],
)
def test_a_second_sentence_keeps_its_words(line):
    """Kiwi counts words anew in each sentence."""
    assert [wrong for wrong in mistakes(line) if not of_one_word(line, wrong)] == []


@pytest.mark.parametrize(
    "line",
    ["당신의 능력을 보여주세요", "여행은 살아보는 거야", "으슬으슬할 때 새콤하게 한 잔", "펴면 밥상, 치우면 빈방"],
)
def test_a_word_written_together_stays_together(line):
    """Kiwi joins with the spaces that it would write."""
    assert [wrong for wrong in mistakes(line) if not of_one_word(line, wrong)] == []


pieces = st.one_of(
    st.sampled_from(
        ["물방울이", "향기가", "빛나는", "먹어 보다", "할수있는", "살아있는", "해보는", "잊지 않는", "조용한,"]
    ),
    st.sampled_from(["'그런'", "는데", "한다. ", "네, ", "을", "은", "의 ", "ㄴ", "ᆫ", "ㅋㅋ", "각", "1", "2번", "字"]),
    st.sampled_from(["😀", "👨\u200d👩\u200d👧", "🇰🇷", "ABC", "the", "é", "!", '"', "#태그", "www.a.com"]),
    st.sampled_from(["\n", "\r\n", "\t", " ", "  ", "\u200b", "\x00"]),
)
#: Without control characters and rare spaces, which only one of Kiwi and Python takes for white space.
letters = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces | letters, max_size=8).map("".join), st.integers(0, 5))
def test_any_text_is_wrong_in_one_word_or_not_at_all(line, seed):
    wrong = wrong_ending(line, random.Random(seed))
    assert wrong is None or (wrong != line and of_one_word(line, wrong))
