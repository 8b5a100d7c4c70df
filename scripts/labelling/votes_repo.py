"""Read and publish votes as a dataset repo: merged with those there, committed with a card."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
from huggingface_hub import HfUri
from pydantic import TypeAdapter, ValidationError

from dataset_card.card import with_block
from dataset_card.head import size_category
from model_card.cards.card import environment
from model_card.comparison.agreement import QUESTIONS, Vote, alpha_of, latest
from pipelines.errors import HanjulError
from pipelines.features import write_rows
from pipelines.metrics import METRICS
from pipelines.text.counted import counted
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage

CONFIG, FILE = "votes", "votes/train.parquet"
HEAD: dict[str, Any] = {
    "language": ["ko"],
    "license": "other",
    "license_name": "mixed-see-card",
    "pretty_name": "한 줄 Hanjul: 사람의 투표",
    "tags": ["korean", "advertising", "copywriting", "human-feedback", "preference", "hanjul"],
    "annotations_creators": ["crowdsourced"],
    "configs": [
        {"config_name": CONFIG, "data_files": [{"split": "train", "path": f"{CONFIG}/*.parquet"}], "default": True}
    ],
}
#: Resamples behind the intervals of the card.
BOOTSTRAP = 2000

_VOTES = TypeAdapter(list[Vote])


def push(hub: Hub, repo: HfUri, votes: Sequence[Vote]) -> HfUri:
    """Commit votes to a dataset repo, merged with those that stand there: none is lost, none stands twice.

    A person's later vote on the same item and question replaces the earlier one.

    Returns:
        The repo, pinned at the commit, or where it stands already if it has all of them.

    Raises:
        HanjulError: the repo holds something else, or the commit was refused; the votes are kept on this machine.
    """
    head = hub.head(repo)
    before = HfUri(type="dataset", id=repo.id, revision=head) if head else None
    existing = _existing_votes(hub, before)
    new = set(latest([*existing, *votes])) - set(existing)
    if before and not new:
        log(f"label: {repo.to_uri()} has these votes already")
        return before
    content = hashlib.sha256(_VOTES.dump_json(sorted(votes, key=str))).hexdigest()
    inputs = {"votes": f"sha256:{content}"} | ({"before": before.to_uri()} if before else {})

    def work(folder: Path) -> Outcome:
        people = len({vote.voter for vote in new})
        return Outcome(
            f"{counted(len(new), 'vote')} of {counted(people, 'person', 'people')}", {"new": len(new), "people": people}
        )

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        """Merges here, right before the commit, with the votes that another machine may have pushed meanwhile."""
        merged = latest([*_existing_votes(hub, parent), *votes])
        write_rows(map(asdict, merged), folder / "out" / FILE, features())
        return readme(hub.text(parent, "README.md") if parent else "", repo.id, merged)

    return run_stage(hub, Stage("label", repo, inputs, {}), work, card)


def read(hub: Hub, uri: HfUri) -> list[Vote]:
    """The votes of a pinned dataset repo that `push` wrote.

    Raises:
        HanjulError: it holds none, or the table has other columns.
    """
    path = hub.file(uri, FILE)
    if path is None:
        raise HanjulError(f"There are no votes in this repository ({FILE})", uri.to_uri(), "run `hanjul label` first")
    try:
        return in_file(path)
    except (ValidationError, pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not that of what is in the file
            raise
        raise HanjulError(
            f"These are no votes: {error}", f"{uri.to_uri()}/{FILE}", "give a repository that `hanjul label` wrote"
        ) from error


def in_file(path: Path) -> list[Vote]:
    """The votes of a table that `push` wrote."""
    return _VOTES.validate_python(parquet.read_table(path).to_pylist())


def _existing_votes(hub: Hub, uri: HfUri | None) -> list[Vote]:
    """The votes of a repo that may have none yet; a repo of something else is an error."""
    if uri is None:
        return []
    if hub.file(uri, FILE):
        return read(hub, uri)
    if others := hub.config_names(uri):
        raise HanjulError(
            f"This repository holds something else: config {', '.join(others)}", uri.to_uri(), "give another --repo"
        )
    return []


def features() -> Any:
    """The columns of the table, as `datasets` features."""
    from datasets import Features, List, Value

    columns = {name: Value("string") for name in Vote.__dataclass_fields__}
    return Features(columns | {"values": List(Value("string")), "seconds": Value("float64")})


def readme(existing: str, repo_id: str, votes: Sequence[Vote]) -> str:
    """The card: head, numbers and columns; what a person wrote outside our marks stays."""
    questions = []
    for question in QUESTIONS:
        on_question = [vote for vote in votes if vote.question == question]
        if on_question:
            meaning = METRICS[question].korean if question in METRICS else "종합해서 더 나은 카피"
            items = len({vote.item for vote in on_question})
            alpha = alpha_of(on_question, bootstrap=BOOTSTRAP, seed=0)
            questions.append((question, meaning, len(on_question), items, alpha))
    body = (
        environment()
        .get_template("votes_card.md.jinja")
        .render(
            repo_id=repo_id,
            votes=votes,
            people=len({vote.voter for vote in votes}),
            items=len({vote.item for vote in votes}),
            choices=Counter(vote.choice for vote in votes),
            questions=questions,
        )
    )
    return with_block(existing, HEAD | {"size_categories": [size_category(len(votes))]}, body)
