"""`hanjul synthesize`: a teacher writes lines for config `pairs`; they become rows of config `raw`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfUri

from scripts.errors import HanjulError
from scripts.faults import refused
from scripts.hub import Hub
from scripts.settings import SynthesizeSettings, TeacherSettings
from scripts.stage import Outcome, Stage, run_stage

#: Tokens that one request may fill: a short prompt and a line, for each of `candidates` lines a slot of its own.
CONTEXT = 512


def run(
    hub: Hub,
    pairs: HfUri,
    adapter: HfUri | None,
    settings: SynthesizeSettings,
    seed: int,
    sealed: str | None = None,
) -> HfUri:
    """Commit the synthesised rows of config `raw` of the dataset repo that holds the pairs.

    Args:
        pairs: pinned dataset with config `pairs`; rows of its config `raw`, if any, are shown as examples to a teacher
            that is not tuned.
        adapter: pinned adapter that writes, when the recipe names no endpoint.

    Raises:
        HanjulError: neither endpoint nor adapter, an endpoint that is down, a key that is missing.
    """
    from dataset_card.card import merge_configs
    from pipelines.features import RAW_FILES, write_raw

    repo = HfUri(type="dataset", id=pairs.id)
    inputs = {"pairs": pairs.to_uri()} | ({"teacher": adapter.to_uri()} if adapter else {})
    stage = Stage("synthesize", repo, inputs, settings.model_dump() | {"seed": seed}, sealed)

    def work(folder: Path) -> Outcome:
        from pipelines.copies import build_copies_pipeline, split_failures
        from pipelines.running import run as run_pipeline
        from pipelines.teacher import teacher_llm

        planned = list(hub.rows(pairs, "pairs"))
        with _endpoint(hub, settings, adapter, folder) as (base_url, model, key), refused(base_url):
            llm = teacher_llm(
                base_url,
                model,
                key,
                temperature=settings.temperature,
                top_p=settings.top_p,
                max_new_tokens=settings.max_new_tokens,
                concurrency=settings.concurrency,
                seed=seed,
                choices=1 if adapter else settings.candidates,  # llama.cpp: a line per slot, tokens counted once
            )
            pipeline = build_copies_pipeline(
                planned,
                llm,
                teacher=adapter.to_uri() if adapter else model,
                candidates=settings.candidates,
                tuned=adapter is not None,
                examples=0 if adapter else settings.examples,
                example_rows=[] if adapter else list(hub.rows(pairs, "raw")),
                seed=seed,
                cache_dir=folder / "distilabel",
            )
            rows, failures, usage = split_failures(run_pipeline(pipeline))
        write_raw(rows, folder / "out" / RAW_FILES["synthesised"])
        failed = dict(Counter(failures.values()))
        counts = {"in": len(planned), "out": len(rows), "failed_pairs": len(failures), "failures": failed}
        return Outcome(f"{len(rows)} lines for {len(planned)} pairs", counts, usage)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", repo.id, "raw")

    return run_stage(hub, stage, work, card)


@contextmanager
def _endpoint(
    hub: Hub, settings: SynthesizeSettings, adapter: HfUri | None, folder: Path
) -> Iterator[tuple[str, str, str]]:
    """(base URL, model, key) of the teacher: the endpoint of the recipe, or the embedded model with an adapter."""
    teacher = settings.teacher
    if teacher.base_url:
        yield teacher.base_url, _model(teacher), _key(hub, teacher)
        return
    if adapter is None:
        raise HanjulError(
            "There is no teacher", "synthesize.teacher", "name an endpoint (`base_url`, `model`), or give --teacher"
        )
    from scripts.embedded import gguf_path
    from scripts.llama_server import serve
    from scripts.lora_gguf import convert

    snapshot = hub.snapshot(adapter)
    lora = convert(snapshot, folder / "teacher.gguf")
    with serve(gguf_path(), lora, template_of(snapshot), settings.concurrency, CONTEXT) as base_url:
        yield base_url, adapter.id, "none"


def template_of(snapshot: Path) -> str:
    """The chat template that an adapter repo ships."""
    from transformers import AutoTokenizer

    return str(AutoTokenizer.from_pretrained(snapshot).chat_template)


def _model(teacher: TeacherSettings) -> str:
    if not teacher.model:
        raise HanjulError("The teacher's model is not named", "synthesize.teacher.model", "name it in the recipe")
    return teacher.model


def _key(hub: Hub, teacher: TeacherSettings) -> str:
    """The key from the environment. An endpoint on this machine needs none."""
    if hub.is_local and teacher.api_key_env == "HF_TOKEN":
        raise HanjulError(
            "HF_TOKEN holds the local Hub's token here, which is for nobody else",
            "synthesize.teacher.api_key_env",
            "export the teacher's key under another name and name that",
        )
    key = os.environ.get(teacher.api_key_env)
    if key:
        return key
    if teacher.base_url and any(host in teacher.base_url for host in ("//127.0.0.1", "//localhost", "//[::1]")):
        return "none"
    raise HanjulError(
        "The teacher's key is not in the environment", teacher.api_key_env, f"run `export {teacher.api_key_env}=…`"
    )
