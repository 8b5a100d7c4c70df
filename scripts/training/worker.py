"""Run a training job: in this process, or as one of several that `scripts.training.launch` starts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from pipelines.errors import HanjulError
from pipelines.likelihood.generation import TOP_K
from pipelines.progress import Progress, be_quiet
from scripts.core.files import write_atomically
from scripts.core.settings import EvaluateSettings
from scripts.training import loading
from scripts.training.encoding import end_token_ids
from scripts.training.job import TrainingJob, load_rows

#: Files of the job's folder with what ended a process: an error raised on purpose, or the traceback of a bug.
ERROR_FILE, TRACEBACK_FILE = "error.json", "traceback.txt"
#: Environment variable with the process id of whoever started the job.
PARENT_VARIABLE = "HANJUL_JOB_OF"


def run_job(folder: Path) -> None:
    """Train, and leave `out/` and `curve.json` in the job's folder.

    Raises:
        HanjulError: the loss is no number, packed rows would see each other, SIGTERM stopped it.
    """
    # Their classes derive from those of TRL and transformers: 7 s to import, which a stage done before need not wait.
    from scripts.training.build_trainer import build_trainer
    from scripts.training.dpo import train_dpo
    from scripts.training.run_trainer import held_out_loss, run_trainer

    job = TrainingJob.read(folder)
    with loading.quiet_libraries():
        with Progress(f"loading {job.base}"):
            tokenizer = loading.load_tokenizer(job.base, job.revision, job.settings)
            base = loading.load_base(job.base, job.revision, tokenizer, job.settings)
        if job.settings.method == "dpo":
            curve, trainer = train_dpo(folder, job, base, tokenizer)
        else:
            train, held_out = (load_rows(folder, "rows", split) for split in ("train", "validation"))
            trainer = build_trainer(base, tokenizer, train, held_out, job.settings, job.seed, folder / "checkpoints")
            curve = run_trainer(trainer)
            curve["held_out"] = held_out_loss(trainer)
        save(trainer, tokenizer, job, folder / "out")
    if trainer.is_world_process_zero():
        write_atomically(folder / "curve.json", json.dumps(curve, indent=1, allow_nan=False) + "\n")


def save(trainer: Any, tokenizer: Any, job: TrainingJob, out: Path) -> None:
    """Write adapter (safetensors), tokenizer with chat template, and sampling defaults. All processes must call it."""
    state = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    model = trainer.accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
    if trainer.is_world_process_zero():
        model.peft_config["default"].revision = job.revision if job.names_revision else None
        model.save_pretrained(out, state_dict=state, selected_adapters=["default"])
        tokenizer.save_pretrained(out)
        generation_config(model, tokenizer).save_pretrained(out)


def generation_config(model: Any, tokenizer: Any) -> Any:
    """Build the sampling defaults: ours, and every token that ends an answer, the template's among them."""
    from transformers import GenerationConfig

    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends] if ends is not None else []
    ours = EvaluateSettings()
    return GenerationConfig(
        do_sample=True,
        temperature=ours.temperature,
        top_p=ours.top_p,
        top_k=TOP_K,
        max_new_tokens=ours.max_new_tokens,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=sorted({*end_token_ids(tokenizer), *ends}),
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=model.generation_config.decoder_start_token_id,
    )


def main(folder: Path) -> None:
    """Run as one process of several; what ends it goes into the folder, for the process that started this one."""
    threading.Thread(target=_exit_with, args=(int(os.environ[PARENT_VARIABLE]),), daemon=True).start()
    if os.environ.get("RANK", "0") != "0":
        be_quiet()  # one of them speaks for all
    try:
        run_job(folder)
    except HanjulError as error:
        if os.environ.get("RANK", "0") == "0":
            words = {"what": error.what, "where": error.where, "next_step": error.next_step}
            write_atomically(folder / ERROR_FILE, json.dumps(words, ensure_ascii=False))
        sys.exit(1)
    except Exception:
        (folder / TRACEBACK_FILE).write_text(traceback.format_exc(), encoding="utf-8")  # of any one of the processes
        raise


def _exit_with(parent: int) -> None:
    """End when the process that started the job does, even killed: another run of the job may begin."""
    while psutil.pid_exists(parent):
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
