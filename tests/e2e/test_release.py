"""One release with the real embedded model, then everything that downstream people do with it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.corpus import load_corpus
from tests import command
from tests.fitted import share
from tests.space.browser import CHROMIUM, generate

#: Minutes: the real model is dequantised, trained and judged.
#: The time-outs are there for what hangs: a busy machine takes ten minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

HERE = Path(__file__).parent


def hanjul(*args: str, home: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command with time for a release."""
    return command.hanjul(*args, home=home, check=check, timeout=2000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    share(folder)
    return folder


@pytest.fixture(scope="module")
def released(home: Path) -> dict[str, Any]:
    done = hanjul("--format", "json", "release", str(HERE / "tiny.yaml"), home=home, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def endpoint(home: Path, released: dict[str, Any]) -> Iterator[str]:
    from scripts.local_hub.lifecycle import running

    with running(home / "hub") as served:
        yield served.url


@pytest.fixture(scope="module")
def downstream(home: Path, endpoint: str) -> dict[str, Any]:
    """The answer of a fresh process, in a fresh folder, with only HF_ENDPOINT set."""
    folder = home / "downstream"
    folder.mkdir()
    script = folder / "downstream.py"
    script.write_bytes((HERE / "downstream.py").read_bytes())
    arguments = ["local", "tiny-copy", "tiny-lora", "tiny", "v0.0.1", str(folder / "space")]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "HF_ENDPOINT": endpoint}
    done = subprocess.run(
        [sys.executable, "-P", str(script), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_release_ends_with_pinned_and_tagged_uris(released: dict[str, Any], endpoint: str) -> None:
    from huggingface_hub import HfApi, parse_hf_uri

    api = HfApi(endpoint=endpoint)
    for name in ("dataset", "adapter", "space"):
        uri = parse_hf_uri(released[name])
        tags = api.list_repo_refs(uri.id, repo_type=uri.type).tags
        assert [(tag.name, tag.target_commit) for tag in tags] == [("v0.0.1", uri.revision)]
    assert {item.item_id for item in api.get_collection(released["collection"]).items} == {
        "local/tiny-copy",
        "local/tiny-lora",
        "local/tiny",
    }


def test_second_release_does_no_work(released: dict[str, Any], home: Path) -> None:
    again = hanjul("--format", "json", "release", str(HERE / "tiny.yaml"), home=home)
    assert json.loads(again.stdout) == released
    lines = again.stderr.splitlines()
    assert "releasing v0.0.1" in lines[0]
    assert len(lines) == 10
    assert all("done before" in line for line in lines[1:]), lines


def test_changed_recipe_of_a_released_version_is_refused(released: dict[str, Any], home: Path) -> None:
    refused = hanjul("release", str(HERE / "tiny.yaml"), "--set", "train.max_steps=7", home=home, check=False)
    assert refused.returncode == 1
    assert "raise `version`" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_fresh_process_loads_everything(downstream: dict[str, Any]) -> None:
    assert downstream["ours"] == []
    assert set(downstream["splits"]) == {"train", "validation", "test"}
    assert downstream["tagged"] == downstream["splits"]["train"]
    assert {"id", "product", "values", "ad_copy", "scores", "prompt", "completion"} <= set(downstream["columns"])
    products = [set(names) for names in downstream["products"].values()]
    assert not (products[0] & products[1] or products[0] & products[2] or products[1] & products[2])
    assert downstream["rejected"] > 0
    assert all(downstream["reasons"])
    assert downstream["line"].strip()
    assert downstream["sdk"] == "gradio"


def test_model_card_says_what_it_must(downstream: dict[str, Any], released: dict[str, Any]) -> None:
    card = downstream["card"]
    assert card["library_name"] == "peft"
    assert card["base_model"] == "google/gemma-3-270m"
    assert card["datasets"] == ["local/tiny-copy"]
    assert card["license"] == "gemma"
    assert released["dataset"].rsplit("@", 1)[1][:7] in downstream["card_text"]


@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_downloaded_space_serves_a_page_that_generates(
    downstream: dict[str, Any], endpoint: str, home: Path, free_port: int
) -> None:
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=downstream["app"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home / "downstream"),
            "HF_ENDPOINT": endpoint,
            "GRADIO_SERVER_PORT": str(free_port),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        lines = generate(f"http://127.0.0.1:{free_port}", "제습기", "보송한", 120)
    finally:
        app.terminate()
        app.wait(20)
    assert lines
    assert all(line.strip() for line in lines)


def test_generate_prints_lines(released: dict[str, Any], home: Path) -> None:
    done = hanjul("generate", released["adapter"], "--product", "제습기", "--value", "보송한", "--n", "2", home=home)
    assert 1 <= len(done.stdout.splitlines()) <= 2


def test_imported_rows_train_an_adapter_well_under_the_base(
    home: Path, released: dict[str, Any], tmp_path: Path
) -> None:
    columns = {"상품": "product", "담고자 하는 가치": "values", "카피라이팅": "ad_copy"}
    rows = random.Random(0).sample([row for row in load_corpus() if row["merit"] == "plain"], 500)
    theirs = [{name: row[column] for name, column in columns.items()} for row in rows]
    (tmp_path / "rows.json").write_text(json.dumps(theirs, ensure_ascii=False), encoding="utf-8")
    less = {"train.max_steps": 30, "evaluate.pairs": 4, "evaluate.calibration_rows": 24}
    flags = [part for key, value in less.items() for part in ("--set", f"{key}={value}")]
    source = ["--input", str(tmp_path / "rows.json")]
    done = hanjul("--format", "json", "release", "imported", *source, *flags, home=home, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    uri = json.loads(done.stdout)["adapter"]
    from scripts.local_hub.lifecycle import running

    with running(home / "hub") as served:
        from huggingface_hub import hf_hub_download, parse_hf_uri

        pinned = parse_hf_uri(uri)
        curve = hf_hub_download(
            pinned.id, "training/curve.json", revision=pinned.revision, endpoint=served.url, cache_dir=home / "cache"
        )
    held_out = json.loads(Path(curve).read_text())["held_out"]
    assert held_out["adapter"] <= 0.75 * held_out["base"]
