"""The two stages on the local Hub: what they publish loads and speaks, and what must not be published is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import httpx2
import numpy as np
import pytest
import torch
from gguf import GGUFReader
from huggingface_hub import HfUri, ModelCard
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from model_card.cards.exports import Parity
from pipelines.errors import HanjulError
from pipelines.rows import CHAT_TEMPLATE
from scripts.exporting import convert, gguf_export, gguf_files, merge, parity, trim
from scripts.models import models
from scripts.models.llama_server import serve
from tests.scripts.exporting.test_parity import spoil

IDS = torch.tensor([[2, 300, 310, 320, 330]])


@pytest.fixture(scope="module", autouse=True)
def any_share_lost() -> Iterator[None]:
    """Weights that were drawn give tokens of other scripts half of the probability."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parity.LIMITS, trim.KIND, Parity(parity.PROMPTS, 0.0, 10.0, 0.99))
        yield


@pytest.fixture(scope="module")
def exported(hub, published: tuple[HfUri, HfUri]) -> HfUri:
    return gguf_export.run(hub, *published)


def files_of(hub, uri: HfUri) -> list[str]:
    return sorted(hub.api.list_repo_files(uri.id, revision=uri.revision))


def test_the_merged_model_is_the_adapter_without_peft(hub, published: tuple[HfUri, HfUri]) -> None:
    adapter, _ = published
    merged = merge.run(hub, adapter)
    assert merged.id == f"{adapter.id}-merged"
    assert merge.run(hub, adapter) == merged  # found, not made again
    assert files_of(hub, merged) == [
        ".gitattributes",
        "GEMMA_TERMS.html",
        "NOTICE",
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "hanjul.json",
        "manifest.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
    ]
    model = AutoModelForCausalLM.from_pretrained(merged.id, revision=merged.revision)
    assert model.dtype == torch.bfloat16
    ours, _ = models.load_adapter(adapter)
    base, _ = models.load_base(models.base_of(hub, adapter))
    with torch.inference_mode():
        found, wanted, plain = (m(input_ids=IDS).logits for m in (model, ours, base))
    assert torch.equal(found, wanted)
    assert not torch.allclose(found, plain, atol=0.1)
    assert model.generation_config.max_new_tokens == 4
    assert AutoTokenizer.from_pretrained(merged.id, revision=merged.revision).chat_template == CHAT_TEMPLATE
    assert hub.text(merged, "NOTICE") == (
        "Gemma is ...\n\nThe adapter is merged into its base, local/tiny-export-base: a modified work.\n"
    )
    manifest = hub.manifest(merged)
    assert manifest["inputs"]["adapter"] == adapter.to_uri()
    assert manifest["counts"] == {"parameters": model.num_parameters()}


@pytest.mark.parametrize("size", ["1GB", "20KB"], ids=["whole", "shards"])
def test_weights_go_by_the_names_that_a_later_commit_may_delete(tmp_path: Path, size: str) -> None:
    config = LlamaConfig(vocab_size=9, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=1)
    LlamaForCausalLM(config).save_pretrained(tmp_path, max_shard_size=size)
    weights = sorted(path.name for path in tmp_path.iterdir() if "safetensors" in path.name)
    assert (len(weights) == 1) == (size == "1GB")
    assert all(any(fnmatchcase(name, form) for form in merge.WEIGHTS) for name in weights)


def test_a_batch_of_prompts_takes_no_copies_of_the_head(published: tuple[HfUri, HfUri]) -> None:
    model, _ = models.load_adapter(published[0])
    with torch.inference_mode(), torch.profiler.profile(record_shapes=True) as profile:
        model(input_ids=IDS.repeat(3, 1), logits_to_keep=1)
    copied = [3, *reversed(model.get_output_embeddings().weight.shape)]
    assert not [event.name for event in profile.events() if copied in event.input_shapes]


