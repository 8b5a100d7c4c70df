from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.errors import HanjulError
from pipelines.planning.taxonomy import KINDS, load_craft, load_taxonomy

NODE = {"products": ["드립백 커피"], "values": {kind: ["여유"] for kind in KINDS}}


def write(folder: Path, content: object) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def test_shipped_taxonomy_is_wide_and_sound():
    categories = load_taxonomy()
    assert len(categories) >= 60
    assert all(len(category.products) >= 10 for category in categories)


def test_shipped_craft_has_a_korean_sentence_for_each_name():
    craft = load_craft()
    assert len(craft.devices) == 10 and len(craft.tones) == 7
    assert all(
        any("가" <= letter <= "힣" for letter in text) for text in (*craft.devices.values(), *craft.tones.values())
    )


def test_reads_products_and_values(tmp_path):
    (category,) = load_taxonomy(write(tmp_path, {"커피": NODE}))
    assert category.name == "커피"
    assert category.products == ("드립백 커피",)
    assert category.values == {kind: ("여유",) for kind in KINDS}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no mapping"),
        ({"커피": {**NODE, "values": {"functional": ["빠른"]}}}, "must have the kinds"),
        ({"커피": None}, "must have the kinds"),
        ({"커피": {**NODE, "products": []}}, r"must be a list of words, none empty \(.*, 커피, products\)"),
        ({"커피": {**NODE, "products": [True]}}, r"must be a list of words, none empty \(.*, 커피, products\)"),
        ({"커피": {**NODE, "products": ["컵", "컵"]}}, "컵 stands twice"),
        ({"커피": NODE, "차": NODE}, "드립백 커피 stands in 커피 and in 차"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(HanjulError, match=message) as raised:
        load_taxonomy(path)
    assert str(path) in str(raised.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(HanjulError, match="cannot be read"):
        load_taxonomy(tmp_path / "nowhere.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    with pytest.raises(HanjulError, match="cannot be read"):
        load_craft(broken)
    with pytest.raises(HanjulError, match="`devices` must map"):
        load_craft(write(tmp_path, {"tones": {"warm": "다정하게"}}))
