"""The columns of each config of the dataset repo, as `datasets` features, and the files they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, Features, List, Value
from datasets.table import InMemoryTable

from pipelines.metrics import METRICS
from pipelines.rows import trl_columns

_text, _words = Value("string"), List(Value("string"))
_messages = List({"role": _text, "content": _text})
_scores = {metric: Value("float64") for metric in METRICS}

PAIRS = Features(
    {"id": _text, "product": _text, "category": _text, "values": _words, "device": _text, "tone": _text},
)
RAW = Features(
    {
        "id": _text,
        "product": _text,
        "category": _text,
        "values": _words,
        "ad_copy": _text,
        "device": _text,
        "tone": _text,
        "merit": _text,
        "source": _text,
        "teacher": _text,
        "example_ids": _words,
    }
)
#: `scores` are calibrated, 0..1; null where a row was not scored, as written and imported ones are not.
#: `group_id` is the id of the kept row of a group of near-duplicates: in `default` a row's own, in `rejected` that of
#: the row it repeats, empty where a row was rejected for something else.
DEFAULT = Features({**RAW, "scores": _scores, "group_id": _text, "prompt": _messages, "completion": _messages})
REJECTED = Features({**RAW, "scores": _scores, "reason": _text, "evidence": _text, "group_id": _text})
#: Lines that no rule rejects: a better one for the same pair outranks them, with their place, people call them flat, or
#: the gate does not let them in, with place 0.
CANDIDATES = Features({**RAW, "scores": _scores, "reason": _text, "evidence": _text, "place": Value("int32")})
#: TRL-native for `DPOTrainer`: two lines for one prompt; see `pipelines.preferences`. Config `feedback`, what visitors
#: prefer before a release has looked at it, has the same columns; see `pipelines.feedback`.
PREFERENCES = Features(
    {
        "id": _text,
        "product": _text,
        "values": _words,
        "prompt": _messages,
        "chosen": _messages,
        "rejected": _messages,
        "chosen_id": _text,
        "rejected_id": _text,
        "reason": _text,
        "margin": Value("float64"),
    }
)

#: Where rows of a source stand in config `raw`: one file each, so that one stage never rewrites another's.
RAW_FILES = {source: f"raw/{source}.parquet" for source in ("written", "imported", "synthesised")}
SPLITS = ("train", "validation", "test")
#: config -> split -> path or glob in the repo.
CONFIG_FILES = {
    "default": {split: f"default/{split}.parquet" for split in SPLITS},
    "preferences": {split: f"preferences/{split}.parquet" for split in SPLITS},
    "rejected": {"train": "rejected/*.parquet"},
    "candidates": {"train": "candidates/*.parquet"},
    "pairs": {"train": "pairs/*.parquet"},
    "raw": {"train": "raw/*.parquet"},
    "feedback": {split: f"feedback/{split}.parquet" for split in SPLITS},
    "votes": {"train": "votes/*.parquet"},
}


def to_raw(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it stands in config `raw`, without further columns; rows of early releases have no merit yet."""
    return {name: row[name] for name in RAW if name != "merit"} | {"merit": row.get("merit") or ""}


def to_default(row: Mapping[str, Any]) -> dict[str, Any]:
    """A kept row as it stands in config `default`: with scores and the TRL columns."""
    return {**row, "scores": _all_scores(row), **trl_columns(row)}  # type: ignore[arg-type]


def to_rejected(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it stands in config `rejected` or `candidates`: with all scores, and 0 where it has no place."""
    return {"place": 0, **row, "scores": _all_scores(row)}


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path, features: Features) -> None:
    """Write rows as one Parquet file with exactly these columns.

    No rows make no file: `load_dataset` fails on a split without rows, so the card does not name one either.

    Raises:
        KeyError: a row lacks a column.
    """
    columns: dict[str, list[Any]] = {name: [] for name in features}
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - and count them
        for name, column in columns.items():
            column.append(row[name])
    if not count:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # `Dataset.from_dict` makes the same table, but looks at every cell in Python: ten times as long.
    table = pa.table(columns, schema=features.arrow_schema)
    Dataset(InMemoryTable(table)).to_parquet(str(path))


def write_raw(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows of config `raw`."""
    write_rows(rows, path, RAW)


def _all_scores(row: Mapping[str, Any]) -> dict[str, float | None]:
    scores = row.get("scores") or {}
    return {metric: scores.get(metric) for metric in METRICS}