def test_the_usage_of_the_merged_model_runs(
    hub, published: tuple[HfUri, HfUri], capsys: pytest.CaptureFixture[str]
) -> None:
    card = hub.text(merge.run(hub, published[0]), "README.md")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    capsys.readouterr()
    exec(code, {})  # the card's own words
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_ggufs_are_published_with_their_parity(hub, published: tuple[HfUri, HfUri], exported: HfUri) -> None:
    adapter, dataset = published
    name = adapter.id.split("/")[1]
    assert exported.id == f"{adapter.id}-gguf"
    assert files_of(hub, exported) == [
        ".gitattributes",
        "GEMMA_TERMS.html",
        "NOTICE",
        "README.md",
        "hanjul.json",
        "manifest.json",
        "parity.json",
        f"{name}-Q4_K_M.gguf",
        f"{name}-Q8_0-ko.gguf",
        f"{name}-Q8_0.gguf",
        f"{name}-base-Q8_0-ko.gguf",
    ]
    report = json.loads(hub.text(exported, "parity.json"))
    assert [file["kind"] for file in report["files"]] == ["Q8_0", "Q4_K_M", "Q8_0-ko"]
    assert report["base"]["name"] == f"{name}-base-Q8_0-ko.gguf"
    for file in (*report["files"], report["base"]):
        path = hub.file(exported, file["name"])
        assert file["bytes"] == path.stat().st_size
        assert file["parity"]["prompts"] > 40 and file["parity"]["tokenizer"] == 1.0
    manifest = hub.manifest(exported)
    assert manifest["inputs"]["dataset"] == dataset.to_uri()
    assert manifest["counts"] == {file["kind"]: file["parity"] for file in report["files"]}
    data = ModelCard(hub.text(exported, "README.md")).data
    assert (data.base_model, data["base_model_relation"], data.library_name) == (adapter.id, "quantized", "gguf")
    assert gguf_export.run(hub, adapter, dataset) == exported


def test_the_request_on_the_card_is_answered(hub, exported: HfUri) -> None:
    card = hub.text(exported, "README.md")
    (body,) = re.findall(r"-d '(.*)'\n", card)
    path = hub.file(exported, f"{exported.id.split('/')[1].removesuffix('-gguf')}-Q4_K_M.gguf")
    with serve(path, None, "", slots=1, context_per_slot=128) as url:
        answer = httpx2.post(f"{url}/chat/completions", json=json.loads(body), timeout=60, trust_env=False)
    usage = answer.json()["usage"]
    assert 0 < usage["completion_tokens"] <= 40
    prompt = "상품: 핸드크림\n가치: 촉촉한\n카피:"
    tokenizer = AutoTokenizer.from_pretrained(exported.id.removesuffix("-gguf"))
    assert usage["prompt_tokens"] == len(tokenizer(prompt).input_ids) + 1  # and <bos>


def copy_of(hub, adapter: HfUri, name: str, **changed: str) -> HfUri:
    """The adapter under another name, with some files replaced."""
    repo = hub.repo("model", name)
    hub.api.create_repo(repo.id)
    hub.api.upload_folder(repo_id=repo.id, folder_path=hub.snapshot(adapter))
    for path, text in changed.items():
        hub.api.upload_file(repo_id=repo.id, path_or_fileobj=text.encode(), path_in_repo=path.replace("__", "."))
    return hub.resolve(repo)


def test_the_base_stands_beside_the_adapter_in_the_same_vocabulary(hub, exported: HfUri) -> None:
    report = json.loads(hub.text(exported, "parity.json"))
    adapter, base = (GGUFReader(hub.file(exported, file["name"])) for file in (report["files"][-1], report["base"]))
    fields = [{name: field.contents() for name, field in reader.fields.items()} for reader in (adapter, base)]
    assert {key for key in fields[0] if fields[0][key] != fields[1].get(key)} == {"general.name"}
    tensors = [{tensor.name: tensor.data for tensor in reader.tensors} for reader in (adapter, base)]
    changed = {name for name, data in tensors[0].items() if not np.array_equal(data, tensors[1][name])}
    assert {name.split(".")[2] for name in changed} >= {"attn_q", "ffn_down"}
    assert not [name for name in changed if "norm" in name or "token" in name]


def test_a_base_that_is_large_is_not_published(
    hub, published: tuple[HfUri, HfUri], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_files, "BASE_LIMIT", 10_000)
    made = gguf_export.run(hub, copy_of(hub, published[0], "tiny-large-lora"), published[1])
    report = json.loads(hub.text(made, "parity.json"))
    assert report["base"] is None and "Q8_0-ko" in [file["kind"] for file in report["files"]]
    assert report["refused"] == {"base-Q8_0-ko": "0.0 GB > 0 GB"}
    assert not [name for name in files_of(hub, made) if "-base-" in name]


