"""A real adapter, trained while a test starts: a character-level Llama that learns a few lines by heart."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pipelines.rows import CHAT_TEMPLATE, user_message
from tests.tiny import characters

LINES = [
    "비 오는 날도 수건은 뽀송",
    "눅눅한 하루를 접어 두었습니다",
    "장마가 우리 집만 비껴갑니다",
    "창밖은 비, 방 안은 맑음",
    "빨래가 먼저 웃는 집",
    "이불 속까지 날씨 좋음",
    "오늘 습도는 내가 정한다",
    "젖은 마음부터 말립니다",
    "문을 열면 마른 바람",
    "구름 없는 거실",
]
#: What was learnt; how it is put together is drawn, and differs from machine to machine.
WORDS = {word for line in LINES for word in line.split()}
PAIR = ("제습기", ["뽀송함", "여유"])


def make_adapter(folder: Path, steps: int = 70) -> Path:
    """Train the base on LINES as answers to PAIR, put an adapter on it, save both.

    Returns:
        The adapter's folder; its config names the base's.
    """
    torch.manual_seed(0)
    tokenizer = _tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    base = LlamaForCausalLM(config)
    chats = [[user_message(*PAIR), {"role": "assistant", "content": line}] for line in LINES]
    batch = tokenizer.apply_chat_template(chats, padding=True, return_tensors="pt", return_dict=True)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(base.parameters(), lr=5e-3)
    for _ in range(steps):
        base(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    base.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    base.name_or_path = str(folder / "base")
    base.config._name_or_path = str(folder / "base")
    get_peft_model(base, lora).save_pretrained(folder / "adapter")
    tokenizer.save_pretrained(folder / "adapter")
    GenerationConfig(eos_token_id=[tokenizer.eos_token_id]).save_pretrained(folder / "adapter")
    return folder / "adapter"


def _tokenizer() -> PreTrainedTokenizerFast:
    texts = [user_message(*PAIR)["content"], "카피:\n", *LINES, "0123456789 .,·"]
    return characters.tokenizer(sorted({character for text in texts for character in text}), CHAT_TEMPLATE)
