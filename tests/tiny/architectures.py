"""Tiny bases of every architecture that the training recipes name, with tokenizers of their kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertTokenizerFast,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GemmaConfig,
    GemmaForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from scripts.training import loading
from tests.tiny import language_model

#: transformers spells "abcdef" with a vocabulary when it looks for stop strings in it.
LATIN = "abcdef"

TEXTS = [
    f"상품: {product}\n가치: {value}\n카피: {line} {product[0]}0123456789 {LATIN}"
    for product in language_model.PRODUCTS
    for value in language_model.VALUES
    for line in language_model.LINES
]

#: ChatML as Qwen 2.5 has it, without a system turn.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

#: As Qwen3 has it: an answer is shown behind an empty block of thought, which the generation prompt does not open.
THINKING = CHATML.replace(
    "+ message.content", "+ ('<think>\n\n</think>\n\n' if message.role == 'assistant' else '') + message.content"
)

#: Nothing marks where an answer begins.
UNMARKED = "{% for message in messages %}{{ message.content + eos_token }}{% endfor %}"

#: Weights large enough that lines hang on the prompt.
_SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 0.3,
}
_GROUPED = _SIZE | {"num_key_value_heads": 1, "head_dim": 16}


def byte_level(end: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE whose one special token is the end of a text; no begin, no padding."""
    built = Tokenizer(models.BPE())
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=[end], initial_alphabet=alphabet, show_progress=False)
    built.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=built, eos_token=end)


def llama() -> tuple[Any, Any]:
    tokenizer = byte_level("<|endoftext|>")
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **_GROUPED, **_marks(tokenizer))), tokenizer


def gpt_neox() -> tuple[Any, Any]:
    """With rows of the embedding that no token has, and with token types, which the model refuses."""
    tokenizer = byte_level("<|endoftext|>")
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=len(tokenizer) + 8, **_SIZE, **_marks(tokenizer))), tokenizer


def gemma() -> tuple[Any, Any]:
    tokenizer = _with_latin(language_model.tokenizer())
    return GemmaForCausalLM(GemmaConfig(vocab_size=len(tokenizer), **_GROUPED, **_marks(tokenizer))), tokenizer


def gemma3() -> tuple[Any, Any]:
    tokenizer = _with_latin(language_model.tokenizer())
    layers = {"sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"]}
    config = Gemma3TextConfig(vocab_size=len(tokenizer), **_GROUPED, **layers, **_marks(tokenizer))
    return Gemma3ForCausalLM(config), tokenizer


def qwen3() -> tuple[Any, Any]:
    """With Qwen's own tokenizer class, a ChatML template, and rows of the embedding that no token has."""
    tokenizer = Qwen2Tokenizer().train_new_from_iterator(
        TEXTS, 500, new_special_tokens=["<|im_start|>", "<|im_end|>"], show_progress=False
    )
    tokenizer.chat_template = CHATML
    config = Qwen3Config(vocab_size=len(tokenizer) + 8, **_GROUPED, **_marks(tokenizer))
    return Qwen3ForCausalLM(config), tokenizer


def encoder_decoder() -> tuple[Any, Any]:
    """BERT twice with one set of weights, as `EncoderDecoderModel` with `tie_encoder_decoder` had them."""
    blank = BertTokenizerFast(do_lower_case=False, strip_accents=False)
    tokenizer = blank.train_new_from_iterator(TEXTS, 300, show_progress=False)
    own = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # other in each process, by nature
    encoder, decoder = (
        BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **_SIZE, **own) for _ in range(2)
    )
    config = EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.tie_encoder_decoder = True
    config.decoder_start_token_id = tokenizer.cls_token_id
    config.eos_token_id, config.pad_token_id = tokenizer.sep_token_id, tokenizer.pad_token_id
    return loading.tie_encoder_decoder(EncoderDecoderModel(config)), tokenizer


ARCHITECTURES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "llama": llama,
    "gpt-neox": gpt_neox,
    "gemma": gemma,
    "gemma3": gemma3,
    "qwen3": qwen3,
    "encoder-decoder": encoder_decoder,
}


def save_base(name: str, folder: Path) -> None:
    """Weights (seeded, bfloat16), config, tokenizer and a card with a licence, as a base stands on the Hub."""
    torch.manual_seed(0)
    model, tokenizer = ARCHITECTURES[name]()
    model.to(torch.bfloat16)
    if name == "encoder-decoder":  # a checkpoint of that time: pickled, and what is shared stands in it twice
        model.config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    else:
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")


def _with_latin(tokenizer: Any) -> Any:
    tokenizer.add_tokens(list(LATIN))
    return tokenizer


def _marks(tokenizer: Any) -> dict[str, int | None]:
    return {f"{mark}_token_id": getattr(tokenizer, f"{mark}_token_id") for mark in ("bos", "eos", "pad")}
