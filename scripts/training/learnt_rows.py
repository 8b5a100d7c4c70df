"""Which rows of a dataset a training learns: of which config, sources and merits, and how many."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from pipelines.feedback.pairs import REASONS
from pipelines.likelihood.prompts import training_texts
from pipelines.rows import split_of, trl_columns
from scripts.core.settings import TrainSettings
from scripts.hub.hub import Hub

if TYPE_CHECKING:
    import datasets

NEEDED = {"default": ("prompt", "completion", "source"), "preferences": ("prompt", "chosen", "rejected")}


def learnt_rows(
    hub: Hub, dataset: HfUri, settings: TrainSettings, seed: int, sources: Sequence[str] | None
) -> dict[str, dict[str, datasets.Dataset]]:
    """Config -> split (train, validation) -> rows; splits without rows are left out.

    Config `default` always, of the merits and as many rows as the settings say; flat lines, which are not released, are
    written candidates. For `method: dpo` config `preferences`, too. With `method: judge` columns `prompt` and
    `completion` are texts, two rows for each row.

    Args:
        sources: rows of these sources only; None takes all.

    Raises:
        HanjulError: columns are missing, or no row has a merit that is to be learnt.
    """
    default = _splits(hub, dataset, "default", sources)
    if settings.merits and "flat" in settings.merits and (not sources or "written" in sources):
        default = _with_flat(hub, dataset, default)
    default = _chosen(default, dataset, settings, seed)
    if settings.method == "judge":
        default = {name: _for_judge(rows) for name, rows in default.items()}
    if settings.method == "dpo":
        return {"default": default, "preferences": _splits(hub, dataset, "preferences", sources)}
    return {"default": default}


def flat_rows(hub: Hub, dataset: HfUri) -> list[Any]:
    """The flat lines that were written for a dataset: candidates, which a training may learn."""
    if "candidates" not in hub.config_names(dataset):
        return []
    candidates = hub.rows(dataset, "candidates")
    return [row for row in candidates if row.get("merit") == "flat" and row["source"] == "written"]


def of_visitors(preferences: datasets.Dataset) -> int:
    """How many of the preferences are what visitors prefer."""
    if "reason" not in preferences.column_names:  # those of others need not say
        return 0
    return sum(reason in REASONS for reason in preferences["reason"])


def _splits(hub: Hub, dataset: HfUri, config: str, sources: Sequence[str] | None) -> dict[str, datasets.Dataset]:
    splits = hub.splits(dataset, config)
    for name, rows in splits.items():
        missing = [column for column in NEEDED[config] if column not in rows.column_names]
        if missing:
            what = f"No column {', '.join(missing)} in split {name} of config {config}"
            raise HanjulError(what, dataset.to_uri(), "run `hanjul filter` on its rows first")
        if sources and "source" in rows.column_names:
            splits[name] = rows.filter(lambda source: source in sources, input_columns="source")
    return {name: rows for name, rows in splits.items() if len(rows) and name in ("train", "validation")}


def _with_flat(hub: Hub, dataset: HfUri, splits: dict[str, datasets.Dataset]) -> dict[str, datasets.Dataset]:
    """The splits with the flat lines that were written for them, out of config `candidates`."""
    from datasets import Dataset, concatenate_datasets

    flat = flat_rows(hub, dataset)
    for name, rows in splits.items():
        own = [{**row, **trl_columns(row), "group_id": ""} for row in flat if split_of(row["product"]) == name]
        as_default = [{column: row[column] for column in rows.column_names} for row in own]
        if as_default:
            splits[name] = concatenate_datasets([rows, Dataset.from_list(as_default, features=rows.features)])
    return splits


def _chosen(
    splits: dict[str, datasets.Dataset], dataset: HfUri, settings: TrainSettings, seed: int
) -> dict[str, datasets.Dataset]:
    """The rows of some merits and of none, and of the train split a sample."""
    if settings.merits:
        learnt = {"", None, *settings.merits}
        had_rows = "train" in splits
        for name, rows in splits.items():
            if "merit" in rows.column_names:  # early releases do not say
                splits[name] = rows.filter(lambda merit: merit in learnt, input_columns="merit")
        splits = {name: rows for name, rows in splits.items() if len(rows)}
        if had_rows and "train" not in splits:
            what = f"No row of the train split has the merit {' or '.join(settings.merits)}"
            raise HanjulError(what, dataset.to_uri(), "name other merits in train.merits, or set it to null")
    if settings.rows and len(splits.get("train", ())) > settings.rows:
        places = random.Random(seed).sample(range(len(splits["train"])), settings.rows)
        splits["train"] = splits["train"].select(sorted(places))
    return splits


def _for_judge(rows: datasets.Dataset) -> datasets.Dataset:
    """Columns `prompt` and `completion` as texts, two rows for each."""
    from datasets import Dataset

    texts = [text for row in rows for text in training_texts(row)]
    return Dataset.from_dict({"prompt": [text[0] for text in texts], "completion": [text[1] for text in texts]})
