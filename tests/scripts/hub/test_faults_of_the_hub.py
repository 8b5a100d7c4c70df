"""A Hub that fails, refuses or is not there is called so, and asked again where that can help."""

from __future__ import annotations

import time
from functools import partial
from itertools import repeat
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfUri
from huggingface_hub.errors import HfHubHTTPError

from pipelines.errors import HanjulError
from scripts.core.faults import explained
from scripts.core.settings import SemanticSettings
from scripts.filtering import semantic
from scripts.hub.connect import connect
from scripts.hub.hub import Hub
from scripts.hub.patience import LONGEST_S, WAITS
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.jobs import training
from scripts.jobs.plan import TrainingJob
from scripts.models import models
from tests.scripts.hub.faulty_hub import failing

COMMIT, WHOAMI = "POST .*/commit/main", "GET /api/whoami-v2"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that somebody slept, all at once."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def toy(hub: Hub, name: str) -> Stage:
    return Stage("toy", hub.repo("dataset", name), {"source": "sha256:00"}, {})


def write(folder: Path, name: str = "data.txt") -> Outcome:
    (folder / "out" / name).write_text("a")
    return Outcome("1 file")


@pytest.mark.field
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_hub_that_fails_for_a_moment_is_asked_again(hub: Hub, waits: list[float], status: int) -> None:
    with failing(WHOAMI, [(status, {}), (status, {})]) as asked:
        assert connect().namespace == "local"
    assert (len(asked), waits) == (2, list(WAITS[:2]))


@pytest.mark.field
def test_a_wait_that_the_hub_names_is_kept(hub: Hub, waits: list[float]) -> None:
    limit = {"ratelimit": '"api";r=0;t=7'}
    with failing(WHOAMI, [(429, {"retry-after": "3"}), (429, limit)]):
        connect()
    assert waits == [3.0, 8.0]
    with failing(WHOAMI, [(429, {"retry-after": f"{LONGEST_S + 1:.0f}"})]), pytest.raises(HanjulError, match="429"):
        connect()
    assert len(waits) == 2


@pytest.mark.field
@pytest.mark.parametrize(
    ("status", "what", "step"),
    [
        (429, r"The Hub failed \(429\)", "wait a little"),
        (503, r"The Hub failed \(503\)", "wait a little"),
        (401, "does not accept the token", "check HF_TOKEN"),
        (403, "does not accept the token", "check HF_TOKEN"),
        (404, r"The Hub refused \(404\)", "check token and name"),
        (400, "cannot say whose the token is", "check HF_ENDPOINT"),
    ],
)
def test_who_is_at_fault_when_a_command_begins(hub: Hub, waits: list[float], status: int, what: str, step: str) -> None:
    with failing(WHOAMI, repeat((status, {}))), pytest.raises(HanjulError, match=what) as caught:
        connect()
    assert caught.value.next_step.startswith(step)


@pytest.mark.field
@pytest.mark.parametrize(
    "fault", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("timed out"), httpx2.UnsupportedProtocol("no scheme")]
)
def test_a_hub_that_is_not_there_is_named_after_one_request(hub: Hub, waits: list[float], fault: Exception) -> None:
    with failing(".", repeat(fault)) as asked, pytest.raises(HanjulError, match="cannot be reached") as caught:
        connect()
    assert (len(asked), waits) == (1, [])
    assert caught.value.where == str(hub.api.endpoint)


@pytest.mark.field
def test_a_page_that_is_no_hub(hub: Hub) -> None:
    with failing(WHOAMI, [(200, {"content-type": "text/html"})]), pytest.raises(HanjulError, match="is no Hub"):
        connect()


@pytest.mark.field
def test_a_config_that_the_hub_cannot_give_now_is_not_taken_for_absent(hub: Hub, waits: list[float]) -> None:
    hub.api.create_repo("local/some-adapter")
    adapter = hub.resolve("hf://models/local/some-adapter")
    for status in (502, 403):
        with failing("adapter_config.json", repeat((status, {}))), pytest.raises(HanjulError) as caught, explained():
            models.is_adapter(adapter)
        assert f"({status})" in caught.value.what
    assert not models.is_adapter(adapter)
    with pytest.raises(HanjulError, match="holds no PEFT adapter"):
        models.adapter_config(adapter)


