from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pipelines.endpoint.completions import Completion
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.streaming import Response
from pipelines.rows import row_id
from pipelines.synthesis import checking
from pipelines.synthesis.checking import check_answers, in_own_process
from tests.limits import limits

LIMITS = limits()


def answer(product: str, *texts: str, failure: Failure | None = None) -> Response:
    about = {"id": row_id(product, ["여유"], ""), "product": product, "values": ["여유"], "category": "커피"}
    about |= {"device": "pun", "tone": "warm", "teacher": "hf://t@1", "asked": "", "example_ids": []}
    return Response(about, Completion(list(texts), failure, 10, 20))


ANSWERS = [
    answer("드립백 커피", "창밖에서도 컵 안에서도 똑똑똑", "여유를 내리는 시간"),
    answer("모카포트", failure=Failure(FailureKind.GAVE_UP, "no answer")),
]


def test_each_row_has_the_first_rule_that_it_breaks_and_the_turn_is_not_known():
    first, second = check_answers(LIMITS, ANSWERS)
    assert [(row["ad_copy"], row["reason"], row["evidence"]) for row in first.rows] == [
        ("창밖에서도 컵 안에서도 똑똑똑", "", ""),
        ("여유를 내리는 시간", "leak", "value 여유"),
    ]
    assert (first.turn, first.id, first.failure) == (-1, ANSWERS[0].about["id"], None)
    assert (second.rows, second.failure) == ([], ANSWERS[1].completion.failure)


@pytest.mark.field
def test_frames_make_no_rows_and_lines_lose_theirs():
    framed = answer(
        "모카포트", "네! 아래는 요청하신 카피입니다.", '카피: "향이 먼저 깬다"', "필요하시면 더 써 드릴게요."
    )
    (result,) = check_answers(LIMITS, [framed])
    assert [(row["ad_copy"], row["reason"]) for row in result.rows] == [("향이 먼저 깬다", "")]
    assert result.failure is None and result.is_usable
    (nothing,) = check_answers(LIMITS, [answer("모카포트", "물론입니다!", "Sure! Here are 5 lines:")])
    assert nothing.rows == [] and not nothing.is_usable
    assert nothing.failure == Failure(FailureKind.UNUSABLE, "no line of copy")
    assert nothing.failure.sample == "물론입니다!"


@pytest.mark.field
@pytest.mark.parametrize(
    ("asked", "served", "teacher"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", "the name"),
        ("gpt-4o", "", "the name"),
        ("", "llama-3-8b", "the name"),  # the embedded one, whatever its server calls it
        ("gpt-4o", "llama-3-8b", "llama-3-8b"),
        ("gpt-4o", " meta/llama`3|8b\n", "meta/llama 3 8b"),  # it stands on a card
        ("gpt-4o", "x" * 5_000, "x" * 100),
        ("gpt-4o", "``", "the name"),
    ],
)
def test_who_answered_stands_in_the_row(asked, served, teacher):
    given = answer("모카포트", "향이 먼저 깬다")
    about = {**given.about, "teacher": "the name", "asked": asked}
    completion = replace(given.completion, model=served)
    (result,) = check_answers(LIMITS, [Response(about, completion)])
    assert [row["teacher"] for row in result.rows] == [teacher]


def test_another_process_gives_the_same():
    with in_own_process(LIMITS) as check:
        assert check(ANSWERS) == check_answers(LIMITS, ANSWERS)
        assert check([]) == []


def test_a_bug_in_a_rule_comes_out_of_the_other_process(monkeypatch):
    def first_rule(row, limits):
        raise KeyError(os.getpid())

    monkeypatch.setattr(checking, "first_rule", first_rule)
    with in_own_process(LIMITS) as check, pytest.raises(KeyError) as caught:
        check(ANSWERS)
    assert caught.value.args != (os.getpid(),)
