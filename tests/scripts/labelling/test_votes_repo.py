"""Votes as a dataset: nothing lost, nothing twice, read by anyone with `datasets` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfUri

from model_card.comparison.agreement import Vote
from pipelines.errors import HanjulError
from scripts.labelling import votes_repo
from scripts.labelling.items import lines_of_reports, pair_lines
from scripts.labelling.labelling_session import as_columns
from scripts.labelling.vote_log import VoteLog
from scripts.stages import label
from tests.scripts.labelling.lines import report

ITEMS = pair_lines(lines_of_reports([report()]), None, 1)

LOAD = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
votes = load_dataset(sys.argv[1], "votes", split="train")
print(json.dumps({"rows": votes.to_list(), "configs": get_dataset_config_names(sys.argv[1]),
                  "default": len(load_dataset(sys.argv[1], split="train"))}))
"""


def vote(item: int, choice: str, voter: str, day: int = 1, **other) -> Vote:
    fixed = {"question": "overall", "shown_first": "a", "seconds": 1.5, "voted_at": f"2026-01-0{day}T00:00:00.000Z"}
    return Vote(**as_columns(ITEMS[item]), choice=choice, voter=voter, **(fixed | other))


def test_votes_of_two_machines_are_merged(hub) -> None:
    repo = hub.repo("dataset", "votes-merged")
    here = [vote(0, "a", "가람"), vote(1, "tie", "가람")]
    first = votes_repo.push(hub, repo, here)
    there = [vote(0, "b", "나래"), vote(1, "b", "가람", day=2), vote(0, "a", "가람", day=1, question="pv")]
    second = votes_repo.push(hub, repo, there)
    expected = {here[0], *there}
    assert set(votes_repo.read(hub, second)) == expected
    assert len(votes_repo.read(hub, second)) == 4
    # The first machine knows nothing of the second; an older vote does not come back, and nothing is committed.
    assert votes_repo.push(hub, repo, here) == second
    third = votes_repo.push(hub, repo, [*here, replace(here[1], item=ITEMS[2].id, voter="다온")])
    assert len(votes_repo.read(hub, third)) == 5
    assert len({first, second, third}) == 3
    manifest = hub.manifest(third)
    assert (manifest["stage"], manifest["counts"]) == ("label", {"new": 1, "people": 1})
    assert manifest["inputs"]["before"] == second.to_uri()


def test_a_commit_between_reading_and_writing_costs_nobody_a_vote(hub, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = hub.repo("dataset", "votes-raced")
    votes_repo.push(hub, repo, [vote(0, "a", "가람")])
    real, raced = votes_repo.run_stage, []

    def late(*args):
        if not raced:
            raced.append(True)
            votes_repo.push(hub, repo, [vote(0, "b", "나래")])
        return real(*args)

    monkeypatch.setattr(votes_repo, "run_stage", late)
    last = votes_repo.push(hub, repo, [vote(0, "tie", "다온")])
    assert {one.voter for one in votes_repo.read(hub, last)} == {"가람", "나래", "다온"}


def test_the_card_and_the_rows_for_a_stranger(hub, tmp_path: Path) -> None:
    repo = hub.repo("dataset", "votes-read")
    given = [vote(place, "a", voter) for place in range(5) for voter in ("가람", "나래")]
    given.append(vote(4, "tie", "다온", seconds=None))
    votes_repo.push(hub, repo, given[:3])
    note = hub.text(hub.resolve(repo), "README.md") + "\n## 덧붙임\n\n사람이 쓴 글\n"
    hub.api.create_commit(
        repo.id, [CommitOperationAdd("README.md", note.encode())], repo_type="dataset", commit_message="note"
    )
    card = hub.text(votes_repo.push(hub, repo, given), "README.md")
    assert "| 11 | 3 | 5 | 9% |" in card
    assert card.count("# 덧붙임") == card.count("사람이 쓴 글") == card.count("hanjul:begin") == 1
    assert all(f"`{column}`" in card for column in asdict(given[0]))
    environment = {"HF_ENDPOINT": os.environ["HF_ENDPOINT"], "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, repo.id], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert (loaded["configs"], loaded["default"]) == (["votes"], 11)
    rows = [Vote(**(row | {"values": tuple(row["values"])})) for row in loaded["rows"]]
    assert set(rows) == set(given)


def test_a_repository_of_something_else_is_left_alone(hub) -> None:
    repo = hub.repo("dataset", "votes-other")
    hub.api.create_repo(repo.id, repo_type="dataset")
    readme = b"---\nconfigs:\n- config_name: default\n  data_files: a.parquet\n---\n"
    hub.api.create_commit(
        repo.id, [CommitOperationAdd("README.md", readme)], repo_type="dataset", commit_message="other"
    )
    with pytest.raises(HanjulError, match="something else: config default"):
        votes_repo.push(hub, repo, [vote(0, "a", "가람")])
    with pytest.raises(HanjulError, match="no votes in this repository"):
        votes_repo.read(hub, hub.resolve(repo))
    hub.api.create_commit(
        repo.id, [CommitOperationAdd(votes_repo.FILE, b"x")], repo_type="dataset", commit_message="broken"
    )
    with pytest.raises(HanjulError, match="These are no votes"):
        votes_repo.read(hub, hub.resolve(repo))


def test_csv_goes_where_the_page_publishes(hub, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("product,values,line_a,line_b,choice,voter\n책,쉼,가,나,a,가람\n책,쉼,나,가,a,나래\n", "cp949")
    uri = label.import_csv(hub, path, "votes-csv")
    assert {(one.voter, one.choice) for one in votes_repo.read(hub, uri)} == {("가람", "a"), ("나래", "b")}
    assert label.import_csv(hub, path, "votes-csv") == uri


def test_nothing_to_publish_and_a_journal_that_is_none(hub, tmp_path: Path) -> None:
    with pytest.raises(HanjulError, match="No votes are kept"):
        label.publish(hub, "votes-never")
    (tmp_path / "votes.sqlite").write_text("not a database, but long enough to be read as one" * 40)
    with pytest.raises(HanjulError, match="cannot be read"):
        VoteLog(tmp_path / "votes.sqlite")
    assert label.open_vote_log(HfUri(type="dataset", id="us/votes")).votes() == []
