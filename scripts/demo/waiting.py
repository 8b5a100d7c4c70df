"""Wait until a Space runs, say in a sentence why it does not, and have its page write a line."""

from __future__ import annotations

import time
from collections import deque

import httpx2
from huggingface_hub import HfUri, SpaceRuntime, SpaceStage, get_token
from huggingface_hub.errors import HfHubHTTPError

from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.core.log import log
from scripts.demo import render, serving, smoke
from scripts.hub.hub import Hub
from scripts.hub.patience import patiently

#: Seconds between two looks.
EVERY_S = 5.0
#: Lines of a Space's log that are shown when it fails.
LAST_LINES = 15
#: Stages that end the waiting: what has happened, and what to do. `{}` is the Space's id.
ENDS = {
    SpaceStage.BUILD_ERROR: ("The Space cannot be built", "read `hf spaces logs {} --build`, mend it and deploy again"),
    SpaceStage.RUNTIME_ERROR: ("The page ended by itself", "read `hf spaces logs {}`, mend it and deploy again"),
    SpaceStage.CONFIG_ERROR: (
        "The Hub does not take the Space's settings",
        "compare the head of its README with https://huggingface.co/docs/hub/spaces-config-reference",
    ),
    SpaceStage.NO_APP_FILE: ("The Space has no app.py", "somebody has changed it: deploy again"),
    SpaceStage.PAUSED: ("The Space is paused", "wake it with `hf spaces restart {}`, and run the same command again"),
    SpaceStage.STOPPED: ("The Space is stopped", "wake it with `hf spaces restart {}`, and run the same command again"),
    SpaceStage.DELETING: ("The Space is being deleted", "deploy it again when it is gone"),
}
LOGGED = (SpaceStage.BUILD_ERROR, SpaceStage.RUNTIME_ERROR)


def check_deployed(hub: Hub, space: HfUri, seconds: float) -> str:
    """The line that a deployed page writes when it is asked. The local Hub runs nothing: there its folder runs here.

    Args:
        space: pinned.
        seconds: that building and starting may take, and then loading and writing again.

    Raises:
        HanjulError: it does not run, or writes no line.
    """
    if hub.is_local:
        with serving.running(hub.snapshot(space), 0) as page:
            return smoke.check_page(page.address, seconds, look_after=page.check)
    wait_until_running(hub, space, seconds)
    address = hub.api.space_info(space.id).host or render.address_of(hub, space)
    return smoke.check_page(address, seconds, get_token())


def wait_until_running(hub: Hub, space: HfUri, seconds: float, every: float = EVERY_S) -> None:
    """Return when the Space runs this very commit.

    Args:
        space: pinned.
        seconds: how long building and starting may take.

    Raises:
        HanjulError: it has failed, or does not run in time.
    """
    stage, deadline = "", time.monotonic() + seconds
    with Progress(f"space: starting {space.id}", state=lambda: stage):
        while True:
            runtime = patiently(lambda: hub.api.get_space_runtime(space.id))
            if runtime.stage != stage:
                stage = runtime.stage
                log(f"space: {stage}")
            if stage == SpaceStage.RUNNING and _commit_of(runtime) in (None, space.revision):
                return
            if stage in ENDS:
                raise _failure(hub, space, runtime)
            if time.monotonic() > deadline:
                raise HanjulError(
                    f"The Space does not run after {seconds / 60:.0f} minutes, its stage is {stage}",
                    space.to_uri(),
                    f"look at `hf spaces logs {space.id}`, and run the same command again to wait on",
                )
            time.sleep(every)


def _commit_of(runtime: SpaceRuntime) -> str | None:
    """The commit that runs, where the Hub says so."""
    sha = runtime.raw.get("sha")
    return str(sha) if sha else None


def _failure(hub: Hub, space: HfUri, runtime: SpaceRuntime) -> HanjulError:
    stage = SpaceStage(runtime.stage)
    what, step = ENDS[stage]
    said = str(runtime.raw.get("errorMessage") or "").strip().partition("\n")[0]
    if stage in LOGGED:
        for line in _last_lines(hub, space, build=stage == SpaceStage.BUILD_ERROR):
            log(f"  {line}")
    return HanjulError(f"{what}: {said}" if said else what, space.to_uri(), step.format(space.id))


def _last_lines(hub: Hub, space: HfUri, *, build: bool) -> list[str]:
    try:
        lines = deque(hub.api.fetch_space_logs(space.id, build=build), maxlen=LAST_LINES)
    except (HfHubHTTPError, httpx2.RequestError) as error:
        return [f"its log cannot be read: {error}"]
    return [line.rstrip() for line in lines]
