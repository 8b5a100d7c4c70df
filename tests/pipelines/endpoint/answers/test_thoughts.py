"""What a model thought is never a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.endpoint.answers.thoughts import after_thoughts, without_thoughts

LINE = "향이 먼저 깬다"
FORMS = {
    "plain": LINE,
    "closed": f"<think>\n버릴 줄\n</think>\n\n{LINE}",
    "empty": f"<think>\n\n</think>\n\n{LINE}",
    "other word": f"<thinking>버릴 줄</thinking>{LINE}",
    "EXAONE": f"<thought>버릴 줄</thought>{LINE}",
    "unopened": f"버릴 줄을 먼저 떠올렸다.\n</think>\n\n{LINE}",
    "nested": f"<think>버릴 <think> 줄</think> 이 줄도</think>{LINE}",
    "twice": f"<think>버릴 줄</think>{LINE}<think>이 줄도</think>",
    "after the line": f"{LINE}\n<think>이 줄도 써 볼까",
    "Kimi": f"◁think▷버릴 줄◁/think▷{LINE}",
    "Kimi, unopened": f"버릴 줄◁/think▷{LINE}",
    "Magistral": f"[THINK]버릴 줄[/THINK]{LINE}",
    "gpt-oss": f"<|channel|>analysis<|message|>버릴 줄<|end|><|start|>assistant<|channel|>final<|message|>{LINE}"
    "<|return|>",
    "gpt-oss, two thoughts": f"<|channel|>analysis<|message|>버릴<|end|><|channel|>commentary<|message|>줄<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{LINE}",
    "gpt-oss, no message": f"<|channel|>analysis 버릴 줄<|channel|>final {LINE}",
    "gpt-oss, JSON": f"<|channel|>analysis<|message|>버릴<|end|><|channel|>final <|constrain|>json<|message|>{LINE}",
    "gpt-oss, without its tokens": f"analysisWe need one line. 버릴 줄assistantfinal{LINE}",
    "Gemma": f"<|channel>thought\n버릴 줄<channel|>{LINE}",
}


@pytest.mark.field
@pytest.mark.parametrize("answer", FORMS.values(), ids=FORMS.keys())
def test_the_answer_is_what_is_left(answer: str) -> None:
    assert without_thoughts(answer) == LINE


@pytest.mark.field
@pytest.mark.parametrize(
    "answer",
    [
        "<think>아직 생각하는 중",
        "<think>생각</think>",
        "◁think▷아직",
        "<|channel|>analysis<|message|>아직 생각하는 중",
        "<|channel|>analysis<|message|>생각<|end|><|start|>assistant",
        "<THINK>아직",
    ],
)
def test_nothing_is_left_of_a_thought_alone(answer: str) -> None:
    assert without_thoughts(answer) == ""


@given(
    st.text(st.characters(exclude_characters='<>◁▷[]"'), max_size=60),
    st.text(st.characters(exclude_characters='<>◁▷[]"')),
)
def test_whatever_was_thought(thought: str, line: str) -> None:
    for begin, end in (("<think>", "</think>"), ("", "</think>"), ("◁think▷", "◁/think▷")):
        assert without_thoughts(f"{begin}{thought}{end}{line}") == line.strip()


def test_after_thoughts_is_all_that_follows() -> None:
    assert after_thoughts("<think>a</think> <think>b</think>{1}<think>") == "{1}<think>"
    assert after_thoughts("a</think>{1}") == "{1}"
    assert after_thoughts("<think>a{1}") == ""
    assert after_thoughts("{1}") == "{1}"


QUOTED = '뒤의 </think> 표시가 \\"어색\\"하다'


@pytest.mark.field
@pytest.mark.parametrize("words", ["카피에 <think> 태그가 남아 있다", QUOTED, "◁/think▷"])
@pytest.mark.parametrize(
    "said",
    [
        '{"reason": "WORDS", "score": 1}',
        '{"score": 1, "reason": "WORDS"}',
        '{\n  "reason" : "WORDS"\n}',
        '평가입니다.\n```json\n{"reason": "WORDS", "score": 1',
        '["WORDS", "다른 줄"]',
    ],
)
def test_a_mark_that_is_spoken_of_is_none(words: str, said: str) -> None:
    answer = said.replace("WORDS", words)
    assert without_thoughts(answer) == after_thoughts(answer) == answer
    for thought in ("<think>음</think>", '{"score": 4}이 나을까?</think>', '"WORDS"라면?</think>'):
        assert without_thoughts(thought + answer) == after_thoughts(thought + answer) == answer
