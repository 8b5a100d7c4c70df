from __future__ import annotations

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.synthesis.checking import PairResult
from scripts.teaching import complaints


def result(*lines: tuple[str, str], failure: Failure | None = None) -> PairResult:
    rows = [{"ad_copy": line, "reason": reason} for line, reason in lines]
    return PairResult(0, "id", rows, failure, 0, 0)


def test_each_reason_is_counted_and_has_the_first_example() -> None:
    page = Failure(FailureKind.UNUSABLE, "no usable answer", sample="<html>\n  <p>" + "가" * 200)
    found = complaints.of_lines(
        [
            result(("여유로운 아침", "leak"), ("첫째", "length")),
            result(("여유의 맛", "leak"), failure=Failure(FailureKind.UNUSABLE, "no usable answer")),
            result(failure=page),
            result(failure=Failure(FailureKind.GAVE_UP, "time-out (8 attempts)")),
            result(failure=Failure(FailureKind.REJECTED, "too long", 413)),
            result(failure=Failure(FailureKind.LIMIT, "max_requests = 3 (3 sent)")),
        ]
    )
    assert complaints.in_words(found) == (
        "lines rejected as `leak`: 2, e.g. “여유로운 아침”; lines rejected as `length`: 1, e.g. “첫째”; "
        f"no usable answer: 1, e.g. “<html> <p>{'가' * 70}…”; gave up: 1, e.g. “time-out (8 attempts)”"
    )
    assert complaints.next_step(found, "a.teacher").startswith("check `a.teacher.base_url` and `a.teacher.model`")
    assert complaints.next_step(found[:4], "a.teacher").startswith("name another `a.teacher.model`")


def test_nothing_at_all_has_a_word_too() -> None:
    assert complaints.in_words(complaints.of_lines([result(), result()])) == "every answer was empty"
