"""Planning through the stage, alone and with a loopback teacher that widens the taxonomy first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfUri

from pipelines.errors import HanjulError, LimitReachedError
from pipelines.planning.screening import Proposal
from pipelines.planning.taxonomy import KINDS
from scripts.core import env
from scripts.core.settings import PairsSettings
from scripts.hub.hub import Hub
from scripts.models import models
from scripts.stages import pairs
from scripts.teaching import limits
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, completion, serve
from tests.pipelines.planning.categories import one_group
from tests.tiny import language_model

BASE = HfUri(type="model", id="someone/base", revision="a" * 40)
SMALL = (
    one_group("커피", ("커피 캡슐", "모카포트"), {kind: ("편안한",) for kind in KINDS}),
    one_group("가구", ("흔들의자",), {kind: ("아늑한",) for kind in KINDS}),
)
PRODUCTS = {"커피": ["원두", "커피캡슐", "Nespresso 캡슐"], "가구": ["책장", "소파"]}
VALUES = {
    "functional": ["진한", "오래가는"],
    "social": ["나눔", "Best"],
    "emotional": ["편안함", "설렘"],
    "epistemic": ["낯선 이야기", "나눔"],
    "conditional": ["비 오는 날", "이사한 첫날"],
}


def write(body: dict[str, Any], choice: int) -> str | tuple[int, str]:
    prompt = body["messages"][0]["content"]
    if "\n상품: 소파" in prompt:
        return 422, "no"
    if "\n상품: " in prompt:
        return json.dumps(VALUES)
    return json.dumps({"products": PRODUCTS["커피" if "분류: 커피" in prompt else "가구"]})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key, and a store of answers of its own for each test."""
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr(env, "answers_path", lambda: env.data_dir() / tmp_path.name / "answers.sqlite")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "load_taxonomy", lambda: SMALL)


