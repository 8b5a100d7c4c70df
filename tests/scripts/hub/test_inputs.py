"""A dataset named without a revision is pinned by what is read of it, so that finished output is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from huggingface_hub import CommitOperationAdd, HfUri

from dataset_card.head import RELEASED
from scripts.core.settings import ImportSettings, PairsSettings, Recipe
from scripts.hub import inputs
from scripts.hub.hub import Hub
from scripts.stages import filter, import_rows, pairs, synthesize
from tests.command import hanjul
from tests.scripts.hub.given_rows import ROWS, rows_file

RECIPE = Recipe.model_validate({"filter": {"judge": "none"}})


def imported(hub: Hub, name: str, folder: Path, rows: list[dict[str, str]] = ROWS) -> HfUri:
    return import_rows.run(hub, hub.repo("dataset", name), ImportSettings(source=rows_file(folder, rows)), 1)


def commit(hub: Hub, repo: HfUri, path: str, content: bytes) -> None:
    operation = CommitOperationAdd(path, content)
    hub.api.create_commit(repo.id, [operation], repo_type="dataset", commit_message="by hand")


@pytest.mark.field
@pytest.mark.parametrize("revision", ["", "@main"])
def test_filtering_again_finds_what_was_filtered(hub: Hub, tmp_path: Path, revision: str) -> None:
    raw = imported(hub, f"again{revision.strip('@')}", tmp_path)
    uri = f"hf://datasets/{raw.id}{revision}"

    def filtered() -> HfUri:
        return filter.run(hub, inputs.pinned(hub, uri, filter.READS), None, RECIPE)

    first = filtered()
    assert filtered() == first == hub.resolve(uri)
    pairs.run(hub, HfUri(type="dataset", id=raw.id), None, PairsSettings(n=4), 1)
    commit(hub, raw, "README.md", (hub.text(hub.resolve(uri), "README.md") + "\n사람이 쓴 글\n").encode())
    assert filtered() == first != hub.resolve(uri)
    imported(hub, f"again{revision.strip('@')}", tmp_path, ROWS[:2])
    last = filtered()
    assert len(hub.rows(last, "default")) == 2
    assert set(hub.config_names(last)) == {"default", "pairs", "raw"}  # the card speaks of what stands there now
    assert "| `pairs` |" in hub.text(last, "README.md")


@pytest.mark.field
def test_filtering_after_a_file_was_deleted_makes_one_commit(hub: Hub, tmp_path: Path) -> None:
    """Where no commit that last changed a file has the rows of now: the extra file is older than the others."""
    name = "deleted"
    hub.api.create_repo(f"local/{name}", repo_type="dataset")
    commit(hub, hub.repo("dataset", name), "raw/extra.parquet", b"x")
    raw = imported(hub, name, tmp_path)
    hub.api.delete_file("raw/extra.parquet", raw.id, repo_type="dataset")
    uri = f"hf://datasets/{raw.id}"
    deleted = hub.resolve(uri)
    for _ in range(2):
        assert inputs.pinned(hub, uri, filter.READS) == deleted
        first = filter.run(hub, inputs.pinned(hub, uri, filter.READS), None, RECIPE)
        assert first == hub.resolve(uri)
    assert len(hub.api.list_repo_commits(raw.id, repo_type="dataset")) == 5  # made, put, imported, deleted, filtered


@pytest.mark.field
def test_only_so_many_commits_are_looked_at(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.api.create_repo("local/long-history", repo_type="dataset")
    repo = hub.repo("dataset", "long-history")
    for path in ("raw/a.parquet", "raw/b.parquet"):
        commit(hub, repo, path, path.encode())
    hub.api.delete_file("raw/a.parquet", repo.id, repo_type="dataset")
    shas = [str(hub.head(repo))]
    for n in range(3):
        commit(hub, repo, f"notes-{n}.md", b"x")
        shas.append(str(hub.head(repo)))
    for looked_at, revision in ((2, shas[-2]), (3, shas[-3]), (50, shas[0])):
        monkeypatch.setattr(inputs, "LOOKED_AT", looked_at)
        assert inputs.pinned(hub, "hf://datasets/local/long-history", ["raw"]).revision == revision


@pytest.mark.field
def test_the_command_given_twice_makes_one_commit(tmp_path: Path) -> None:
    run = [["import", rows_file(tmp_path), "--set", "dataset=twice"]]
    run += [["filter", "hf://datasets/local/twice", "--judge", "none"]] * 2
    done = [hanjul(*command, home=tmp_path, check=True) for command in run]
    assert done[1].stdout == done[2].stdout
    assert "filter: done before" in done[2].stderr


def test_what_a_stage_writes_beside_what_it_reads_does_not_count(hub: Hub, tmp_path: Path) -> None:
    raw = imported(hub, "writes-there", tmp_path)
    repo, uri = HfUri(type="dataset", id=raw.id), f"hf://datasets/{raw.id}"
    planned = pairs.run(hub, repo, None, PairsSettings(n=4), 1)

    def found() -> HfUri:
        return inputs.pinned(hub, uri, synthesize.READS, but=synthesize.WRITES)

    assert found() == planned
    commit(hub, raw, "raw/synthesised.parquet", b"lines of a teacher")
    assert found() == planned
    commit(hub, raw, "raw/imported.parquet", b"other rows of people")
    assert found() == hub.resolve(uri)


def test_content_decides_and_not_the_commit(hub: Hub, tmp_path: Path) -> None:
    """A file that is gone, or another word in the README on what is read, is a change; a pinned revision stays."""
    raw = imported(hub, "content", tmp_path)
    uri = f"hf://datasets/{raw.id}"
    commit(hub, raw, "raw/more.parquet", b"x")
    more = hub.resolve(uri)
    assert inputs.pinned(hub, uri, ["raw"]) == more
    hub.api.delete_file("raw/more.parquet", raw.id, repo_type="dataset")
    assert inputs.pinned(hub, uri, ["raw"]) == raw  # as it was
    commit(hub, raw, "raw/more.parquet", b"y")
    hub.api.delete_file("raw/imported.parquet", raw.id, repo_type="dataset")
    assert inputs.pinned(hub, uri, ["raw"]) == hub.resolve(uri)
    readme = hub.text(raw, "README.md").replace("raw/*.parquet", "raw/more.parquet")
    commit(hub, raw, "README.md", readme.encode())
    assert inputs.pinned(hub, uri, ["raw"]) == hub.resolve(uri)
    assert inputs.pinned(hub, more.to_uri(), ["raw"]) == more


@pytest.mark.field
def test_datasets_of_others_and_empty_ones_are_pinned_at_their_head(hub: Hub) -> None:
    Dataset.from_list([{"a": 1}]).push_to_hub("local/of-others")
    hub.api.create_repo("local/of-nobody", repo_type="dataset")
    for name in ("of-others", "of-nobody"):
        uri: Any = f"hf://datasets/local/{name}"
        assert inputs.pinned(hub, uri, RELEASED) == hub.resolve(uri)


@pytest.mark.field
def test_rows_that_come_from_the_dataset_itself_come_once(hub: Hub, tmp_path: Path) -> None:
    released = filter.run(hub, imported(hub, "of-itself", tmp_path), None, RECIPE)
    repo, settings = HfUri(type="dataset", id=released.id), ImportSettings(source=f"hf://datasets/{released.id}")
    first = import_rows.run(hub, repo, settings, 1)
    assert import_rows.run(hub, repo, settings, 1) == first == hub.resolve(repo)
