"""Synthesis through the stage: a loopback teacher, exactly N rows, nothing paid twice, nothing secret published."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfUri
from pydantic import ValidationError

from model_card.judging.facts import Calibration
from model_card.judging.sense.gate import Gate
from model_card.statistics import Interval
from pipelines.errors import HanjulError, LimitReachedError
from pipelines.rows import row_id
from scripts import cli, recipes
from scripts.core import env
from scripts.core.settings import FilterSettings, ImportSettings, PairsSettings, Recipe, TrainSettings
from scripts.hub.hub import Hub
from scripts.stages import filter, import_rows, pairs, synthesize
from scripts.teaching import estimate, limits, teachers
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, completion, serve

#: Parts of no product and no value, so that no line of them leaks.
WORDS = [
    "지붕",
    "언덕",
    "골목",
    "숟갈",
    "문고리",
    "발끝",
    "안개",
    "노을",
    "무지개",
    "구름",
    "이마",
    "숟가락",
    "오솔길",
    "달빛",
    "돌멩이",
    "담장",
]


@pytest.fixture(scope="module")
def planned(hub: Hub) -> HfUri:
    dataset = hub.repo("dataset", "synthesis")
    rows = import_rows.run(hub, dataset, ImportSettings(source="starter", limit=60), seed=1)
    return pairs.run(hub, dataset, rows, PairsSettings(n=60), seed=1)


#: Lines of so few words resemble each other; here only the same line is a duplicate.
ALIKE = {"max_similarity": 1, "max_eval_similarity": 1, "max_phrase_count": 1000}


def recipe(url: str | None, teacher: dict[str, Any] | None = None, **synthesis: Any) -> Recipe:
    named = {"base_url": url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"} | (teacher or {})
    chosen = {"teacher": named, "candidates": 2, "examples": 2} | synthesis
    return Recipe.model_validate({"seed": 1, "synthesize": chosen, "filter": {"judge": "none", **ALIKE}})


def line(seed: int) -> str:
    """A plain line of its own for each seed."""
    return " ".join(WORDS[seed // 16**place % 16] for place in range(5))


def write(body: dict[str, Any], choice: int) -> str:
    return json.dumps({"copies": [line(body["seed"]), line(body["seed"] + 1)]})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key, and a store of answers of its own for each test."""
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr(env, "answers_path", lambda: env.data_dir() / tmp_path.name / "answers.sqlite")


def run(hub: Hub, planned: HfUri, chosen: Recipe) -> HfUri:
    return synthesize.run(hub, planned, None, None, chosen)


def synthesised(hub: Hub, uri: HfUri) -> list[dict[str, Any]]:
    return [row for row in hub.rows(uri, "raw") if row["source"] == "synthesised"]


def test_endpoint_writes_rows_and_the_key_stays_out(
    hub: Hub, planned: HfUri, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(write) as endpoint:
        chosen = recipe(endpoint.url)
        uri = run(hub, planned, chosen)
        asked = len(endpoint.log.requests)
        assert run(hub, planned, chosen) == uri
        assert len(endpoint.log.requests) == asked == 60
    written = synthesised(hub, uri)
    assert len(written) == 120
    assert {row["teacher"] for row in written} == {MODEL}
    assert all(len(row["example_ids"]) == 2 for row in written)
    assert len(hub.rows(uri, "raw")) == 180  # the imported rows are still there
    manifest = hub.manifest(uri)
    assert manifest["usage"]["output_tokens"] > 0 and manifest["usage"]["requests_sent"] == 60
    assert manifest["usage"]["usd"] == 0.0  # an endpoint on this machine
    assert manifest["inputs"]["pairs"] == planned.to_uri()
    kept = [*hub.snapshot(uri).rglob("*"), *env.data_dir().rglob("*"), *Path(env.hub_store()).rglob("*")]
    files = [path for path in kept if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in "".join(capfd.readouterr()) + caplog.text


def test_examples_are_real_slogans_and_rows_of_people(hub: Hub, planned: HfUri) -> None:
    from pipelines.slogans import load_slogans

    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, examples=4))
    slogans = {row["id"] for row in load_slogans()}
    for row in synthesised(hub, uri):
        assert len(slogans & set(row["example_ids"])) == 2


