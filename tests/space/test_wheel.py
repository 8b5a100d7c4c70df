"""The wheel turns: a visitor's vote reaches the next dataset, the next adapter, and the cards of both."""

from __future__ import annotations

import atexit
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from feedback import Feedback
from huggingface_hub import HfUri
from trl.data_utils import is_conversational

from pipelines.features import PREFERENCES
from pipelines.rows import split_of
from scripts.core.settings import ImportSettings, Recipe, TrainSettings
from scripts.hub import inputs
from scripts.hub.hub import Hub
from scripts.stages import filter, import_rows, train
from tests.scripts.hub.given_rows import ROWS, rows_file
from tests.tiny import architectures, language_model

RECIPE = Recipe.model_validate({"filter": {"judge": "none"}})
REPO = "local/wheel-feedback"
PRODUCTS = ("제습기", "향초", "책", "모카포트", "원두", "이불")
LIKED = ("장마는 창밖에서만", "불을 끄고 켜는 저녁", "월요일도 반쯤은 금요일")
DISLIKED = ("거실 공기가 가벼워지는 하루", "골목이 늦잠을 자는 동안")


@pytest.fixture(scope="module")
def voted(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dataset of a page on which visitors, some of them no friends, have voted."""
    before = signal.getsignal(signal.SIGTERM)
    folder = tmp_path_factory.mktemp("votes")
    page = Feedback(REPO, "local/a", "0" * 40, "llama.cpp", personal=lambda text: "@" in text, folder=folder, every=60)
    assert {split_of(product) for product in PRODUCTS} == {"train"}
    for product in PRODUCTS:
        for line in LIKED:
            page.keep("like", product, ["든든한"], line, others=[*DISLIKED])
        for line in DISLIKED:
            page.keep("dislike", product, ["든든한"], line, others=[*LIKED])
    page.keep("edit", PRODUCTS[0], ["든든한"], DISLIKED[0], "거실이 산책하는 하루")
    for _ in range(50):
        page.keep("like", PRODUCTS[0], ["든든한"], "씨발 이것만 사세요")
    page.close()
    atexit.unregister(page.close)
    signal.signal(signal.SIGTERM, before)
    yield f"hf://datasets/{REPO}"


@pytest.fixture(scope="module")
def released(hub: Hub, voted: str, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    """Rows and votes, filtered together."""
    dataset = hub.repo("dataset", "wheel-copy")
    for source in (rows_file(tmp_path_factory.mktemp("rows")), voted):
        import_rows.run(hub, dataset, ImportSettings(source=source), seed=1)
    return filter.run(hub, inputs.pinned(hub, dataset.to_uri(), filter.READS), None, RECIPE)


def test_config_preferences_has_what_visitors_prefer(released: HfUri) -> None:
    pairs = load_dataset(released.id, "preferences", split="train")
    assert pairs.features == PREFERENCES and all(map(is_conversational, pairs))
    assert set(pairs["product"]) == set(PRODUCTS)
    said = {(pair["chosen"][0]["content"], pair["rejected"][0]["content"], pair["reason"]) for pair in pairs}
    assert ("거실이 산책하는 하루", DISLIKED[0], "edited") in said
    assert {(line, DISLIKED[0], "disliked") for line in LIKED} & said
    assert not any("씨발" in line for pair in said for line in pair)
    assert {row["ad_copy"] for row in load_dataset(released.id, split="train")} <= {row["ad_copy"] for row in ROWS}


def test_the_dataset_card_counts_them(hub: Hub, released: HfUri) -> None:
    pairs = sum(map(len, load_dataset(released.id, "preferences").values()))
    likes, dislikes = len(LIKED) * len(PRODUCTS), len(DISLIKED) * len(PRODUCTS)
    readme = hub.text(released, "README.md")
    assert f"좋아요 {likes}, 싫어요 {dislikes}, 고친 글 1 → 선호 쌍 {pairs}." in readme
    assert f"likes {likes}, dislikes {dislikes}, edits 1 → preferences {pairs}." in readme
    tally = {"likes": likes, "dislikes": dislikes, "edits": 1, "pairs": pairs}
    assert json.loads(hub.text(released, "report.json"))["visitors"] == tally
    assert hub.manifest(released)["counts"]["visitors"] == tally
    assert {"feedback", "preferences", "votes", "raw", "default"} <= set(hub.config_names(released))


def test_filtering_again_finds_what_was_done(hub: Hub, released: HfUri, voted: str) -> None:
    dataset = hub.repo("dataset", "wheel-copy")
    import_rows.run(hub, dataset, ImportSettings(source=voted), seed=1)
    assert filter.run(hub, inputs.pinned(hub, dataset.to_uri(), filter.READS), None, RECIPE) == released


def test_an_adapter_learns_them_and_its_card_counts_them(hub: Hub, released: HfUri, tmp_path: Path) -> None:
    architectures.save_base("gemma3", tmp_path)
    base = hub.repo("model", "wheel-base")
    hub.api.create_repo(base.id, exist_ok=True)
    hub.api.upload_folder(repo_id=base.id, folder_path=tmp_path)
    base = hub.resolve(base)
    sft: dict[str, Any] = {"repo": "wheel-sft", "batch_size": 4, "max_steps": 1}
    learnt = load_dataset(released.id, "preferences", split="train")
    language_model.rows().push_to_hub("local/wheel-sft-rows", "default", set_default=True)
    rows = hub.resolve("hf://datasets/local/wheel-sft-rows")
    start = train.run(hub, rows, base, TrainSettings(**sft), seed=1)
    dpo = TrainSettings(**sft | {"repo": "wheel-dpo", "method": "dpo", "start": start.to_uri()})
    uri = train.run(hub, released, base, dpo, seed=1)
    assert hub.manifest(uri)["counts"]["preferences of visitors"] == len(learnt)
    readme = hub.text(uri, "README.md")
    assert f"좋아요 {len(LIKED) * len(PRODUCTS)}, " in readme and f"→ 선호 쌍 {len(learnt)} ·" in readme
