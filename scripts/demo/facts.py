"""What a page runs with: the adapter, its base, GGUF and rating, as `settings.json` and the Space's card have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri, ModelCard

from model_card.cards.card import DATA
from model_card.comparison.report import Report
from pipelines.errors import HanjulError
from scripts.demo.hardware import Place
from scripts.exporting import gguf_export
from scripts.hub.hub import Hub
from scripts.models import models

EXAMPLES = Path(__file__).parents[2] / "space" / "examples.json"
#: The judge's file in the folder.
JUDGE = "judge.npz"
#: Kinds of GGUF, the one to run first: with the vocabulary of Korean lines alone it writes fastest.
KINDS = ("Q8_0-ko", "Q8_0", "Q4_K_M")


@dataclass(frozen=True)
class PageFacts:
    """What is known of a page before it is written.

    Attributes:
        adapter, base: pinned.
        gguf: pinned repo of GGUFs of these very weights, None where there is none.
        settings: `settings.json`; `space/settings.py` says what each means.
    """

    adapter: HfUri
    base: HfUri
    gguf: HfUri | None
    settings: dict[str, Any]

    def reads_gguf(self, place: Place) -> bool:
        """Whether llama.cpp writes there; elsewhere transformers does."""
        return place.kind == "cpu" and self.settings["gguf"] is not None

    def reads(self, place: Place) -> list[HfUri]:
        """The pinned models that the page downloads there."""
        return [self.gguf] if self.gguf and self.reads_gguf(place) else [self.adapter, self.base]


def facts_of(hub: Hub, adapter: HfUri, gguf: HfUri | None, title: str, feedback: str = "") -> PageFacts:
    """All that a page needs to know of a pinned adapter.

    Args:
        gguf: pinned repo of its GGUFs, if there is one (`gguf_of`).
        feedback: dataset repo that visitors' votes go to, "" for none.

    Raises:
        HanjulError: it is no adapter that Hanjul trained on a causal model.
    """
    training = json.loads(hub.text(adapter, "hanjul.json") or "{}")
    config = json.loads(hub.text(adapter, models.CONFIG) or "{}")
    _check(adapter, training, config)
    base = models.base_of(hub, adapter)
    datasets = ModelCard(hub.text(adapter, "README.md"), ignore_metadata_errors=True).data.get("datasets") or [""]
    settings = {
        "adapter": adapter.id,
        "revision": adapter.revision,
        "base_model": config["base_model_name_or_path"],
        "dataset": datasets[0],
        "prompt_format": training["prompt_format"],
        "title": title,
        "examples": json.loads(EXAMPLES.read_text(encoding="utf-8")),
        "gguf": _file_to_run(hub, gguf) if gguf else None,
        "judge": JUDGE,
        "feedback": feedback,
        "rating": rating_of(hub, adapter, base),
    }
    return PageFacts(adapter, base, gguf, settings)


def _check(adapter: HfUri, training: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    if "prompt_format" not in training or "base_model_name_or_path" not in config:
        raise HanjulError(
            "This repository holds no adapter that Hanjul trained (hanjul.json, adapter_config.json)",
            adapter.to_uri(),
            "give the URI that `hanjul train` printed",
        )
    if config["task_type"] == "SEQ_2_SEQ_LM":
        raise HanjulError(
            "The demo writes with causal models, and this is an adapter of an encoder-decoder",
            adapter.to_uri(),
            "use `hanjul generate`, or deploy another adapter",
        )


def gguf_of(hub: Hub, adapter: HfUri) -> HfUri | None:
    """The pinned repo `<adapter>-gguf` if its newest commit was made from these very weights, else None."""
    repo = gguf_export.repo_of(adapter)
    head = hub.head(repo)
    if head is None:
        return None
    pinned = HfUri(type="model", id=repo.id, revision=head)
    source = hub.manifest(pinned).get("inputs", {}).get("adapter")
    if not source:
        return None
    made_from = models.origin(hub, hub.resolve(source))
    return pinned if made_from == models.origin(hub, adapter) else None


def _file_to_run(hub: Hub, gguf: HfUri) -> dict[str, Any] | None:
    """The GGUF that the page runs, by what `parity.json` says was published; None where it names none of our kinds."""
    report = json.loads(hub.text(gguf, gguf_export.REPORT) or "{}")
    published = {file["kind"]: file["name"] for file in report.get("files", [])}
    kind = next((kind for kind in KINDS if kind in published), None)
    if kind is None:
        return None
    base = report.get("base") or {"name": None}
    return {"repo": gguf.id, "revision": gguf.revision, "file": published[kind], "base_file": base["name"]}


def rating_of(hub: Hub, adapter: HfUri, base: HfUri) -> dict[str, float] | None:
    """The ratings of adapter and base that stand on the adapter's card; None where it has none.

    Raises:
        HanjulError: the report is none that this version reads.
    """
    text = hub.text(adapter, DATA)
    if not text:
        return None
    try:
        report = Report.from_json(text)
    except ValueError as error:
        raise HanjulError(
            f"The adapter's {DATA} is of another version of Hanjul", adapter.to_uri(), "run `hanjul evaluate` again"
        ) from error
    names = {system.model: system.name for system in report.systems}
    if report.leading is None or adapter.id not in names or base.id not in names:
        return None
    ratings = report.leading.ratings
    return {who: round(ratings[names[uri.id]].value, 4) for who, uri in (("adapter", adapter), ("base", base))}