def test_examples_of_ones_own(hub: Hub, planned: HfUri, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    lines = [{"product": f"물건 {number}", "values": ["정성"], "ad_copy": f"손끝 {number}"} for number in range(12)]
    own.write_text("\n".join(json.dumps(line) for line in lines))
    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, examples_from=str(own)))
        assert "물건" in endpoint.log.requests[0]["messages"][0]["content"]
    ids = {row_id(line["product"], ["정성"], line["ad_copy"]) for line in lines}
    assert all(set(row["example_ids"]) <= ids for row in synthesised(hub, uri))
    with pytest.raises(HanjulError, match="cannot be read"):
        run(hub, planned, recipe("http://127.0.0.1:9/v1", examples_from="nowhere.jsonl"))


def test_exactly_as_many_rows_as_wanted_and_the_filter_keeps_them_all(hub: Hub, planned: HfUri) -> None:
    def poor(body: dict[str, Any], choice: int) -> str:
        bad = body["seed"] % 3 == 0
        return json.dumps(
            {"copies": ["#해시태그만 있는 줄", "둘 다 나쁜 줄 😀"] if bad else [line(body["seed"] % 4000)] * 2}
        )

    with serve(poor) as endpoint:
        chosen = recipe(endpoint.url, n=45, attempts=6)
        uri = run(hub, planned, chosen)
        counts = hub.manifest(uri)["counts"]
        assert counts["accepted"] == counts["wanted"] == 45 and counts["limit"] == ""
        assert len(counts["rounds"]) == 1 and counts["rounds"][0] > 45  # one pipeline asks on by itself
        sent = len(endpoint.log.requests)
        more = run(hub, planned, recipe(endpoint.url, n=50, attempts=6))
        assert len(endpoint.log.requests) - sent < 40  # what was answered for the 45 is not asked again
    for wanted, pinned in ((45, uri), (50, more)):
        released = filter.run(hub, pinned, HfUri(type="model", id="nobody/none", revision="0" * 40), chosen)
        kept = [row for row in hub.rows(released, "default") if row["source"] == "synthesised"]
        assert len(kept) == len({row["ad_copy"] for row in kept}) == wanted


def test_a_limit_ends_it_and_says_so(hub: Hub, planned: HfUri) -> None:
    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, n=30, budget={"max_requests": 12}))
        assert len(endpoint.log.requests) == 12
    counts = hub.manifest(uri)["counts"]
    assert counts["accepted"] == 12 and counts["limit"] == "max_requests = 12 (12 sent)"


def test_attempts_are_a_limit_too(hub: Hub, planned: HfUri) -> None:
    def poor(body: dict[str, Any], choice: int) -> str:
        first = len(endpoint.log.requests) == 1
        return json.dumps({"copies": [line(body["seed"]) if first else "#나쁜 줄", "#또 나쁜 줄"]})

    with serve(poor) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, n=5, attempts=2))
        assert len(endpoint.log.requests) == 119
    counts = hub.manifest(uri)["counts"]
    assert counts["accepted"] == 1
    assert counts["limit"] == "each pair that lacks a row was asked 2 times (synthesize.attempts)"
    with pytest.raises(LimitReachedError, match=r"1 of 5 rows accepted, 238 lines of 119 pairs asked") as raised:
        limits.raise_if_reached(hub, uri)
    assert "raise `synthesize.attempts`" in raised.value.next_step


@pytest.mark.field
@pytest.mark.parametrize("n", [24, None])
def test_a_round_without_one_usable_line_ends_it_with_what_came_back(hub: Hub, planned: HfUri, n: int | None) -> None:
    with (
        serve(lambda body, choice: '{"copies": ["#나쁜 줄", "커피가 아주 좋은 여유로운 줄 #둘"]}') as endpoint,
        pytest.raises(HanjulError) as raised,
    ):
        run(hub, planned, recipe(endpoint.url, n=n))
    asked = len(endpoint.log.requests)
    assert asked == 24 if n else 50 <= asked <= 60
    error = raised.value
    assert not isinstance(error, LimitReachedError)
    assert error.what.startswith(
        f"Not one usable line came of {n or 50} pairs (lines rejected as `format`: {2 * (n or 50)}, e.g. “#나쁜 줄”); "
        "requests sent: "
    )
    assert error.where == endpoint.url
    assert error.next_step.startswith("name another `synthesize.teacher.model`")


