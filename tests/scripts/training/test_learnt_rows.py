"""Which rows a training learns, by what their columns say."""

from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset
from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from pipelines.rows import make_row, split_of, trl_columns
from scripts.core.settings import TrainSettings
from scripts.training.learnt_rows import learnt_rows

DATASET = HfUri(type="dataset", id="us/copy", revision="0" * 40)
MERITS = ("good", "plain", "", "good", "plain", "plain")


class Splits:
    """The part of a Hub that is asked here, from memory: the splits of config `default`, the rows of `candidates`."""

    def __init__(self, candidates: list[dict[str, Any]] | None = None, **splits: list[dict[str, Any]]) -> None:
        self.candidates = candidates or []
        self.by_name = {name: Dataset.from_list(rows) for name, rows in splits.items()}

    def config_names(self, dataset: HfUri) -> list[str]:
        return ["default", "candidates"] if self.candidates else ["default"]

    def rows(self, dataset: HfUri, config: str) -> list[dict[str, Any]]:
        assert (dataset, config) == (DATASET, "candidates")
        return self.candidates

    def splits(self, dataset: HfUri, config: str) -> dict[str, Dataset]:
        assert (dataset, config) == (DATASET, "default")
        return dict(self.by_name)


def rows(split: str, merits: tuple[str, ...] = MERITS) -> list[dict[str, Any]]:
    made = [
        make_row(f"{split} {place}", ["여유"], f"카피 {place}", source="written", merit=merit)
        for place, merit in enumerate(merits)
    ]
    return [{**row, **trl_columns(row)} for row in made]


HUB = Splits(train=rows("train"), validation=rows("validation"), test=rows("test"))


def learnt(hub: Any = HUB, seed: int = 1, **settings: Any) -> dict[str, list[str]]:
    found = learnt_rows(hub, DATASET, TrainSettings(**settings), seed, None)
    assert list(found) == ["default"]
    return {name: split["product"][:] for name, split in found["default"].items()}


def places(split: str, *numbers: int) -> list[str]:
    return [f"{split} {number}" for number in numbers]


def test_all_rows_are_learnt_where_nobody_says_which() -> None:
    assert learnt() == {name: places(name, *range(6)) for name in ("train", "validation")}


@pytest.mark.parametrize(
    ("merits", "numbers"), [(("plain",), (1, 2, 4, 5)), (("good",), (0, 2, 3)), (("good", "plain"), range(6))]
)
def test_merits_choose_in_both_splits_and_rows_of_none_stay(merits: tuple[str, ...], numbers: Any) -> None:
    assert learnt(merits=merits) == {name: places(name, *numbers) for name in ("train", "validation")}


def test_an_early_release_says_of_no_row_what_it_is_worth() -> None:
    early = [{name: value for name, value in row.items() if name != "merit"} for row in rows("train")]
    assert learnt(Splits(train=early), merits=("good",)) == {"train": places("train", *range(6))}
    unknown = [row | {"merit": None} for row in rows("train", ("", ""))]
    assert learnt(Splits(train=[*rows("train", ("plain",)), *unknown]), merits=("good",)) == {
        "train": places("train", 0, 1)
    }


def test_rows_are_drawn_by_seed_from_the_train_split_alone() -> None:
    drawn = [learnt(rows=3, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] and drawn[0]["train"] != drawn[2]["train"]
    for found in drawn:
        assert len(found["train"]) == 3 and found["train"] == sorted(set(found["train"]))
        assert found["validation"] == places("validation", *range(6))
    assert learnt(rows=6) == learnt(rows=100) == learnt()


def test_flat_lines_are_written_candidates_of_the_split() -> None:
    trained, tested = (
        next(f"우산 {n}" for n in range(99) if split_of(f"우산 {n}") == name) for name in ("train", "test")
    )
    flat = [
        make_row(product, ["여유"], "부담 없이 쓸 수 있어요", source=source, merit=merit)
        for product, source, merit in (
            (trained, "written", "flat"),
            (tested, "written", "flat"),
            (trained, "synthesised", ""),
            (trained, "written", "good"),
        )
    ]
    hub = Splits([{**row, "scores": None, "place": 2} for row in flat], train=rows("train"))
    assert learnt(hub, merits=("flat",)) == {"train": ["train 2", trained]}
    assert learnt(hub, merits=("plain",)) == {"train": places("train", 1, 2, 4, 5)}


def test_rows_are_drawn_from_those_of_the_merits() -> None:
    assert learnt(merits=("good",), rows=3)["train"] == places("train", 0, 2, 3)
    assert set(learnt(merits=("good",), rows=2)["train"]) < set(places("train", 0, 2, 3))


def test_the_judge_learns_each_row_that_was_drawn_twice() -> None:
    found = learnt_rows(HUB, DATASET, TrainSettings(method="judge", rows=2), 1, ["written"])  # type: ignore[arg-type]
    assert [len(split) for split in found["default"].values()] == [4, 12]


def test_merits_that_no_row_has_are_an_error() -> None:
    hub = Splits(train=rows("train", ("plain", "plain")), validation=rows("validation"))
    with pytest.raises(HanjulError, match="No row of the train split has the merit good or flat") as caught:
        learnt(hub, merits=("good", "flat"))
    assert "train.merits" in caught.value.next_step


def test_a_validation_split_without_rows_of_the_merits_is_left_out() -> None:
    hub = Splits(train=rows("train"), validation=rows("validation", ("plain", "plain")))
    assert learnt(hub, merits=("good",)) == {"train": places("train", 0, 2, 3)}


@pytest.mark.parametrize("merits", [[], ["fine"], [""]])
def test_other_merits_are_no_setting(merits: list[str]) -> None:
    with pytest.raises(ValueError, match="merits"):
        TrainSettings(merits=merits)
