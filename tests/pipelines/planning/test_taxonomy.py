from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.errors import HanjulError
from pipelines.planning.taxonomy import KINDS, load_craft, load_taxonomy, taxonomy_digest

GROUP = {"name": "내리는 커피", "products": ["드립백 커피"], "values": {kind: ["여유"] for kind in KINDS}}
COFFEE = {"category": "커피", "groups": [GROUP]}


def write(folder: Path, *contents: object) -> Path:
    for number, content in enumerate(contents):
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_shipped_taxonomy_is_wide_and_sound():
    categories = load_taxonomy()
    assert len(categories) == 64
    assert all(len(category.products) >= 25 and 3 <= len(category.groups) <= 8 for category in categories)
    assert sum(len(category.products) for category in categories) > 1_900
    groups = [group for category in categories for group in category.groups]
    assert len({value for group in groups for values in group.values.values() for value in values}) > 4_000
    assert all(len(values) >= 4 for group in groups for values in group.values.values())


def test_shipped_craft_has_a_korean_sentence_for_each_name():
    craft = load_craft()
    assert len(craft.devices) == 15 and len(craft.tones) == 8
    assert all(
        any("가" <= letter <= "힣" for letter in text) for text in (*craft.devices.values(), *craft.tones.values())
    )


def test_reads_products_and_values(tmp_path):
    more = {"name": "콩", "products": ["원두"], "values": {kind: [f"{kind} 값"] for kind in KINDS}}
    (category,) = load_taxonomy(write(tmp_path, {"category": "커피", "groups": [GROUP, more]}))
    assert category.name == "커피"
    assert category.products == ("드립백 커피", "원두")
    assert category.values_of("드립백 커피") == {kind: ("여유",) for kind in KINDS}
    assert category.values_of("원두")["social"] == ("social 값",)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([[]], "no mapping"),
        ([{"category": "커피", "groups": []}], "must have `category`"),
        ([{"groups": [GROUP]}], "must have `category`"),
        ([{"category": "커피", "groups": [{**GROUP, "values": {"functional": ["빠른"]}}]}], "must have the kinds"),
        ([{"category": "커피", "groups": [None]}], "must have the kinds"),
        ([{"category": "커피", "groups": [{**GROUP, "name": 3}]}], "must have a `name`"),
        (
            [{"category": "커피", "groups": [GROUP, {**GROUP, "products": []}]}],
            r"must be a list of words, none empty \(.*0.yaml, 2, products\)",
        ),
        ([{"category": "커피", "groups": [{**GROUP, "products": [True]}]}], r"must be a list of words, none empty"),
        ([{"category": "커피", "groups": [{**GROUP, "products": ["컵", "컵"]}]}], "컵 stands twice"),
        ([{"category": "커피", "groups": [GROUP, GROUP]}], "드립백 커피 stands twice"),
        ([COFFEE, {**COFFEE, "category": "차"}], "드립백 커피 stands in 커피 and in 차"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path, contents, message):
    folder = write(tmp_path, *contents)
    with pytest.raises(HanjulError, match=message) as raised:
        load_taxonomy(folder)
    assert str(folder) in str(raised.value)


def test_a_change_of_any_file_is_another_digest(tmp_path):
    folder = write(tmp_path, COFFEE)
    before = taxonomy_digest(folder)
    write(tmp_path, {**COFFEE, "category": "차"})
    assert taxonomy_digest(folder) != before


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(HanjulError, match="There are no categories"):
        load_taxonomy(tmp_path / "nowhere")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    with pytest.raises(HanjulError, match="cannot be read"):
        load_craft(broken)
    with pytest.raises(HanjulError, match="`devices` must map"):
        load_craft(write(tmp_path, {"tones": {"warm": "다정하게"}}) / "0.yaml")
