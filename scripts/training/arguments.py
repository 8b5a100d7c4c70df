"""Turn settings of a recipe into arguments of transformers, TRL and PEFT."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import Seq2SeqTrainingArguments
from trl import DPOConfig, SFTConfig

from scripts.core.settings import TrainSettings

WARMUP = 0.05  # share of all steps


def common(settings: TrainSettings, seed: int, folder: Path, evaluated: bool) -> dict[str, Any]:
    """Arguments that all trainers share. Checkpoints go to `folder`, nothing goes elsewhere.

    Args:
        evaluated: there are held-out rows, measured after each epoch.
    """
    best = keeps_best(settings, evaluated)
    cuda = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps,
        "per_device_train_batch_size": 1 if settings.packing else settings.batch_size // world_size(),
        "per_device_eval_batch_size": settings.batch_size // world_size(),
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "activation_checkpointing": settings.gradient_checkpointing,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": WARMUP,
        "bf16": True,
        "torch_compile": settings.compile,
        "use_cpu": not torch.accelerator.is_available(),
        "seed": seed,
        "save_strategy": "epoch",  # callbacks.FrequentCheckpoints adds to it
        "save_total_limit": 2,  # the best and the last: with 1 the last goes when training ends, also by SIGTERM
        "restore_callback_states_from_checkpoint": True,  # how long early stopping has been waiting
        "eval_strategy": "epoch" if evaluated else "no",
        "load_best_model_at_end": best,
        "metric_for_best_model": "eval_loss" if best else None,
        "greater_is_better": False if best else None,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "dataloader_pin_memory": cuda,
        "ddp_find_unused_parameters": False,
        "fsdp": settings.fsdp or None,
        "report_to": "none" if settings.tracking == "none" else settings.tracking,
        "project": "hanjul",
        "push_to_hub": False,
        "disable_tqdm": True,  # callbacks.ShowProgress stands in
    }


def keeps_best(settings: TrainSettings, evaluated: bool) -> bool:
    """Whether the checkpoint of the best held-out loss is taken in the end, and not the last one."""
    return evaluated and settings.keep != "last"


def world_size() -> int:
    """The number of processes that train together, as torchrun and accelerate put it into the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def for_sft(settings: TrainSettings, seed: int, folder: Path, evaluated: bool) -> SFTConfig:
    """Arguments of SFT. Nothing is cut: `preflight` refuses longer rows. A packed step has as many tokens as it may."""
    return SFTConfig(
        **common(settings, seed, folder, evaluated),
        max_length=settings.max_length * settings.batch_size // world_size() if settings.packing else None,
        packing=settings.packing,
        eval_packing=False,
        completion_only_loss=True,
    )


def for_dpo(settings: TrainSettings, seed: int, folder: Path, evaluated: bool) -> DPOConfig:
    """Arguments of DPO, with the reference's log-probabilities from the adapter's own copy."""
    return DPOConfig(**common(settings, seed, folder, evaluated), max_length=None, beta=settings.beta)


def for_encoder_decoder(settings: TrainSettings, seed: int, folder: Path, evaluated: bool) -> Seq2SeqTrainingArguments:
    """Arguments of an encoder-decoder's training."""
    return Seq2SeqTrainingArguments(**common(settings, seed, folder, evaluated))


def lora(settings: TrainSettings, encoder_decoder: bool) -> LoraConfig:
    """LoRA on every linear layer but the head (Dettmers et al. 2023, "QLoRA", section 4)."""
    return LoraConfig(
        task_type="SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM",
        target_modules="all-linear",
        exclude_modules=["pooler.dense"] if encoder_decoder else None,  # nothing reads a pooler's output
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        use_rslora=settings.rslora,
        use_dora=settings.dora,
    )
