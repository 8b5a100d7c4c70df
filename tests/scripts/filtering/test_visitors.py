"""What visitors prefer, beside a release that looks at it."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationDelete, HfUri

from pipelines.errors import HanjulError
from pipelines.feedback.pairs import Tally
from scripts.core.settings import ImportSettings
from scripts.filtering import visitors
from scripts.hub.hub import Hub
from scripts.stages import import_rows
from tests.limits import LIMITS
from tests.pipelines.feedback.votes import FLAT, GOOD, vote
from tests.scripts.hub.given_votes import feedback_repo


def test_none_where_no_votes_were_imported(hub: Hub) -> None:
    uri = import_rows.run(hub, hub.repo("dataset", "no-votes"), ImportSettings(source="starter", limit=9), seed=0)
    assert visitors.of_release(hub, uri, [], LIMITS) is None


def test_with_the_counts_of_their_import(hub: Hub) -> None:
    source = feedback_repo(hub, "visitors-counted", [vote("like", GOOD), vote("dislike", FLAT)])
    uri = import_rows.run(hub, hub.repo("dataset", "with-votes"), ImportSettings(source=source), seed=0)
    found = visitors.of_release(hub, uri, [], LIMITS)
    assert found and found.tally == Tally(likes=1, dislikes=1, edits=0, pairs=1)
    assert ([pair["reason"] for pair in found.pairs], found.rejected) == (["disliked"], {})
    commit = hub.api.create_commit(
        uri.id, [CommitOperationDelete(visitors.COUNTS)], commit_message="-", repo_type="dataset"
    )
    with pytest.raises(HanjulError, match="lacks the counts"):
        visitors.of_release(hub, HfUri(type="dataset", id=uri.id, revision=commit.oid), [], LIMITS)
