"""The folder for a CPU, in an environment that its own lock file makes under the Python that a Space runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from huggingface_hub import CommitOperationAdd, HfUri
from transformers import AutoTokenizer, Gemma3ForCausalLM

from pipelines.rows import CHAT_TEMPLATE, user_message
from scripts.core.settings import Recipe
from scripts.demo import serving
from scripts.demo.facts import gguf_of
from scripts.demo.requirements import lock_of
from scripts.demo.smoke import PRODUCT, VALUES, check_page
from scripts.exporting.convert import convert_to_gguf
from scripts.stages import space
from tests.scripts.demo.pythons import python_of
from tests.tiny import gemma
from tests.tiny.language_model import LINES

PYTHON = python_of("3.12")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PYTHON is None, reason="no Python 3.12 on this machine")]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with what the lock names, and nothing else."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([str(PYTHON), "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip"]
    subprocess.run([*pip, "install", "--quiet", "-r", lock_of("llama")], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def gguf(hub, adapter, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    """A GGUF that knows a few lines by heart, published as one of the adapter's."""
    folder = tmp_path_factory.mktemp("gguf")
    _learn(gemma.save_base(folder / "model"))
    file = convert_to_gguf(folder / "model", folder / "tiny-Q8_0.gguf", "tiny")
    report = {"files": [{"kind": "Q8_0", "name": file.name}], "base": None}
    texts = {"parity.json": report, "manifest.json": {"inputs": {"adapter": adapter.to_uri()}}}
    operations = [CommitOperationAdd(name, json.dumps(text).encode()) for name, text in texts.items()]
    repo = f"{adapter.id}-gguf"
    hub.api.create_repo(repo)
    hub.api.create_commit(repo, [*operations, CommitOperationAdd(file.name, file)], commit_message="gguf")
    found = gguf_of(hub, adapter)
    assert found
    yield found
    hub.api.delete_repo(repo)


def _learn(folder: Path, steps: int = 120) -> None:
    """Train a model on LINES as answers to what the smoke test asks for."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    model = Gemma3ForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    chats = [[user_message(PRODUCT, VALUES), {"role": "assistant", "content": line}] for line in LINES]
    batch = tokenizer.apply_chat_template(chats, padding=True, return_tensors="pt", return_dict=True)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.to(torch.bfloat16).save_pretrained(folder)


def test_the_page_writes_with_llama_and_without_torch(hub, adapter, gguf: HfUri, python: Path) -> None:
    recipe = Recipe.model_validate({"space": {"repo": "tiny-cpu", "hardware": "cpu"}})
    folder = hub.snapshot(space.deploy(hub, adapter, recipe, gguf=gguf))
    assert (folder / "requirements.txt").read_bytes() == lock_of("llama").read_bytes()
    asked = subprocess.run([python, "-c", "import torch"], capture_output=True, text=True, check=False)
    assert "No module named 'torch'" in asked.stderr
    with serving.running(folder, 0, str(python)) as page:
        assert check_page(page.address, 240, look_after=page.check)
