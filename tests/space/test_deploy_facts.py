"""What a page is told of its adapter: GGUFs of the same weights, the card's rating."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfUri

from pipelines.errors import HanjulError
from scripts.demo import render
from scripts.demo.facts import facts_of, gguf_of
from scripts.demo.hardware import place_of
from tests.model_card.cards.facts import JUDGE, REPORT, judgement, system


def put(hub, repo: str, files: dict[str, Any]) -> HfUri:
    """A commit of files in a model repo, pinned."""
    hub.api.create_repo(repo, exist_ok=True)
    operations = [
        CommitOperationAdd(name, (content if isinstance(content, str) else json.dumps(content)).encode())
        for name, content in files.items()
    ]
    done = hub.api.create_commit(repo, operations, commit_message="test")
    return HfUri(type="model", id=repo, revision=done.oid)


def parity(*kinds: str, base: str | None = None) -> dict[str, Any]:
    """What `hanjul train --gguf` says it has published."""
    files = [{"kind": kind, "name": f"tiny-{kind}.gguf", "bytes": 1} for kind in kinds]
    return {"files": files, "base": {"kind": "Q8_0-ko", "name": base} if base else None}


@pytest.fixture
def gguf(hub, adapter):
    """Publishes GGUFs of an adapter; takes them away when the test is over."""
    repo = f"{adapter.id}-gguf"

    def publish(report: dict[str, Any], source: HfUri = adapter) -> HfUri:
        return put(hub, repo, {"parity.json": report, "manifest.json": {"inputs": {"adapter": source.to_uri()}}})

    yield publish
    hub.api.delete_repo(repo, missing_ok=True)


@pytest.mark.parametrize(
    ("kinds", "file"),
    [
        (("Q8_0", "Q4_K_M", "Q8_0-ko"), "tiny-Q8_0-ko.gguf"),
        (("Q4_K_M", "Q8_0"), "tiny-Q8_0.gguf"),
        (("Q4_K_M",), "tiny-Q4_K_M.gguf"),
    ],
)
def test_the_fastest_gguf_is_run(hub, adapter, gguf, kinds: tuple[str, ...], file: str) -> None:
    published = gguf(parity(*kinds, base="tiny-base-Q8_0-ko.gguf"))
    assert gguf_of(hub, adapter) == published
    facts = facts_of(hub, adapter, published, "t")
    assert facts.settings["gguf"] == {
        "repo": published.id,
        "revision": published.revision,
        "file": file,
        "base_file": "tiny-base-Q8_0-ko.gguf",
    }
    cpu, zero = place_of("cpu"), place_of("zero")
    assert render.preload(hub, facts, cpu) == [f"{published.id} {file},tiny-base-Q8_0-ko.gguf {published.revision}"]
    assert [line.split(" ")[0] for line in render.preload(hub, facts, zero)] == [adapter.id, facts.base.id]


def test_a_report_of_a_version_without_a_base(hub, adapter, gguf) -> None:
    report = parity("Q8_0")
    del report["base"]
    facts = facts_of(hub, adapter, gguf(report), "t")
    assert facts.settings["gguf"]["base_file"] is None


def test_ggufs_of_other_weights_are_not_run(hub, adapter, gguf) -> None:
    assert gguf_of(hub, adapter) is None
    other = hub.resolve(HfUri(type="model", id=f"{hub.namespace}/tiny-base"))
    gguf(parity("Q8_0"), source=other)
    assert gguf_of(hub, adapter) is None


def test_an_evaluation_of_the_same_weights_keeps_the_ggufs(hub, adapter, gguf) -> None:
    published = gguf(parity("Q8_0"))
    manifest = {"stage": "evaluate", "inputs": {"adapter": adapter.to_uri(), "base": _base(hub)}}
    evaluated = put(hub, adapter.id, {"manifest.json": manifest, "evaluation/report.json": _report(hub, adapter)})
    assert gguf_of(hub, evaluated) == published


@pytest.mark.parametrize("order", [("base", "adapter"), ("adapter", "base")])
def test_the_rating_of_the_card(hub, adapter, order: tuple[str, str]) -> None:
    """Ratings rise from system to system."""
    rated = put(hub, adapter.id, {"evaluation/report.json": _report(hub, adapter, order)})
    rating = facts_of(hub, rated, None, "t").settings["rating"]
    assert rating.keys() == {"adapter", "base"}
    assert (rating["adapter"] < rating["base"]) is (order == ("adapter", "base"))


def test_no_rating_where_no_judge_is_reliable(hub, adapter) -> None:
    nobody = replace(REPORT, judgements=())
    rated = put(hub, adapter.id, {"evaluation/report.json": nobody.to_json()})
    assert facts_of(hub, rated, None, "t").settings["rating"] is None


def test_a_report_that_cannot_be_read_is_said(hub, adapter) -> None:
    broken = put(hub, adapter.id, {"evaluation/report.json": {"pairs": 3}})
    with pytest.raises(HanjulError, match="another version of Hanjul"):
        facts_of(hub, broken, None, "t")


def test_an_encoder_decoder_is_refused(hub, adapter) -> None:
    config = json.loads(hub.text(adapter, "adapter_config.json"))
    seq2seq = put(hub, f"{adapter.id}-seq2seq", {
        "hanjul.json": hub.text(adapter, "hanjul.json"),
        "adapter_config.json": config | {"task_type": "SEQ_2_SEQ_LM"},
    })  # fmt: skip
    with pytest.raises(HanjulError, match="encoder-decoder"):
        facts_of(hub, seq2seq, None, "t")


def _base(hub) -> str:
    return hub.resolve(HfUri(type="model", id=f"{hub.namespace}/tiny-base")).to_uri()


def _report(hub, adapter: HfUri, order: tuple[str, str] = ("base", "adapter")) -> str:
    models = {"base": ("base, 4 examples", f"{hub.namespace}/tiny-base"), "adapter": ("adapter", adapter.id)}
    systems = tuple(system(*models[who], 0.2) for who in order)
    scores = {models[who][0]: 0.2 + 0.3 * place for place, who in enumerate(order)}
    return replace(REPORT, systems=systems, judgements=(judgement(JUDGE, scores),)).to_json()
