"""A trainer from a base, rows and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, EarlyStoppingCallback, ProgressCallback, set_seed

from scripts import log
from scripts.settings import TrainSettings
from scripts.training import arguments, packing
from scripts.training.callbacks import Bar, Finite, Often, Terminated
from scripts.training.encoding import encode
from scripts.training.trainers import CompletionTrainer, EncoderDecoderTrainer, PreferenceTrainer


def trainer(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    held_out: Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> Any:
    """The trainer that suits model and method, with our callbacks. Checkpoints go to `folder`, nothing elsewhere.

    Args:
        model: the base for `method: sft`; for `dpo` a PEFT model with the adapter to start from, trainable.
        tokenizer: with the chat template to train with.
        train, held_out: conversational columns `prompt` and `completion` for sft, `prompt`, `chosen` and `rejected`
            for dpo.
    """
    set_seed(seed)  # the adapter's first weights are drawn before the trainer sets it
    make = _preferences if settings.method == "dpo" else _lines
    if model.config.is_encoder_decoder:
        make = _encoder_decoder
    built = make(model, tokenizer, train, held_out, settings, seed, folder)
    for callback in (Finite(), Often(), Terminated()):
        built.add_callback(callback)
    if held_out is not None:
        built.add_callback(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    if not log.QUIET:
        built.remove_callback(ProgressCallback)
        built.add_callback(Bar)
    return built


def _lines(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    held_out: Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> CompletionTrainer:
    if settings.packing:
        first, second = ([*prompt, *line] for prompt, line in (encode(tokenizer, train[row]) for row in (0, 1)))
        packing.check(model, first, second)
    columns = ["prompt", "completion"]
    return CompletionTrainer(
        model=model,
        args=arguments.for_sft(settings, seed, folder, held_out is not None),
        train_dataset=train.select_columns(columns),
        eval_dataset=held_out.select_columns(columns) if held_out else None,
        processing_class=tokenizer,
        peft_config=arguments.lora(settings, encoder_decoder=False),
    )


def _encoder_decoder(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    held_out: Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> EncoderDecoderTrainer:
    from peft import get_peft_model

    def encoded(rows: Dataset) -> Dataset:
        def ids(row: dict[str, Any]) -> dict[str, Any]:
            prompt, completion = encode(tokenizer, row)
            return {"input_ids": prompt, "attention_mask": [1] * len(prompt), "labels": completion}

        return rows.map(ids, remove_columns=rows.column_names)

    return EncoderDecoderTrainer(
        model=get_peft_model(model, arguments.lora(settings, encoder_decoder=True)),
        args=arguments.for_encoder_decoder(settings, seed, folder, held_out is not None),
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        train_dataset=encoded(train),
        eval_dataset=encoded(held_out) if held_out else None,
        processing_class=tokenizer,
    )


def _preferences(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    held_out: Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> PreferenceTrainer:
    columns = ["prompt", "chosen", "rejected"]
    return PreferenceTrainer(
        model=model,
        args=arguments.for_dpo(settings, seed, folder, held_out is not None),
        train_dataset=train.select_columns(columns),
        eval_dataset=held_out.select_columns(columns) if held_out else None,
        processing_class=tokenizer,
    )
