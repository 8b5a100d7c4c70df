"""The served embedded model: it honours requests and adapters, and it ends with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import httpx
import numpy as np
import pytest
from peft import LoraConfig
from safetensors.numpy import save_file

from pipelines.errors import HanjulError
from pipelines.rows import CHAT_TEMPLATE
from scripts.models.embedded import gguf_path
from scripts.models.llama_server import serve
from scripts.models.lora_gguf import convert
from tests.scripts.models.llama_client import CHAT, ask, lines

ROOT = Path(__file__).resolve().parents[3]


def save_adapter(folder: Path, scale: float, **options: Any) -> Path:
    """A LoRA on the query projections of all 18 layers, seeded; scale 0 changes nothing."""
    random = np.random.default_rng(0)
    tensors = {}
    for layer in range(18):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        tensors[f"{name}.lora_A.weight"] = random.normal(0, 0.05, (8, 640)).astype(np.float32)
        tensors[f"{name}.lora_B.weight"] = (scale * random.normal(0, 1, (1024, 8))).astype(np.float32)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"r": 8, "lora_alpha": 24, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"} | options
    LoraConfig(**settings).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serve(gguf_path(), None, CHAT_TEMPLATE, slots=4, context_per_slot=128) as url:
        yield url


def test_our_template_makes_the_prompt(base_url: str) -> None:
    answer = httpx.post(base_url.removesuffix("/v1") + "/apply-template", json={"messages": CHAT}, trust_env=False)
    assert answer.json()["prompt"].removeprefix("<bos>") == "상품: 향초\n가치: 차분한\n카피:"


def test_requests_are_honoured(base_url: str) -> None:
    greedy = ask(base_url, temperature=0, max_tokens=5)
    assert greedy["usage"]["completion_tokens"] <= 5
    assert lines(greedy) == lines(ask(base_url, temperature=0, max_tokens=5))
    many = ask(base_url, temperature=1.0, top_p=0.95, n=3, seed=7)
    assert len(set(lines(many))) > 1 and len(lines(many)) == 3
    assert lines(ask(base_url, temperature=1.0, seed=7)) == lines(ask(base_url, temperature=1.0, seed=7))
    assert lines(ask(base_url, temperature=1.0, top_p=1e-6)) == lines(ask(base_url, temperature=0))


def test_an_adapter_changes_the_answer_and_one_of_zeros_does_not(base_url: str, tmp_path: Path) -> None:
    plain = lines(ask(base_url, temperature=0))
    for name, scale in (("zero", 0.0), ("strong", 1.0)):
        lora = convert(save_adapter(tmp_path / name, scale), tmp_path / f"{name}.gguf")
        with serve(gguf_path(), lora, CHAT_TEMPLATE, slots=1, context_per_slot=128) as url:
            assert (lines(ask(url, temperature=0)) == plain) == (scale == 0)


def test_the_adapter_gguf_holds_what_peft_saved(tmp_path: Path) -> None:
    folder = save_adapter(tmp_path / "adapter", 0.5)
    reader = gguf.GGUFReader(convert(folder, tmp_path / "adapter.gguf"))
    keys = ("general.architecture", "general.type", "adapter.type", "adapter.lora.alpha")
    assert [reader.fields[key].contents() for key in keys] == ["gemma3", "adapter", "lora", 24.0]
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert len(found) == 36
    assert found["blk.3.attn_q.weight.lora_a"].shape == (8, 640)
    assert found["blk.3.attn_q.weight.lora_b"].shape == (1024, 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "adapter.gguf"]


@pytest.mark.parametrize("options", [{"use_dora": True}, {"use_rslora": True}, {"alpha_pattern": {"q_proj": 8}}])
def test_an_adapter_that_is_no_plain_lora_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(HanjulError, match="cannot be converted"):
        convert(save_adapter(tmp_path / "adapter", 1.0, **options), tmp_path / "adapter.gguf")


@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_file_that_is_no_model_is_a_known_error(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "model.gguf").write_bytes(content)
    with (
        pytest.raises(HanjulError, match=r"llama\.cpp did not start"),
        serve(tmp_path / "model.gguf", None, CHAT_TEMPLATE, 1, 128),
    ):
        pytest.fail("served no model")


def gone(url: str, seconds: float = 10) -> bool:
    """Whether nothing listens at the address any more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            httpx.get(url.removesuffix("/v1") + "/health", timeout=1, trust_env=False)
        except httpx.TransportError:
            return True
        time.sleep(0.1)
    return False


def test_an_exception_in_the_block_ends_the_server() -> None:
    with (
        pytest.raises(RuntimeError, match="boom"),
        serve(gguf_path(), None, CHAT_TEMPLATE, slots=1, context_per_slot=128) as url,
    ):
        raise RuntimeError("boom")
    assert gone(url, seconds=0.5)


OWNER = """
import time
from scripts.models.embedded import gguf_path
from scripts.models.llama_server import serve
with serve(gguf_path(), None, "{{ messages[0].content }}", 1, 128) as url:
    print(url, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_its_owner(how: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout
    try:
        url = owner.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        owner.send_signal(how)
        owner.wait(15)
        assert gone(url)
    finally:
        owner.kill()
        owner.communicate()
