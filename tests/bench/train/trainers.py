"""The three trainers that are compared, each as a process: `python -m tests.bench.train.trainers KIND PLAN`.

All get the same base, the same batches in the same order, the same first LoRA weights, optimiser and rate, and are
measured on the same held-out rows by the same code. Last line on stdout: {"samples_s", "loss", "rss_gb", "steps"}.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback, set_seed

from pipelines.rows import CHAT_TEMPLATE
from scripts.core.settings import TrainSettings
from scripts.training import loading
from scripts.training.build_trainer import build_trainer
from scripts.training.dpo import line_losses, per_token
from scripts.training.encoding import encode
from scripts.training.run_trainer import run_trainer

SEED = 1
RATE, RANK, ALPHA = 2e-4, 16, 32
#: Steps that are not timed: kernels are made for new shapes.
WARM = 2


class StepTimer(TrainerCallback):  # type: ignore[misc]
    """Seconds of each optimiser step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        self.started = time.perf_counter()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.seconds.append(time.perf_counter() - self.started)


def lora() -> LoraConfig:
    return LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=RANK, lora_alpha=ALPHA)


def load(base: str) -> tuple[Any, Any]:
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = CHAT_TEMPLATE
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16), tokenizer


def stock(base: str, rows: Sequence[Any], batch: int, folder: Path) -> tuple[Any, Any, list[float]]:
    """TRL's SFTTrainer with its defaults for prompt and completion columns, activation checkpointing among them."""
    from trl import SFTConfig, SFTTrainer

    class InOrder(SFTTrainer):  # type: ignore[misc]
        def _get_train_sampler(self, *args: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    model, tokenizer = load(base)
    timer = StepTimer()
    config = SFTConfig(
        output_dir=str(folder), per_device_train_batch_size=batch, num_train_epochs=1, learning_rate=RATE, seed=SEED,
        lr_scheduler_type="constant", report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    set_seed(SEED)
    trainer = InOrder(
        model=model, args=config, train_dataset=Dataset.from_list(list(rows)), processing_class=tokenizer,
        peft_config=lora(), callbacks=[timer],
    )  # fmt: skip
    trainer.train()
    return trainer.model, tokenizer, timer.seconds


def ours(base: str, rows: Sequence[Any], batch: int, folder: Path) -> tuple[Any, Any, list[float]]:
    """Hanjul's trainer as `hanjul train` builds it, but for the order of rows and the constant rate."""
    model, tokenizer = load(base)
    settings = TrainSettings(epochs=1, batch_size=batch, learning_rate=RATE, lora_r=RANK, lora_alpha=ALPHA)
    with loading.quiet_libraries():
        trainer = build_trainer(model, tokenizer, Dataset.from_list(list(rows)), None, settings, SEED, folder)
        trainer.args.lr_scheduler_type, trainer.args.warmup_steps = "constant", 0
        trainer._get_train_sampler = lambda *args: SequentialSampler(trainer.train_dataset)
        timer = StepTimer()
        trainer.add_callback(timer)
        run_trainer(trainer)
    return trainer.model, tokenizer, timer.seconds


def bare(base: str, rows: Sequence[Any], batch: int, folder: Path) -> tuple[Any, Any, list[float]]:
    """A loop over the same model and loss: forward, head on completion tokens, backward, AdamW."""
    model, tokenizer = load(base)
    set_seed(SEED)
    model = get_peft_model(model, lora()).train()
    layers, head = model.base_model.model.model, model.get_output_embeddings()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.0)
    encoded = [encode(tokenizer, row) for row in rows]
    seconds = []
    for start in range(0, len(encoded), batch):
        ids, mask, labels = padded(encoded[start : start + batch])
        started = time.perf_counter()
        keep = labels[:, 1:] != -100
        with torch.autocast("cpu", torch.bfloat16):
            hidden = layers(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            logits = head(hidden[:, :-1][keep])
        F.cross_entropy(logits.float(), labels[:, 1:][keep]).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - started)
    return model, tokenizer, seconds


def padded(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    length = max(len(prompt) + len(line) for prompt, line in rows)
    ids = torch.zeros((len(rows), length), dtype=torch.long)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for row, (prompt, line) in enumerate(rows):
        end = len(prompt) + len(line)
        ids[row, :end] = torch.tensor(prompt + line)
        mask[row, :end] = 1
        labels[row, len(prompt) : end] = torch.tensor(line)
    return ids, mask, labels


KINDS: dict[str, Callable[..., tuple[Any, Any, list[float]]]] = {"stock": stock, "ours": ours, "bare": bare}


def main(kind: str, plan: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer, seconds = KINDS[kind](plan["base"], plan["rows"], plan["batch"], Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    timed = seconds[WARM:]
    with torch.autocast("cpu", torch.bfloat16):
        loss = per_token(line_losses(model, tokenizer, plan["held_out"]))
    figures = {"samples_s": plan["batch"] * len(timed) / sum(timed), "loss": loss, "rss_gb": peak / 1e9}
    print(json.dumps(figures | {"steps": [round(second, 3) for second in seconds]}))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
