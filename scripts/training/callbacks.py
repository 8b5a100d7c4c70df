"""Callbacks of a training: its progress, more checkpoints, and two reasons to stop."""

from __future__ import annotations

import math
import shutil
import signal
import threading
from contextlib import ExitStack
from typing import Any

import torch
from transformers import TrainerCallback

from pipelines.errors import HanjulError
from pipelines.progress import Progress

#: Steps between two checkpoints; evaluations write one too.
CHECKPOINT_STEPS = 25


class ShowProgress(TrainerCallback):  # type: ignore[misc]
    """Shows steps and loss; the stock callbacks print every log to stdout, which is for URIs."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._progress: Progress | None = None
        self._loss = ""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            progress = Progress(
                "train", state.max_steps, unit="steps", start=state.global_step, state=lambda: self._loss
            )
            self._progress = self._open.enter_context(progress)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._progress:
            self._progress.reach(state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self._loss = f"loss {float(logs['loss']):.3f}"

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away, also where the training failed."""
        self._open.close()


class StopOnNonFiniteLoss(TrainerCallback):  # type: ignore[misc]
    """Ends a run whose loss is no number any more."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        loss = next((logs[name] for name in ("loss", "eval_loss") if name in (logs or {})), 0.0)
        if not math.isfinite(float(loss)):
            shutil.rmtree(args.output_dir, ignore_errors=True)  # going on from these weights would diverge again
            raise HanjulError(
                f"The loss is {loss} at step {state.global_step}",
                f"train.learning_rate {args.learning_rate:g}",
                "lower train.learning_rate",
            )


class FrequentCheckpoints(TrainerCallback):  # type: ignore[misc]
    """A checkpoint every `CHECKPOINT_STEPS`, beside those that go with the evaluations.

    None with the last step of an epoch: the one after the evaluation would be written over it while it counts as whole.
    """

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % CHECKPOINT_STEPS == 0 and not ends_epoch(state):
            control.should_save = True


def ends_epoch(state: Any) -> bool:
    """Whether evaluation and checkpoint follow this step anyway."""
    return float(state.epoch).is_integer() or state.global_step >= state.max_steps


class StopOnSigterm(TrainerCallback):  # type: ignore[misc]
    """On SIGTERM: finish the step, write a checkpoint, stop.

    transformers has the same (`enable_jit_checkpoint`), but waits three seconds first, evaluates after the last step,
    and then returns as if the training were done.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._request)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.restore()

    def restore(self) -> None:
        """Put back what SIGTERM did before."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _request(self, number: int, frame: Any) -> None:
        self.requested = True

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if args.world_size > 1:  # the signal reaches processes at different steps, and a checkpoint needs them all
            requested = torch.tensor(float(self.requested), device=args.device)
            torch.distributed.all_reduce(requested, torch.distributed.ReduceOp.MAX)
            self.requested = bool(requested)
        if self.requested:
            control.should_training_stop = True
            control.should_save = not ends_epoch(state)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.requested and not ends_epoch(state):  # else an epoch would never be measured
            control.should_evaluate = control.should_save = False
