"""`hanjul calibrate` end to end: two tables that anyone loads, numbers that follow from them, a card that says so."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset
from huggingface_hub import CommitOperationAdd, HfUri, RepoCard

from model_card.comparison.readings import readings
from model_card.judging.contrast_kinds import CONTRAST_KINDS, MODEL_MADE
from model_card.judging.contrast_set import CLICHES, MOST_MODEL_MADE
from model_card.judging.graded import graded_lines, is_unusable, is_usable, of_part
from model_card.statistics import auc
from pipelines.corpus import load_corpus
from pipelines.errors import HanjulError
from pipelines.features import RAW, write_rows
from pipelines.metrics import METRICS
from pipelines.rows import make_row, split_of
from pipelines.synthesis.examples import exemplary_slogans
from scripts.core.settings import JudgeSettings, Recipe
from scripts.judging import judges_repo
from scripts.stages import calibrate
from tests.model_card.judging.judge_server import judging
from tests.pipelines.endpoint.teacher_server import KEY, MODEL
from tests.tiny import architectures

REPO, SLOGANS = "calibrated-judges", len(exemplary_slogans())
TRAIN, HELD_OUT = 24, 32
SYNTHESISED = "사람이 쓰지 않은 줄"
NOTE = "\n## 덧붙임\n\n사람이 쓴 글\n"


def rows() -> list[Any]:
    """Rows of the starter set, some of products that are held out, and a synthesised one of such a product."""
    shipped = load_corpus()
    starter = [make_row(row["product"], row["values"], row["ad_copy"]) for row in shipped]
    train = [row for row in starter if split_of(row["product"]) == "train"][:TRAIN]
    first = {row["product"]: row for row in reversed(starter) if split_of(row["product"]) != "train"}
    held_out = list(first.values())[:HELD_OUT]
    product = held_out[0]["product"]
    return [*train, *held_out, make_row(product, ["여유"], SYNTHESISED, source="synthesised", teacher="t")]


pytestmark = pytest.mark.slow  # a contrast set of hundreds of lines, scored twice


@pytest.fixture(scope="module")
def dataset(hub, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    repo, table = hub.repo("dataset", "calibrated-rows"), tmp_path_factory.mktemp("rows") / "rows.parquet"
    write_rows(rows(), table, RAW)
    hub.api.create_repo(repo.id, repo_type="dataset")
    card = b"---\nconfigs:\n- config_name: default\n  data_files: rows.parquet\n---\n"
    files = [CommitOperationAdd("rows.parquet", table), CommitOperationAdd("README.md", card)]
    hub.api.create_commit(repo.id, files, repo_type="dataset", commit_message="rows")
    return hub.resolve(repo)


@pytest.fixture(scope="module")
def recipe(hub, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder, base = tmp_path_factory.mktemp("base"), hub.repo("model", "calibrated-base")
    architectures.save_base("gemma3", folder)
    hub.api.create_repo(base.id)
    hub.api.upload_folder(repo_id=base.id, folder_path=folder)
    asked = {"scorer": base.to_uri(), "bootstrap": 100}
    return Recipe.model_validate({"seed": 1, "evaluate": asked, "calibrate": {"repo": REPO}})


@pytest.fixture(scope="module")
def calibrated(hub, dataset: HfUri, recipe: Recipe) -> HfUri:
    return calibrate.run(hub, dataset, recipe)


def tables(uri: HfUri) -> tuple[list[Any], list[Any]]:
    return tuple(
        load_dataset(uri.id, name, split="train", revision=uri.revision).to_list() for name in ("contrast", "scores")
    )


def test_the_contrast_set_is_of_held_out_rows_and_slogans(hub, dataset: HfUri, calibrated: HfUri) -> None:
    contrasts, _ = tables(calibrated)
    counts = Counter(contrast["kind"] for contrast in contrasts)
    assert counts.keys() == CONTRAST_KINDS.keys()
    assert (counts["other_product"], counts["template"], counts["worn_out"]) == (HELD_OUT, HELD_OUT, SLOGANS)
    held_out = {row["ad_copy"] for row in rows()[TRAIN : TRAIN + HELD_OUT]}
    made = [contrast for contrast in contrasts if contrast["kind"] != MODEL_MADE]
    good = {contrast["good_ad_copy"] for contrast in made if contrast["kind"] != "worn_out"}
    assert good == held_out  # none of the train split, and no synthesised one
    for contrast in made:
        assert contrast["bad_product"] == contrast["product"]
        same = contrast["good_ad_copy"] == contrast["bad_ad_copy"], contrast["good_values"] == contrast["bad_values"]
        assert same == ((True, False) if contrast["kind"] == "other_value" else (False, True))
    models = {(line.row["product"], line.row["ad_copy"]): line for line in of_part(graded_lines(), "test")}
    for contrast in contrasts[len(made) :]:
        assert is_usable(models[contrast["product"], contrast["good_ad_copy"]])
        assert is_unusable(models[contrast["bad_product"], contrast["bad_ad_copy"]])
    usable = min(sum(is_usable(line) for line in models.values() if line.kind == "model"), MOST_MODEL_MADE)
    origins = {(contrast["origin"], contrast["good_ad_copy"]) for contrast in contrasts}
    assert len(origins) == HELD_OUT + SLOGANS + usable
    assert len(load_dataset(calibrated.id, split="train")) == len(contrasts)  # the default config
    manifest = hub.manifest(calibrated)
    assert manifest["inputs"]["dataset"] == dataset.to_uri()
    assert manifest["counts"]["items"] == len(contrasts)


def test_the_numbers_follow_from_the_scores(hub, calibrated: HfUri, recipe: Recipe) -> None:
    contrasts, all_scores = tables(calibrated)
    judge, sense = sorted(
        json.loads(hub.text(calibrated, "judges.json")), key=lambda found: found["family"] == "classifier"
    )
    assert list(sense["calibration"]) == ["sense"] and list(sense["calibration"]["sense"]["kinds"]) == [MODEL_MADE]
    scorer = hub.resolve(recipe.evaluate.scorer)
    assert (judge["name"], judge["family"]) == (f"{scorer.id}@{scorer.revision[:7]}", "likelihood")
    assert {metric: tuple(found["kinds"]) for metric, found in judge["calibration"].items()} == {
        key: metric.contrasts
        for key, metric in METRICS.items()
        if key != "sense"  # has no likelihood form
    }
    scores = [row for row in all_scores if row["judge"] == judge["name"]]
    assert [(row["contrast"], row["side"]) for row in scores] == [
        (place, side) for side in ("good", "bad") for place in range(len(contrasts))
    ]
    by_side = {side: [row for row in scores if row["side"] == side] for side in ("good", "bad")}
    told = []
    for metric, found in judge["calibration"].items():
        if found["slope"] == 0:
            assert {row[metric] for row in scores} == {0.5}
            continue
        for kind, numbers in found["kinds"].items():
            places = [place for place, contrast in enumerate(contrasts) if contrast["kind"] == kind]
            good, bad = (np.array([by_side[side][place][metric] for place in places]) for side in ("good", "bad"))
            paired = np.mean((good > bad) + 0.5 * (good == bad))
            once = {contrasts[place]["origin"]: score for place, score in zip(places, good, strict=True)}
            area = auc(np.array(list(once.values())), bad)
            assert (numbers["auc"], numbers["paired"], numbers["n"]) == pytest.approx((area, paired, len(bad)))
            told.append(kind)
    assert told  # a judge of random weights tells something


def test_the_card_loads_what_it_says(hub, calibrated: HfUri) -> None:
    text = hub.text(calibrated, "README.md")
    assert set(hub.api.list_repo_files(calibrated.id, repo_type="dataset")) >= set(
        re.findall(r"\]\((\w+\.png)\)", text)
    )
    given: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S)[1], given)
    assert len(given["template"]) == HELD_OUT
    assert [judge["name"] for judge in given["judges"]] == list(dict.fromkeys(given["scores"]["judge"]))
    for name in ("contrasts", "scores"):
        assert all(f"`{column}`" in text for column in given[name].column_names)
    head = RepoCard(text).data
    assert (head.license, head.license_name) == ("other", "mixed-see-card")
    assert [(entry["config_name"], entry.get("default", False)) for entry in head.configs] == [
        ("contrast", True),
        ("scores", False),
    ]


def test_a_second_run_does_nothing(hub, dataset: HfUri, recipe: Recipe, calibrated: HfUri) -> None:
    assert calibrate.run(hub, dataset, recipe) == calibrated
    assert hub.resolve(hub.repo("dataset", REPO)) == calibrated


def test_an_llm_stands_beside_the_likelihoods(hub, dataset, recipe, calibrated, monkeypatch) -> None:
    """It knows clichés when it sees one, nothing else, and of two lines it takes the first."""
    monkeypatch.setenv("JUDGE_KEY", KEY)
    noted = hub.text(calibrated, "README.md") + NOTE
    hub.api.create_commit(
        calibrated.id, [CommitOperationAdd("README.md", noted.encode())], repo_type="dataset", commit_message="note"
    )

    def opinion(prompt: str) -> dict[int, float]:
        if '"better"' in prompt:
            return {1: 0.9, 2: 0.1}
        return {0: 0.9, 1: 0.1} if any(line in prompt for line in CLICHES) else {4: 0.5, 5: 0.5}

    with judging(opinion) as endpoint:
        judge = JudgeSettings(base_url=endpoint.url, model=MODEL, api_key_env="JUDGE_KEY", duels=1000)
        asked = recipe.evaluate.model_copy(update={"judge": judge})
        both = calibrate.run(hub, dataset, recipe.model_copy(update={"evaluate": asked}))
        contrasts, scores = tables(both)
        lines = {
            (c[product], *c[f"{side}_values"], c[f"{side}_ad_copy"])
            for c in contrasts
            for side, product in (("good", "product"), ("bad", "bad_product"))
        }
        for_one_pair = [c for c in contrasts if (c["product"], c["good_values"]) == (c["bad_product"], c["bad_values"])]
        compared = len(for_one_pair)
        probes = 1
        assert len(endpoint.requests) == probes + len(lines) * len(METRICS) + 2 * compared
    by_family = {found["family"]: found for found in json.loads(hub.text(both, "judges.json"))}
    llm, likelihood, sense = (by_family[family] for family in ("geval", "likelihood", "classifier"))
    assert Counter(row["judge"] for row in scores) == {
        judge["name"]: 2 * len(contrasts) for judge in (llm, likelihood, sense)
    }
    kinds = {kind: told["auc"] for found in llm["calibration"].values() for kind, told in found["kinds"].items()}
    assert kinds == {kind: 1.0 if kind == "worn_out" else 0.5 for kind in CONTRAST_KINDS}
    assert (llm["duels"]["value"], llm["contradictions"], likelihood["duels"]) == (0.5, 1.0, None)
    assert hub.manifest(both)["usage"]["requests_sent"] > 0
    text = hub.text(both, "README.md")
    assert f"### {MODEL} at localhost\n" in text and text.count("\n### ") == 4  # three judges, and by kind
    assert "순서에 따라 답이 바뀐 비율 100%" in text
    assert text.count("사람이 쓴 글") == text.count("hanjul:begin") == 1


def test_a_repository_of_something_else_is_left_alone(hub, dataset: HfUri, tmp_path: Path) -> None:
    with pytest.raises(HanjulError, match="something else: config default"):
        graded = readings(graded_lines(), bootstrap=10, seed=1)
        judges_repo.readme(hub, dataset, dataset.id, dataset, [], [], graded)


@pytest.mark.field
def test_few_rows_make_a_small_set(hub, dataset: HfUri, recipe: Recipe) -> None:
    few = recipe.evaluate.model_copy(update={"calibration_rows": 8})
    found = calibrate.run(hub, dataset, recipe.model_copy(update={"evaluate": few}))
    contrasts, _ = tables(found)
    assert len({row["good_ad_copy"] for row in contrasts if row["kind"] == "template"}) == 8
    assert len(contrasts) == hub.manifest(found)["counts"]["items"] < 100
    judges = json.loads(hub.text(found, "judges.json"))
    intervals = [one["auc"] for judge in judges for one in judge["calibration"].values()]
    assert all(one["low"] < one["high"] for one in intervals)
