"""Run a trainer, from its last checkpoint where there is one, and sum it up as a curve."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from transformers import set_seed

from pipelines.errors import HanjulError
from scripts.training.callbacks import ShowProgress, StopOnSigterm


def run_trainer(trainer: Any) -> dict[str, Any]:
    """Train, from the last whole checkpoint where there is one, and leave the best or last weights in the model.

    Returns:
        The curve: `steps` of {step, loss}, `held_out_steps` of {step, loss} after each epoch, `best_step` (None
        where the last step was taken), `samples_per_second`, `seconds`. Losses are mean negative log-likelihoods (nats)
        per completion token, or DPO's.

    Raises:
        HanjulError: SIGTERM stopped it; a checkpoint stands.
    """
    callbacks = trainer.callback_handler.callbacks
    stopper = next(one for one in callbacks if isinstance(one, StopOnSigterm))
    shown = next(one for one in callbacks if isinstance(one, ShowProgress))
    set_seed(trainer.args.seed)  # the order of rows is drawn from what stands here
    try:
        with disable_input_dtype_casting(trainer.model):  # autocast casts; a float32 copy of each input is in vain
            trainer.train(resume_from_checkpoint=last_checkpoint(Path(trainer.args.output_dir)))
    finally:
        stopper.restore()
        shown.close()
    state = trainer.state
    if stopper.requested:
        raise HanjulError(
            f"Stopped by SIGTERM after step {state.global_step} of {state.max_steps}, with a checkpoint",
            trainer.args.output_dir,
            "run the same command again: it goes on from there",
        )
    steps = [entry for entry in state.log_history if "loss" in entry]
    seconds = sum(entry["seconds"] for entry in steps)
    measured = [entry for entry in state.log_history if "eval_loss" in entry]
    best = Path(state.best_model_checkpoint).name if state.best_model_checkpoint else ""
    return {
        "steps": [{"step": entry["step"], "loss": entry["loss"]} for entry in steps],
        "held_out_steps": [{"step": entry["step"], "loss": entry["eval_loss"]} for entry in measured],
        "best_step": int(best.rpartition("-")[2]) if best else None,
        "samples_per_second": round(sum(entry["rows"] for entry in steps) / seconds, 2),
        "seconds": round(seconds, 1),
    }


def held_out_loss(trainer: Any) -> dict[str, Any] | None:
    """Held-out loss of the base alone and with the adapter: {base, adapter, tokens}; None without held-out rows."""
    if trainer.eval_dataset is None:
        return None
    adapter = trainer.evaluate()
    model: PeftModel = trainer.accelerator.unwrap_model(trainer.model)
    with model.disable_adapter():
        base = trainer.evaluate()
    return {"base": base["eval_loss"], "adapter": adapter["eval_loss"], "tokens": base["eval_tokens"]}


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint. Its state is written last, so one without was cut off and is removed."""
    whole: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        try:
            whole[json.loads((checkpoint / "trainer_state.json").read_text())["global_step"]] = checkpoint
        except (OSError, ValueError):
            shutil.rmtree(checkpoint, ignore_errors=True)
    return str(whole[max(whole)]) if whole else None
