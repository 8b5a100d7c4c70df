"""Supervised fine-tuning of a LoRA adapter: a trainer built from settings, run, resumed and summed up as a curve."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from peft import LoraConfig
from transformers import ProgressCallback
from trl import SFTConfig

from scripts import log
from scripts.completion_trainer import Bar, CompletionTrainer, Finite
from scripts.settings import TrainSettings

CHECKPOINT_STEPS = 25
WARMUP = 0.05  # share of all steps


def build_trainer(
    model: Any,
    tokenizer: Any,
    train: datasets.Dataset,
    held_out: datasets.Dataset | None,
    settings: TrainSettings,
    seed: int,
    folder: Path,
) -> CompletionTrainer:
    """A trainer over conversational `prompt` and `completion` columns. Checkpoints go to `folder`, nothing elsewhere.

    Args:
        tokenizer: with the chat template to train with.
    """
    config = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=WARMUP,
        train_sampling_strategy="group_by_length",
        max_length=None,  # a longer row is an error, found before this
        completion_only_loss=True,
        bf16=True,
        gradient_checkpointing=False,
        use_cpu=not torch.accelerator.is_available(),
        seed=seed,
        save_steps=CHECKPOINT_STEPS,
        save_total_limit=1,
        eval_strategy="epoch" if held_out else "no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        dataloader_pin_memory=False,
        report_to="none",
        push_to_hub=False,
        disable_tqdm=log.QUIET,
    )
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        target_modules="all-linear",
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
    )
    columns = ["prompt", "completion"]
    trainer = CompletionTrainer(
        model=model,
        args=config,
        train_dataset=train.select_columns(columns),
        eval_dataset=held_out.select_columns(columns) if held_out else None,
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[Finite()],
    )
    if not log.QUIET:
        trainer.remove_callback(ProgressCallback)
        trainer.add_callback(Bar)
    return trainer


def fit(trainer: CompletionTrainer) -> dict[str, Any]:
    """Train, from the last whole checkpoint where there is one.

    Returns:
        The curve: `steps` of {step, loss}, `held_out_steps` likewise (step 0 is the base model), `held_out` as
        {base, adapter, tokens} (None without a held-out split), `samples_per_second`, `seconds`. Losses are mean
        negative log-likelihoods (nats) per completion token.
    """
    trainer.train(resume_from_checkpoint=last_checkpoint(Path(trainer.args.output_dir)))
    history, last_step = trainer.state.log_history, trainer.state.global_step
    held_out = None
    measured = [{"step": entry["step"], "loss": entry["eval_loss"]} for entry in history if "eval_loss" in entry]
    if trainer.eval_dataset is not None:
        if not measured or measured[-1]["step"] != last_step:
            measured.append({"step": last_step, "loss": trainer.evaluate()["eval_loss"]})
        with trainer.model.disable_adapter():
            base = trainer.evaluate()
        measured.insert(0, {"step": 0, "loss": base["eval_loss"]})
        held_out = {"base": base["eval_loss"], "adapter": measured[-1]["loss"], "tokens": base["eval_tokens"]}
    steps = [entry for entry in history if "loss" in entry]
    seconds = sum(entry["seconds"] for entry in steps)
    return {
        "steps": [{"step": entry["step"], "loss": entry["loss"]} for entry in steps],
        "held_out_steps": measured,
        "held_out": held_out,
        "samples_per_second": round(sum(entry["rows"] for entry in steps) / seconds, 2),
        "seconds": round(seconds, 1),
    }


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint. Its state is written last, so one without was cut off and is removed."""
    whole: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        try:
            whole[json.loads((checkpoint / "trainer_state.json").read_text())["global_step"]] = checkpoint
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
    return str(whole[max(whole)]) if whole else None


@contextmanager
def quiet() -> Iterator[None]:
    """Only our own bar on stderr: no bars of map and load, no advice to people who call the libraries directly."""
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        datasets.enable_progress_bars()
        transformers.logging.enable_progress_bar()
        transformers.logging.set_verbosity(verbosity)
