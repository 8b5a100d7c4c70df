"""What a base's licence lets us do with an adapter, and that the shipped recipes name licences we have words for."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from model_card.cards.licences import LICENCES, UNKNOWN, Licence, identifier_of, licence_of, may_publish

RECIPES = sorted((Path(__file__).parents[3] / "scripts" / "recipes" / "train").glob("*.yaml"))
BASE = "someone/base"


@pytest.mark.parametrize(
    ("identifier", "allowed"),
    [
        (None, False),
        ("", False),
        ("unknown", False),
        ("other", False),
        ("cc-by-nd-4.0", False),
        ("cc-by-nc-nd-4.0", False),
        ("CC-BY-NC-ND-3.0", False),
        ("cc-by-nc-4.0", True),
        ("cc-by-nc-sa-4.0", True),
        ("apache-2.0", True),
        ("gemma", True),
        ("mit", True),
        ("llama3.2", True),
        ("kanana", True),
        ("ndless", True),
    ],
)
def test_who_may_publish(identifier, allowed):
    assert may_publish(identifier) is allowed


@pytest.mark.parametrize(
    ("licence", "name", "identifier"),
    [
        ("apache-2.0", None, "apache-2.0"),
        ("apache-2.0", "ignored", "apache-2.0"),
        ("other", "gemma-terms-of-use", "gemma"),
        ("other", "kanana", "kanana"),
        ("other", None, "unknown"),
        ("other", "", "unknown"),
        ("", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_what_a_card_declares(licence, name, identifier):
    assert identifier_of(licence, name) == identifier


def test_a_licence_without_words_of_ours_sends_to_the_page():
    assert licence_of("llama3.2", BASE) == Licence(
        "llama3.2",
        "llama3.2",
        "https://huggingface.co/someone/base",
        "기반 모델의 라이선스(`llama3.2`)를 그대로 따릅니다. 먼저 기반 모델 페이지에서 조건을 확인하세요.",
        "The base model's licence (`llama3.2`) applies as it is; read it on the base model's page first.",
    )


def test_no_licence_asks_for_permission():
    assert licence_of(UNKNOWN, BASE) == Licence(
        "unknown",
        "unknown",
        "https://huggingface.co/someone/base",
        "기반 모델 카드에 라이선스가 적혀 있지 않습니다. 이 어댑터를 공개하려면 저작권자의 허락이 필요합니다.",
        "The base model's card states no licence; publishing this adapter needs its author's permission.",
        republish=False,
    )


def test_no_derivatives_keeps_the_adapter_private():
    assert licence_of("cc-by-nd-4.0", BASE) == Licence(
        "cc-by-nd-4.0",
        "cc-by-nd-4.0",
        "https://huggingface.co/someone/base",
        "기반 모델의 라이선스(`cc-by-nd-4.0`)가 변경본의 배포를 금지하므로 이 어댑터는 공개할 수 없습니다.",
        "The base model's licence (`cc-by-nd-4.0`) forbids sharing changed versions; this adapter stays private.",
        republish=False,
    )


@given(st.text() | st.sampled_from([*LICENCES, "unknown", "other", "cc-by-nd-4.0"]))
def test_field_and_function_agree(identifier):
    assert licence_of(identifier, BASE).republish is may_publish(identifier)


@given(st.none() | st.text() | st.just("other"), st.none() | st.text())
def test_a_card_always_gets_an_identifier(licence, name):
    assert identifier_of(licence, name)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_names_a_licence_we_know(path):
    train = yaml.safe_load(path.read_text(encoding="utf-8"))["train"]
    assert train["licence"] in {*LICENCES, UNKNOWN}
    assert {"repo", "base_model", "base_revision", "licence", "gpu_memory_gb"} <= set(train)
    assert train["repo"] == f"hanjul-{path.stem}-lora"


def test_the_reference_models_are_there_with_their_published_settings():
    keys = ("base_model", "batch_size", "learning_rate", "epochs")
    recipes = [yaml.safe_load(path.read_text(encoding="utf-8"))["train"] for path in RECIPES]
    assert {
        ("42dot/42dot_LLM-SFT-1.3B", 10, 2e-4, 10),
        ("EleutherAI/polyglot-ko-3.8b", 8, 2e-4, 10),
        ("beomi/gemma-ko-2b", 64, 3e-5, 10),
        ("kykim/bertshared-kor-base", 4, 2e-4, 10),
    } <= {tuple(train[key] for key in keys) for train in recipes}
