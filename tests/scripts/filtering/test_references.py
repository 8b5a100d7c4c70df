"""The lines that rows are compared with: from files and datasets, pinned, in the columns that imports know."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from pipelines.errors import HanjulError
from pipelines.filters.apply_rules import first_rule
from pipelines.filters.filter_rows import VERSION
from pipelines.filters.limits import Limits
from pipelines.rows import make_row
from pipelines.slogans import SLOGANS, load_slogans
from pipelines.text.line_index import Lines
from scripts.core.settings import FilterSettings
from scripts.filtering.references import References, rules_identity
from scripts.hub.hub import Hub
from scripts.tables.hub_tables import HubSource

LINES = ["창문을 열면 계절이 한 뼘", "“고요를 켜는 스위치”"]
OURS = [row["ad_copy"] for row in load_slogans()]
SHIPPED = f"sha256:{sha256(SLOGANS.read_bytes()).hexdigest()}"


def limits(hub: Hub, **changes: Any) -> Limits:
    chosen = FilterSettings(judge="none", **changes)
    return References.resolve(hub, chosen).limits(hub, chosen)


OURS_PINNED = {"slogans of Hanjul": SHIPPED, "rules of Hanjul": rules_identity()}


def slogans(hub: Hub, path: Path) -> list[str]:
    """What a file adds to the slogans of Hanjul."""
    found = limits(hub, slogans=str(path)).slogans.lines
    assert list(found[: len(dict.fromkeys(OURS))]) == list(dict.fromkeys(OURS))
    return list(found[len(dict.fromkeys(OURS)) :])


def jsonl(folder: Path, *records: Any, name: str = "lines.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


def test_a_recipe_that_names_none_has_the_slogans_of_hanjul_and_no_evaluation(hub: Hub) -> None:
    found = References.resolve(hub, FilterSettings())
    assert found == References(None, None, {**OURS_PINNED})
    bounds = limits(hub)
    assert (bounds.slogans, bounds.reserved, bounds.gated) == (Lines(OURS), Lines(), False)


def test_settings_reach_the_limits(hub: Hub) -> None:
    thresholds: dict[str, Any] = {
        "min_chars": 5,
        "max_chars": 40,
        "min_precision": 0.9,
        "max_product_chars": 30,
        "max_value_chars": 20,
        "max_values": 4,
        "keep_per_pair": 2,
        "max_similarity": 0.7,
        "max_eval_similarity": 0.45,
        "max_slogan_similarity": 0.55,
        "max_phrase_share": 0.01,
        "max_phrase_count": 3,
    }
    chosen = FilterSettings(**thresholds)
    found = References.resolve(hub, chosen).limits(hub, chosen)
    assert found == Limits(**thresholds, slogans=Lines(OURS), reserved=Lines())


@pytest.mark.parametrize("column", ["ad_copy", "copy", "line", "카피라이팅", "카피"])
@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "parquet"])
def test_every_kind_of_file_and_every_name_of_the_column(hub: Hub, tmp_path: Path, suffix: str, column: str) -> None:
    path = tmp_path / f"lines.{suffix}"
    records = [{"브랜드": "가나", column: line} for line in LINES]
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif suffix == "csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, records[0])
            writer.writeheader()
            writer.writerows(records)
    else:
        lines = [json.dumps(record) for record in records]
        path.write_text("\n".join(lines) if suffix == "jsonl" else f"[{','.join(lines)}]", encoding="utf-8")
    assert slogans(hub, path) == LINES


def test_lines_that_are_empty_repeated_or_ours_add_nothing(hub: Hub, tmp_path: Path) -> None:
    path = jsonl(tmp_path, *({"ad_copy": line} for line in [LINES[0], "", None, "  ", OURS[0], LINES[0], LINES[1]]))
    assert slogans(hub, path) == LINES


@pytest.mark.field
def test_slogans_as_excel_writes_them(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "slogans1.csv").write_text("카피\n다른 파일\n", encoding="utf-8")
    path = tmp_path / "slogans[1].CSV"
    path.write_bytes(f"브랜드;카피\r\n가나;{LINES[0]}\r\n;{LINES[1]}\r\n".encode("cp949", "ignore"))
    assert slogans(hub, path) == [line.encode("cp949", "ignore").decode("cp949") for line in LINES]


def test_numbers_are_lines_too(hub: Hub, tmp_path: Path) -> None:
    assert slogans(hub, jsonl(tmp_path, {"line": 20261122})) == ["20261122"]


def test_each_line_is_read_from_the_column_that_has_it_as_in_an_import(hub: Hub, tmp_path: Path) -> None:
    assert slogans(hub, jsonl(tmp_path, {"copy": LINES[0]}, {"line": LINES[1]})) == LINES


def test_a_dataset_is_pinned_and_read_whole(hub: Hub) -> None:
    for split, line in zip(("train", "test"), LINES, strict=True):
        Dataset.from_list([{"카피": line}]).push_to_hub("local/slogans", split=split)
    uri = "hf://datasets/local/slogans"
    pinned = HubSource(hub.resolve(uri))
    chosen = FilterSettings(judge="none", slogans=uri, eval_lines=uri)
    found = References.resolve(hub, chosen)
    assert found == References(pinned, pinned, {**OURS_PINNED, "slogans": str(pinned), "eval_lines": str(pinned)})
    bounds = found.limits(hub, chosen)
    assert sorted(bounds.reserved.lines) == sorted(LINES) and set(LINES) < set(bounds.slogans.lines)
    Dataset.from_list([{"카피": "골목이 먼저 깬다"}]).push_to_hub("local/slogans", split="train")
    assert References.resolve(hub, chosen).identities != found.identities
    assert found.limits(hub, chosen) == bounds  # as pinned, whatever is pushed since


def test_a_file_is_pinned_by_its_content(hub: Hub, tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"ad_copy": LINES[0]})
    chosen = FilterSettings(eval_lines=str(path))
    identity = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    found = References.resolve(hub, chosen)
    assert found == References(None, path, {**OURS_PINNED, "eval_lines": identity})
    copy = jsonl(tmp_path, {"ad_copy": LINES[0]}, name="copy.jsonl")
    assert References.resolve(hub, FilterSettings(eval_lines=str(copy))).identities == found.identities
    jsonl(tmp_path, {"ad_copy": LINES[1]})
    assert References.resolve(hub, chosen).identities["eval_lines"] != identity
    assert limits(hub, eval_lines=str(path)).reserved == Lines([LINES[1]])


def test_a_slogan_of_the_recipe_rejects_what_resembles_it(hub: Hub, tmp_path: Path) -> None:
    bounds = limits(hub, slogans=str(jsonl(tmp_path, {"ad_copy": LINES[0]})))
    row = make_row("커튼", ["산뜻한"], "창문을 열면 계절이 두 뼘", source="written")
    reason, evidence = first_rule(row, bounds)
    assert (reason, evidence.split(" like ")[1]) == ("slogan", LINES[0])
    assert first_rule(row, limits(hub)) == ("", "")


@pytest.mark.parametrize("setting", ["slogans", "eval_lines"])
def test_what_cannot_be_compared_with_is_a_sentence(hub: Hub, tmp_path: Path, setting: str) -> None:
    def fails(source: Path | str, match: str) -> HanjulError:
        with pytest.raises(HanjulError, match=match) as caught:
            limits(hub, **{setting: str(source)})
        return caught.value

    assert fails(tmp_path / "nowhere.jsonl", "cannot be read").where.endswith("nowhere.jsonl")
    fails(jsonl(tmp_path), "is empty")
    text = tmp_path / "lines.docx"
    text.write_text(LINES[0])
    assert "jsonl" in fails(text, "cannot be imported").next_step
    error = fails(jsonl(tmp_path, {"slogan": LINES[0]}), "no column ad_copy (.*카피라이팅 / 카피)")
    assert error.where.endswith("lines.jsonl")
    assert error.next_step == "rename the columns; found: slogan"
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"ad_copy": ')
    fails(broken, "is not a table")
    nothing = tmp_path / "nothing.csv"
    nothing.write_bytes(b"\xff\xff")
    fails(nothing, "neither UTF-8 nor CP949")
    fails("hf://datasets/local/nobody-has-this", "No such repository")
    fails("hf://models/local/nobody-has-this", "No such repository")


def test_a_recipe_has_all_thresholds_of_the_filters_and_no_others(hub: Hub) -> None:
    plain = Limits()
    assert limits(hub) == plain
    assert References.resolve(hub, FilterSettings()).limits(hub, FilterSettings()) == plain
    assert limits(hub, min_precision=0.7, max_chars=30) == plain.model_copy(
        update={"min_precision": 0.7, "max_chars": 30}
    )


def test_the_behaviour_and_the_lists_of_the_rules_are_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules_identity()
    assert before.startswith(f"{VERSION} sha256:")
    monkeypatch.setattr("pipelines.filters.filter_rows.VERSION", VERSION + 1)
    assert rules_identity() != before
