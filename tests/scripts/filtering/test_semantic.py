"""Near-duplicates in meaning, with a sentence encoder of a few thousand random weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from pipelines.errors import HanjulError
from pipelines.rows import make_row
from scripts.core.settings import FilterSettings, Recipe, SemanticSettings
from scripts.filtering import semantic
from scripts.filtering.partition import partition_passed
from scripts.hub.hub import Hub
from tests.limits import limits

WORDS = ["부엌이", "먼저", "깬다", "골목의", "아침", "월요일도", "반쯤은", "금요일", "마음이", "눕는", "자리"]
LINES = [" ".join(WORDS[(start + step) % 11] for step in range(3)) for start in range(11)]


def save_encoder(folder: Path) -> Path:
    """A BERT of two layers with mean pooling, as sentence encoders stand on the Hub."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    built = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    built.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    built.train_from_iterator(
        [*WORDS, *LINES], trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    )
    built.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=built, mask_token="[MASK]", **names)
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    bert = folder / "bert"
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **size)).save_pretrained(bert)
    tokenizer.save_pretrained(bert)
    words = Transformer(str(bert))
    encoder = SentenceTransformer(modules=[words, Pooling(16, pooling_mode="mean")], device="cpu")
    encoder.save(str(folder / "encoder"))
    return folder / "encoder"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def rows(lines: list[str], **columns: Any) -> list[dict[str, Any]]:
    return [dict(make_row(f"물건 {place}", ["여유"], line, **columns)) for place, line in enumerate(lines)]


def vectors_of(encoder: Path, lines: list[str]) -> np.ndarray[Any, Any]:
    from sentence_transformers import SentenceTransformer

    found = np.asarray(SentenceTransformer(str(encoder), device="cpu").encode(lines), np.float64)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def brute_force(vectors: np.ndarray[Any, Any], least: float) -> dict[tuple[int, int], float]:
    count = len(vectors)
    cosines = {(one, two): float(vectors[one] @ vectors[two]) for one in range(count) for two in range(one + 1, count)}
    return {pair: cosine for pair, cosine in cosines.items() if cosine >= least}


def same(found: list[semantic.Pair], expected: dict[tuple[int, int], float]) -> bool:
    cosines = {(one, two): cosine for one, two, cosine in found}
    close = all(abs(cosine - cosines[pair]) < 1e-5 for pair, cosine in expected.items() if pair in cosines)
    return len(cosines) == len(found) and cosines.keys() == expected.keys() and close


def middle(vectors: np.ndarray[Any, Any]) -> float:
    """A threshold that no cosine is close to, with pairs on both sides."""
    cosines = sorted(brute_force(vectors, -2.0).values())
    half = cosines[len(cosines) // 2 :]
    gap = max(range(len(half) - 1), key=lambda place: half[place + 1] - half[place])
    return (half[gap] + half[gap + 1]) / 2


def test_pairs_are_those_of_brute_force(encoder: Path) -> None:
    vectors = vectors_of(encoder, LINES)
    least = middle(vectors)
    expected = brute_force(vectors, least)
    assert 0 < len(expected) < 55
    found = semantic.similar_pairs(rows(LINES), SemanticSettings(model=str(encoder), max_cosine=least))
    assert same(found, expected)
    assert all(type(one) is int and type(two) is int and type(cosine) is float for one, two, cosine in found)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 10, 11, 12])
def test_pairs_across_the_borders_of_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(11, 4))
    vectors[[0, 4, 10]] = vectors[7]  # equal ones stand in several chunks
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    monkeypatch.setattr(semantic, "CHUNK", chunk)
    monkeypatch.setattr(semantic, "_vectors", lambda lines, chosen: vectors.astype(np.float32))
    for least in (0.3, 0.9):
        found = semantic.similar_pairs(rows(LINES), SemanticSettings(model="any", max_cosine=least))
        assert same(found, brute_force(vectors, least))
        assert {(0, 4), (0, 7), (0, 10), (4, 7), (4, 10), (7, 10)} <= {pair[:2] for pair in found}


def test_thousands_of_rows_are_compared_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(1).normal(size=(2 * semantic.CHUNK + 7, 8))
    vectors[[semantic.CHUNK - 1, semantic.CHUNK, 2 * semantic.CHUNK + 6]] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    monkeypatch.setattr(semantic, "_vectors", lambda lines, chosen: vectors.astype(np.float32))
    found = semantic.similar_pairs([{"ad_copy": ""}] * len(vectors), SemanticSettings(model="any", max_cosine=0.95))
    expected = np.argwhere(np.triu(vectors @ vectors.T >= 0.95, 1)).tolist()
    assert sorted([one, two] for one, two, _ in found) == expected
    assert {(0, 999), (0, 1000), (0, 2006), (999, 1000), (999, 2006), (1000, 2006)} <= {pair[:2] for pair in found}