def settings(url: str | None, n: int = 40, **proposing: Any) -> PairsSettings:
    teacher = {"base_url": url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"}
    return PairsSettings.model_validate({"n": n, "propose": {"teacher": teacher, "products": 3} | proposing})


def proposals(hub: Hub, uri: HfUri) -> list[Proposal]:
    return [Proposal(**json.loads(line)) for line in hub.text(uri, "proposals.jsonl").splitlines()]


def test_without_a_teacher_the_taxonomy_is_covered_as_it_is(hub: Hub) -> None:
    dataset = hub.repo("dataset", "pairs-alone")
    uri = pairs.run(hub, dataset, None, PairsSettings(n=128), seed=1, base=BASE)
    manifest = hub.manifest(uri)
    assert manifest["counts"] | {
        "values": None,
        "kind_entropy": None,
        "device_entropy": None,
        "tone_entropy": None,
    } == {
        **dict.fromkeys(("out", "pairs", "products"), 128),
        "categories": 64,
        "category_entropy": 1.0,
        **dict.fromkeys(("values", "kind_entropy", "device_entropy", "tone_entropy")),
    }
    assert min(manifest["counts"][f"{name}_entropy"] for name in ("kind", "device", "tone")) > 0.99
    assert manifest["recipe"] == {"n": 128, "values_max": 2, "seed": 1}  # as before there were proposals
    assert manifest["usage"] == {} and "base" not in manifest["inputs"]
    assert hub.file(uri, "proposals.jsonl") is None


def test_a_teacher_widens_the_taxonomy_and_is_asked_once(hub: Hub, small: None) -> None:
    dataset = hub.repo("dataset", "pairs-proposed")
    with serve(write) as endpoint:
        uri = pairs.run(hub, dataset, None, settings(endpoint.url), seed=1)
        assert len(endpoint.log.requests) == 2 + 3  # categories, new products
        assert pairs.run(hub, dataset, None, settings(endpoint.url, concurrency=3), seed=1) == uri
        assert len(endpoint.log.requests) == 5
    found = proposals(hub, uri)
    assert [(each.product, each.status, each.reason, each.evidence) for each in found if each.kind == "product"] == [
        ("원두", "kept", "", ""),
        ("커피캡슐", "merged", "lemma", "커피 캡슐"),
        ("Nespresso 캡슐", "rejected", "latin", "Nespresso"),
        ("책장", "kept", "", ""),
        ("소파", "kept", "", ""),
    ]
    beans = [each for each in found if each.kind == "value" and each.product == "원두"]
    assert len(beans) == 10 and all(each.category == "커피" and each.score is None for each in beans)
    assert [(each.value_kind, each.value, each.status, each.reason) for each in beans if each.reason] == [
        ("social", "Best", "rejected", "latin"),
        ("epistemic", "나눔", "merged", "lemma"),
    ]
    assert ("편안한", "편안함") in {(each.value, each.evidence) for each in beans if each.status == "kept"}
    by_product: dict[str, set[str]] = {}
    for row in hub.rows(uri, "pairs"):
        by_product.setdefault(row["product"], set()).update(row["values"])
    assert set(by_product) == {"커피 캡슐", "모카포트", "원두", "책장"}, "소파 has no values, 흔들의자 is held out"
    assert by_product["원두"] <= {each.value for each in beans if each.status == "kept"}
    manifest = hub.manifest(uri)
    counts = manifest["counts"]["proposals"]
    assert counts.pop("failures") == {"rejected 422": 1}
    assert counts == {
        **{"products_kept": 3, "products_merged": 1, "products_rejected": 1},
        **{"values_kept": 16, "values_rejected": 2, "values_merged": 2},
        "reasons": {"product: lemma": 1, "product: latin": 1, "value: latin": 2, "value: lemma": 2},
    }
    assert manifest["counts"]["products"] == 4 and manifest["counts"]["category_entropy"] == 1.0
    usage = manifest["usage"]
    assert usage["requests_sent"] == 5 and usage["input_tokens"] > usage["output_tokens"] > 0 and usage["usd"] == 0
    files = [path for path in hub.snapshot(uri).rglob("*") if path.is_file()]
    assert files and not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(("least", "status", "reason"), [(-1e6, "kept", ""), (1e6, "rejected", "unrelated")])
def test_values_are_judged_by_the_base(
    hub: Hub, small: None, monkeypatch: pytest.MonkeyPatch, least: float, status: str, reason: str
) -> None:
    tokenizer = language_model.tokenizer()
    monkeypatch.setattr(models, "load_base", lambda uri: (language_model.model(len(tokenizer)).eval(), tokenizer))
    with serve(write) as endpoint:
        chosen = settings(endpoint.url, n=20, min_relatedness=least)
        uri = pairs.run(hub, hub.repo("dataset", f"pairs-{status}"), None, chosen, seed=1, base=BASE)
    scored = [each for each in proposals(hub, uri) if each.score is not None]
    assert len(scored) == 16
    assert {(each.kind, each.status, each.reason) for each in scored} == {("value", status, reason)}
    assert hub.manifest(uri)["inputs"]["base"] == BASE.to_uri()
    values = {value for row in hub.rows(uri, "pairs") if row["product"] == "원두" for value in row["values"]}
    assert bool(values) == (status == "kept")


def test_a_limit_ends_the_questions_and_keeps_the_answers(hub: Hub, small: None) -> None:
    with serve(write) as endpoint:
        chosen = settings(endpoint.url, n=20, budget={"max_requests": 3}, concurrency=1)
        uri = pairs.run(hub, hub.repo("dataset", "pairs-limit"), None, chosen, seed=1)
        assert len(endpoint.log.requests) == 3
    counts = hub.manifest(uri)["counts"]["proposals"]
    assert counts["products_kept"] == 3 and counts["values_kept"] == 8
    assert counts["failures"] == {"limit": 2}
    assert counts["limit"] == "max_requests = 3 (3 sent)"
    with pytest.raises(
        LimitReachedError, match=r"3 products and 8 values kept, 2 questions left; 3 requests"
    ) as raised:
        limits.raise_if_reached(hub, uri)
    assert raised.value.where == uri.to_uri()
    assert raised.value.next_step.startswith("raise `pairs.propose.budget.max_requests`; then run it again")


@pytest.mark.field
@pytest.mark.parametrize(
    ("products", "values", "said"),
    [
        ("Please log in.", "", "product came of 2 questions (no usable answer: 2, e.g. “Please log in.”)"),
        ("물론입니다!", "", "product came of 2 questions (no usable answer: 2, e.g. “물론입니다!”)"),
        ('{"products": ["Lego"]}', "", "product came of 2 questions (products rejected as `latin`: 2, e.g. “Lego”)"),
        ('{"products": ["책장"]}', "Not now.", "value came of 1 questions (no usable answer: 1, e.g. “Not now.”)"),
        (
            '{"products": ["책장"]}',
            '{"social": ["Best"]}',
            "value came of 1 questions (values rejected as `latin`",
        ),
    ],
)
def test_a_round_without_a_usable_proposal_ends_it_with_what_came_back(
    hub: Hub, small: None, monkeypatch: pytest.MonkeyPatch, products: str, values: str, said: str
) -> None:
    monkeypatch.setattr("pipelines.endpoint.completions.FIRST_PAUSE_S", 0.001)

    def answer(body: dict[str, Any], choice: int) -> str:
        prompt = body["messages"][0]["content"]
        return values if "\n상품: " in prompt else products

    with serve(answer) as endpoint, pytest.raises(HanjulError, match=re.escape(f"Not one usable {said}")) as raised:
        pairs.run(hub, hub.repo("dataset", "pairs-barren"), None, settings(endpoint.url), seed=1)
    assert raised.value.where == endpoint.url
    assert "pairs.propose.teacher" in raised.value.next_step


@pytest.mark.field
def test_a_key_that_is_refused_names_its_variable_and_its_place(
    hub: Hub, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_once(body: dict[str, Any], choice: int) -> str | tuple[int, str]:
        return (401, "revoked") if len(endpoint.log.requests) > 2 else write(body, choice)

    dataset = hub.repo("dataset", "pairs-key")
    with serve(write_once) as endpoint, pytest.raises(HanjulError, match="revoked") as raised:
        pairs.run(hub, dataset, None, settings(endpoint.url), seed=1)
    assert raised.value.next_step == "put a valid key into MY_TEACHER_KEY"
    monkeypatch.delenv("MY_TEACHER_KEY")
    with pytest.raises(HanjulError, match="not in the environment"):
        pairs.run(hub, dataset, None, settings("https://teacher.example/v1"), seed=1)
    named = settings("https://teacher.example/v1").model_dump()
    named["propose"]["teacher"]["api_key_env"] = None
    with pytest.raises(HanjulError, match="key is not named") as raised:
        pairs.run(hub, dataset, None, PairsSettings.model_validate(named), seed=1)
    assert raised.value.where == "pairs.propose.teacher.api_key_env"


@pytest.mark.field
def test_another_model_than_asked_is_said(
    hub: Hub, small: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "tests.pipelines.endpoint.teacher_server.completion",
        lambda body, lines: completion(body, lines) | {"model": "another-7b"},
    )
    with serve(write) as endpoint:
        uri = pairs.run(hub, hub.repo("dataset", "pairs-another"), None, settings(endpoint.url, n=20), seed=1)
    assert capfd.readouterr().err.count(f"pairs: answers: {MODEL} was asked, and another-7b answered (4)") == 1
    assert hub.manifest(uri)["counts"]["proposals"]["answered_by"] == {"another-7b": 4}


def test_what_is_wrong_is_a_sentence(hub: Hub, small: None) -> None:
    dataset = hub.repo("dataset", "pairs-wrong")
    with pytest.raises(HanjulError, match="need a teacher at an endpoint"):
        pairs.run(hub, dataset, None, settings(None), seed=1)
    with pytest.raises(HanjulError, match="does not answer"):
        pairs.run(hub, dataset, None, settings("http://127.0.0.1:9/v1"), seed=1)
    with (
        serve(lambda body, choice: json.dumps({"products": ["모카포트"]})) as endpoint,
        pytest.raises(HanjulError, match=r"Not one usable product .*products merged as `lemma`: 2, e\.g\. “모카포트”"),
    ):
        pairs.run(hub, dataset, None, settings(endpoint.url), seed=1)
    with serve(write) as endpoint, pytest.raises(HanjulError, match="9999 pairs asked for"):
        pairs.run(hub, dataset, None, settings(endpoint.url, n=9999), seed=1)


@pytest.mark.field
@pytest.mark.parametrize(
    ("teacher", "budget", "where"),
    [
        ({"api_key_env": None}, {}, "pairs.propose.teacher.api_key_env"),
        ({"model": None}, {}, "pairs.propose.teacher.model"),
        ({}, {"max_usd": 1}, "pairs.propose.teacher.price"),
    ],
)
def test_what_the_one_who_proposes_lacks_is_named_where_it_stands(
    hub: Hub, small: None, teacher: dict[str, Any], budget: dict[str, Any], where: str
) -> None:
    asked = settings("https://teacher.example/v1", budget=budget).model_dump()
    asked["propose"]["teacher"] |= teacher
    with pytest.raises(HanjulError) as raised:
        pairs.run(hub, hub.repo("dataset", "lacking"), None, PairsSettings.model_validate(asked), seed=1)
    assert raised.value.where == where
