"""The judge that a recipe names: opened, asked, paid once, within limits, its troubles said."""

import pytest
from pydantic import ValidationError

from model_card.judging.facts import Calibration, JudgeFacts
from model_card.judging.judge import Judge, Raw
from model_card.judging.korean_reasons import MARK
from model_card.statistics import Interval
from pipelines import progress
from pipelines.endpoint.next_steps import AGAIN, RAISE, START
from pipelines.errors import HanjulError, LimitReachedError
from pipelines.metrics import METRICS
from scripts.core import endpoints
from scripts.core.settings import EvaluateSettings, JudgeSettings, TeacherSettings
from scripts.judging import llm_judge
from tests.model_card.judging.judge_server import GARBAGE, REASON, judging
from tests.pipelines.endpoint.teacher_server import KEY, MODEL
from tests.pipelines.endpoint.teacher_server import Raw as Wire

RUN = {"dataset": "hanjul-copy", "version": "v0.1.0", "seed": 1}
ROWS = [{"product": "우산", "values": ["든든한"], "ad_copy": f"{n}번째 비" + "가 온다" * n} for n in range(1, 5)]
WEIGHTS = {3: 0.5, 4: 0.5}
#: An answer whose limit is spent on thinking.
THOUGHT = {"role": "assistant", "content": None, "reasoning_content": "음"}
THINKING = Wire({"choices": [{"index": 0, "message": THOUGHT, "finish_reason": "length"}]})
#: Scores of all rows.
SCORES = len(ROWS) * len(METRICS)


class LocalHub:
    is_local = True


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    monkeypatch.setenv("JUDGE_KEY", KEY)
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)


def settings(url, **fields):
    return JudgeSettings(base_url=url, model=MODEL, **{"api_key_env": "JUDGE_KEY", **fields})


def opened(url, run=RUN, teacher=None, **fields):
    return llm_judge.open_judge(LocalHub(), settings(url, **fields), run, teacher=teacher)


