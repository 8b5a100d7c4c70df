"""`hanjul space`: the demo page for one adapter, committed to a Space repo or served on this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri, ModelCard, SpaceCard, SpaceCardData

from pipelines.errors import HanjulError
from pipelines.text.markdown import cell
from scripts.core.fingerprint import output_settings
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage

FOLDER = Path(__file__).parents[2] / "space"
PAGE = ("app.py", "view.py", "writer.py", "model.py", "request.py", "page.css", "favicon.svg")  # uploaded as they are
TEMPLATES = ("README.md", "requirements.txt", "examples.json")  # filled in


def deploy(hub: Hub, adapter: HfUri, recipe: Recipe, sealed: str | None = None) -> HfUri:
    """Commit the page, pinned to an adapter.

    Returns:
        The Space repo, pinned at the commit.

    Raises:
        HanjulError: the adapter's repo is not one of Hanjul's.
    """
    digest = hashlib.sha256(b"\0".join((FOLDER / name).read_bytes() for name in (*PAGE, *TEMPLATES))).hexdigest()
    inputs = {"adapter": adapter.to_uri(), "page": f"sha256:{digest}"}
    options = output_settings(recipe.space) | {"title": recipe.title}
    stage = Stage("space", hub.repo("space", recipe.space.repo, "space.repo"), inputs, options, sealed)

    def work(folder: Path) -> Outcome:
        render(hub, adapter, recipe.title, folder / "out")
        return Outcome(f"page for {adapter.id}", {"files": len(PAGE) + len(TEMPLATES)})

    return run_stage(hub, stage, work)


def render(hub: Hub, adapter: HfUri, title: str, out: Path) -> None:
    """Write what a Space repo holds: the page, `settings.json`, `requirements.txt` and README."""
    facts = _settings(hub, adapter, title)
    for name in PAGE:
        (out / name).write_bytes((FOLDER / name).read_bytes())
    (out / "settings.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    names = (FOLDER / "requirements.txt").read_text(encoding="utf-8").split()
    (out / "requirements.txt").write_text("".join(f"{name}=={_installed(name)}\n" for name in names), encoding="utf-8")
    (out / "README.md").write_text(str(_card(facts)), encoding="utf-8")


def _settings(hub: Hub, adapter: HfUri, title: str) -> dict[str, Any]:
    """What space/app.py reads: the adapter's own files say what it is and how it is asked."""
    training = json.loads(hub.text(adapter, "hanjul.json") or "{}")
    config = json.loads(hub.text(adapter, "adapter_config.json") or "{}")
    if "prompt_format" not in training or "base_model_name_or_path" not in config:
        raise HanjulError(
            "This repository holds no adapter that Hanjul trained (hanjul.json, adapter_config.json)",
            adapter.to_uri(),
            "give the URI that `hanjul train` printed",
        )
    if config["task_type"] == "SEQ_2_SEQ_LM":
        raise HanjulError(
            "The demo writes with causal models, and this is an adapter of an encoder-decoder",
            adapter.to_uri(),
            "use `hanjul generate`, or deploy another adapter",
        )
    datasets = ModelCard(hub.text(adapter, "README.md"), ignore_metadata_errors=True).data.get("datasets") or [None]
    return {
        "adapter": adapter.id,
        "revision": adapter.revision,
        "base_model": config["base_model_name_or_path"],
        "dataset": datasets[0],
        "prompt_format": training["prompt_format"],
        "title": title,
        "examples": json.loads((FOLDER / "examples.json").read_text(encoding="utf-8")),
    }


def _card(facts: dict[str, Any]) -> SpaceCard:
    data = SpaceCardData(
        title=facts["title"],
        emoji="✍️",
        colorFrom="gray",
        colorTo="yellow",
        sdk="gradio",
        sdk_version=_installed("gradio"),
        python_version=".".join(platform.python_version_tuple()[:2]),
        app_file="app.py",
        models=[facts["adapter"], facts["base_model"]],
        datasets=[facts["dataset"]] if facts["dataset"] else None,
        tags=["hanjul", "korean", "ad-copy", "text-generation"],
        short_description="상품과 담을 가치를 적으면 한 줄 광고 카피를 씁니다",
        suggested_hardware="cpu-basic",
        license="apache-2.0",
    )
    heading = facts | {"title": cell(facts["title"])}
    card: SpaceCard = SpaceCard.from_template(data, template_path=str(FOLDER / "README.md"), **heading)
    return card


def _installed(name: str) -> str:
    """Version of a package, without the local part that names a build (`+cpu`)."""
    return metadata.version(name).partition("+")[0]


def serve(hub: Hub, uri: HfUri, port: int) -> None:
    """Run the page on this machine until Ctrl-C; its address is the line on stdout.

    Args:
        uri: a Space, served as it was committed, or an adapter, whose page is made for the occasion.
        port: 0 for any free one.

    Raises:
        HanjulError: the port is in use, or the page ends by itself.
    """
    port = _free(port)
    with _folder(hub, uri) as folder:
        environment = os.environ | {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, and the child with it
        page = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment, stdout=sys.stderr)
        log(f"space: serving {uri.to_uri()}, Ctrl-C ends it")
        print(f"http://127.0.0.1:{port}", file=sys.__stdout__, flush=True)
        try:
            code = page.wait()
        except KeyboardInterrupt:
            return
        finally:
            page.terminate()
            page.wait()
    raise HanjulError(f"The page ended by itself (exit code {code})", uri.to_uri(), "read what it printed above")


@contextmanager
def _folder(hub: Hub, uri: HfUri) -> Iterator[Path]:
    if uri.type == "space":
        yield hub.snapshot(uri)
        return
    with tempfile.TemporaryDirectory(prefix="hanjul-space-") as folder:
        render(hub, uri, Recipe().title, Path(folder))
        yield Path(folder)


def _free(port: int) -> int:
    """The port, if nobody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise HanjulError(
                "The port is in use", f"127.0.0.1:{port}", "stop the other program or give another --port"
            ) from error
        return int(probe.getsockname()[1])
