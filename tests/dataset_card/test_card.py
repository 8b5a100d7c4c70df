from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard
from huggingface_hub.repocard import metadata_load

from dataset_card.card import config, merge_configs, render, size_category
from dataset_card.facts import Given, gather
from pipelines.features import (
    CANDIDATES,
    CONFIG_FILES,
    DEFAULT,
    REJECTED,
    to_candidate,
    to_default,
    to_rejected,
    write_raw,
    write_rows,
)
from pipelines.rows import split_of
from tests.dataset_card.rows import GIVEN, PRODUCED, facts, release

#: Made by `python -m tests.dataset_card.golden`; read the difference before you commit it.
GOLDEN = Path(__file__).parent / "golden" / "README.md"
FIGURES = ["figures/acceptance.png", "figures/lengths.png", "figures/devices.png"]


def head(readme: str) -> dict:
    return yaml.safe_load(readme.split("---")[1])


def test_card_is_exactly_this():
    assert render(facts(), FIGURES) == GOLDEN.read_text(encoding="utf-8")


def test_the_hub_client_reads_it(tmp_path):
    (tmp_path / "README.md").write_text(render(facts(), FIGURES), encoding="utf-8")
    card = DatasetCard.load(tmp_path / "README.md")
    assert card.data.language == ["ko"] and card.data.license == "cc-by-4.0"
    assert card.data.size_categories == ["n<1K"]
    names = [entry["config_name"] for entry in card.data.configs]
    assert names == ["default", "rejected", "candidates", "pairs", "raw"]
    assert card.data.configs[0]["default"] is True
    assert metadata_load(tmp_path / "README.md")["tags"][0] == "synthetic"


def test_the_configs_load(tmp_path):
    kept, rejected = release()
    for split, path in CONFIG_FILES["default"].items():
        write_rows([to_default(row) for row in kept if split_of(row["product"]) == split], tmp_path / path, DEFAULT)
    outranked = [row for row in rejected if row["reason"] == "outranked"]
    others = [row for row in rejected if row["reason"] != "outranked"]
    write_rows([to_candidate(row) for row in outranked], tmp_path / "candidates" / "train.parquet", CANDIDATES)
    write_rows([to_rejected(row) for row in others], tmp_path / "rejected" / "train.parquet", REJECTED)
    write_raw([*kept, *rejected], tmp_path / "raw" / "written.parquet")
    (tmp_path / "README.md").write_text(render(facts(), FIGURES), encoding="utf-8")
    options = {"cache_dir": str(tmp_path.parent / "cache")}
    loaded = load_dataset(str(tmp_path), **options)
    assert {split: len(rows) for split, rows in loaded.items()} == {
        split: rows for split, (rows, _) in facts().computed.splits.items() if rows
    }
    assert loaded["train"].features == DEFAULT
    assert len(load_dataset(str(tmp_path), "rejected", split="train", **options)) == 3
    (candidate,) = load_dataset(str(tmp_path), "candidates", split="train", **options)
    assert (candidate["ad_copy"], candidate["place"]) == ("발등에 내려앉은 일요일", 2)
    assert len(load_dataset(str(tmp_path), "raw", split="train", **options)) == 9


def test_splits_without_rows_are_not_named():
    kept, rejected = release()
    only = [row for row in kept if row["product"] == "모카포트"]
    card = head(render(gather(GIVEN, PRODUCED, only, []), FIGURES))
    assert len(card["configs"][0]["data_files"]) == 1
    assert [entry["config_name"] for entry in card["configs"]] == ["default", "raw"]
    assert len(rejected) == 4


def test_imported_rows_change_the_licence():
    card = render(facts("imported"), FIGURES[:2])
    assert head(card)["license"] == "other" and "synthetic" not in head(card)["tags"]
    assert (
        "관리자가 아직 밝히지 않았으므로" in card and "devices.png" not in card and "Gemma" not in card.split("##")[2]
    )
    stated = render(facts("imported", Given("NS/x", "엑스", imported_terms="CC0")), FIGURES[:2])
    assert "- **들여온 줄**: CC0\n" in stated and "아직 밝히지" not in stated


def test_tables_hold_against_pipes():
    assert "| 이불 \\| 담요 | 포근함 |" in GOLDEN.read_text(encoding="utf-8")


def test_what_a_model_wrote_is_text_on_the_card():
    rows = [row | {"ad_copy": "<img src=x> **[봄](x)** `왔다`"} for row in release()[0]]
    card = render(gather(GIVEN, PRODUCED, rows, []), FIGURES)
    assert r"| &lt;img src=x> \*\*\[봄\](x)\*\* \`왔다\` |" in card and "<img" not in card


def test_rendering_again_changes_nothing():
    once = render(facts(), FIGURES)
    assert render(facts(), FIGURES, once) == once


def test_what_a_person_wrote_stays():
    extra = "configs:\n- config_name: extra\n  data_files: x.csv\n"
    by_hand = f"---\nlicense: mit\ntags:\n- mine\nviewer: false\n{extra}---\n\n# 내 글\n\n소개입니다.\n"
    card = render(facts(), FIGURES, by_hand)
    assert card.index("소개입니다.") < card.index("<!-- hanjul:begin -->")
    assert head(card)["viewer"] is False and "mine" in head(card)["tags"] and head(card)["license"] == "cc-by-4.0"
    assert head(card)["configs"][-1] == {"config_name": "extra", "data_files": "x.csv"}
    later = card.replace("소개입니다.", "고친 소개입니다.") + "\n덧붙인 말\n"
    again = render(facts(), FIGURES, later)
    assert "고친 소개입니다." in again and again.rstrip().endswith("덧붙인 말")
    assert again.count("<!-- hanjul:begin -->") == 1


def test_a_licence_of_an_earlier_release_does_not_linger():
    imported = render(facts("imported"), FIGURES)
    assert "license_name" in head(imported)
    assert "license_name" not in head(render(facts(), FIGURES, imported))


def test_small_stages_add_their_config_and_nothing_else():
    first = merge_configs("", "NS/x", "raw")
    assert head(first)["configs"] == [config("raw")] and "# NS/x" in first
    second = merge_configs(first, "NS/x", "pairs")
    assert head(second)["configs"] == [config("pairs"), config("raw")]
    assert second.split("---")[2] == first.split("---")[2]
    assert merge_configs(second, "NS/x", "raw") == second
    by_hand = "# 내 글\n\n소개입니다.\n"
    assert merge_configs(by_hand, "NS/x", "raw").endswith(by_hand)
    released = render(facts(), FIGURES)
    assert merge_configs(released, "NS/x", "raw") == released


def test_a_release_replaces_the_minimal_text():
    card = render(facts(), FIGURES, merge_configs("", "NS/x", "raw"))
    assert card == render(facts(), FIGURES)


def test_nothing_kept_is_an_error():
    with pytest.raises(ValueError, match="no row passed the filters"):
        gather(GIVEN, PRODUCED, [], release()[1])


@pytest.mark.parametrize(("rows", "name"), [(999, "n<1K"), (1_000, "1K<n<10K"), (99_999, "10K<n<100K")])
def test_size_categories(rows, name):
    assert size_category(rows) == name
