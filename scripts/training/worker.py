"""Does a job: in this process, or as one of several that `scripts.training.launch` starts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from scripts.core.errors import HanjulError
from scripts.core.files import write_atomically
from scripts.core.settings import EvaluateSettings
from scripts.training.job import Job, rows_of

ERROR = "error.json"
#: Environment variable with the process id of whoever started the job.
PARENT = "HANJUL_JOB_OF"


def work(folder: Path) -> None:
    """Train, and leave `out/` and `curve.json` in the job's folder.

    Raises:
        HanjulError: the loss is no number, packed rows would see each other, SIGTERM stopped it.
    """
    from scripts.training import build, fit, loading, preference_report

    job = Job.read(folder)
    with fit.quiet():
        tokenizer = loading.tokenizer_of(job.base, job.revision, job.settings)
        base = loading.load(job.base, job.revision, tokenizer, job.settings)
        if job.settings.method == "dpo":
            curve, trainer = preference_report.prefer(folder, job, base, tokenizer)
        else:
            train, held_out = (rows_of(folder, "rows", split) for split in ("train", "validation"))
            trainer = build.trainer(base, tokenizer, train, held_out, job.settings, job.seed, folder / "checkpoints")
            curve = fit.fit(trainer)
            curve["held_out"] = fit.held_out(trainer)
        save(trainer, tokenizer, job, folder / "out")
    if trainer.is_world_process_zero():
        write_atomically(folder / "curve.json", json.dumps(curve, indent=1, allow_nan=False) + "\n")


def save(trainer: Any, tokenizer: Any, job: Job, out: Path) -> None:
    """Adapter (safetensors), tokenizer with its chat template and sampling defaults. All processes have to call it."""
    state = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    model = trainer.accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
    if trainer.is_world_process_zero():
        model.peft_config["default"].revision = job.revision if job.names_revision else None
        model.save_pretrained(out, state_dict=state, selected_adapters=["default"])
        tokenizer.save_pretrained(out)
        generation_config(model, tokenizer).save_pretrained(out)


def generation_config(model: Any, tokenizer: Any) -> Any:
    """How to sample lines: our defaults, and every token that ends an answer, the template's among them."""
    from transformers import GenerationConfig

    from pipelines.likelihood.generation import TOP_K
    from scripts.training.encoding import answer_ends

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
        eos_token_id=sorted({*answer_ends(tokenizer), *ends}),
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=model.generation_config.decoder_start_token_id,
    )


def main(folder: Path) -> None:
    """One process of several: an error that has words goes into the folder, for the process that started this one."""
    threading.Thread(target=_end_with, args=(int(os.environ[PARENT]),), daemon=True).start()
    try:
        work(folder)
    except HanjulError as error:
        if os.environ.get("RANK", "0") == "0":
            write_atomically(folder / ERROR, json.dumps(vars(error), ensure_ascii=False))
        sys.exit(1)


def _end_with(parent: int) -> None:
    """End when the process that started the job does, even killed: another run of the job may begin."""
    while psutil.pid_exists(parent):
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
