"""Imported rows: every file kind, Korean and English columns, stray quotes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts import import_rows
from scripts.errors import HanjulError
from scripts.hub import Hub
from scripts.settings import ImportSettings

KOREAN = [
    {"상품": "브로치", "담고자 하는 가치": '"우아한"', "카피라이팅": '"옷깃에 앉은 달"'},
    {"상품": "미술관", "담고자 하는 가치": "다채로운, 고요한", "카피라이팅": "비 오는 날엔 액자 속이 맑음"},
]
EXPECTED = [("브로치", ["우아한"], "옷깃에 앉은 달"), ("미술관", ["다채로운", "고요한"], "비 오는 날엔 액자 속이 맑음")]


def imported(hub: Hub, path: Path, name: str) -> list[tuple[str, list[str], str]]:
    uri = import_rows.run(hub, hub.repo("dataset", name), ImportSettings(source=str(path)), seed=0)
    rows = hub.rows(uri, "raw")
    assert set(rows["source"]) == {"imported"}
    return [(row["product"], row["values"], row["ad_copy"]) for row in rows]


def test_json(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(KOREAN, ensure_ascii=False))
    assert imported(hub, path, "from-json") == EXPECTED


def test_jsonl_with_english_columns(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"product": p, "values": v, "ad_copy": a} for p, v, a in EXPECTED]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    assert imported(hub, path, "from-jsonl") == EXPECTED


def test_csv_with_byte_order_mark(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, KOREAN[0].keys())
        writer.writeheader()
        writer.writerows(KOREAN)
    assert imported(hub, path, "from-csv") == EXPECTED


def test_parquet_and_hub_dataset(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(KOREAN), path)
    assert imported(hub, path, "from-parquet") == EXPECTED
    from datasets import Dataset

    Dataset.from_list(KOREAN).push_to_hub("local/foreign")
    settings = ImportSettings(source="hf://datasets/local/foreign")
    uri = import_rows.run(hub, hub.repo("dataset", "from-hub"), settings, seed=0)
    assert hub.rows(uri, "raw")["product"][:] == ["브로치", "미술관"]
    assert hub.manifest(uri)["inputs"]["source"] == hub.resolve("hf://datasets/local/foreign").to_uri()


def test_limit_is_drawn_by_seed(hub: Hub) -> None:
    settings = ImportSettings(source="starter", limit=20)
    uris = [import_rows.run(hub, hub.repo("dataset", f"limit-{seed}"), settings, seed) for seed in (1, 1, 2)]
    ids = [hub.rows(uri, "raw")["id"][:] for uri in uris]
    assert len(ids[0]) == 20
    assert ids[0] == ids[1] != ids[2]


def test_missing_column_is_named() -> None:
    with pytest.raises(HanjulError, match="Row 2 has no ad_copy") as caught:
        import_rows.to_rows([KOREAN[0], {"상품": "a", "가치": "b"}], "imported", "rows.json")
    assert "상품, 가치" in caught.value.next_step
