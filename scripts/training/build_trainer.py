"""Build a trainer from a base, rows and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import get_peft_model
from transformers import DataCollatorForSeq2Seq, EarlyStoppingCallback, PrinterCallback, set_seed

from scripts.core.settings import TrainSettings
from scripts.training import arguments, packing
from scripts.training.callbacks import FrequentCheckpoints, ShowProgress, StopOnNonFiniteLoss, StopOnSigterm
from scripts.training.encoding import encode
from scripts.training.trainers import CompletionTrainer, EncoderDecoderTrainer, PreferenceTrainer


def build_trainer(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    held_out: Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> Any:
    """Build the trainer that suits model and method, with our callbacks. Checkpoints go to `folder`, nothing elsewhere.

    Args:
        model: the base for `method: sft`; for `dpo` a PEFT model with the adapter to start from, trainable.
        tokenizer: with the chat template to train with.
        train, held_out: conversational columns `prompt` and `completion` for sft, `prompt`, `chosen` and `rejected`
            for dpo.
    """
    set_seed(seed)  # the adapter's first weights are drawn before the trainer sets it
    evaluated = held_out is not None
    if model.config.is_encoder_decoder:
        model = get_peft_model(model, arguments.lora(settings, encoder_decoder=True))
        kind, args = EncoderDecoderTrainer, arguments.for_encoder_decoder(settings, seed, folder, evaluated)
        own: dict[str, Any] = {"data_collator": DataCollatorForSeq2Seq(tokenizer, model=model)}
        train, held_out = (rows and _encoded(tokenizer, rows) for rows in (train, held_out))
    elif settings.method == "dpo":
        kind, args, own = PreferenceTrainer, arguments.for_dpo(settings, seed, folder, evaluated), {}
        train, held_out = (rows and rows.select_columns(["prompt", "chosen", "rejected"]) for rows in (train, held_out))
    else:
        if settings.packing:
            first, second = ([*prompt, *line] for prompt, line in (encode(tokenizer, train[row]) for row in (0, 1)))
            packing.check_packing(model, first, second)
        kind, args = CompletionTrainer, arguments.for_sft(settings, seed, folder, evaluated)
        own = {"peft_config": arguments.lora(settings, encoder_decoder=False)}
        train, held_out = (rows and rows.select_columns(["prompt", "completion"]) for rows in (train, held_out))
    trainer = kind(
        model=model, args=args, train_dataset=train, eval_dataset=held_out, processing_class=tokenizer, **own
    )
    trainer.remove_callback(PrinterCallback)
    for callback in (StopOnNonFiniteLoss(), FrequentCheckpoints(), StopOnSigterm(), ShowProgress()):
        trainer.add_callback(callback)
    if arguments.keeps_best(settings, evaluated):
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    return trainer


def _encoded(tokenizer: Any, rows: Dataset) -> Dataset:
    """Columns `input_ids`, `attention_mask` (of the prompt) and `labels` (the line)."""

    def ids(row: dict[str, Any]) -> dict[str, Any]:
        prompt, completion = encode(tokenizer, row)
        return {"input_ids": prompt, "attention_mask": [1] * len(prompt), "labels": completion}

    return rows.map(ids, remove_columns=rows.column_names)
