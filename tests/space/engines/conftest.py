"""A tiny Gemma on the Hub as GGUFs, its adapter merged and without, as a release leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from settings import Settings

from pipelines.rows import PROMPT_FORMAT
from tests.space.engines.ggufs import write_ggufs

CHAT = [{"role": "user", "content": "상품: 향초\n가치: 차분한"}]


@pytest.fixture(scope="session")
def ggufs(hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `settings.json` says of the GGUFs."""
    repo = f"{hub.namespace}/tiny-space-gguf"
    folder = write_ggufs(tmp_path_factory.mktemp("ggufs"))
    hub.api.create_repo(repo)
    commit = hub.api.upload_folder(repo_id=repo, folder_path=folder)
    return {"repo": repo, "revision": commit.oid, "file": "merged.gguf", "base_file": "base.gguf"}


@pytest.fixture(scope="session")
def llama(ggufs: dict[str, Any]) -> Iterator[Any]:
    """A loaded engine."""
    from engines.llama import Llama

    engine = Llama(**ggufs)
    engine.load()
    yield engine
    engine.stop()


def settings_of(**changes: Any) -> Settings:
    known = {"adapter": "a/b", "revision": "0" * 40, "base_model": "c/d", "dataset": "", "prompt_format": PROMPT_FORMAT}
    return Settings(**{**known, "title": "한 줄", "examples": [], **changes})
