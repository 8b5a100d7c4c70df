"""A Gemma 3 of a few thousand parameters with a tokenizer trained on the spot: everything real but the size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from pipelines.rows import make_row, trl_columns

PRODUCTS = ["향초", "우산", "만년필", "운동화", "텀블러", "이불", "헤드폰", "자전거"]
VALUES = ["차분한", "든든한", "섬세한", "가벼운"]
LINES = ["오늘의 소란을 끄는 시간", "비 오는 날의 지붕 하나", "마음이 먼저 눕는 자리", "세상과 나 사이의 여백"]


def rows(n: int = 32, source: str = "written") -> Dataset:
    """`prompt`, `completion` and `source` of n rows."""
    made = [
        make_row(PRODUCTS[i % 8], [VALUES[i // 8 % 4]], f"{LINES[i % 4]} {PRODUCTS[i % 8][0]}{i}", source=source)
        for i in range(n)
    ]
    return Dataset.from_list([{**trl_columns(row), "source": row["source"]} for row in made])


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-fallback-free BPE in Gemma's form: ▁ for spaces, <bos> in front of plain text."""
    built = Tokenizer(models.BPE(unk_token="<unk>"))
    built.normalizer = normalizers.Replace(" ", "▁")
    built.pre_tokenizer = pre_tokenizers.Sequence(  # in Gemma's huge vocabulary merges stop at these by themselves
        [
            pre_tokenizers.Split(at, how)
            for at, how in (("\n", "isolated"), (":", "isolated"), ("▁", "merged_with_next"))
        ]
    )
    built.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    texts = [f"상품: {p}\n가치: {v}\n카피: {line} 0123456789" for p in PRODUCTS for v in VALUES for line in LINES]
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    built.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False))
    built.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=built, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )


def model(vocabulary: int, **changes: Any) -> Gemma3ForCausalLM:
    """Seeded random weights, bfloat16.

    Args:
        changes: of the config.
    """
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=64,
        layer_types=["sliding_attention", "full_attention"],
        **changes,
    )
    return Gemma3ForCausalLM(config).to(torch.bfloat16)


def save_base(folder: Path) -> Path:
    """Model and tokenizer, without a chat template, as a pretrained base stands on the Hub."""
    made = tokenizer()
    model(len(made)).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
