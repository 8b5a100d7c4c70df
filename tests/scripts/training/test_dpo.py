"""Preference tuning from an SFT adapter: what is learnt, measured and published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from huggingface_hub import HfUri, ModelCard

from model_card.comparison.report import Report
from pipelines.errors import HanjulError
from pipelines.rows import make_row, trl_columns, user_message
from scripts.core.settings import EvaluateSettings, Recipe, TrainSettings
from scripts.stages import evaluate, train
from tests.tiny import architectures, language_model

SFT = TrainSettings(repo="tiny-sft-lora", batch_size=4, max_steps=3, learning_rate=1e-2)


def pairs(n: int) -> Dataset:
    """Preferences that a model can learn: the worse line goes on in one way."""

    def turn(text: str) -> list[dict[str, Any]]:
        return [{"role": "assistant", "content": text}]

    made = [
        {
            "prompt": [user_message(language_model.PRODUCTS[i % 8], [language_model.VALUES[i // 8 % 4]])],
            "chosen": turn(f"{language_model.LINES[i % 4]} {i}"),
            "rejected": turn(f"{language_model.LINES[i % 4]} {i} 향초 향초"),
            "margin": 0.2,
        }
        for i in range(n)
    ]
    return Dataset.from_list(made)


@pytest.fixture(scope="module")
def pinned(hub, tmp_path_factory: pytest.TempPathFactory) -> tuple[HfUri, HfUri, HfUri]:
    """A dataset with preferences, a base and an SFT adapter on the local Hub."""
    folder = tmp_path_factory.mktemp("base")
    architectures.save_base("gemma3", folder)
    base = hub.repo("model", "tiny-dpo-base")
    hub.api.create_repo(base.id)
    hub.api.upload_folder(repo_id=base.id, folder_path=folder)
    folder = tmp_path_factory.mktemp("data")
    head = "---\nconfigs:\n"
    for config, rows in (("default", language_model.rows), ("preferences", pairs)):
        (folder / config).mkdir()
        head += f"- config_name: {config}\n  data_files:\n"
        for split, n in (("train", 32), ("validation", 8)):
            rows(n).to_parquet(folder / config / f"{split}.parquet")
            head += f"  - split: {split}\n    path: {config}/{split}.parquet\n"
    (folder / "README.md").write_text(head + "---\n")
    data = hub.repo("dataset", "tiny-preferences")
    hub.api.create_repo(data.id, repo_type="dataset")
    hub.api.upload_folder(repo_id=data.id, folder_path=folder, repo_type="dataset")
    data, base = hub.resolve(data), hub.resolve(base)
    return data, base, train.run(hub, data, base, SFT, seed=1)


def test_the_better_line_becomes_likelier_and_the_card_has_both(hub, pinned: tuple[HfUri, HfUri, HfUri]) -> None:
    data, base, start = pinned
    dpo = {"repo": "tiny-dpo-lora", "method": "dpo", "start": start.to_uri(), "max_steps": 24}
    uri = train.run(hub, data, base, SFT.model_copy(update=dpo), seed=1)
    manifest = hub.manifest(uri)
    assert manifest["inputs"] == {"dataset": data.to_uri(), "base": base.to_uri(), "start": start.to_uri()}
    assert manifest["counts"] == {"in": 32, "validation": 8, "steps": 24}
    curve = json.loads(hub.text(uri, "training/curve.json"))
    sft = json.loads(hub.text(start, "training/curve.json"))["held_out"]
    held, liked = curve["held_out"], curve["preferences"]
    assert held["base"] == pytest.approx(sft["base"], rel=1e-2)
    assert held["start"] == pytest.approx(sft["adapter"], rel=1e-2)
    assert liked["pairs"] == 8
    assert curve["steps"][-1]["loss"] < curve["steps"][0]["loss"]
    assert liked["adapter"] >= liked["start"]
    files = set(hub.api.list_repo_files(uri.id, revision=uri.revision))
    assert "adapter_model.safetensors" in files
    assert not [name for name in files if name.startswith("ref/")]  # TRL's copy of the start
    card = ModelCard(hub.text(uri, "README.md"))
    assert "dpo" in card.data.tags
    assert f"| SFT, [{start.id}](https://huggingface.co/{start.id}) | {held['start']:.3f} (" in card.text
    assert f"| DPO, 이 어댑터 · this adapter | {held['adapter']:.3f} (" in card.text
    assert f"SFT {100 * liked['start']:.0f}%, DPO {100 * liked['adapter']:.0f}%" in card.text


def test_the_start_has_to_be_an_adapter_of_the_same_base(hub, pinned: tuple[HfUri, HfUri, HfUri]) -> None:
    data, base, start = pinned
    settings = SFT.model_copy(update={"repo": "tiny-none", "method": "dpo", "start": base.to_uri()})
    with pytest.raises(HanjulError, match="This repository holds no PEFT adapter"):
        train.run(hub, data, base, settings, seed=1)
    other = HfUri(type="model", id="local/other", revision=base.revision)
    with pytest.raises(HanjulError, match="This is an adapter of local/tiny-dpo-base, not of local/other"):
        train.check_start(start, other, hub.repo("model", "tiny-none"))
    with pytest.raises(HanjulError, match="This would be published over the adapter it starts from"):
        train.check_start(start, base, start)


def test_a_dataset_without_preferences_is_named(hub, pinned: tuple[HfUri, HfUri, HfUri], tmp_path: Path) -> None:
    _, base, start = pinned
    language_model.rows().to_parquet(tmp_path / "train.parquet")
    data = hub.repo("dataset", "tiny-no-preferences")
    hub.api.create_repo(data.id, repo_type="dataset")
    hub.api.upload_folder(repo_id=data.id, folder_path=tmp_path, repo_type="dataset")
    settings = SFT.model_copy(update={"repo": "tiny-none", "method": "dpo", "start": start.to_uri()})
    with pytest.raises(HanjulError, match="No rows in config preferences"):
        train.run(hub, hub.resolve(data), base, settings, seed=1)


def test_the_report_sets_sft_and_dpo_side_by_side(hub, pinned: tuple[HfUri, HfUri, HfUri], tmp_path: Path) -> None:
    """On rows with products of every split, as `hanjul filter` leaves them."""
    data, base, start = pinned
    dpo = {"repo": "tiny-judged-dpo-lora", "method": "dpo", "start": start.to_uri(), "max_steps": 1}
    adapter = train.run(hub, data, base, SFT.model_copy(update=dpo), seed=1)
    made = [
        make_row(f"향초 {i}", [language_model.VALUES[i % 4]], f"{language_model.LINES[i % 4]} {i}", source="written")
        for i in range(160)
    ]
    repo = hub.repo("dataset", "tiny-judged")
    hub.api.create_repo(repo.id, repo_type="dataset")
    Dataset.from_list([{**row, **trl_columns(row)} for row in made]).to_parquet(tmp_path / "train.parquet")
    hub.api.upload_folder(repo_id=repo.id, folder_path=tmp_path, repo_type="dataset")
    few = EvaluateSettings(pairs=3, calibration_rows=24, bootstrap=100, max_new_tokens=4)
    recipe = Recipe(evaluate=few, synthesize=None, seed=1)
    [judged] = evaluate.run(hub, [adapter], hub.resolve(repo), recipe)
    report = Report.from_json(hub.text(judged, "evaluation/report.json"))
    assert [(system.name, system.model) for system in report.systems] == [
        ("base, 4 examples", base.id),
        ("SFT adapter", start.id),
        ("DPO adapter", adapter.id),
    ]
    card = hub.text(judged, "README.md")
    assert "| SFT adapter |" in card and "| **DPO adapter** |" in card
    assert hub.manifest(judged)["inputs"]["start"] == start.to_uri()
