"""Lines from a language model with a chat template: what evaluation and `hanjul generate` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipelines.rows import Message, normalise

#: Tokens among which one is drawn: far more than top_p leaves, far fewer than a vocabulary of 262,144 to sort.
TOP_K = 1000

#: Prompts sampled together. Decoding is bound by reading the weights, so a batch costs little more than one prompt.
BATCH = 32


def generate_lines(
    model: Any,
    tokenizer: Any,
    chats: Sequence[Sequence[Message]],
    *,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """One line for each chat, in order: sampled, cut at the first line break.

    Args:
        model: a `transformers` causal model or encoder-decoder (or a PEFT one), in evaluation mode.
        tokenizer: with a chat template; its padding side is set here.
        temperature: 0 is greedy.
        max_new_tokens: tokens of the line at most.
        progress: called with the number of chats done after each batch.
    """
    import torch  # here, since the llama.cpp server, which needs no torch, shares TOP_K
    from transformers import LogitsProcessorList

    torch.manual_seed(seed)
    tokenizer.padding_side = "right" if model.config.is_encoder_decoder else "left"  # a decoder goes on at the end
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    draw = LogitsProcessorList([_draw(temperature, top_p)] if temperature else [])
    ends = _ends(model, tokenizer)
    lines: list[str] = []
    for start in range(0, len(chats), BATCH):
        encoded = tokenizer.apply_chat_template(
            list(chats[start : start + BATCH]),
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(model.device)
        encoded.pop("token_type_ids", None)  # a chat is one segment, and causal models refuse to hear of it
        with torch.inference_mode():
            output = model.generate(
                **encoded,
                do_sample=False,  # `draw` leaves one token to choose
                logits_processor=draw,
                eos_token_id=ends,
                max_new_tokens=max_new_tokens,
                pad_token_id=tokenizer.pad_token_id,
            )
        read = 0 if model.config.is_encoder_decoder else encoded["input_ids"].shape[1]
        texts = tokenizer.batch_decode(output[:, read:], skip_special_tokens=True)
        lines += [first_line(text) for text in texts]
        progress(len(lines))
    return lines


def _draw(temperature: float, top_p: float) -> Callable[[Any, Any], Any]:
    """What draws the next token of each row: of its logits, (rows, vocabulary), all but the drawn one become -inf.

    The sampling of transformers sorts the whole vocabulary, and draws from it: with 262,144 tokens that takes longer
    than the model. Here it is the TOP_K likeliest.
    """
    import torch
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    warpers = (TemperatureLogitsWarper(temperature), TopPLogitsWarper(top_p))

    def draw(written: Any, logits: Any) -> Any:
        likely, tokens = logits.topk(min(TOP_K, logits.shape[-1]))
        for warp in warpers:
            likely = warp(written, likely)
        drawn = tokens.gather(1, torch.multinomial(likely.softmax(-1), 1))
        return torch.full_like(logits, -torch.inf).scatter(1, drawn, 0)

    return draw


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Tokens after which nothing more is written: those that end an answer, and all that hold a line break."""
    named = model.generation_config.eos_token_id
    ends = named if isinstance(named, list) else [tokenizer.eos_token_id if named is None else named]
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    breaks = [token for token, text in enumerate(texts) if "\n" in text]
    return [*ends, *breaks]


def first_line(text: str) -> str:
    """The first line of an answer, white space made plain; empty where the model said nothing."""
    return normalise(text.strip().split("\n", 1)[0])
