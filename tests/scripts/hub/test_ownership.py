"""What others have put on the Hub is not replaced, and what they may have meant to share with us is taken."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, load_dataset
from huggingface_hub import CommitOperationAdd, HfUri

from pipelines.errors import HanjulError
from scripts import recipes
from scripts.core.settings import ImportSettings, Recipe
from scripts.hub import ownership
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.stages import filter, import_rows, release, train
from tests.scripts.hub.given_rows import rows_file

NUMBERS = count()
THEIRS = [{"a": 1}, {"a": 2}]


def put(hub: Hub, kind: str, name: str, **files: str | bytes) -> HfUri:
    """A repo with files by somebody's hand; `__` in a name stands for a dot."""
    repo = hub.repo(kind, name)
    hub.api.create_repo(repo.id, repo_type=kind, exist_ok=True, space_sdk="gradio" if kind == "space" else None)
    adds = [
        CommitOperationAdd(path.replace("__", "."), text.encode() if isinstance(text, str) else text)
        for path, text in files.items()
    ]
    hub.api.create_commit(repo.id, adds, repo_type=kind, commit_message="by hand")
    return repo


def write(folder: Path) -> Outcome:
    (folder / "out" / "data.txt").write_text("ours")
    return Outcome("1 file")


def stage(repo: HfUri, name: str = "toy", **more: Any) -> Stage:
    return Stage(name, repo, {"source": "sha256:00"}, {}, **more)


@pytest.mark.field
def test_rows_that_somebody_pushed_stay_what_load_dataset_gives(hub: Hub, tmp_path: Path) -> None:
    Dataset.from_list(THEIRS).push_to_hub("local/pushed")
    repo, head = hub.repo("dataset", "pushed"), hub.head(hub.repo("dataset", "pushed"))
    with pytest.raises(HanjulError, match=r"Stage import would replace what others .*: config default") as caught:
        import_rows.run(hub, repo, ImportSettings(source=rows_file(tmp_path)), 1)
    assert caught.value.where == "hf://datasets/local/pushed"
    assert caught.value.next_step == "give another name in `dataset`; nothing was changed"
    assert hub.head(repo) == head
    assert load_dataset("local/pushed", split="train", cache_dir=str(tmp_path)).to_list() == THEIRS


@pytest.mark.field
def test_a_push_over_a_dataset_of_ours_is_not_filtered_away(hub: Hub, tmp_path: Path) -> None:
    raw = import_rows.run(hub, hub.repo("dataset", "pushed-later"), ImportSettings(source=rows_file(tmp_path)), 1)
    Dataset.from_list(THEIRS).push_to_hub(raw.id)
    recipe = Recipe.model_validate({"filter": {"judge": "none"}})
    with pytest.raises(HanjulError, match=r"Stage filter would replace .*: config default"):
        filter.run(hub, raw, None, recipe)
    assert load_dataset(raw.id, split="train", cache_dir=str(tmp_path)).to_list() == THEIRS


@pytest.mark.field
def test_the_only_config_of_somebody_stays_what_load_dataset_gives(hub: Hub, tmp_path: Path) -> None:
    Dataset.from_list(THEIRS).push_to_hub("local/one-config", config_name="mine")
    repo = hub.repo("dataset", "one-config")
    with pytest.raises(HanjulError, match="config mine, the only one"):
        import_rows.run(hub, repo, ImportSettings(source=rows_file(tmp_path)), 1)
    assert load_dataset(repo.id, split="train", cache_dir=str(tmp_path)).to_list() == THEIRS


@pytest.mark.field
@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"train__csv": "a\n1\n"}, "train.csv"),
        ({"README__md": "# hi\n", "data/x__jsonl": '{"a": 1}\n'}, "data/x.jsonl"),
        ({"README__md": "---\nconfigs:\n- config_name: raw\n  data_files: mine/*.csv\n---\n"}, "config raw"),
        ({"README__md": "---\nconfigs:\n- config_name: default\n  data_dir: mine\n---\n"}, "config default"),
        (
            {"README__md": "---\nconfigs:\n- config_name: x\n  data_files: x.csv\n  default: true\n---\n"},
            "config x, the default",
        ),
        ({"README__md": "---\nconfigs:\n- config_name: x\n  data_files: x.csv\n---\n"}, "config x, the only one"),
        ({"manifest__json": "{}"}, "manifest.json"),
        ({"manifest__json": "not json", "a__csv": "a\n"}, "manifest.json, a.csv"),
    ],
)
def test_what_a_dataset_would_lose(hub: Hub, files: dict[str, str], what: str) -> None:
    repo = put(hub, "dataset", f"theirs-{next(NUMBERS)}", **files)
    with pytest.raises(HanjulError) as caught:
        ownership.check(hub, repo, "import")
    assert caught.value.what == f"Stage import would replace what others have put into this repository: {what}"