@pytest.mark.field
@pytest.mark.parametrize(
    ("status", "what", "step"),
    [
        (403, "commit of stage toy was refused", "take a token that may write to local/refusing-403"),
        (401, "commit of stage toy was refused", "take a token that may write to local/refusing-401"),
        (412, "Somebody else has committed", "run the same command again"),
        (413, r"The Hub refused \(413\)", "free some space there, then run the same command again"),
        (422, "commit of stage toy was refused", "mend what it names, then run the same command again"),
        (503, r"The Hub failed \(503\)", "wait a little, then run the same command again"),
    ],
)
def test_a_refused_commit_says_what_helps(hub: Hub, waits: list[float], status: int, what: str, step: str) -> None:
    stage = toy(hub, f"refusing-{status}")
    with failing(COMMIT, repeat((status, {}))), pytest.raises(HanjulError, match=what) as caught:
        run_stage(hub, stage, write)
    assert caught.value.next_step.startswith(step)
    assert caught.value.where == stage.repo.to_uri()
    assert hub.text(run_stage(hub, stage, lambda folder: pytest.fail("made twice")), "data.txt") == "a"


@pytest.mark.field
@pytest.mark.parametrize("owns", [(), ("old.txt",)], ids=["adds", "deletes"])
def test_a_commit_whose_answer_was_lost_is_found(
    hub: Hub, waits: list[float], monkeypatch: pytest.MonkeyPatch, owns: tuple[str, ...]
) -> None:
    repo = hub.repo("dataset", f"answer-lost-{len(owns)}")
    run_stage(hub, Stage("before", repo, {}, {}), partial(write, name="old.txt"))
    real, made = hub.api.create_commit, []

    def lost(*args: object, **kwargs: object) -> object:
        done = real(*args, **kwargs)
        made.append(done.oid)
        if len(made) == 1:
            request = httpx2.Request("POST", f"{hub.api.endpoint}/api/datasets/{repo.id}/commit/main")
            raise HfHubHTTPError("gone", response=httpx2.Response(504, request=request))
        return done

    monkeypatch.setattr(type(hub.api), "create_commit", lambda self, *args, **kwargs: lost(*args, **kwargs))
    uri = run_stage(hub, Stage("toy", repo, {}, {}, owns=owns), write)
    assert set(made) == {uri.revision}
    assert len(hub.api.list_repo_commits(repo.id, repo_type="dataset")) == 3  # with the first, empty one
    assert (hub.text(uri, "old.txt") == "") == bool(owns)


@pytest.mark.field
def test_rows_that_the_hub_cannot_give_now_are_not_called_absent(hub: Hub, waits: list[float]) -> None:
    uri = run_stage(hub, toy(hub, "no-rows-now"), write)
    with (
        failing("no-rows-now", repeat((502, {}))),
        pytest.raises(HanjulError, match=r"The Hub .*(failed|reached)"),
        explained(),
    ):
        hub.rows(HfUri(type="dataset", id=uri.id, revision=uri.revision), "default")


@pytest.mark.field
def test_an_encoder_that_the_hub_cannot_give_now_is_not_called_broken(hub: Hub, waits: list[float]) -> None:
    pytest.importorskip("sentence_transformers")
    hub.api.create_repo("local/encoder-now")
    chosen = SemanticSettings(model="local/encoder-now", revision=hub.head(hub.repo("model", "encoder-now")))
    rows = [{"ad_copy": "하나"}, {"ad_copy": "둘"}]
    with failing("encoder-now", repeat((502, {}))), pytest.raises(HanjulError) as caught:
        semantic.similar_pairs(rows, chosen)
    assert "(502)" in caught.value.what
    with pytest.raises(HanjulError, match="sentence encoder cannot be loaded"):
        semantic.similar_pairs(rows, chosen)


@pytest.mark.field
@pytest.mark.parametrize(("status", "what"), [(503, r"The Hub failed \(503\)"), (402, "does not start the job")])
def test_a_job_that_the_hub_does_not_take(hub: Hub, waits: list[float], status: int, what: str) -> None:
    job = TrainingJob(
        repo=hub.repo("model", "job-lora"),
        wheel="hanjul.whl",
        sha256="0" * 64,
        endpoint=str(hub.api.endpoint),
        packages=(),
        arguments=("train",),
        flavor="a10g-small",
        timeout="6h",
        commit="0" * 40,
    )
    with failing("POST /api/jobs", repeat((status, {}))), pytest.raises(HanjulError, match=what), explained():
        training.start(hub, job)
