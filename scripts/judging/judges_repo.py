"""The README of the judges' dataset repo: its head, and the card between our marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from huggingface_hub import HfUri

from dataset_card.card import with_block
from dataset_card.head import size_category
from model_card.cards.judges_card import render
from model_card.comparison.readings import Readings
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import JudgeFacts
from pipelines.errors import HanjulError
from pipelines.rows import Scorable
from scripts.hub.hub import Hub

CONFIGS = ("contrast", "scores")
HEAD: dict[str, Any] = {
    "language": ["ko"],
    "license": "other",
    "license_name": "mixed-see-card",
    "pretty_name": "한 줄 Hanjul: 채점의 신뢰도",
    "tags": ["korean", "advertising", "copywriting", "contrast-set", "llm-as-a-judge", "evaluation", "hanjul"],
    "task_categories": ["text-classification"],
    "annotations_creators": ["machine-generated"],
    "source_datasets": ["extended"],
    "configs": [
        {"config_name": name, "data_files": [{"split": "train", "path": f"{name}/*.parquet"}]}
        | ({"default": True} if name == CONFIGS[0] else {})
        for name in CONFIGS
    ],
}


def readme(
    hub: Hub,
    parent: HfUri | None,
    repo_id: str,
    dataset: HfUri,
    judges: Sequence[JudgeFacts],
    contrasts: Sequence[Contrast],
    readings: Readings,
) -> str:
    """The whole README; what a person wrote outside our marks, or in the head, stays.

    Args:
        parent: the repo, pinned where it stands; None where it is new.
        dataset: pinned, where the held-out rows come from.
        readings: of the graded lines.

    Raises:
        HanjulError: the repo holds something else.
    """

    there = hub.config_names(parent) if parent else []
    if parent and there and not set(there) & set(CONFIGS):
        raise HanjulError(
            f"This repository holds something else: config {', '.join(there)}", parent.to_uri(), "give another --repo"
        )
    existing = hub.text(parent, "README.md") if parent else ""
    head = HEAD | {"size_categories": [size_category(len(contrasts))]}
    return with_block(existing, head, render(repo_id, dataset, judges, contrasts, readings))


def read_contrasts(path: Path) -> list[Contrast]:
    """The contrast set from the table of config `contrast`."""

    def row_of(row: dict[str, Any], side: str, product: str) -> Scorable:
        return {"product": row[product], "values": row[f"{side}_values"], "ad_copy": row[f"{side}_ad_copy"]}

    return [
        Contrast(row["kind"], row["origin"], row_of(row, "good", "product"), row_of(row, "bad", "bad_product"))
        for row in parquet.read_table(path).to_pylist()
    ]
