"""Supervised fine-tuning of a LoRA adapter: TRL's SFTTrainer, with the head applied to completion tokens only.

TRL 1.16 has a fused head that skips the prompt, but only where Triton runs; elsewhere it scores every position, with
entropy and accuracy on top. With a vocabulary of 262,144 and 36 tokens a row, that is most of a training step on a CPU.
"""

from __future__ import annotations

import json
import math
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import torch
import torch.nn.functional as F
import transformers
from peft import LoraConfig
from transformers import ProgressCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from scripts import log
from scripts.errors import HanjulError
from scripts.settings import TrainSettings

CHECKPOINT_STEPS = 25
WARMUP = 0.05  # share of all steps


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer that computes logits for completion tokens alone and keeps the history of a run, pace included."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._rows, self._seconds = 0, 0.0
        super().__init__(*args, **kwargs)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Cross entropy summed over completion tokens / num_items_in_batch (their number in this batch when None)."""
        targets = inputs["labels"][:, 1:]
        keep = targets != -100
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        logits = self._logits(model, rest, F.pad(keep, (0, 1)))
        loss = F.cross_entropy(logits.float(), targets[keep], reduction="sum")
        if num_items_in_batch is None:
            return loss / keep.sum().clamp(min=1)
        # DDP averages gradients over processes, num_items_in_batch counts the tokens of all of them.
        return loss / num_items_in_batch * (self.accelerator.num_processes if self.model.training else 1)

    def _logits(self, model: Any, inputs: Any, positions: torch.Tensor) -> torch.Tensor:
        """Logits (tokens, vocabulary) at `positions` (batch, length): whatever the model, its head sees these alone."""
        head = self.accelerator.unwrap_model(model).get_output_embeddings()
        hook = head.register_forward_pre_hook(lambda module, args: (args[0][positions],))
        try:
            logits: torch.Tensor = model(**inputs, use_cache=False).logits
        finally:
            hook.remove()
        return logits

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """Loss per completion token over the whole held-out split, which is not the mean of the batches' means."""
        was_training = self.model.training
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64, device=self.accelerator.device)
        with torch.no_grad():
            for batch in self.get_eval_dataloader(eval_dataset):
                inputs = self._prepare_inputs(batch)
                sums[0] += self.compute_loss(self.model, inputs, num_items_in_batch=1)
                sums[1] += (inputs["labels"][:, 1:] != -100).sum()
        loss, tokens = self.accelerator.reduce(sums).tolist()
        self.model.train(was_training)
        metrics = {f"{metric_key_prefix}_loss": loss / tokens, f"{metric_key_prefix}_tokens": int(tokens)}
        self.log(dict(metrics))
        return metrics

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        started = time.perf_counter()
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        self._rows += len(inputs["input_ids"])
        self._seconds += time.perf_counter() - started
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Rows and seconds go into the history, which a checkpoint carries: the pace survives an interruption."""
        if "loss" in logs:
            logs |= {"rows": self._rows, "seconds": self._seconds}
            self._rows, self._seconds = 0, 0.0
        super().log(logs, start_time)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """TRL's card is not ours: scripts/train.py renders one from facts."""


class Bar(ProgressCallback):  # type: ignore[misc]
    """A progress bar that shows the loss; the stock one prints every log to stdout, which is for URIs."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if state.is_world_process_zero and self.training_bar is not None and logs and "loss" in logs:
            self.training_bar.set_postfix(loss=f"{float(logs['loss']):.3f}", refresh=False)


class Finite(TrainerCallback):  # type: ignore[misc]
    """Ends a run whose loss is no number any more."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and not math.isfinite(float(logs.get("loss", 0.0))):
            shutil.rmtree(args.output_dir)  # going on from these weights would diverge again
            raise HanjulError(
                f"The loss is {logs['loss']} at step {state.global_step}",
                f"train.learning_rate {args.learning_rate:g}",
                "lower train.learning_rate",
            )


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