def test_scores_prefers_and_says_how(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SHORTEST_S", 0)  # so short a work has no line else
    with judging(lambda prompt: {1: 0.9, 2: 0.1} if '"better"' in prompt else WEIGHTS) as endpoint:
        with opened(endpoint.url) as judge:
            assert (judge.name, judge.scoring, judge.samples) == (f"{MODEL} at localhost", "probabilities", 1)
            scores = dict.fromkeys(METRICS, pytest.approx(0.7))
            assert judge.raw(ROWS) == [Raw(scores, dict.fromkeys(METRICS, REASON))] * 4
            assert judge.prefers([(ROWS[0], ROWS[1])]) == [1.0]
            usage = judge.usage()
        sent = endpoint.requests
    assert len(sent) == 1 + SCORES + 1
    tokens = sum(len(body["messages"][0]["content"]) for body in sent)
    answers = sum(len('{"reason": "", "score": 4}') + len(REASON) for body in sent) + len("better") - len("score")
    assert usage == {
        "input_tokens": tokens,
        "output_tokens": answers,
        "usd": 0.0,
        "requests_sent": len(sent),
        "usd_sent": 0.0,
    }
    said = capsys.readouterr().err
    assert f"judge: {MODEL} at localhost, scores from token probabilities\n" in said
    assert f"judge: 4 lines: {SCORES}/{SCORES} answers (100%)" in said and "judge: 1 pair: 1/1 answers (100%)" in said


def test_without_probabilities_it_says_so(capsys):
    with judging(lambda prompt: WEIGHTS, logprobs="refused") as endpoint, opened(endpoint.url, samples=3) as judge:
        assert (judge.scoring, judge.samples) == ("samples", 3)
        judge.raw(ROWS)
    assert len(endpoint.requests) == 1 + SCORES * 3
    said = "scores from 3 answers each, no token probabilities (an answer without `logprobs`)"
    assert said in capsys.readouterr().err


def test_a_second_run_asks_nothing_and_counts_what_was_paid():
    with judging(lambda prompt: WEIGHTS) as endpoint:
        with opened(endpoint.url, price={"input": 1, "output": 2}) as judge:
            first, paid = judge.raw(ROWS), judge.usage()
        with opened(endpoint.url, price={"input": 1, "output": 2}) as judge:
            assert judge.raw(ROWS) == first
            assert judge.usage() == paid
        with opened(endpoint.url, run={**RUN, "seed": 2}) as judge:
            assert judge.usage()["requests_sent"] == 0  # its limits are its own
        assert len(endpoint.requests) == paid["requests_sent"] == 1 + SCORES
    assert paid["usd"] == pytest.approx((paid["input_tokens"] + 2 * paid["output_tokens"]) / 1e6)
    assert paid["usd_sent"] == pytest.approx(paid["usd"])


@pytest.mark.field
def test_reasons_that_stay_in_english_are_counted_and_marked(capsys):
    with judging(lambda prompt: WEIGHTS, reason="It is vivid.") as endpoint, opened(endpoint.url) as judge:
        found = judge.raw(ROWS)
    assert {reason for one in found for reason in one.reasons.values()} == {f"It is vivid. {MARK}"}
    said = f"judge: 4 lines, {SCORES} reasons not in Korean, though they were asked for again; they are marked\n"
    assert said in capsys.readouterr().err


def test_inside_a_calibrated_judge():
    calibration = Calibration(1.0, 0.0, Interval(0.9, 0.8, 1), Interval(0.9, 0.8, 1), {}, 10, True)
    opinion = {1: 0.2, 2: 0.8}
    with (
        judging(lambda prompt: opinion if '"better"' in prompt else WEIGHTS) as endpoint,
        opened(endpoint.url) as found,
    ):
        facts = JudgeFacts(found.name, "geval", found.scoring, found.samples, dict.fromkeys(METRICS, calibration))
        judge = Judge(facts, found.raw, found.prefers)
        verdict = judge.verdicts(ROWS[:1])[0]
        assert judge.compare([(ROWS[0], ROWS[1])]) == [0.5]  # whatever stands second is better: the order decided
    assert verdict.scores == pytest.approx(dict.fromkeys(METRICS, 1 / (1 + 2.718281828**-0.7)))
    assert verdict.reasons == dict.fromkeys(METRICS, REASON)


def test_a_budget_stops_it_and_a_larger_one_goes_on():
    with judging(lambda prompt: WEIGHTS) as endpoint:
        with opened(endpoint.url, budget={"max_requests": 5}) as judge, pytest.raises(LimitReachedError) as raised:
            judge.raw(ROWS)
        assert raised.value.what.startswith(
            "Ended by a limit, evaluate.judge.budget.max_requests = 5 (5 sent): judge: 4 lines, not all is answered; "
            "5 requests, "
        )
        assert raised.value.where == "evaluate.judge"
        assert raised.value.next_step == f"raise `evaluate.judge.budget.max_requests`; then {AGAIN}"
        with opened(endpoint.url, budget={"max_requests": 1 + SCORES}) as judge:
            assert None not in judge.raw(ROWS)
        assert len(endpoint.requests) == 1 + SCORES


def test_rows_without_a_score_are_counted(capsys):
    refused = Wire({"error": {"message": "no", "type": "error", "code": "content_filter"}}, 400)
    with judging(lambda prompt: refused if "2번째" in prompt else WEIGHTS) as endpoint, opened(endpoint.url) as judge:
        assert [found is None for found in judge.raw(ROWS)] == [False, True, False, False]
    assert f"judge: 4 lines, 1 without an answer: refused ({len(METRICS)})\n" in capsys.readouterr().err


def test_a_model_that_gives_no_score():
    with judging(lambda prompt: GARBAGE) as endpoint, pytest.raises(HanjulError) as raised, opened(endpoint.url):
        pass
    assert raised.value.what.startswith("The judge gives no score: no JSON with `score`")
    assert raised.value.where == endpoint.url


@pytest.mark.parametrize("first", [True, False])
def test_a_message_has_one_next_step(first):
    asked = []

    def think(prompt):
        asked.append(prompt)
        return WEIGHTS if len(asked) == 1 and not first else THINKING

    with judging(think) as endpoint, pytest.raises(HanjulError) as raised, opened(endpoint.url) as judge:
        judge.raw(ROWS)
    assert raised.value.next_step == RAISE and "→" not in raised.value.what


def test_an_endpoint_that_is_not_there(free_port):
    url = f"http://127.0.0.1:{free_port}/v1"
    with pytest.raises(HanjulError) as raised, opened(url):
        pass
    assert raised.value.what.startswith(f"The judge cannot be asked: the endpoint does not answer: {url}")
    assert raised.value.next_step == START


@pytest.mark.parametrize(
    ("fields", "where", "what"),
    [
        ({"api_key_env": "MISSING_KEY"}, "MISSING_KEY", "The judge's key is not in the environment"),
        ({"api_key_env": "HF_TOKEN"}, "evaluate.judge.api_key_env", "HF_TOKEN holds the local Hub's token"),
        ({"api_key_env": None}, "evaluate.judge.api_key_env", "The judge's key is not named"),
        ({"budget": {"max_usd": 1}}, "evaluate.judge.price", f"No price is known for {MODEL}, and max_usd limits"),
    ],
)
def test_what_a_recipe_lacks(fields, where, what):
    with pytest.raises(HanjulError) as raised, opened("https://judge.example.com/v1", **fields):
        pass
    assert (raised.value.where, raised.value.what[: len(what)]) == (where, what)


@pytest.mark.parametrize(
    ("judge", "teacher", "shared"),
    [
        ("gpt-4o", "openai/gpt-4o-mini", "gpt"),
        ("Qwen/Qwen3-32B", "qwen2.5-7b", "qwen"),
        ("openai/o3", "openai/gpt-4o", "openai"),
        ("gpt-4o", "google/gemma-3-270m", None),
        ("gpt-4o", None, None),
    ],
)
def test_a_judge_of_the_teachers_family_is_said_to_be_one(judge, teacher, shared, capsys, free_port):
    fields = JudgeSettings(base_url=f"http://127.0.0.1:{free_port}/v1", model=judge)
    with pytest.raises(HanjulError), llm_judge.open_judge(LocalHub(), fields, RUN, teacher=teacher):
        pass
    said = f"judge: {judge} is of the teacher's family ({shared}), and may prefer its own lines\n"
    assert capsys.readouterr().err.endswith(said) is bool(shared)


def test_settings_of_a_judge():
    found = EvaluateSettings.model_validate({"judge": {"base_url": "https://api.openai.com/v1", "model": "gpt-4o"}})
    assert (found.judge.samples, found.judge.temperature, found.judge.concurrency) == (5, 1.0, 16)
    assert EvaluateSettings().judge is None
    for wrong in (
        {"model": "gpt-4o"},
        {"base_url": "https://me:secret@host/v1", "model": "m"},
        {"base_url": "https://host/v1", "model": "m", "samples": 1},
        {"base_url": "https://host/v1", "model": "m", "budget": {"batch": True}},
        {"base_url": "https://host/v1", "model": "m", "adapter": {}},
    ):
        with pytest.raises(ValidationError):
            JudgeSettings.model_validate(wrong)


def test_teacher_and_judge_at_one_address_share_no_answers_of_different_models():
    url = "https://host/v1/"
    assert endpoints.identity_of(TeacherSettings(base_url=url, model="m")) == "host/v1 m"
    assert endpoints.identity_of(JudgeSettings(base_url=url, model="n")) == "host/v1 n"
    assert endpoints.identity_of(JudgeSettings(base_url=url, model="n", identity="mine")) == "mine"
