"""TRL's SFTTrainer with the head applied to completion tokens only, and the callbacks that go with it.

TRL 1.16 has a fused head that skips the prompt, but only where Triton runs; elsewhere it scores every position, with
entropy and accuracy on top. With a vocabulary of 262,144 and 36 tokens a row, that is most of a training step on a CPU.
"""

from __future__ import annotations

import math
import shutil
import time
from typing import Any

import torch
import torch.nn.functional as F
from transformers import ProgressCallback, TrainerCallback
from trl import SFTTrainer

from scripts.errors import HanjulError


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
            num_items_in_batch, scale = keep.sum().clamp(min=1), 1
        else:  # DDP averages gradients over processes; num_items_in_batch counts the tokens of all of them
            scale = self.accelerator.num_processes if self.model.training else 1
        mean: torch.Tensor = scale * loss / num_items_in_batch
        return mean

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
