"""What a release feeds to which stage: offline, with an endpoint, and from imported rows alone."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from huggingface_hub import HfUri

from pipelines.errors import LimitReachedError
from scripts import recipes
from scripts.core.settings import Recipe
from scripts.stages import release
from scripts.teaching import limits

DATASET = HfUri(type="dataset", id="us/copy")
PEOPLE = ("written", "imported")


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the flow of a recipe with stages that only note what they are given: (stage, URIs and sources) in order.

    The output of the first is revision `1`, of the second `2`, and so on; the base is `base`, and judges too.
    """
    calls: list[tuple[str, list[Any]]] = []

    def note(module: Any, function: str = "run", many: bool = False) -> None:
        def stage(hub: Any, *args: Any, **kwargs: Any) -> Any:
            name = module.__name__.rsplit(".", 1)[1]
            given = [uri for one in args for uri in (one if isinstance(one, list | tuple) else [one])]
            told = [one.revision if isinstance(one, HfUri) else one for one in given if isinstance(one, HfUri | str)]
            calls.append((name, [one for one in told if one]))
            made = HfUri(type="model", id="us/made", revision=str(len(calls)))
            return [made] if many else made

        monkeypatch.setattr(module, function, stage)

    for module in (release.import_rows, release.filter, release.pairs, release.synthesize, release.train):
        note(module)
    note(release.evaluate, many=True)
    note(release.space, "deploy")
    base = HfUri(type="model", id="us/base", revision="base")
    monkeypatch.setattr(release.models, "resolve_base", lambda hub, settings: base)

    def run(recipe: Recipe) -> tuple[list[tuple[str, list[Any]]], dict[str, HfUri]]:
        calls.clear()
        monkeypatch.setattr(release.models, "scorer_of", lambda hub, bases: bases[0])
        return calls, release._stages(MagicMock(), recipe, DATASET, None, [])

    return run


def test_offline_the_adapter_learns_what_people_wrote_and_writes_for_new_pairs(stages: Any) -> None:
    calls, uris = stages(recipes.load("offline"))
    assert calls == [
        ("import_rows", []),
        ("filter", ["1", "base"]),
        ("train", ["2", "base", *PEOPLE]),
        ("pairs", ["2", "base"]),
        ("synthesize", ["4", "3", "base"]),
        ("filter", ["5", "base"]),
        ("evaluate", ["3", "6"]),
        ("space", ["7"]),
    ]
    assert {name: uri.revision for name, uri in uris.items()} == {"dataset": "6", "adapter": "7", "space": "8"}


def test_an_endpoint_writes_before_the_adapter_learns(stages: Any) -> None:
    calls, uris = stages(recipes.load("endpoint"))
    assert calls == [
        ("import_rows", []),
        ("pairs", ["1", "base"]),
        ("synthesize", ["2", "base"]),
        ("filter", ["3", "base"]),
        ("train", ["4", "base"]),
        ("evaluate", ["5", "4"]),
        ("space", ["6"]),
    ]
    assert {name: uri.revision for name, uri in uris.items()} == {"dataset": "4", "adapter": "6", "space": "7"}


def test_imported_rows_are_filtered_once(stages: Any) -> None:
    calls, uris = stages(recipes.load("imported"))
    assert calls == [
        ("import_rows", []),
        ("filter", ["1", "base"]),
        ("train", ["2", "base"]),
        ("evaluate", ["3", "2"]),
        ("space", ["4"]),
    ]
    assert {name: uri.revision for name, uri in uris.items()} == {"dataset": "2", "adapter": "4", "space": "5"}


@pytest.mark.field
@pytest.mark.parametrize("released", [False, True])
def test_a_limit_is_told_by_the_run_that_releases_with_what_can_change_it(
    monkeypatch: pytest.MonkeyPatch, released: bool
) -> None:
    lines = HfUri(type="dataset", id="us/copy", revision="1")

    def stages(hub: Any, recipe: Recipe, dataset: HfUri, sealed: str | None, asked: list[HfUri]) -> dict[str, HfUri]:
        asked.append(lines)
        return {"dataset": lines}

    monkeypatch.setattr(release, "_stages", stages)
    monkeypatch.setattr(release, "_check_repos", lambda *_: None)
    hub = MagicMock()
    hub.tagged.return_value = "1" if released else None
    counts = {"in": 9, "out": 18, "limit": "max_usd = 1.0 (0.7500 spent)"}
    usage = {"input_tokens": 1, "output_tokens": 1, "usd": 0.5, "requests_sent": 2, "usd_sent": 0.75}
    hub.manifest.return_value = {"stage": "synthesize", "counts": counts, "usage": usage}
    found = release.run(hub, recipes.load("endpoint"))
    assert found.asked == (() if released else (lines,))  # what was released before is complete
    with pytest.raises(LimitReachedError) as raised:
        limits.raise_if_reached(hub, lines, found.version)
    step = f"raise `synthesize.budget.max_usd`, and `version`: {found.version} is released; then run it again"
    assert raised.value.next_step.startswith(step)