@pytest.mark.parametrize("lines", [[], ["부엌이 먼저 깬다"]])
def test_too_few_rows_to_compare(encoder: Path, lines: list[str]) -> None:
    assert semantic.similar_pairs(rows(lines), SemanticSettings(model=str(encoder))) == []


@pytest.mark.parametrize("least", [0.9, 0.999])
def test_equal_and_odd_lines(encoder: Path, least: float) -> None:
    odd = ["부엌이 먼저 깬다", "", "부엌이 먼저 깬다", "😀" * 500, "", "아침 " * 500]
    found = {
        pair[:2] for pair in semantic.similar_pairs(rows(odd), SemanticSettings(model=str(encoder), max_cosine=least))
    }
    assert {(0, 2), (1, 4)} <= found


def test_at_most_one_finds_what_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.repeat(np.random.default_rng(2).normal(size=(40, 768)).astype(np.float32), 2, axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    monkeypatch.setattr(semantic, "_vectors", lambda lines, chosen: vectors)
    found = semantic.similar_pairs([{"ad_copy": ""}] * 80, SemanticSettings(model="any", max_cosine=1.0))
    assert [pair[:2] for pair in found] == [(place, place + 1) for place in range(0, 80, 2)]


def test_the_better_of_two_that_mean_the_same_stays(monkeypatch: pytest.MonkeyPatch, encoder: Path) -> None:
    lines = ["부엌이 먼저 깬다", "주방이 눈을 뜬 아침", "부엌이 먼저 깬다 깬다"]
    settings = FilterSettings(judge="none", semantic=SemanticSettings(model=str(encoder), max_cosine=0.9))
    vectors = np.eye(3, dtype=np.float32)
    vectors[1] = vectors[0]
    monkeypatch.setattr(semantic, "_vectors", lambda texts, chosen: vectors)
    given = rows(lines, source="imported")
    kept, rejected = partition_passed(given, limits(gated=False), None, Recipe(filter=settings))
    assert [row["ad_copy"] for row in kept] == [lines[0], lines[2]]
    assert [(row["ad_copy"], row["reason"], row["evidence"], row["group_id"]) for row in rejected] == [
        (lines[1], "near_duplicate", f"1.00 in meaning like {given[0]['id']}", given[0]["id"])
    ]


def test_no_encoder_is_asked_where_the_recipe_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    kept, rejected = partition_passed(rows(LINES[:1], source="imported"), limits(gated=False), None, Recipe())
    assert (len(kept), rejected) == (1, [])


def test_an_encoder_on_the_hub(hub: Hub, encoder: Path) -> None:
    hub.api.create_repo("local/encoder")
    first = hub.api.upload_folder(repo_id="local/encoder", folder_path=str(encoder)).oid
    chosen = SemanticSettings(model="local/encoder", revision=first, max_cosine=0.999)
    assert [pair[:2] for pair in semantic.similar_pairs(rows([LINES[0], LINES[5], LINES[0]]), chosen)] == [(0, 2)]


def test_a_package_that_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(HanjulError, match="needs sentence-transformers, which is not installed") as caught:
        semantic.similar_pairs(rows(LINES), SemanticSettings(model="jhgan/ko-sroberta-multitask"))
    assert caught.value.where == "jhgan/ko-sroberta-multitask"
    assert "pip install 'hanjul[semantic]'" in caught.value.next_step


def fails(model: str, revision: str | None = None) -> HanjulError:
    with pytest.raises(HanjulError, match="The sentence encoder cannot be loaded") as caught:
        semantic.similar_pairs(rows(LINES), SemanticSettings(model=model, revision=revision))
    assert caught.value.next_step == "check filter.semantic.model"
    return caught.value


def test_an_encoder_that_is_nowhere_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    assert fails("local/no-such-encoder").where == "local/no-such-encoder"
    fails(str(tmp_path / "nowhere"))
    fails("no such name at all")


def test_a_revision_that_is_nowhere_is_a_sentence(hub: Hub, encoder: Path) -> None:
    hub.api.create_repo("local/pinned-encoder")
    hub.api.upload_folder(repo_id="local/pinned-encoder", folder_path=str(encoder))
    fails("local/pinned-encoder", "0" * 40)


def test_a_repo_without_a_model_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    hub.api.create_repo("local/no-model")
    fails("local/no-model")
    (tmp_path / "empty").mkdir()
    fails(str(tmp_path / "empty"))


def test_a_broken_encoder_is_a_sentence(tmp_path: Path) -> None:
    folder = save_encoder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    fails(str(folder))
