"""The Space repo: what is committed, for which place, and what is set up around it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import HfUri, SpaceCard

from pipelines.errors import HanjulError
from pipelines.rows import PROMPT_FORMAT
from pipelines.text.markdown import cell
from scripts.core.settings import Recipe
from scripts.demo import render, requirements
from scripts.demo.facts import PageFacts, facts_of
from scripts.demo.hardware import Place, place_of
from scripts.stages import space


def recipe(**settings: object) -> Recipe:
    return Recipe.model_validate({"space": {"repo": "tiny-space"} | settings})


def rendered(hub, facts: PageFacts, place: Place, out: Path) -> SpaceCard:
    """The card of a folder."""
    render.render(hub, facts, place, hub.repo("space", "tiny-space"), out)
    return SpaceCard((out / "README.md").read_text(encoding="utf-8"))


@pytest.fixture
def facts(hub, adapter) -> PageFacts:
    return facts_of(hub, adapter, None, "한 줄 Hanjul")


def test_space_holds_the_page_pinned_to_the_adapter(hub, adapter, deployed: HfUri) -> None:
    folder = hub.snapshot(deployed)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    apart = {"settings.json", "requirements.txt", "README.md", "manifest.json", ".gitattributes", "judge.npz"}
    assert {name for name in names if not name.startswith("checks/")} == {*render.page_files(), *apart}
    assert "app.py" in names and "checks/__init__.py" in names
    settings = json.loads((folder / "settings.json").read_text())
    assert len(settings.pop("examples")) >= 5
    assert settings == {
        "adapter": adapter.id,
        "revision": adapter.revision,
        "base_model": f"{hub.namespace}/tiny-base",
        "dataset": f"{hub.namespace}/tiny-copy",
        "prompt_format": PROMPT_FORMAT,
        "title": "한 줄 Hanjul",
        "gguf": None,
        "judge": "judge.npz",
        "feedback": "",
        "rating": None,
    }


def test_what_is_uploaded_as_it_is_is_the_folder(hub) -> None:
    files = render.page_files()
    assert {"app.py", "writer.py", "request.py"} <= set(files)
    assert not {"README.md", "examples.json", "screenshot.png", "requirements/zero.txt"} & set(files)
    assert not [name for name in files if name.startswith(".") or "__pycache__" in name]


@pytest.mark.parametrize("name", ["zero", "cpu", "l4x1"])
def test_each_place_gets_a_card_and_requirements_that_it_takes(
    hub, facts: PageFacts, tmp_path: Path, name: str
) -> None:
    place = place_of(name)
    card = rendered(hub, facts, place, tmp_path)
    data = card.data.to_dict()
    lock = requirements.lock_of(place.lock(gguf=False))
    assert (tmp_path / "requirements.txt").read_bytes() == lock.read_bytes()
    assert data["suggested_hardware"] == place.flavor
    assert data["python_version"] == "3.12.12"
    assert data["sdk"] == "gradio"
    assert data["sdk_version"] == requirements.pins(lock)["gradio"]
    assert data["app_file"] == "app.py"


def test_card_says_what_runs_and_on_what(hub, adapter, facts: PageFacts, tmp_path: Path) -> None:
    card = rendered(hub, facts, place_of("zero"), tmp_path)
    data = card.data.to_dict()
    assert data["models"] == [adapter.id, f"{hub.namespace}/tiny-base"]
    assert data["datasets"] == [f"{hub.namespace}/tiny-copy"]
    assert "mcp-server" in data["tags"]
    assert len(data["short_description"]) <= 60  # the Hub's limit
    assert adapter.revision[:12] in card.text
    assert "{{" not in card.text and "{%" not in card.text and "None" not in card.text


def test_models_are_preloaded_at_their_revisions(hub, adapter, facts: PageFacts) -> None:
    of_adapter, of_base = render.preload(hub, facts, place_of("zero"))
    repo, files, revision = of_adapter.split(" ")
    assert (repo, revision) == (adapter.id, adapter.revision)
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= set(files.split(","))
    repo, files, revision = of_base.split(" ")
    assert (repo, revision) == (facts.base.id, facts.base.revision)
    assert {"config.json", "model.safetensors"} <= set(files.split(","))


def test_what_takes_a_token_is_not_preloaded(hub, facts: PageFacts) -> None:
    hub.api.update_repo_settings(facts.base.id, gated="auto")
    try:
        assert [line.split(" ")[0] for line in render.preload(hub, facts, place_of("zero"))] == [facts.adapter.id]
    finally:
        hub.api.update_repo_settings(facts.base.id, gated=False)


@pytest.mark.field
@pytest.mark.parametrize("title", ["봄 **여름**", "a: b # c", "<b>x</b> [링크](x)"])
def test_a_title_is_one_heading(hub, adapter, title: str, tmp_path: Path) -> None:
    card = rendered(hub, facts_of(hub, adapter, None, title), place_of("zero"), tmp_path)
    assert card.data.title == title
    assert card.text.strip().splitlines()[0] == f"# {cell(title)}"


def test_second_deploy_commits_nothing(hub, adapter, deployed: HfUri) -> None:
    assert space.deploy(hub, adapter, recipe()) == deployed
    assert space.deploy(hub, adapter, recipe(hardware="zero-a10g")) == deployed  # the same place by its other name


def test_what_changes_the_folder_is_committed(hub, adapter, deployed: HfUri, monkeypatch, tmp_path: Path) -> None:
    elsewhere = space.deploy(hub, adapter, recipe(hardware="cpu"))
    assert elsewhere != deployed
    assert hub.api.get_space_runtime(deployed.id).requested_hardware == "cpu-basic"
    shutil.copytree(render.FOLDER, tmp_path / "space")
    (tmp_path / "space" / "extra").mkdir()
    (tmp_path / "space" / "extra" / "new.py").write_text("NEW = 1\n")
    monkeypatch.setattr(render, "FOLDER", tmp_path / "space")
    changed = space.deploy(hub, adapter, recipe(hardware="cpu"))
    assert changed != elsewhere
    assert hub.text(changed, "extra/new.py") == "NEW = 1\n"
    monkeypatch.undo()
    shutil.copytree(render.FOLDER, tmp_path / "without")
    (tmp_path / "without" / "README.md").write_text((render.FOLDER / "README.md").read_text() + "\n더.\n")
    monkeypatch.setattr(render, "FOLDER", tmp_path / "without")
    last = space.deploy(hub, adapter, recipe(hardware="cpu"))
    assert hub.text(last, "extra/new.py") == ""  # modules of an earlier version do not stay


def test_everything_is_one_commit(hub, adapter) -> None:
    made = space.deploy(hub, adapter, recipe(repo="one-commit"))
    ours = [commit for commit in hub.api.list_repo_commits(made.id, repo_type="space") if "space:" in commit.title]
    assert [commit.commit_id for commit in ours] == [made.revision]


def test_repo_that_is_no_adapter_is_refused(hub, adapter) -> None:
    base = hub.resolve(HfUri(type="model", id=f"{hub.namespace}/tiny-base"))
    with pytest.raises(HanjulError, match="no adapter that Hanjul trained"):
        space.deploy(hub, base, recipe(repo="never-made"))
    assert hub.head(hub.repo("space", "never-made")) is None


def test_hardware_that_is_none_is_refused(hub, adapter) -> None:
    with pytest.raises(HanjulError, match="no such hardware"):
        space.deploy(hub, adapter, recipe(repo="never-made", hardware="zeor"))
