"""Imported rows: every file kind, Korean and English columns, stray quotes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import HanjulError
from pipelines.rows import make_row, split_of
from pipelines.synthesis.examples import exemplary_slogans
from scripts.core.settings import ImportSettings
from scripts.hub.hub import Hub
from scripts.stages import import_rows
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import VERSION
from scripts.tables.table import COLUMNS, Record, table_of_objects
from scripts.teaching.examples import Examples

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


@pytest.mark.field
def test_one_row_is_a_row(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(KOREAN[:1], ensure_ascii=False))
    uri = import_rows.run(hub, hub.repo("dataset", "one-row"), ImportSettings(source=str(path)), seed=0)
    assert hub.api.list_repo_commits(uri.id, repo_type="dataset")[0].title == "import: 1 row"


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


def records(*found: dict[str, Any]) -> list[Record]:
    return table_of_objects(enumerate(found, 1), "rows.json", "JSON", "Row").records(COLUMNS, OPTIONAL)


def test_missing_column_is_named() -> None:
    with pytest.raises(HanjulError, match="There is no column ad_copy") as caught:
        records({"상품": "a", "가치": "b"}, {"상품": "a", "메모": "b"})
    assert "상품, 가치, 메모" in caught.value.next_step


def test_a_cell_that_is_not_there_is_for_the_filters(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "gaps.jsonl"
    path.write_text("\n".join(map(json.dumps, [KOREAN[0], {"상품": "우산"}])))
    assert imported(hub, path, "gaps") == [EXPECTED[0], ("우산", [], "")]


def test_a_row_is_named_by_its_number_in_the_file_whatever_was_drawn(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "drawn.jsonl"
    path.write_text("\n".join(map(json.dumps, [KOREAN[0]] + [KOREAN[0] | {"상품": True}] * 9)))
    settings = ImportSettings(source=str(path), limit=1)
    with pytest.raises(HanjulError, match="Line 10: text is expected"):
        import_rows.run(hub, hub.repo("dataset", "drawn"), settings, seed=5)


def test_what_was_read_in_another_way_is_not_found_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(KOREAN))
    repo = hub.repo("dataset", "read-again")
    first = import_rows.run(hub, repo, ImportSettings(source=str(path)), seed=0)
    assert import_rows.run(hub, repo, ImportSettings(source=str(path)), seed=0) == first
    monkeypatch.setattr(import_rows, "VERSION", VERSION + 1)
    assert import_rows.run(hub, repo, ImportSettings(source=str(path)), seed=0) != first


@pytest.mark.field
def test_the_file_whose_name_looks_like_a_pattern(hub: Hub, tmp_path: Path) -> None:
    for name, row in (("rows1.json", KOREAN[1]), ("rows[1].json", KOREAN[0])):
        (tmp_path / name).write_text(json.dumps([row]))
    assert imported(hub, tmp_path / "rows[1].json", "brackets") == EXPECTED[:1]
    assert shown(hub, str(tmp_path / "rows[1].json")) == EXPECTED[:1]


def test_a_table_may_say_the_merit_of_its_rows() -> None:
    merits = ["good", "plain", "flat", "", None]
    rows = to_rows(records(*(KOREAN[0] | {"merit": merit} for merit in merits)), "imported")
    assert [row["merit"] for row in rows] == ["good", "plain", "flat", "", ""]
    assert to_rows(records(*KOREAN), "imported")[0]["merit"] == ""
    with pytest.raises(HanjulError, match="Row 2: the merit is fine") as caught:
        to_rows(records(KOREAN[0], KOREAN[1] | {"merit": "fine"}), "imported")
    assert "good, plain, flat" in caught.value.next_step


def test_every_written_row_has_a_merit(hub: Hub) -> None:
    uri = import_rows.run(hub, hub.repo("dataset", "starter"), ImportSettings(source="starter"), seed=0)
    assert set(hub.rows(uri, "raw").unique("merit")) == {"good", "plain", "flat"}


def shown(hub: Hub, source: str) -> list[tuple[str, list[str], str]]:
    """The examples that `--examples SOURCE` gives a teacher."""
    (pool,) = Examples.find(hub, source).pools(hub, [])
    return [(row["product"], row["values"], row["ad_copy"]) for row in pool]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("columns", [("상품", "담고자 하는 가치", "카피라이팅"), ("product", "values", "ad_copy")])
def test_examples_of_every_file_kind_in_both_languages(
    hub: Hub, tmp_path: Path, suffix: str, columns: tuple[str, ...]
) -> None:
    path = tmp_path / f"own{suffix}"
    rows = [dict(zip(columns, (product, ", ".join(values), line), strict=True)) for product, values, line in EXPECTED]
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    else:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else f"[{','.join(lines)}]", encoding="utf-8")
    assert shown(hub, str(path)) == EXPECTED


def test_examples_of_a_file_are_taken_as_they_are_but_once(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    leaking = {"product": "침대", "values": ["편안함"], "ad_copy": "침대의 편안함", "source": "synthesised"}
    path.write_text("\n".join([json.dumps(leaking)] * 2))
    assert shown(hub, str(path)) == [("침대", ["편안함"], "침대의 편안함")]


def test_examples_of_a_dataset_are_rows_of_people_and_of_the_train_split(hub: Hub) -> None:
    from datasets import Dataset

    sources = ["written", "imported", "synthesised"]
    rows = [
        {"product": f"물건 {number}", "values": ["정성"], "ad_copy": f"손끝 {number}", "source": sources[number % 3]}
        for number in range(60)
    ]
    Dataset.from_list(rows).push_to_hub("local/released")
    expected = [
        (row["product"], row["values"], row["ad_copy"])
        for row in rows
        if row["source"] != "synthesised" and split_of(str(row["product"])) == "train"
    ]
    assert 0 < len(expected) < 40
    assert shown(hub, "hf://datasets/local/released") == expected
    Dataset.from_list([row for row in rows if row["source"] == "synthesised"]).push_to_hub("local/machine")
    with pytest.raises(HanjulError, match="No row can be an example"):
        shown(hub, "hf://datasets/local/machine")


def test_all_rows_of_a_dataset_that_does_not_say_who_wrote_them_are_examples(hub: Hub) -> None:
    from datasets import Dataset

    rows = [{"상품": f"물건 {number}", "가치": "정성", "카피": f"손끝 {number}"} for number in range(20)]
    Dataset.from_list(rows).push_to_hub("local/others")
    expected = [(f"물건 {number}", ["정성"], f"손끝 {number}") for number in range(20)]
    assert shown(hub, "hf://datasets/local/others") == expected


def test_examples_that_cannot_be_shown(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    with pytest.raises(HanjulError, match="cannot be read"):
        Examples.find(hub, str(path))
    path.write_text("\n")
    with pytest.raises(HanjulError, match="is empty"):
        Examples.find(hub, str(path))
    whole = {"product": "침대", "values": ["편안함"], "ad_copy": "침대의 편안함"}
    for name in whole:
        path.write_text("\n".join(json.dumps(row) for row in (whole, whole | {name: ""})))
        with pytest.raises(HanjulError, match=f"An example has no {name}: 침대"):
            shown(hub, str(path))
    path.write_text(json.dumps({"product": "침대", "ad_copy": "침대의 편안함"}))
    with pytest.raises(HanjulError, match="There is no column values"):
        shown(hub, str(path))


def test_our_own_examples_break_no_rule(hub: Hub) -> None:
    good = make_row("목도리", ["우아한"], "옷깃에 앉은 작은 달", source="written")
    leaking = make_row("목도리", ["우아한"], "우아한 목도리 하나", source="written")
    assert split_of("목도리") == "train"
    assert Examples.find(hub, None).pools(hub, [good, leaking]) == (exemplary_slogans(), (good,))