@pytest.mark.field
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Please log in to continue.", "no usable answer: 24, e.g. “Please log in to continue.”"),
        ("물론입니다!", "no usable answer: 24, e.g. “물론입니다!”"),
        (
            "죄송하지만 도와드릴 수 없습니다.",
            "lines rejected as `refusal`: 24, e.g. “죄송하지만 도와드릴 수 없습니다.”",
        ),
    ],
)
def test_a_round_without_a_line_quotes_the_inner_reason(
    hub: Hub, planned: HfUri, answer: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.endpoint.completions.FIRST_PAUSE_S", 0.001)
    with serve(lambda body, choice: answer) as endpoint, pytest.raises(HanjulError) as raised:
        run(hub, planned, recipe(endpoint.url, n=24))
    assert len(endpoint.log.requests) <= 3 * 24
    assert raised.value.what.startswith(f"Not one usable line came of 24 pairs ({reason}")
    if "rejected as" not in reason:
        assert raised.value.next_step.startswith("check `synthesize.teacher.base_url` and `synthesize.teacher.model`")


@pytest.mark.field
def test_a_round_with_few_usable_lines_goes_on(hub: Hub, planned: HfUri) -> None:
    def poor(body: dict[str, Any], choice: int) -> str:
        good = len(endpoint.log.requests) % 20 == 1
        return json.dumps({"copies": [line(body["seed"]) if good else "#나쁜 줄"]})

    with serve(poor) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, n=5, attempts=6))
    assert hub.manifest(uri)["counts"]["accepted"] == 5


@pytest.mark.field
@pytest.mark.parametrize(
    ("limit", "name"),
    [({"max_requests": 12}, "max_requests = 12 (12 sent)"), ({"max_tokens": 9_000}, "max_tokens = 9000")],
)
def test_a_limit_says_what_was_asked_what_came_what_it_cost_and_what_to_raise(
    hub: Hub, planned: HfUri, limit: dict[str, int], name: str
) -> None:
    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, n=30, budget=limit))
    with pytest.raises(LimitReachedError) as raised:
        limits.raise_if_reached(hub, uri)
    error, usage = raised.value, hub.manifest(uri)["usage"]
    got = hub.manifest(uri)["counts"]["accepted"]
    assert 0 < got < 30 and f"synthesize.budget.{name}" in error.what
    assert f"{got} of 30 rows accepted, {2 * got} lines of" in error.what
    assert f"{usage['requests_sent']} requests, {usage['input_tokens']:,} tokens in, " in error.what
    assert error.what.endswith(f"{usage['output_tokens']:,} out, 0.0000 USD")
    assert error.where == uri.to_uri() and error.exit_code == 3
    assert error.next_step.startswith(f"raise `synthesize.budget.{name.split(' ')[0]}`; then run it again")


@pytest.mark.field
def test_a_limit_before_the_first_usable_line_is_one(hub: Hub, planned: HfUri) -> None:
    with (
        serve(lambda body, choice: '{"copies": ["#나쁜 줄"]}') as endpoint,
        pytest.raises(LimitReachedError, match=r"max_requests = 3 .* not one usable line came of .* as `format`"),
    ):
        run(hub, planned, recipe(endpoint.url, n=30, budget={"max_requests": 3}))


