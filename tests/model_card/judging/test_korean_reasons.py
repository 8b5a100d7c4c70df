"""Reasons in Korean: what counts as such, what is asked for again, and that no score is lost over it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_card.judging.geval_judge import prefer, score_rows
from model_card.judging.geval_model import EndpointModel
from model_card.judging.judge import Raw as Score
from model_card.judging.korean_reasons import MARK, in_korean, is_korean
from model_card.judging.rubrics import reason_again
from pipelines.endpoint.session import Session
from pipelines.endpoint.spending.budget import Caps
from pipelines.metrics import METRICS
from tests.model_card.judging.judge_server import GARBAGE, REASON, Endpoint, judging
from tests.pipelines.endpoint.teacher_server import KEY, Raw
from tests.pipelines.endpoint.teachers import options_for

pytestmark = pytest.mark.field

ENGLISH = 'The line "비보다 먼저 펴지는 마음은 우산" makes the umbrella clear.'
KOREAN = "우산임이 또렷하다."
ROW = {"product": "우산", "values": ["든든한"], "ad_copy": "비보다 먼저 펴지는 마음"}
WEIGHTS = {3: 0.5, 4: 0.5}


@pytest.mark.parametrize(
    ("reason", "korean"),
    [
        (REASON, True),
        (ENGLISH, False),
        ("The line is vivid.", False),
        ("这句话很自然。", False),
        ("とても自然な文です。", False),
        ("自然하다", True),
        ("'Just do it'처럼 짧다", True),
        ("AI 스피커임이 드러난다", True),
        ("It doesn't fit, and it isn't natural: 어색함", False),
        ("“비보다 먼저 펴지는 마음은 우산” is vivid", False),
        ("'비보다 먼저'", True),
        ("'vivid'", False),
        ("4/5!", False),
        ("", False),
        ("ㅋㅋ", True),
    ],
)
def test_what_counts_as_korean(reason: str, korean: bool) -> None:
    assert is_korean(reason) is korean


@given(st.text())
def test_any_text_is_korean_or_not(text: str) -> None:
    assert is_korean(text) in (True, False)


def again(answer: str | Exception, reason: str = ENGLISH) -> tuple[str, list[str]]:
    asked: list[str] = []

    async def ask(prompt: str) -> str:
        asked.append(prompt)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(in_korean(reason, ask)), asked


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"reason": KOREAN}),
        f'```json\n{{"reason": "{KOREAN}"}}\n```',
        f"<think>in English</think>{KOREAN}",
        f'{{"reason":\n"{KOREAN}\n"}}',
        KOREAN,
    ],
)
def test_it_is_asked_for_once_and_read_in_any_form(answer: str) -> None:
    assert again(answer) == (KOREAN, [reason_again(ENGLISH)])


@pytest.mark.parametrize(
    "answer",
    ["Clear.", "", "{", "[]{}", "{}", '{"reason": null}', '{"reason": ["Clear."]}', "죄송하지만 도와드릴 수 없습니다."],
)
def test_it_stays_as_it_is_and_is_marked(answer: str) -> None:
    assert again(answer) == (f"{ENGLISH} {MARK}", [reason_again(ENGLISH)])


@pytest.mark.parametrize("reason", ["", REASON])
def test_a_korean_reason_and_none_are_not_asked_for_again(reason: str) -> None:
    assert again(KOREAN, reason) == (reason, [])


@given(st.text(min_size=1), st.text())
def test_no_answer_takes_a_reason_away(reason: str, answer: str) -> None:
    found, _ = again(answer, reason)
    assert is_korean(found) or found == f"{reason} {MARK}"


def test_a_reason_that_holds_a_template_is_quoted_as_it_is() -> None:
    assert "---\n$reason ${x} {better}\n---" in reason_again("$reason ${x} {better}")


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Any]:
    """Scores of one row by an endpoint; the model with them."""
    sessions: list[Session] = []

    def scores(endpoint: Endpoint, **options: Any) -> tuple[list[Score | None], EndpointModel]:
        sessions.append(Session(options_for(endpoint.url, tmp_path, concurrency=1, **options), KEY))
        model = EndpointModel(sessions[-1], samples=2)
        return score_rows(model, [ROW]), model

    yield scores
    for session in sessions:
        session.close()


def is_again(prompt: str) -> bool:
    return prompt == reason_again(ENGLISH)


@pytest.mark.parametrize(("logprobs", "answers"), [("served", 1), ("ignored", 2)])
def test_a_judge_is_asked_once_more_for_each_score_and_paid_once(ask: Any, logprobs: Any, answers: int) -> None:
    def opinion(prompt: str) -> Any:
        return json.dumps({"reason": KOREAN}) if is_again(prompt) else {3: 1.0, 4: 0.0}

    with judging(opinion, logprobs=logprobs, reason=ENGLISH) as endpoint:
        (found,), model = ask(endpoint)
        assert found == Score(dict.fromkeys(METRICS, 0.6), dict.fromkeys(METRICS, KOREAN)) and model.foreign == 0
        prompts = [body["messages"][0]["content"] for body in endpoint.requests]
        # The four metrics have the same reason here: what was asked once is kept.
        assert len(prompts) == 1 + answers * len(METRICS) + 1 and sum(map(is_again, prompts)) == 1
        prefer(model, [(ROW, {**ROW, "ad_copy": "다른 줄"})])
        assert sum(is_again(body["messages"][0]["content"]) for body in endpoint.requests) == 1
        sent = len(endpoint.requests)
        assert ask(endpoint)[0] == [found] and len(endpoint.requests) == sent


@pytest.mark.parametrize(
    "second",
    [GARBAGE.encode().decode("latin-1"), "Still English.", (400, "no"), Raw({"choices": []}, 200)],
    ids=["mojibake", "english", "refused", "empty"],
)
def test_no_score_is_lost_over_a_reason(ask: Any, second: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("pipelines.endpoint.client.LONGEST_PAUSE_S", 0.01)
    with judging(lambda prompt: second if is_again(prompt) else WEIGHTS, reason=ENGLISH) as endpoint:
        (found,), model = ask(endpoint)
    assert found.scores == dict.fromkeys(METRICS, pytest.approx(0.7))
    assert found.reasons == dict.fromkeys(METRICS, f"{ENGLISH} {MARK}") and model.foreign == len(METRICS)


def test_a_budget_that_is_enough_for_a_score_is_enough(tmp_path: Path) -> None:
    with (
        judging(lambda prompt: WEIGHTS, reason=ENGLISH) as endpoint,
        Session(options_for(endpoint.url, tmp_path, caps=Caps(requests=2)), KEY) as session,
    ):
        found = session.run(EndpointModel(session).weigh("점수를 매기세요."))
        assert (found.mean, found.reason) == (pytest.approx(3.5), f"{ENGLISH} {MARK}")
        assert len(endpoint.requests) == 2  # the probe and the score
