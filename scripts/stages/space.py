"""`hanjul space`: the demo page for one adapter, committed to a Space repo or served on this machine."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfUri

from scripts.core.fingerprint import output_settings
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.demo import deploying, render, serving
from scripts.demo.facts import JUDGE, PageFacts, facts_of, gguf_of
from scripts.demo.hardware import Place, place_of
from scripts.hub import ownership
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.judging import published_judge

#: Files that an earlier version of the page may have left.
OWN = ("*.py", "page/*", "page.css", "favicon.svg", "checks/*", JUDGE)


def deploy(
    hub: Hub,
    adapter: HfUri,
    recipe: Recipe,
    sealed: str | None = None,
    *,
    gguf: HfUri | None = None,
    variables: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> HfUri:
    """Commit the page, pinned to an adapter, and set up the Space that it runs in.

    Args:
        gguf: pinned repo of the adapter's GGUFs, if there is one.
        variables, secrets: for the page's environment, besides what it needs itself.

    Returns:
        The Space repo, pinned at the commit.

    Raises:
        HanjulError: the adapter's repo is not one of Hanjul's, or the Hub will not have such a Space.
    """
    repo, place = hub.repo("space", recipe.space.repo, "space.repo"), place_of(recipe.space.hardware)
    votes = hub.repo("dataset", recipe.space.feedback, "space.feedback") if recipe.space.feedback else None
    facts = facts_of(hub, adapter, gguf, recipe.title, votes.id if votes else "")
    inputs = {"adapter": adapter.to_uri(), "page": render.page_digest(), "judge": published_judge.identity()}
    inputs |= {"gguf": gguf.to_uri()} if gguf else {}
    options = output_settings(recipe.space) | {"title": recipe.title, "hardware": place.flavor}

    def work(folder: Path) -> Outcome:
        render.render(hub, facts, place, repo, folder / "out")
        files = sum(path.is_file() for path in (folder / "out").rglob("*"))
        return Outcome(f"page for {adapter.id}", {"files": files})

    if not sealed:
        ownership.check(hub, repo, "space")
        deploying.create(hub, repo, place)
    space = run_stage(hub, Stage("space", repo, inputs, options, sealed, OWN), work)
    _set_up(hub, repo, facts, place, votes, dict(variables or {}), dict(secrets or {}))
    return space


def _set_up(
    hub: Hub,
    repo: HfUri,
    facts: PageFacts,
    place: Place,
    votes: HfUri | None,
    variables: dict[str, str],
    secrets: dict[str, str],
) -> None:
    """Give a Space its environment and its hardware, and say what it costs and what it lacks."""
    if votes:
        deploying.ensure_feedback(hub, votes)
        variables[deploying.FEEDBACK] = votes.id
    deploying.configure(hub, repo, place, variables, secrets)
    if hub.is_local:
        return
    log(f"space: on {place.flavor}: {place.terms}")
    if place.kind == "cpu" and not facts.reads_gguf(place):
        log("space: the adapter has no GGUF, so transformers writes, several times slower: `hanjul train --gguf`")
    closed = [uri for uri in facts.reads(place) if not render.is_open(hub, uri)]
    if lacks := deploying.missing_token(hub, repo, secrets, feedback=votes is not None, closed=closed):
        log(f"space: {lacks}")


def serve(hub: Hub, uri: HfUri, port: int) -> None:
    """Run the page on this machine until Ctrl-C; its address is the line on stdout.

    Args:
        uri: a Space, served as it was committed, or an adapter, whose page is made for the occasion.
        port: 0 for any free one.

    Raises:
        HanjulError: the port is in use, or the page ends by itself.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, and the page with it
    with folder_of(hub, uri) as folder, serving.running(folder, port) as page:
        log(f"space: serving {uri.to_uri()}, Ctrl-C ends it")
        print(page.address, file=sys.__stdout__, flush=True)
        try:
            page.wait()
        except KeyboardInterrupt:
            return


@contextmanager
def folder_of(hub: Hub, uri: HfUri) -> Iterator[Path]:
    """The folder of a Space as it was committed, or of a page for an adapter."""
    if uri.type == "space":
        yield hub.snapshot(uri)
        return
    recipe = Recipe()
    with tempfile.TemporaryDirectory(prefix="hanjul-space-") as folder:
        facts = facts_of(hub, uri, gguf_of(hub, uri), recipe.title)
        place, repo = place_of("cpu"), hub.repo("space", recipe.space.repo)
        render.render(hub, facts, place, repo, Path(folder))
        yield Path(folder)