def test_a_vocabulary_that_is_korean_already_is_left_whole(
    hub, published: tuple[HfUri, HfUri], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trim, "LEAST_LOST", 0.9)
    made = gguf_export.run(hub, copy_of(hub, published[0], "tiny-korean-lora"), published[1])
    report = json.loads(hub.text(made, "parity.json"))
    assert [file["kind"] for file in report["files"]] == ["Q8_0", "Q4_K_M"]
    assert re.fullmatch(r"Korean lines need \d+ of its \d+ tokens", report["refused"]["Q8_0-ko"])
    assert f"not published: Q8_0-ko ({report['refused']['Q8_0-ko']})" in hub.text(made, "README.md")


@pytest.mark.parametrize("kinds", [("Q8_0",), ("Q8_0", "Q4_K_M")], ids=["one", "both"])
def test_a_gguf_that_speaks_otherwise_is_not_published(
    hub, published: tuple[HfUri, HfUri], monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, ...]
) -> None:
    adapter, dataset = copy_of(hub, published[0], f"tiny-spoilt-{len(kinds)}-lora"), published[1]
    quantise = convert.quantise

    def spoilt(source: Path, target: Path, kind: str) -> Path:
        made = quantise(source, target, kind)
        return spoil(made, "token_embd.weight") if kind in kinds else made

    monkeypatch.setattr(convert, "quantise", spoilt)
    monkeypatch.setitem(parity.LIMITS, trim.KIND, parity.LIMITS["Q8_0"])
    if len(kinds) == 2:
        with pytest.raises(HanjulError, match="No GGUF speaks as the model does: Q8_0 agreement"):
            gguf_export.run(hub, adapter, dataset)
        assert hub.head(HfUri(type="model", id=f"{adapter.id}-gguf")) is None
        return
    made = gguf_export.run(hub, adapter, dataset)
    report = json.loads(hub.text(made, "parity.json"))
    assert [file["kind"] for file in report["files"]] == ["Q4_K_M"]
    assert list(report["refused"]) == ["Q8_0", "Q8_0-ko"]
    assert [name for name in files_of(hub, made) if name.endswith(".gguf")] == [report["files"][0]["name"]]
    assert f"not published: Q8_0 ({report['refused']['Q8_0']})" in hub.text(made, "README.md")


def test_a_licence_that_gives_no_right_is_refused(hub, published: tuple[HfUri, HfUri]) -> None:
    adapter = copy_of(hub, published[0], "tiny-nd-lora", README__md="---\nlicense: cc-by-nd-4.0\n---\n")
    with pytest.raises(HanjulError) as caught:
        merge.run(hub, adapter)
    assert caught.value.what == (
        "The licence of this adapter (cc-by-nd-4.0) gives no right to publish its weights in another form"
    )
    assert hub.head(HfUri(type="model", id=f"{adapter.id}-merged")) is None


def test_an_encoder_decoder_is_refused(hub, published: tuple[HfUri, HfUri]) -> None:
    config = json.loads(hub.text(published[0], "adapter_config.json")) | {"task_type": "SEQ_2_SEQ_LM"}
    adapter = copy_of(hub, published[0], "tiny-seq2seq-lora", adapter_config__json=json.dumps(config))
    with pytest.raises(HanjulError, match=r"llama\.cpp's server does not serve encoder-decoder models"):
        gguf_export.run(hub, adapter, published[1])


def test_rows_without_a_prompt_are_refused(hub, published: tuple[HfUri, HfUri], tmp_path: Path) -> None:
    from datasets import Dataset

    from tests.scripts.exporting.conftest import DATA_CARD, put

    Dataset.from_list([{"text": "비 오는 날의 지붕"}]).to_parquet(tmp_path / "test.parquet")
    (tmp_path / "README.md").write_text(DATA_CARD)
    dataset = put(hub, "dataset", "tiny-promptless", tmp_path)
    with pytest.raises(HanjulError, match="No column completion, prompt in config default"):
        gguf_export.run(hub, published[0], dataset)


def test_a_sealed_release_is_not_changed(hub, published: tuple[HfUri, HfUri]) -> None:
    adapter = copy_of(hub, published[0], "tiny-sealed-lora")
    with pytest.raises(HanjulError, match=r"v0\.1\.0 is released"):
        merge.run(hub, adapter, sealed="v0.1.0")
    assert parity.LIMITS.keys() == {*convert.KINDS, trim.KIND}
