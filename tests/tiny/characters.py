"""Tokenizers with one token a character, for models whose every letter a test wants to name."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]


def tokenizer(characters: Iterable[str], chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """The special tokens, then the characters in their order; no token is added to a text."""
    vocabulary = {text: number for number, text in enumerate([*SPECIAL, *characters])}
    built = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    built.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    built.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=built,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        chat_template=chat_template,
    )
