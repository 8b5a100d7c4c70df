"""A tiny Gemma 3 that llama.cpp's converter takes: its tokenizer is SentencePiece, trained on the spot."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from huggingface_hub import HfUri
from peft import LoraConfig, get_peft_model
from sentencepiece import SentencePieceTrainer
from transformers import AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GemmaTokenizer, GenerationConfig

from pipelines.rows import CHAT_TEMPLATE
from tests.tiny import language_model

#: What Korean copy has no need of: a third of the vocabulary.
OTHERS = [
    "спокойный вечер начинается с тихого света",
    "зонт держит крышу над дождливым днём",
    "бумага помнит руку лучше экрана",
    "ветер знает дорогу домой, колёса только слушают",
    "утро пахнет хлебом, а чашка согревает ладони до самого порога",
    "静かな夜は小さな灯りから始まる、雨の日の屋根はひとつ",
    "紙は手を覚えている、風は帰り道を知っている、朝はパンの香り",
]

CARD = "---\nlicense: gemma\ndatasets:\n- local/tiny-export-rows\n---\n"


def save_tokenizer(folder: Path) -> GemmaTokenizer:
    """Gemma's settings of SentencePiece, a few hundred pieces; `tokenizer.model` and what transformers makes of it."""
    texts = [
        f"상품: {p} 가치: {v} 카피: {line} 0123456789"
        for p in language_model.PRODUCTS
        for v in language_model.VALUES
        for line in language_model.LINES
    ] + OTHERS * 9
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        model_type="bpe",
        vocab_size=900,
        hard_vocab_limit=False,
        byte_fallback=True,
        **{f"{name}_id": number for number, name in enumerate(("pad", "eos", "bos", "unk"))},
        **{f"{name}_piece": f"<{name}>" for name in ("pad", "eos", "bos", "unk")},
        user_defined_symbols=["\n"],
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    (folder / "tokenizer.model").write_bytes(written.getvalue())
    tokenizer = GemmaTokenizer.from_pretrained(folder)
    for key in ("vocab_file", "is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(key, None)
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_base(folder: Path) -> Path:
    """Seeded random weights, bfloat16, loud enough for one next token to stand out."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = save_tokenizer(folder)
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        query_pre_attn_scalar=32,  # llama.cpp takes it for the same as head_dim
        sliding_window=64,
        layer_types=["sliding_attention", "full_attention"],
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=2,
    )
    model = Gemma3ForCausalLM(config)
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.2)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: gemma\n---\n")
    return folder


def save_adapter(folder: Path, base: HfUri, tokenizer: GemmaTokenizer) -> Path:
    """What `hanjul train` leaves, training apart: a LoRA that changes the base, tokenizer, licence files."""
    model = AutoModelForCausalLM.from_pretrained(base.id, revision=base.revision, dtype=torch.bfloat16)
    torch.manual_seed(1)
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    GenerationConfig(do_sample=True, top_p=0.95, max_new_tokens=4, eos_token_id=1, pad_token_id=0).save_pretrained(
        folder
    )
    files = {"README.md": CARD, "NOTICE": "Gemma is ...\n", "GEMMA_TERMS.html": "<p>", "hanjul.json": "{}\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
