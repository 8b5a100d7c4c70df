from __future__ import annotations

import pytest
from datasets import load_dataset

from pipelines.features import DEFAULT, PAIRS, RAW, REJECTED, to_default, to_raw, to_rejected, write_raw, write_rows
from pipelines.metrics import METRICS
from pipelines.rows import Row, make_row

ROW = make_row("모카포트", ["설렘"], "치익, 로마가 말을 건다", category="커피", source="written")


def read(path):
    return load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(path.parent / "cache"))


def test_raw_has_the_columns_of_a_row():
    assert list(RAW) == list(Row.__annotations__)


@pytest.mark.parametrize("merit", [{}, {"merit": None}, {"merit": ""}])
def test_a_row_of_an_early_release_has_no_merit(merit):
    early = {name: value for name, value in ROW.items() if name != "merit"}
    assert to_raw({**early, **merit, "scores": None}) == ROW
    assert to_raw({**ROW, "merit": "good"})["merit"] == "good"


def test_default_round_trips(tmp_path):
    kept = {**ROW, "group_id": ROW["id"]}
    row = to_default({**kept, "scores": {"pv": 0.9, "naturalness": 0.8}})
    write_rows([row, to_default(kept)], tmp_path / "default" / "train.parquet", DEFAULT)
    found = read(tmp_path / "default" / "train.parquet")
    assert found.features == DEFAULT
    assert found[0] == {
        **kept,
        "scores": dict.fromkeys(METRICS) | {"pv": 0.9, "naturalness": 0.8},
        "prompt": [{"role": "user", "content": "상품: 모카포트\n가치: 설렘"}],
        "completion": [{"role": "assistant", "content": "치익, 로마가 말을 건다"}],
    }
    assert found[1]["scores"] == dict.fromkeys(METRICS)


def test_rejected_has_reason_and_evidence(tmp_path):
    rejected = {**ROW, "reason": "leak", "evidence": "stem 설레", "group_id": ""}
    write_rows([to_rejected(rejected)], tmp_path / "r.parquet", REJECTED)
    assert read(tmp_path / "r.parquet")[0]["evidence"] == "stem 설레"


def test_no_rows_make_no_file(tmp_path):
    write_rows([], tmp_path / "default" / "test.parquet", DEFAULT)
    assert list(tmp_path.iterdir()) == []


def test_only_the_columns_of_the_config_are_written(tmp_path):
    write_raw([{**ROW, "scores": None}], tmp_path / "raw.parquet")
    assert read(tmp_path / "raw.parquet")[0] == ROW
    with pytest.raises(KeyError, match="device"):
        write_rows([{"id": "1", "product": "", "category": "", "values": []}], tmp_path / "p.parquet", PAIRS)
