"""`hanjul label`: people say which of two lines is better; their votes become a dataset."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri
from pydantic import ValidationError

from model_card.cards.card import DATA
from model_card.comparison.agreement import QUESTIONS
from model_card.comparison.report import Report
from pipelines.errors import HanjulError
from pipelines.text.counted import counted
from scripts.core import env
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.demo.render import FOLDER
from scripts.hub.hub import Hub
from scripts.labelling import votes_repo
from scripts.labelling.csv_votes import votes_from_csv
from scripts.labelling.items import Item, lines_of_reports, lines_of_rows, pair_lines
from scripts.labelling.page import HERE, LANGUAGE, build_page
from scripts.labelling.vote_log import VoteLog

#: Draws items and their order; the same for all who label.
SEED = Recipe().seed
#: Configs of a dataset whose lines are put beside each other; `raw` where it has neither.
CONFIGS = ("default", "candidates")


def run(
    hub: Hub,
    sources: Sequence[str],
    *,
    repo: str,
    question: str,
    limit: int | None,
    host: str,
    port: int,
    push: bool,
    seed: int = SEED,
) -> HfUri | None:
    """Serve the page until Ctrl-C; its address is the line on stdout. A vote is on the disk when the next item shows.

    Args:
        sources: adapters with an evaluation, whose systems' lines meet, or datasets with several lines for a pair.
        repo: dataset repo of the votes, in our namespace unless it names one.
        question: `overall`, or a metric by its key.
        limit: items at most, drawn by seed; None is all.
        host: 127.0.0.1 is this machine alone, 0.0.0.0 whoever reaches it.
        port: 0 for any free one.
        push: publish when the page has ended.

    Returns:
        The repo, pinned, where votes were published.

    Raises:
        HanjulError: nothing to ask, no such question, the port is in use, or see `publish`.
    """

    if question not in QUESTIONS:
        raise HanjulError("There is no such question", question, f"give one of {', '.join(QUESTIONS)}")
    target = hub.repo("dataset", repo, "--repo")
    items = collect(hub, sources, limit, seed)
    kept = open_vote_log(target)
    page = build_page(items, kept, question, seed)
    log(f"label: {counted(len(items), 'item')}; Ctrl-C ends it" + (" and publishes the votes" if push else ""))
    _serve(page, host, port)
    kept.close()
    if push:
        return publish(hub, repo)
    log("label: the votes are kept on this machine; `hanjul label --push` publishes them")
    return None


def publish(hub: Hub, repo: str) -> HfUri:
    """Commit the votes kept on this machine to their repo, merged with those that are there.

    Raises:
        HanjulError: there are none, or see `scripts.labelling.votes_repo.push`.
    """

    target = hub.repo("dataset", repo, "--repo")
    kept = open_vote_log(target)
    votes = kept.votes()
    kept.close()
    if not votes:
        raise HanjulError("No votes are kept for this repository", target.to_uri(), "run `hanjul label hf://…` first")
    return votes_repo.push(hub, target, votes)


def import_csv(hub: Hub, path: Path, repo: str) -> HfUri:
    """Commit the votes of a CSV file; see `scripts.labelling.csv_votes.votes_from_csv` for its columns."""

    return votes_repo.push(hub, hub.repo("dataset", repo, "--repo"), votes_from_csv(path))


def open_vote_log(repo: HfUri) -> VoteLog:
    """The votes for a repo that were given on this machine."""

    return VoteLog(env.data_dir() / "votes" / f"{repo.id.replace('/', '--')}.sqlite")


def collect(hub: Hub, sources: Sequence[str], limit: int | None, seed: int) -> list[Item]:
    """The items of all sources together: two systems' lines for one pair, or of datasets any two lines for one.

    Raises:
        HanjulError: a source holds no lines, or no pair has two different ones.
    """

    pinned = [hub.resolve(source) for source in sources]
    reports = [_report(hub, uri) for uri in pinned if uri.type == "model"]
    datasets = [uri for uri in pinned if uri.type == "dataset"]
    if len(reports) + len(datasets) < len(pinned) or not pinned:
        raise HanjulError(
            "There is nothing to take lines from", " ".join(sources), "give hf://models/… or hf://datasets/…"
        )
    lines = [*lines_of_reports(reports), *lines_of_rows(row for uri in datasets for row in _rows(hub, uri))]
    items = pair_lines(lines, limit, seed, across_systems=not datasets)
    if not items:
        raise HanjulError(
            "No product–value pair has two different lines by two systems",
            " ".join(uri.to_uri() for uri in pinned),
            "give adapters that `hanjul evaluate` judged on one dataset, or a dataset with config `candidates`",
        )
    return items


def _report(hub: Hub, uri: HfUri) -> Any:
    text = hub.text(uri, DATA)
    if not text:
        raise HanjulError(f"This adapter has not been evaluated ({DATA})", uri.to_uri(), "run `hanjul evaluate` first")
    try:
        return Report.from_json(text)
    except ValidationError as error:
        raise HanjulError(
            f"This evaluation cannot be read: {str(error).splitlines()[0]}",
            f"{uri.to_uri()}/{DATA}",
            "run `hanjul evaluate` again: an older version wrote it",
        ) from error


def _rows(hub: Hub, uri: HfUri) -> list[Any]:
    named = hub.config_names(uri)
    configs = [config for config in CONFIGS if config in named] or ["raw"]
    return [row for config in configs for row in hub.rows(uri, config)]


def _serve(page: Any, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    import gradio as gr

    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port or None,
            prevent_thread_lock=True,
            quiet=True,
            ssr_mode=False,
            footer_links=[],
            theme=gr.themes.Base(primary_hue="stone", neutral_hue="stone", radius_size="md"),
            css_paths=[HERE / "ink_and_paper.css", HERE / "page.css"],
            head=LANGUAGE,
            favicon_path=FOLDER / "page" / "favicon.svg",
        )
    except OSError as error:  # Gradio's word for it is that it finds no empty port
        if "empty port" not in str(error):
            raise
        raise HanjulError(
            "The port is in use", f"{host}:{port}", "stop the other program or give another --port"
        ) from error
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    print(address.rstrip("/"), file=sys.__stdout__, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        page.close(verbose=False)
