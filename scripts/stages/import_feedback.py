"""`hanjul import` of votes of visitors: config `feedback`, which `hanjul filter` takes up, and config `votes`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from dataset_card.card import merge_configs
from model_card.comparison.agreement import Vote, latest
from pipelines.errors import HanjulError
from pipelines.features import CONFIG_FILES, PREFERENCES, write_rows
from pipelines.feedback import pairs as feedback
from pipelines.feedback.votes import count_votes
from pipelines.filters.limits import Limits
from pipelines.rows import split_of
from pipelines.text.counted import counted
from scripts.core.log import log
from scripts.filtering.references import rules_identity
from scripts.filtering.visitors import CONFIG, COUNTS
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.labelling import votes_repo
from scripts.labelling.visitor_votes import VISITORS, as_votes
from scripts.tables.feedback import is_feedback, read_feedback
from scripts.tables.sources import Source, identify

OWN = (*CONFIG_FILES[CONFIG].values(), COUNTS)


def run_named(hub: Hub, dataset: HfUri, source: str, rows: HfUri, sealed: str | None = None) -> HfUri:
    """Commit what follows from the votes that a recipe names, after its rows.

    Raises:
        HanjulError: they are no votes; see `run`.
    """
    found, identity = identify(hub, source)
    if not is_feedback(hub, found):
        raise HanjulError("These are no votes of visitors", f"import.feedback: {source}", "give the demo's dataset")
    return run(hub, dataset, found, identity, rows=rows, sealed=sealed)


def run(
    hub: Hub,
    dataset: HfUri,
    source: Source,
    identity: str,
    *,
    rows: HfUri | None = None,
    sealed: str | None = None,
) -> HfUri:
    """Commit what follows from votes of visitors to a dataset repo. Nothing else of them leaves their own.

    Args:
        source: of votes, see `is_feedback`.
        identity: what pins it.
        rows: pinned dataset with the rows of the same release, which this comes after.

    Raises:
        HanjulError: it cannot be read, or no preference follows.
    """
    inputs = {"source": identity, "rules of Hanjul": rules_identity()} | ({"rows": rows.to_uri()} if rows else {})
    stage = Stage("import", dataset, inputs, {"feedback": feedback.VERSION}, sealed, owns=OWN)

    def work(folder: Path) -> Outcome:
        records = list(read_feedback(hub, source))
        votes = count_votes(records, Limits())
        preferred = feedback.preferred(votes.votes)
        counts: dict[str, Any] = {"in": len(records), **asdict(preferred.tally(votes.votes))}
        counts |= {"repeated": votes.repeated, "contested": preferred.contested, "rejected": dict(votes.rejected)}
        log(f"import: {_said(counts)}")
        if not preferred.pairs:
            raise HanjulError(
                f"No preference follows from these votes: {_said(counts)}", identity, "wait for more of them"
            )
        for split, path in CONFIG_FILES[CONFIG].items():
            write_rows(_of_split(preferred.pairs, split), folder / "out" / path, PREFERENCES)
        (folder / "out" / COUNTS).write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
        compared = as_votes(preferred.pairs, preferred.beside)
        write_rows(map(asdict, compared), folder / "out" / votes_repo.FILE, votes_repo.features())
        return Outcome(f"{counted(len(preferred.pairs), 'preference')} of visitors", counts)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        out = folder / "out"
        splits = [split for split, path in CONFIG_FILES[CONFIG].items() if (out / path).is_file()]
        readme = merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, CONFIG, splits)
        if (out / votes_repo.FILE).is_file():
            votes = _merged(hub, parent, votes_repo.in_file(out / votes_repo.FILE))
            write_rows(map(asdict, votes), out / votes_repo.FILE, votes_repo.features())
            readme = merge_configs(readme, dataset.id, votes_repo.CONFIG)
        return readme

    return run_stage(hub, stage, work, card)


def _of_split(pairs: Sequence[feedback.Pair], split: str) -> list[feedback.Pair]:
    return [pair for pair in pairs if split_of(pair["product"]) == split]


def _merged(hub: Hub, parent: HfUri | None, new: Sequence[Vote]) -> list[Vote]:
    """The votes of visitors with those that others have given in the same repo."""
    there = votes_repo.read(hub, parent) if parent and hub.file(parent, votes_repo.FILE) else []
    return latest([*(vote for vote in there if vote.voter != VISITORS), *new])


def _said(counts: dict[str, Any]) -> str:
    """Counts in words: `12 likes, 3 dislikes and 1 edit that count, of 20 votes (rejected: 2 profanity)`."""
    kinds = [counted(counts[f"{kind}s"], kind) for kind in ("like", "dislike", "edit")]
    rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(counts["rejected"].items()))
    return (
        f"{kinds[0]}, {kinds[1]} and {kinds[2]} that count, of {counted(counts['in'], 'vote')}"
        f" (repeated: {counts['repeated']}; rejected: {rejected or 'none'})"
    )
