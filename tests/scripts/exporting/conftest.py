"""A tiny base, an adapter of it and rows on the local Hub; a tiny base as a folder and as a GGUF."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import HfUri
from transformers import AutoTokenizer

from pipelines.rows import CHAT_TEMPLATE
from scripts.exporting import convert
from tests.tiny import byte_level, gemma, language_model

DATA_CARD = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: test.parquet\n---\n"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with our chat template, as the stage of the GGUF leaves it to the converter."""
    folder = gemma.save_base(tmp_path_factory.mktemp("tiny") / "base")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_gguf(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert.convert_to_gguf(tiny_folder, tmp_path_factory.mktemp("gguf") / "tiny.gguf", "tiny")


@pytest.fixture(scope="session")
def byte_level_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level.write_gguf(tmp_path_factory.mktemp("byte-level") / "tiny.gguf")


@pytest.fixture(scope="session")
def published(hub, tmp_path_factory: pytest.TempPathFactory) -> tuple[HfUri, HfUri]:
    """Pinned adapter and dataset."""
    folder = gemma.save_base(tmp_path_factory.mktemp("hub") / "base")
    base = put(hub, "model", "tiny-export-base", folder)
    adapter = gemma.save_adapter(folder.parent / "adapter", base, AutoTokenizer.from_pretrained(folder))
    rows = folder.parent / "rows"
    rows.mkdir()
    language_model.rows(8).to_parquet(rows / "test.parquet")
    (rows / "README.md").write_text(DATA_CARD)
    return put(hub, "model", "tiny-export-lora", adapter), put(hub, "dataset", "tiny-export-rows", rows)


@pytest.fixture
def scratch_model(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def put(hub, kind: str, name: str, folder: Path) -> HfUri:
    repo = hub.repo(kind, name)
    hub.api.create_repo(repo.id, repo_type=kind)
    hub.api.upload_folder(repo_id=repo.id, folder_path=folder, repo_type=kind)
    return hub.resolve(repo)
