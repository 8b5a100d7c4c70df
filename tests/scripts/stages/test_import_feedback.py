"""Votes of visitors from the demo's dataset to preferences: what is published, and what never is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from huggingface_hub import HfApi, HfUri
from trl.data_utils import is_conversational

from model_card.comparison.agreement import Vote
from pipelines.errors import HanjulError
from pipelines.features import PREFERENCES
from pipelines.rows import split_of
from scripts.core.settings import ImportSettings
from scripts.hub.hub import Hub
from scripts.labelling import votes_repo
from scripts.labelling.items import WrittenLine, make_item
from scripts.labelling.visitor_votes import VISITORS
from scripts.stages import import_feedback, import_rows
from tests.pipelines.feedback.votes import BETTER, FLAT, GOOD, LEAKING, vote
from tests.scripts.hub.given_rows import ROWS, rows_file
from tests.scripts.hub.given_votes import feedback_repo

VOTES = [
    vote("like", GOOD, others=[FLAT, LEAKING]),
    vote("like", GOOD),
    vote("dislike", FLAT),
    vote("edit", LEAKING, BETTER, lang="en"),
    vote("like", "비도 약속을 못 미룬다", product="우산", values=["든든한"]),
    vote("dislike", "어깨가 젖지 않는 퇴근길", product="우산", values=["든든한"]),
    vote("like", "씨발 장마가 온다"),
    vote("dislike", "<b>장마</b>는 창밖에서만"),
]


def run(hub: Hub, name: str, source: str) -> HfUri:
    return import_rows.run(hub, hub.repo("dataset", name), ImportSettings(source=source, limit=1), seed=0)


@pytest.fixture(scope="module")
def source(hub: Hub) -> Iterator[str]:
    yield feedback_repo(hub, "visitors", VOTES[:3], VOTES[3:])


@pytest.fixture(scope="module")
def imported(hub: Hub, source: str) -> HfUri:
    return run(hub, "wheel", source)


def test_the_preferences_load_as_trl_wants_them(imported: HfUri) -> None:
    found = load_dataset(imported.id, "feedback")
    lines = {
        split: [(pair["chosen"][0]["content"], pair["rejected"][0]["content"], pair["reason"]) for pair in pairs]
        for split, pairs in found.items()
    }
    assert (split_of("제습기"), split_of("우산")) == ("train", "test")
    assert lines == {
        "train": [(BETTER, LEAKING, "edited"), (GOOD, FLAT, "disliked")],
        "test": [("비도 약속을 못 미룬다", "어깨가 젖지 않는 퇴근길", "disliked")],
    }
    for pairs in found.values():
        assert pairs.features == PREFERENCES and all(map(is_conversational, pairs))


def test_what_breaks_a_rule_is_counted_and_leaves_the_private_dataset_nowhere(
    hub: Hub, source: str, imported: HfUri
) -> None:
    counts = {
        "in": 8,
        **{"likes": 2, "dislikes": 2, "edits": 1, "pairs": 3},
        **{"repeated": 1, "contested": 0, "rejected": {"profanity": 1, "format": 1}},
    }
    manifest = hub.manifest(imported)
    assert (manifest["counts"], json.loads(hub.text(imported, import_feedback.COUNTS))) == (counts, counts)
    assert manifest["inputs"]["source"] == hub.resolve(source).to_uri()
    folder = hub.snapshot(imported)
    published = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "씨발".encode() not in published and b"<b>" not in published
    assert "raw" not in hub.config_names(imported)  # no edit is a row


def test_lines_that_stood_beside_each_other_are_a_vote(hub: Hub, imported: HfUri) -> None:
    (found,) = votes_repo.read(hub, imported)
    assert {found.line_a, found.line_b} == {GOOD, FLAT}
    assert {"a": found.line_a, "b": found.line_b}[found.choice] == GOOD
    assert (found.voter, found.shown_first, found.seconds, found.voted_at[:10]) == (VISITORS, "", None, "2026-11-28")
    assert load_dataset(imported.id, "votes", split="train")["choice"][:] == [found.choice]


def test_votes_that_people_gave_in_the_same_repo_stay(hub: Hub, source: str) -> None:
    (ours,) = votes_repo.read(hub, run(hub, "wheel-voted", source))
    person = Vote(**vars(ours) | {"voter": "가람", "choice": "tie", "shown_first": "a"})
    votes_repo.push(hub, hub.repo("dataset", "wheel-voted"), [person])
    more = feedback_repo(hub, "visitors-more", [*VOTES, vote("dislike", GOOD), vote("like", FLAT)])
    with pytest.raises(HanjulError, match="No preference follows"):
        run(hub, "wheel-voted", feedback_repo(hub, "visitors-split", [vote("like", GOOD), vote("dislike", GOOD)]))
    uri = run(hub, "wheel-voted", more)  # by now the lines are contested
    assert person in votes_repo.read(hub, uri)


def test_twice_does_nothing_and_more_votes_replace_what_was_there(hub: Hub) -> None:
    source = feedback_repo(hub, "visitors-growing", VOTES)
    first = run(hub, "wheel-growing", source)
    assert run(hub, "wheel-growing", source) == first
    feedback_repo(hub, "visitors-growing", [*VOTES[:4], vote("dislike", "셔츠가 쉬는 날")])
    second = run(hub, "wheel-growing", source)
    assert second != first
    assert set(load_dataset(second.id, "feedback")) == {"train"}  # the pair of the test split is gone, file and all
    assert not hub.file(second, "feedback/test.parquet")
    assert run(hub, "wheel-growing", f"{source}@{hub.resolve(source).revision}") == second


def test_what_could_not_be_committed_is_committed_later(hub: Hub, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(Exception):
        pass

    def refuse(*_: Any, **__: Any) -> None:
        raise Down

    with monkeypatch.context() as patch:
        patch.setattr(HfApi, "create_commit", refuse)
        with pytest.raises(Down):
            run(hub, "wheel-late", source)
        patch.setattr(import_feedback, "count_votes", refuse)
        patch.undo()
        patch.setattr(import_feedback, "count_votes", refuse)  # the work is done and kept
        uri = run(hub, "wheel-late", source)
    assert len(votes_repo.read(hub, uri)) == 1


def test_a_file_of_votes_is_known_by_its_columns_too(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in VOTES), encoding="utf-8")
    assert set(load_dataset(run(hub, "wheel-file", str(path)).id, "feedback")) == {"train", "test"}
    whole = tmp_path / "votes.json"
    whole.write_text(json.dumps(VOTES), encoding="utf-8")
    with pytest.raises(HanjulError, match="votes of visitors"):  # or disliked lines would become rows
        run(hub, "wheel-rows", str(whole))


def test_rows_with_a_column_kind_are_rows(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"kind": "like", "product": "우산", "values": ["쉼"], "line": GOOD}), encoding="utf-8")
    assert hub.rows(run(hub, "wheel-kind", str(path)), "raw")["ad_copy"][:] == [GOOD]


def test_a_private_dataset_that_cannot_be_read_is_one_sentence(
    hub: Hub, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Hub(HfApi(token="hf_stranger"), "local")
    with pytest.raises(HanjulError, match="No such repository") as caught:
        run(stranger, "wheel-private", source)
    assert "a private one takes a token that may read it" in caught.value.next_step


def test_a_release_imports_the_votes_that_its_recipe_names_after_its_rows(
    hub: Hub, source: str, tmp_path: Path
) -> None:
    dataset = hub.repo("dataset", "wheel-release")
    rows = [run(hub, "wheel-release", rows_file(tmp_path, given)) for given in (ROWS[:1], ROWS)]
    uris = [import_feedback.run_named(hub, dataset, source, each) for each in (rows[0], rows[1], rows[0])]
    assert uris[0] == uris[2] != uris[1]
    assert {"raw", "feedback"} <= set(hub.config_names(uris[1]))
    assert len(hub.rows(uris[1], "raw")) == 1  # import.limit


def test_what_a_recipe_names_must_be_votes(hub: Hub, imported: HfUri) -> None:
    with pytest.raises(HanjulError, match="no votes of visitors"):
        import_feedback.run_named(hub, hub.repo("dataset", "wheel-named"), imported.to_uri(), imported)


def test_an_item_is_the_one_that_people_are_asked_about(hub: Hub, imported: HfUri) -> None:
    (found,) = votes_repo.read(hub, imported)
    lines = (WrittenLine("제습기", ("보송한", "조용한"), line) for line in (FLAT, GOOD))
    assert found.item == make_item(*lines).id