@pytest.mark.field
def test_the_command_ends_with_a_code_of_its_own(
    hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def here(_: Any = None) -> Iterator[Hub]:
        yield hub

    monkeypatch.setattr(cli, "hub_session", here)
    monkeypatch.setattr(cli, "load_recipe", lambda *_, **__: recipe(endpoint.url, n=30, budget={"max_requests": 12}))
    with serve(write) as endpoint:
        for _ in range(2):  # the second finds it done
            with pytest.raises(SystemExit) as ended:
                cli.app(["synthesize", planned.to_uri()])
            out, err = capfd.readouterr()
            assert ended.value.code == 3
            assert out.strip().splitlines()[-1].startswith("hf://datasets/local/synthesis@")
            assert "error: Ended by a limit, synthesize.budget.max_requests = 12 (12 sent): 12 of 30 rows" in err
            assert "  next:  raise `synthesize.budget.max_requests`" in err
        assert len(endpoint.log.requests) == 12


@pytest.mark.field
def test_pairs_alone_are_enough(hub: Hub) -> None:
    """Nobody has imported a row: the examples are the slogans."""
    planned = pairs.run(hub, hub.repo("dataset", "pairs-alone"), None, PairsSettings(n=8), seed=1)
    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url))
    assert len(synthesised(hub, uri)) == 16


