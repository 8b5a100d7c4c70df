"""What the page runs: `settings.json`, where the environment says nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FILE = "settings.json"
ENGINES = ("auto", "llama", "transformers")
#: Hugging Face lends a GPU to each call, to what was on `cuda` before the page was served.
ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))
#: What Gradio, the Hub's client and NumPy read when they are imported.
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # For a dashboard that is not served, Gradio would keep each call and make statistics of all of them at its end.
    "GRADIO_ANALYTICS_MAX_EVENTS": "16",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
    "OPENBLAS_NUM_THREADS": "1",  # the judge's products are small: beside a busy engine, threads wait for each other
}


def keep_quiet() -> None:
    """Let the libraries report nothing and take one thread, unless the environment wants it. Before their import."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Settings:
    """The adapter and what belongs to it.

    Attributes:
        examples: products and values to try, `{"product", "values", "en"?}`.
        gguf: `{"repo", "revision", "file", "base_file"}` of the adapter's GGUF, None where it has none.
        judge: file in the folder, "" for none.
        feedback: dataset repo that votes are kept in, "" where none are.
        rating: `{"adapter", "base"}` of the model card, None where it has none.
        engine: one of `ENGINES`.
    """

    adapter: str
    revision: str | None
    base_model: str
    dataset: str
    prompt_format: str
    title: str
    examples: list[dict[str, Any]]
    gguf: dict[str, Any] | None = None
    judge: str = ""
    feedback: str = ""
    rating: dict[str, float] | None = None
    engine: str = "auto"

    @property
    def rated_under_base(self) -> bool:
        """Whether the model card rates the adapter under its base model."""
        return self.rating is not None and self.rating["adapter"] < self.rating["base"]


def read(folder: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a folder under those of an environment.

    Raises:
        SystemExit: something is missing, unknown or malformed; the message says what.
    """
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        unknown = found.keys() - {field.name for field in fields(Settings)}
        if unknown:
            raise SystemExit(f"{FILE} holds unknown settings: {', '.join(sorted(unknown))}")
        return Settings(**found | _overridden(environment))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SystemExit(f"{folder / FILE} cannot be used: {error}") from error


def _overridden(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the environment sets. Another adapter has another revision, other GGUFs and no rating that we know."""
    changed: dict[str, Any] = {}
    if adapter := environment.get("HANJUL_ADAPTER"):
        changed |= {"adapter": adapter, "revision": None, "gguf": None, "rating": None}
    if revision := environment.get("HANJUL_REVISION"):
        changed["revision"] = revision
    if base_model := environment.get("HANJUL_BASE_MODEL"):
        changed["base_model"] = base_model
    if "HANJUL_GGUF" in environment:
        changed["gguf"] = _gguf(environment["HANJUL_GGUF"])
    for name in ("judge", "feedback"):
        if (variable := f"HANJUL_{name.upper()}") in environment:
            changed[name] = environment[variable]
    if engine := environment.get("HANJUL_ENGINE"):
        if engine not in ENGINES:
            raise SystemExit(f"HANJUL_ENGINE is {engine!r}: give one of {', '.join(ENGINES)}")
        changed["engine"] = engine
    return changed


def _gguf(uri: str) -> dict[str, Any] | None:
    """The parts of `repo@revision/file`; None where it is empty."""
    if not uri:
        return None
    repo, at, rest = uri.partition("@")
    revision, slash, file = rest.partition("/")
    if not (repo and at and revision and slash and file):
        raise SystemExit(f"HANJUL_GGUF is {uri!r}: give repo@revision/file")
    return {"repo": repo, "revision": revision, "file": file, "base_file": None}