@pytest.mark.field
@pytest.mark.parametrize(
    "files",
    [
        {"README__md": "# 손으로 쓴 글\n"},
        {
            "README__md": "---\nconfigs: [{config_name: a, data_files: a.csv}, {config_name: b}]\n---\n",
            "a__csv": "a\n1\n",
        },
        {
            "README__md": "---\nconfigs:\n- config_name: mine\n  data_files: mine.csv\n---\n# 글\n",
            "manifest__json": '{"fingerprint": "0123456789abcdef"}',
        },
        {"raw/by-hand__parquet": b"x"},
    ],
)
def test_what_a_dataset_keeps(hub: Hub, files: dict[str, Any]) -> None:
    ownership.check(hub, put(hub, "dataset", f"kept-{next(NUMBERS)}", **files), "import")


@pytest.mark.field
def test_metadata_that_nobody_can_read_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = put(hub, "dataset", "unreadable", a__md="x")
    monkeypatch.setattr(Hub, "text", lambda self, uri, path: "---\nconfigs: [\n---\n" if path == "README.md" else "")
    with pytest.raises(HanjulError, match="metadata of the README cannot be read") as caught:
        ownership.check(hub, repo, "import")
    assert caught.value.where.startswith("hf://datasets/local/unreadable@")


@pytest.mark.field
@pytest.mark.parametrize(
    ("kind", "name", "file", "step"),
    [
        ("model", "train", "adapter_model__safetensors", "give another name in `train.repo`; nothing was changed"),
        ("space", "space", "app__py", "give another name in `space.repo`; nothing was changed"),
        ("model", "base", "model__safetensors", "set train.base_revision, e.g. to main, and it is taken as it stands"),
        ("model", "merge", "README__md", "move that repository to another name; nothing was changed"),
    ],
)
def test_a_model_or_space_of_somebody_is_left_alone(hub: Hub, kind: str, name: str, file: str, step: str) -> None:
    repo = put(hub, kind, f"somebodys-{name}", **{file: "theirs"})
    head = hub.head(repo)
    with pytest.raises(HanjulError, match=f"{file.replace('__', '.')}") as caught:
        run_stage(hub, stage(repo, name), lambda folder: pytest.fail("worked for nothing"))
    assert caught.value.next_step.startswith(step)
    assert hub.head(repo) == head


@pytest.mark.field
def test_what_comes_in_while_a_stage_works_is_seen_too(hub: Hub) -> None:
    repo = hub.repo("model", "filled-meanwhile")

    def work(folder: Path) -> Outcome:
        put(hub, "model", "filled-meanwhile", weights__bin="theirs")
        return write(folder)

    with pytest.raises(HanjulError, match=r"would replace what others .*: weights\.bin"):
        run_stage(hub, stage(repo), work)


def test_ours_stays_ours(hub: Hub) -> None:
    """Also with a person's files beside ours, without the manifest, and where only the wheel of a job stands."""
    repo = hub.repo("model", "ours")
    run_stage(hub, stage(repo), write)
    put(hub, "model", "ours", notes__txt="theirs", manifest__json="{}")
    ownership.check(hub, repo, "train")
    ownership.check(hub, put(hub, "model", "job-only", **{"jobs/hanjul-0__1__whl": "x"}), "train")
    ownership.check(hub, hub.repo("model", "never-made"), "train")


def test_a_stage_that_adds_may_add_to_anything(hub: Hub) -> None:
    repo = put(hub, "model", "evaluated-by-others", README__md="# theirs", adapter_model__safetensors="theirs")
    uri = run_stage(hub, stage(repo, "evaluate", adds=True), write)
    assert hub.text(uri, "README.md") == "# theirs"


@pytest.mark.field
@pytest.mark.parametrize("export", ["merged", "gguf"])
def test_a_release_and_a_training_find_out_where_an_export_cannot_go(hub: Hub, export: str) -> None:
    repo = put(hub, "model", f"exporting-over-{export}-{export}", weights__bin="theirs")
    changes = {"dataset": "never-exported", "train.repo": f"exporting-over-{export}", "train.licence": "mit"}
    changes |= {"train.merge": export == "merged", "train.gguf": export == "gguf"}
    recipe = recipes.load("offline", changes)
    with pytest.raises(HanjulError, match=r"weights\.bin") as caught:
        release.run(hub, recipe)
    assert caught.value.where == repo.to_uri()
    assert hub.head(hub.repo("dataset", "never-exported")) is None
    pinned = put(hub, "model", "exporting-base", a__md="a"), put(hub, "dataset", "exporting-rows", a__md="a")
    base, rows = (hub.resolve(uri) for uri in pinned)
    with pytest.raises(HanjulError, match=r"weights\.bin") as caught:
        train.run(hub, rows, base, recipe.train, 1)
    assert caught.value.where == repo.to_uri()


@pytest.mark.field
@pytest.mark.parametrize(("kind", "key"), [("dataset", "dataset"), ("model", "train.repo"), ("space", "space.repo")])
def test_a_release_finds_it_out_before_it_begins(hub: Hub, kind: str, key: str) -> None:
    name = f"release-over-{kind}"
    put(hub, kind, name, train__csv="a\n")
    recipe = recipes.load("offline", {"dataset": "never-released", key: name})
    with pytest.raises(HanjulError, match=r"train\.csv") as caught:
        release.run(hub, recipe)
    assert caught.value.next_step == f"give another name in `{key}`; nothing was changed"
    assert hub.head(hub.repo("dataset", "never-released")) is None