@pytest.mark.field
def test_another_model_than_asked_stands_in_rows_and_card(
    hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.pipelines.endpoint.teacher_server.completion", served_as("meta-llama/Llama-3.1-8B"))
    with serve(write) as endpoint:
        chosen = recipe(endpoint.url, n=12)
        uri = run(hub, planned, chosen)
    assert {row["teacher"] for row in synthesised(hub, uri)} == {"meta-llama/Llama-3.1-8B"}
    assert hub.manifest(uri)["counts"]["answered_by"] == {"meta-llama/Llama-3.1-8B": 24}
    said = capfd.readouterr().err
    assert said.count(f"{MODEL} was asked, and meta-llama/Llama-3.1-8B answered (24)") == 1
    released = filter.run(hub, uri, HfUri(type="model", id="nobody/none", revision="0" * 40), chosen)
    card = hub.text(released, "README.md")
    assert f"Teacher: `meta-llama/Llama-3.1-8B`. Asked for was `{MODEL}`; the endpoint had another" in card
    assert "Llama Community License" in card


def test_a_dated_name_of_the_model_asked_is_the_same(
    hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.pipelines.endpoint.teacher_server.completion", served_as(f"{MODEL}-2026-08-06"))
    with serve(write) as endpoint:
        uri = run(hub, planned, recipe(endpoint.url, n=4))
    assert {row["teacher"] for row in synthesised(hub, uri)} == {MODEL}
    assert "answered_by" not in hub.manifest(uri)["counts"]
    assert "answered" not in capfd.readouterr().err


def served_as(model: str) -> Callable[..., dict[str, Any]]:
    """The server's completions under another name."""
    return lambda body, lines: completion(body, lines) | {"model": model}


def test_more_rows_than_the_plan_can_hold(hub: Hub, planned: HfUri) -> None:
    with pytest.raises(HanjulError, match=r"61 rows are wanted, and 60 pairs can have 1 each .* plan more pairs"):
        run(hub, planned, recipe("http://127.0.0.1:9/v1", n=61))


def test_refusal_is_a_rejected_row_with_its_words(hub: Hub, planned: HfUri) -> None:
    refused = "죄송하지만 이 상품의 카피는 도와드릴 수 없습니다."

    with serve(lambda body, choice: refused if body["seed"] % 2 else write(body, choice)) as endpoint:
        chosen = recipe(endpoint.url)
        uri = filter.run(
            hub, run(hub, planned, chosen), HfUri(type="model", id="nobody/none", revision="0" * 40), chosen
        )
    rejected = [row for row in hub.rows(uri, "rejected") if row["reason"] == "refusal"]
    assert rejected and {row["evidence"] for row in rejected} == {refused}


def test_others_of_a_pair_are_candidates(hub: Hub, planned: HfUri) -> None:
    with serve(write) as endpoint:
        chosen = recipe(endpoint.url)
        uri = filter.run(
            hub, run(hub, planned, chosen), HfUri(type="model", id="nobody/none", revision="0" * 40), chosen
        )
    candidates = [row for row in hub.rows(uri, "candidates") if row["source"] == "synthesised"]
    kept = {(row["product"], tuple(row["values"])) for row in hub.rows(uri, "default")}
    assert candidates and {row["place"] for row in candidates} == {2}
    assert {(row["product"], tuple(row["values"])) for row in candidates} <= kept


def test_endpoint_that_goes_away_keeps_what_it_answered(hub: Hub, planned: HfUri) -> None:
    answered: list[str] = []

    def for_a_while(body: dict[str, Any], choice: int) -> str | tuple[int, str]:
        if len(answered) >= 20:
            return 401, f"the key {KEY} was revoked"
        answered.append(body["messages"][1]["content"])
        return write(body, choice)

    moving = {"identity": "a teacher that moves"}
    with serve(for_a_while) as first, pytest.raises(HanjulError, match="was revoked") as raised:
        run(hub, planned, recipe(first.url, moving, n=40))
    assert raised.value.next_step == "put a valid key into MY_TEACHER_KEY"
    assert KEY not in f"{raised.value.what} {raised.value.__cause__}"
    with serve(write) as second:
        run(hub, planned, recipe(second.url, moving, n=40))
        again = [body["messages"][1]["content"] for body in second.log.requests]
    assert len(set(answered)) == 20 and len(again) == 20
    assert not set(answered) & set(again)


def test_a_limit_that_is_raised_counts_what_was_sent_before(hub: Hub, planned: HfUri) -> None:
    with serve(write) as endpoint:
        for limit in (10, 16):
            uri = run(hub, planned, recipe(endpoint.url, n=30, budget={"max_requests": limit, "timeout": 60 + limit}))
            assert len(endpoint.log.requests) == limit
            assert hub.manifest(uri)["counts"]["accepted"] == limit
        assert run(hub, planned, recipe(endpoint.url, n=30, concurrency=3, budget={"max_requests": 16})) == uri


BASE = HfUri(type="model", id="nobody/none", revision="0" * 40)
CALIBRATION = Calibration(1.0, 0.0, Interval(0.86, 0.8, 0.9), Interval(0.9, 0.85, 0.95), {}, 100, True)


def gate(threshold: float | None, asked: list[str]) -> Gate:
    """Scores by what it is shown, letter by letter: another text, another score, between 0.2 and 0.8."""

    def log_odds(rows: Sequence[Any]) -> list[float]:
        asked.extend(row["ad_copy"] for row in rows)
        return [(sum(map(ord, row["ad_copy"])) % 100 - 50) / 36 for row in rows]

    return Gate("a judge", CALIBRATION, threshold, "the best has 0.41", 0.8, log_odds)


def judged(url: str | None, **synthesis: Any) -> Recipe:
    return recipe(url, **synthesis).model_copy(update={"filter": FilterSettings(**ALIKE)})


def test_exactly_as_many_rows_where_a_judge_decides(hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch) -> None:
    def quoted(body: dict[str, Any], choice: int) -> str:  # what is written is not what is judged: quotes come off
        return json.dumps({"copies": [f'"{line(body["seed"])}"', line(body["seed"] + 1)]})

    asked: list[str] = []
    for stage in (synthesize, filter):
        monkeypatch.setattr(stage, "open_gate", lambda *_: gate(0.5, asked))
    with serve(quoted) as endpoint:
        chosen = judged(endpoint.url, n=30, attempts=5)
        uri = synthesize.run(hub, planned, None, BASE, chosen)
    assert hub.manifest(uri)["counts"]["accepted"] == 30
    assert hub.manifest(uri)["inputs"]["base"] == BASE.to_uri()
    assert len(asked) == len(set(asked))  # no line twice, however many rounds there were
    released = filter.run(hub, uri, BASE, chosen)
    kept = [row for row in hub.rows(released, "default") if row["source"] == "synthesised"]
    assert len(kept) == 30
    assert all(row["scores"]["sense"] >= 0.5 for row in kept)


def test_nothing_is_asked_for_that_no_gate_would_let_in(
    hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesize, "open_gate", lambda *_: gate(None, []))
    with serve(write) as endpoint:
        with pytest.raises(HanjulError, match=r"No row would be accepted: the best has 0\.41"):
            synthesize.run(hub, planned, None, BASE, judged(endpoint.url, n=30))
        assert not endpoint.log.requests


def test_missing_key_names_the_variable(hub: Hub, planned: HfUri) -> None:
    with pytest.raises(HanjulError, match="not in the environment") as raised:
        run(hub, planned, recipe("https://teacher.example/v1", {"api_key_env": "ABSENT_KEY"}))
    assert raised.value.where == "ABSENT_KEY"


def test_a_key_goes_to_nobody_it_was_not_named_for(hub: Hub, planned: HfUri, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(HanjulError, match="key is not named"):
        run(hub, planned, recipe("https://teacher.example/v1", {"api_key_env": None}))
    with serve(write) as endpoint, pytest.raises(HanjulError, match="refuses the key"):  # "none" was sent
        run(hub, planned, recipe(endpoint.url, {"api_key_env": None}))
    with pytest.raises(ValidationError, match="no query"):
        recipe("https://teacher.example/v1?api-key=1")


def test_endpoint_that_is_down_is_a_sentence(hub: Hub, planned: HfUri) -> None:
    with pytest.raises(HanjulError, match="does not answer"):
        run(hub, planned, recipe("http://127.0.0.1:9/v1"))


def test_no_teacher_is_a_sentence(hub: Hub, planned: HfUri) -> None:
    with pytest.raises(HanjulError, match="There is no teacher"):
        run(hub, planned, recipe(None))


def test_without_an_endpoint_the_adapter_that_the_recipe_trains_writes(hub: Hub) -> None:
    named = {"train": TrainSettings(repo="writing-lora")}
    chosen = recipe(None).model_copy(update=named)
    assert teachers.adapter_of(hub, chosen) is None
    hub.api.create_repo("local/writing-lora")
    assert teachers.adapter_of(hub, chosen) == hub.resolve("hf://models/local/writing-lora")
    assert teachers.adapter_of(hub, recipe("https://teacher.example/v1").model_copy(update=named)) is None


def test_model_must_be_named(hub: Hub, planned: HfUri) -> None:
    with pytest.raises(HanjulError, match="not named"):
        run(hub, planned, recipe("http://127.0.0.1:9/v1", {"model": None}))


def test_a_limit_in_money_needs_a_price(hub: Hub, planned: HfUri) -> None:
    endpoint = "https://teacher.example/v1"
    with pytest.raises(HanjulError, match="No price is known for copywriter-1"):
        run(hub, planned, recipe(endpoint, budget={"max_usd": 1}))


def test_dry_run_sends_nothing_and_says_what_it_would(hub: Hub, planned: HfUri) -> None:
    priced = recipe("https://teacher.example/v1", {"price": {"input": 2.0, "output": 8.0}}, n=50, attempts=3)
    found = estimate.of_pairs(hub, planned, None, priced)
    assert (found.requests, found.most_requests) == (50, 180)
    assert found.usd == pytest.approx((2 * found.input_tokens + 8 * found.output_tokens) / 1e6)
    assert 200 < found.input_tokens / found.requests < 2000
    table = found.table()
    assert "50 if every line is accepted, 180 at most" in table and "USD" in table
    listed = recipe("https://api.openai.com/v1", {"model": "gpt-4o-mini"}, budget={"batch": True})
    assert estimate.of_pairs(hub, planned, None, listed).price.input == pytest.approx(0.075)  # type: ignore[union-attr]
    unknown = estimate.of_pairs(hub, planned, None, recipe("https://teacher.example/v1"))
    assert unknown.usd is None and "unknown" in unknown.table()


def test_dry_run_of_the_offline_release_names_the_adapter_that_it_will_train() -> None:
    changes = {"pairs.n": 10, "synthesize.candidates": 3, "train.repo": "writing-lora"}
    found = estimate.of_recipe(recipes.load("offline", changes), local_hub=True)
    assert (found.model, found.requests, found.most_requests, found.usd) == ("writing-lora", 30, 30, 0)
