"""Synthesis through the stage: a loopback teacher, keys by name, nothing secret in anything that is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import env, import_rows, pairs, synthesize
from scripts.errors import HanjulError
from scripts.hub import Hub
from scripts.settings import ImportSettings, PairsSettings, SynthesizeSettings, TeacherSettings
from tests.pipelines.teacher_server import KEY, MODEL, serve


@pytest.fixture(scope="module")
def planned(hub: Hub) -> object:
    dataset = hub.repo("dataset", "synthesis")
    rows = import_rows.run(hub, dataset, ImportSettings(source="starter", limit=60), seed=1)
    return pairs.run(hub, dataset, rows, PairsSettings(n=4), seed=1)


def settings(url: str | None, **teacher: str) -> SynthesizeSettings:
    return SynthesizeSettings(teacher=TeacherSettings(base_url=url, **teacher), candidates=2, examples=2)  # type: ignore[arg-type]


def test_endpoint_writes_rows_and_the_key_stays_out(hub: Hub, planned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    with serve(lambda body, choice: f"창문 너머 {len(str(body))}번째 아침 {choice}") as endpoint:
        chosen = settings(endpoint.url, model=MODEL, api_key_env="MY_TEACHER_KEY")
        uri = synthesize.run(hub, planned, None, chosen, seed=1)  # type: ignore[arg-type]
        asked = len(endpoint.log.requests)
        assert synthesize.run(hub, planned, None, chosen, seed=1) == uri  # type: ignore[arg-type]
        assert len(endpoint.log.requests) == asked
    rows = hub.rows(uri, "raw")
    written = [row for row in rows if row["source"] == "synthesised"]
    assert len(written) == 8
    assert {row["teacher"] for row in written} == {MODEL}
    assert all(len(row["example_ids"]) == 2 for row in written)
    assert len(rows) == 68  # the imported rows are still there
    manifest = hub.manifest(uri)
    assert manifest["usage"]["output_tokens"] > 0
    assert manifest["inputs"]["pairs"] == planned.to_uri()  # type: ignore[attr-defined]
    snapshot = hub.snapshot(uri)
    kept = [*snapshot.rglob("*"), *env.data_dir().rglob("*"), *Path(env.hub_store()).rglob("*")]
    files = [path for path in kept if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_missing_key_names_the_variable(hub: Hub, planned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABSENT_KEY", raising=False)
    chosen = settings("https://teacher.example/v1", model="m", api_key_env="ABSENT_KEY")
    with pytest.raises(HanjulError, match="ABSENT_KEY"):
        synthesize.run(hub, planned, None, chosen, seed=1)  # type: ignore[arg-type]


def test_endpoint_that_is_down_is_a_sentence(hub: Hub, planned: object) -> None:
    with pytest.raises(HanjulError, match="does not answer"):
        synthesize.run(hub, planned, None, settings("http://127.0.0.1:9/v1", model="m"), seed=1)  # type: ignore[arg-type]


def test_no_teacher_is_a_sentence(hub: Hub, planned: object) -> None:
    with pytest.raises(HanjulError, match="There is no teacher"):
        synthesize.run(hub, planned, None, settings(None), seed=1)  # type: ignore[arg-type]


def test_model_must_be_named(hub: Hub, planned: object) -> None:
    with pytest.raises(HanjulError, match="not named"):
        synthesize.run(hub, planned, None, settings("http://127.0.0.1:9/v1"), seed=1)  # type: ignore[arg-type]
