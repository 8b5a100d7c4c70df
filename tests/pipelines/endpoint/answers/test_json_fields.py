"""Values of a field in answers that are hardly JSON: the one that was given, or several, and never another."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_card.judging.geval_answers import SCORE, NoScoreError, chosen
from pipelines.endpoint.answers.json_fields import before_value, read


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ('{"reason": "좋다", "score": 4}', [4], "좋다"),
        ('{"a": {"score": 4, "reason": "안"}}', [4], "안"),
        ('{"score": 4, "parts": [{"score": 1}]}', [4], ""),
        ('{"score": 2, "score": 4}', [2, 4], ""),
        ('{"score": 4} {"score": 2}', [4, 2], ""),
        ('{"score": 4} {"note": "끝"}', [4], ""),
        ('{"reason": "그는 "좋다"고 했다", "score": 4}', ["4"], '그는 "좋다"고 했다'),
        ("{'score': 4, 'reason': '좋다',}", ["4"], "좋다"),
        ('{"reason": "기준은 \\"score\\": 3 이다", "score": 4}', [4], '기준은 "score": 3 이다'),
        ('{"reason": "기준은 "score": 3, 이다", "score": 4}', ["3", "4"], "기준은"),
        ('{"score": 4', [""], ""),
        ('{"score": 4.', [""], ""),
        ("score: 4", [], ""),
        ("", [], ""),
    ],
)
def test_all_values_of_a_field(text: str, values: list[Any], reason: str) -> None:
    found, said = read(text, "score")
    assert (found, said.startswith(reason)) == (values, True)


#: Ways to write one score.
NUMBERS = ["{}", '"{}"', "{}.0", '"{}점"', "{}점", '"{}/5"', "{}/5", '"{} / 5점"', "'{}'"]
#: Ways to write an object with it.
SHAPES = [
    '{{"reason": "{reason}", "score": {number}}}',
    '{{"score": {number}, "reason": "{reason}"}}',
    '{{"score": {number},}}',
    "{{'reason': '{reason}', 'score': {number}}}",
    '```json\n{{\n  "reason": "{reason}",\n  "score": {number}\n}}\n```',
]
PIECES = ('{}[]",:\n5/.-', '"score"', '"score": ', '{"score": 2}', "{'score': 1", "<think>", "```", "점", " ")
#: A thought that ends after the answer makes a thought of it; before it, it may.
GARBAGE = st.lists(st.sampled_from([*PIECES[0], *PIECES[1:]]) | st.text(max_size=4), max_size=8).map("".join)
BEFORE = st.tuples(GARBAGE, st.sampled_from(["", "</think>"]), GARBAGE).map("".join)


@given(st.integers(0, 5), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(SHAPES), BEFORE, GARBAGE, GARBAGE)
@example(4, False, "{}", SHAPES[0], "", '그는 "좋다"고', '{"score": 2}')
@example(0, False, "{}", SHAPES[0], "", '{"score": 2}<think>', "")
@example(0, False, "{}", SHAPES[0], '{"score": 2}<think>', "", '{"score": 2}')
@example(4, True, "{}/5", SHAPES[2], '{"score": 2}', "", "")
def test_the_score_that_is_read_is_the_one_that_was_given_or_none(
    score: int, wide: bool, number: str, shape: str, before: str, reason: str, after: str
) -> None:
    digit = "０１２３４５"[score] if wide else str(score)
    answer = before + shape.format(reason=reason, number=number.format(digit)) + after
    with contextlib.suppress(NoScoreError):
        assert chosen(answer, SCORE)[0] == score


@pytest.mark.field
@given(st.integers(0, 5), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(SHAPES))
def test_a_score_among_words_is_read(score: int, wide: bool, number: str, shape: str) -> None:
    digit = "０１２３４５"[score] if wide else str(score)
    answer = shape.format(reason='그는 "좋다"고 했다', number=number.format(digit))
    found, reason = chosen(f"평가해 보았습니다.\n{answer}\n도움이 되었기를 바랍니다!", SCORE)
    assert found == score
    assert reason == ('그는 "좋다"고 했다' if "reason" in shape else "")


@pytest.mark.field
@pytest.mark.parametrize("space", [" ", "\n", "\t", " \n", "\u3000"])
@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"score": 4SPACE', ["4"]),
        ('{"score": 4SPACEx', ["4"]),
        ('{"score":SPACE4, \'reason\': "SPACE"', ["4"]),
        ('{"reason": "SPACE"좋다"SPACE", "score": 4SPACE,}', ["4"]),
        ('"score"SPACE', []),
    ],
)
def test_blanks_without_end_hold_nobody_up(text: str, values: list[str], space: str) -> None:
    started = time.monotonic()
    found = read(text.replace("SPACE", space * 50_000), "score")[0]
    list(re.finditer(before_value("score") + r"(?=\d)", text.replace("SPACE", space * 50_000)))
    assert time.monotonic() - started < 2
    assert found == values or (found == [""] and "\n" not in space)  # without an end it may be cut off


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    values, reason = read(text, "score")
    assert isinstance(reason, str) and isinstance(values, list)


@given(st.integers(), st.integers())
def test_two_objects_are_two_values(one: int, other: int) -> None:
    text = " ".join(json.dumps({"score": value}) for value in (one, other))
    assert read(text, "score")[0] == [one, other]
