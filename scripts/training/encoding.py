"""Encode rows as token ids, by the tokenizer's chat template and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import HanjulError
from pipelines.rows import CHAT_TEMPLATE, user_message

#: What the template is tried on: words of a row, with nothing that a template could trim.
_PROBE = ([user_message("향초", ["차분한"])], [{"role": "assistant", "content": "오늘의 소란을 끄는 시간"}])


def encode(tokenizer: Any, row: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Token ids of a row's `prompt` (generation prompt included) and of its `completion` (end of answer included).

    A judge's rows are plain texts, which TRL begins and ends with the tokenizer's own marks; others are messages.
    """
    if isinstance(row["prompt"], str):
        text, end = tokenizer(row["prompt"] + row["completion"]).input_ids, tokenizer.eos_token_id
        begin = tokenizer(row["prompt"]).input_ids
        return begin, [*text[len(begin) :], *([] if text[-1] == end else [end])]
    whole = tokenizer.apply_chat_template([*row["prompt"], *row["completion"]], return_dict=True)["input_ids"]
    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]
    return whole[: len(prompt)], whole[len(prompt) :]


def with_chat_template(tokenizer: Any, choice: str, base: str) -> Any:
    """The tokenizer with the chat template to train with, and with marks for begin, end and padding.

    Args:
        choice: `base` takes the tokenizer's own template where it has one, `hanjul` ours in any case.
        base: id of the base model, for errors.

    Raises:
        HanjulError: a prompt with its generation prompt is not the beginning of the same prompt with its answer (no
            generation prompt, or something put before the answer), so no model could learn to go on from it.
    """
    if choice == "hanjul" or not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    # BERT's tokenizers call begin and end by other names.
    tokenizer.bos_token = tokenizer.bos_token or tokenizer.cls_token or tokenizer.eos_token
    tokenizer.eos_token = tokenizer.eos_token or tokenizer.sep_token
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    # A chat is one segment, and `generate` of causal models refuses token types.
    tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    prompt, answer = _PROBE
    shown = tokenizer.apply_chat_template(prompt, tokenize=False)
    opened = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
    answered = tokenizer.apply_chat_template([*prompt, *answer], tokenize=False)
    goes_on = answered.startswith(opened) and answered.removeprefix(opened).lstrip().startswith(answer[0]["content"])
    if opened == shown or not goes_on:
        what = (
            "has no generation prompt" if opened == shown else "does not go on from its generation prompt to the line"
        )
        raise HanjulError(
            f"The chat template of this base {what}", base, "set train.chat_template to hanjul, which takes ours"
        )
    return tokenizer


def end_token_ids(tokenizer: Any) -> list[int]:
    """Ids of the tokens that may end an answer: the one of the template, and the tokenizer's own."""
    prompt, answer = _PROBE
    completion = encode(tokenizer, {"prompt": prompt, "completion": answer})[1]
    special = set(tokenizer.all_special_ids) | set(getattr(tokenizer, "added_tokens_decoder", {}))
    closing = next((token for token in completion if token in special), None)
    return sorted({token for token in (closing, tokenizer.eos_token_id) if token is not None})
