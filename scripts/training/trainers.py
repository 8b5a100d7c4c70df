"""Trainers of TRL and transformers with our loss, timing and held-out measure; nothing else of them is changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from transformers import Seq2SeqTrainer
from trl import DPOTrainer, SFTTrainer

from pipelines.progress import Progress
from scripts.training import completion_loss
from scripts.training.length_sampler import LengthSampler

_Base: Any = SFTTrainer if TYPE_CHECKING else object


class TimedTrainer(_Base):  # type: ignore[misc]
    """Rows and seconds of the steps go into the history, which a checkpoint carries: they survive an interruption."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._rows, self._started = 0, 0.0
        super().__init__(*args, **kwargs)

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        self._started = self._started or time.perf_counter()
        self._rows += self.rows_of(inputs) * self.args.world_size
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        return loss

    def rows_of(self, inputs: Any) -> int:
        """Rows in a batch; packed rows stand one after another in one, and their positions begin anew."""
        positions = inputs.get("position_ids")
        return int((positions == 0).sum()) if positions is not None else len(inputs["input_ids"])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:  # to read it, Trainer has waited for the device
            logs |= {"rows": self._rows, "seconds": time.perf_counter() - self._started}
            self._rows, self._started = 0, 0.0
        super().log(logs, start_time)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """TRL's card is not ours: scripts/stages/train.py renders one from facts."""


class LineTrainer(TimedTrainer):
    """Loss summed over the tokens of lines; subclasses say how a model scores them."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        rows = train_dataset if train_dataset is not None else self.train_dataset
        if getattr(self.args, "packing", False):
            return super()._get_train_sampler(rows)
        lengths = [len(ids) for ids in rows["input_ids"]]
        return LengthSampler(lengths, self.args.train_batch_size * self.args.world_size, self.args.seed)

    def summed_loss(self, model: Any, inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross entropy summed over completion tokens (differentiable), and their number."""
        raise NotImplementedError

    def row_losses(self, model: Any, inputs: Any) -> torch.Tensor:
        """Negative log-likelihood (nats) of each row's completion, (batch,)."""
        raise NotImplementedError

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Cross entropy summed over completion tokens / num_items_in_batch (their number in this batch when None)."""
        loss, tokens = self.summed_loss(model, inputs)
        if num_items_in_batch is None:
            return loss / tokens.clamp(min=1)
        # DDP averages gradients over processes; num_items_in_batch counts the tokens of all of them.
        mean: torch.Tensor = self.accelerator.num_processes * loss / num_items_in_batch
        return mean

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """Loss per completion token over the whole held-out split, which is not the mean of the batches' means."""
        was_training = self.model.training
        self.model.eval()
        loss, tokens = 0.0, 0
        batches = self.get_eval_dataloader(eval_dataset)
        shown = Progress("train: held-out loss", len(batches), unit="batches")
        with torch.no_grad(), self.compute_loss_context_manager(), shown:
            for batch in batches:
                inputs = self._prepare_inputs(batch)
                rows = self.row_losses(self.model_wrapped, inputs).double(), self.tokens_of(inputs).sum(1)
                losses, counts = self.accelerator.gather_for_metrics(rows)  # which leaves out rows that only fill up
                loss, tokens = loss + float(losses.sum()), tokens + int(counts.sum())
                shown.advance()
        self.model.train(was_training)
        metrics = {f"{metric_key_prefix}_loss": loss / tokens, f"{metric_key_prefix}_tokens": tokens}
        self.log(dict(metrics))
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def tokens_of(self, inputs: Any) -> torch.Tensor:
        """Mask (batch, length) of the labels that count."""
        mask: torch.Tensor = inputs["labels"] != completion_loss.IGNORED
        return mask


class CompletionTrainer(LineTrainer, SFTTrainer):  # type: ignore[misc]
    """A causal model by TRL's SFTTrainer, with logits for completion tokens alone.

    TRL 1.16 skips the prompt too, but only where Triton runs: there its own loss is taken. Elsewhere it scores every
    position, with entropy and accuracy on top.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = self.model.get_output_embeddings()
        self._fused = completion_loss.is_last(self.model)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        parent = SFTTrainer if self.args.device.type == "cuda" else LineTrainer
        loss: torch.Tensor = parent.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)
        return loss

    def tokens_of(self, inputs: Any) -> torch.Tensor:
        return super().tokens_of(inputs)[:, 1:]  # the first label is predicted by nothing

    def summed_loss(self, model: Any, inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        rest, keep, targets = self._split(inputs)
        if self._fused:
            with completion_loss.loss_in_place_of_logits(self._head, F.pad(keep, (0, 1)), targets):
                loss = model(**rest, use_cache=False).logits
        else:
            logits = completion_loss.completion_logits(model, self._head, rest, F.pad(keep, (0, 1)))
            loss = F.cross_entropy(logits.float(), targets, reduction="sum")
        return loss, keep.sum()

    def row_losses(self, model: Any, inputs: Any) -> torch.Tensor:
        rest, keep, targets = self._split(inputs)
        logits = completion_loss.completion_logits(model, self._head, rest, F.pad(keep, (0, 1)))
        return completion_loss.row_losses(logits, targets, keep)

    def _split(self, inputs: Any) -> tuple[dict[str, Any], torch.Tensor, torch.Tensor]:
        keep = self.tokens_of(inputs)
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        return rest, keep, inputs["labels"][:, 1:][keep]


class EncoderDecoderTrainer(LineTrainer, Seq2SeqTrainer):  # type: ignore[misc]
    """An encoder-decoder by transformers' Seq2SeqTrainer: the prompt is read by the encoder, the line is written."""

    def summed_loss(self, model: Any, inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return self.row_losses(model, inputs).sum(), self.tokens_of(inputs).sum()

    def row_losses(self, model: Any, inputs: Any) -> torch.Tensor:
        keep = self.tokens_of(inputs)
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        return completion_loss.row_losses(model(**rest).logits[keep], inputs["labels"][keep], keep)


class PreferenceTrainer(TimedTrainer, DPOTrainer):  # type: ignore[misc]
    """TRL's DPOTrainer as it is, from an SFT adapter whose copy is the reference."""

    def rows_of(self, inputs: Any) -> int:
        return len(inputs["input_ids"]) // 2  # chosen lines, then rejected ones
