"""Which engine writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import engines
import pytest
from engines import cores

from tests.space.engines.conftest import settings_of

GGUF = {"repo": "a/b-gguf", "revision": "0" * 40, "file": "model.gguf", "base_file": None}


@pytest.mark.parametrize(
    ("gguf", "engine", "gpu", "zero", "name"),
    [
        (GGUF, "auto", False, False, "llama.cpp"),
        (None, "auto", False, False, "transformers"),
        (GGUF, "auto", True, False, "transformers"),
        (GGUF, "auto", False, True, "transformers"),
        (GGUF, "llama", True, False, "llama.cpp"),
        (GGUF, "transformers", False, False, "transformers"),
    ],
)
def test_the_engine_follows_the_machine_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, gguf: dict[str, str] | None, engine: str, gpu: bool, zero: bool, name: str
) -> None:
    monkeypatch.setattr(engines, "_has_gpu", lambda: gpu)
    monkeypatch.setattr(engines, "ON_ZERO_GPU", zero)
    assert engines.choose(settings_of(gguf=gguf, engine=engine)).name == name


def test_llama_without_a_gguf_is_refused() -> None:
    with pytest.raises(ValueError, match="HANJUL_GGUF"):
        engines.choose(settings_of(engine="llama"))


def test_only_a_gguf_of_the_base_makes_llama_compare() -> None:
    for base_file in (None, "base.gguf"):
        engine = engines.choose(settings_of(gguf=GGUF | {"base_file": base_file}, engine="llama"))
        assert engine.can_compare is (base_file is not None)


def test_choosing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from engines import choose; from settings import Settings\n"
        "for name in ('llama', 'transformers'):\n"
        f"    choose(Settings('a/b', None, 'c/d', '', '', '', [], gguf={GGUF}, engine=name))\n"
        "print({'torch', 'transformers', 'xllamacpp', 'huggingface_hub', 'gradio'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", code]
    folder = Path(engines.__file__).parents[1]
    assert subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize(
    ("quota", "count"), [("200000 100000", 2), ("max 100000", 64), ("50000 100000", 1), ("9900000 100000", 64)]
)
def test_a_containers_quota_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, count: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(f"{quota}\n")
    monkeypatch.setattr(cores, "CPU_MAX", file)
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(64)))
    assert cores.usable_cores() == count


def test_without_a_container_all_cores_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cores, "CPU_MAX", tmp_path / "absent")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert cores.usable_cores() == 3
