"""Waiting for a Space: every stage at which it may end is a sentence with a next step."""

from __future__ import annotations

import pytest
from huggingface_hub import HfUri, SpaceStage
from huggingface_hub._space_api import INTERMEDIATE_SPACE_STAGES, TERMINAL_SPACE_STAGES

from pipelines.errors import HanjulError
from scripts.demo import waiting
from scripts.demo.waiting import ENDS, wait_until_running
from tests.scripts.demo.space_api import LOG, hub_with

NOW, BEFORE = "a" * 40, "b" * 40
SPACE = HfUri(type="space", id="ns/page", revision=NOW)


def test_it_waits_until_this_very_commit_runs(capsys) -> None:
    stages = [
        {"stage": "RUNNING", "sha": BEFORE},  # the Hub has not begun yet
        {"stage": "RUNNING_BUILDING", "sha": BEFORE},
        "BUILDING",
        "APP_STARTING",
        {"stage": "RUNNING", "sha": NOW},
    ]
    with hub_with(stages) as hub:
        wait_until_running(hub, SPACE, 30, every=0.01)
    shown = capsys.readouterr().err
    assert [stage for stage in ("BUILDING", "APP_STARTING") if f"space: {stage}" in shown] == [
        "BUILDING",
        "APP_STARTING",
    ]


def test_a_hub_that_does_not_say_which_commit_runs_is_believed() -> None:
    with hub_with(["BUILDING", "RUNNING"]) as hub:
        wait_until_running(hub, SPACE, 30, every=0.01)


@pytest.mark.parametrize("stage", ENDS)
def test_each_end_is_a_sentence_with_a_next_step(stage: str) -> None:
    with hub_with(["BUILDING", stage]) as hub, pytest.raises(HanjulError) as raised:
        wait_until_running(hub, SPACE, 30, every=0.01)
    assert str(raised.value).startswith(ENDS[stage][0])
    assert raised.value.where == SPACE.to_uri()
    assert raised.value.next_step and "{}" not in raised.value.next_step


def test_every_stage_of_the_hub_is_known() -> None:
    assert {*ENDS, SpaceStage.RUNNING} == set(TERMINAL_SPACE_STAGES)
    assert not set(ENDS) & set(INTERMEDIATE_SPACE_STAGES)


def test_what_the_build_said_is_shown(capsys) -> None:
    failed = {"stage": "BUILD_ERROR", "errorMessage": "Job failed with exit code: 1\nlong story"}
    with hub_with([failed]) as hub, pytest.raises(HanjulError, match="cannot be built: Job failed with exit code: 1"):
        wait_until_running(hub, SPACE, 30)
    shown = capsys.readouterr().err
    assert all(line in shown for line in LOG)


def test_a_log_that_cannot_be_read_is_said(capsys, monkeypatch) -> None:
    with hub_with(["RUNTIME_ERROR"]) as hub, pytest.raises(HanjulError, match="ended by itself"):
        wait_until_running(hub, SPACE, 30)
    assert "log cannot be read" in capsys.readouterr().err


def test_the_limit_is_kept() -> None:
    with (
        hub_with(["BUILDING"]) as hub,
        pytest.raises(HanjulError, match=r"does not run after .* its stage is BUILDING"),
    ):
        wait_until_running(hub, SPACE, 0.05, every=0.02)


def test_logs_are_not_asked_for_where_none_help(monkeypatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(waiting, "_last_lines", lambda *_, build: asked.append(build) or [])
    for stage in ("PAUSED", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR"):
        with hub_with([stage]) as hub, pytest.raises(HanjulError):
            wait_until_running(hub, SPACE, 30)
    assert asked == [True, False]
