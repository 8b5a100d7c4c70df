from __future__ import annotations

import os

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
    about |= {"device": "pun", "tone": "warm", "teacher": "hf://t@1", "example_ids": []}
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
