"""Each package's README lists its folder, file by file."""

from __future__ import annotations

import pytest

from tests.docs import trees
from tests.docs.markdown import ROOT, text

UPDATE = "`python -m tests.docs.trees` does it; then shorten what it wrote to a line that a newcomer understands."


@pytest.mark.parametrize("folder", trees.TREES)
def test_tree_lists_every_file_and_no_other(folder: str) -> None:
    wrong = trees.differences(folder)
    assert not wrong, f"the tree in {trees.TREES[folder]} is not that of {folder}/\n{wrong}\n{UPDATE}"


@pytest.mark.parametrize("folder", trees.TREES)
def test_every_line_says_what_the_file_holds(folder: str) -> None:
    lines = trees.listed(folder)
    assert lines
    for path, description in lines.items():
        assert description, f"{path} has no description in {trees.TREES[folder]}"
        assert len(trees.line_of(path, description)) <= 120, f"the line of {path} is too wide"


@pytest.mark.parametrize("folder", trees.TREES)
def test_an_update_changes_nothing_where_nothing_changed(folder: str) -> None:
    assert trees.block_of(folder) == trees.updated(folder)


def test_differences_name_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    there = trees.present("dataset_card")
    changed = there - {"dataset_card/card.py"} | {"dataset_card/figures/new.py"}
    monkeypatch.setattr(trees, "present", lambda folder: changed)
    monkeypatch.setattr(trees, "description_of", lambda path: f"What {path} holds.")
    wrong = trees.differences("dataset_card")
    assert "add in dataset_card/figures/:\n    new.py                  What dataset_card/figures/new.py holds." in wrong
    old = trees.line_of("dataset_card/card.py", trees.listed("dataset_card")["dataset_card/card.py"])
    assert f"remove from dataset_card/:\n{old}" in wrong
    assert wrong.count("\n") == 3
    rewritten = trees.updated("dataset_card")
    assert "    new.py                  What dataset_card/figures/new.py holds.\n" in rewritten and old not in rewritten


def test_files_of_a_kind_may_be_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = "dataset_card/\n  rows/  rows\n    *.jsonl  one file for each category\n    *.csv  none is left\n"
    there = {"dataset_card/rows/", "dataset_card/rows/a.jsonl", "dataset_card/rows/b.jsonl", "dataset_card/c.jsonl"}
    monkeypatch.setattr(trees, "block_of", lambda folder: tree)
    monkeypatch.setattr(trees, "present", lambda folder: there)
    assert trees.differences("dataset_card") == (
        "  add in dataset_card/:\n  c.jsonl\n"
        "  remove from dataset_card/rows/:\n    *.csv                   none is left"
    )


@pytest.mark.parametrize(
    "line", [" card.py  one space", "      deep.py  no folder above", "  card.py  the second time"]
)
def test_a_malformed_tree_is_refused(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = f"dataset_card/\n  card.py  the first time\n{line}\n"
    monkeypatch.setattr(trees, "block_of", lambda folder: tree)
    with pytest.raises(ValueError, match="wrong indentation or stands there twice"):
        trees.listed("dataset_card")


def test_readme_fits_on_two_screens() -> None:
    for name in ("README.md", "README.ko.md"):
        assert text(name).count("\n") <= 200, name
    assert (ROOT / "space" / "screenshot.png").is_file()
