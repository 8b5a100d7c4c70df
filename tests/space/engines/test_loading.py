"""What keeps weights from being loaded becomes a sentence, whatever stands around it in the chain of errors."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import engines
import messages
import pytest
from engines.llama import Llama
from engines.loading import problem_of
from engines.transformers_engine import Transformers
from request import Problem

SENTENCES = {
    "load-gated": (
        "{model}의 이용 조건에 동의한 계정의 토큰이 필요합니다. Space 설정의 Secrets에 HF_TOKEN을 넣어 주세요.",
        "It takes a token of an account that accepted the terms of {model}. Put it into the Space's secrets: HF_TOKEN.",
    ),
    "load-missing": (
        "모델이 Hub에 없습니다. 아래에 적힌 저장소와 리비전이 그대로 있는지 확인해 주세요.",
        "The model is not on the Hub. Check that the repository and revision named below still exist.",
    ),
    "load-offline": (
        "모델이 있는 Hub에 연결할 수 없습니다. 잠시 뒤에 다시 눌러 주세요.",
        "The Hub that holds the model cannot be reached. Please press again in a moment.",
    ),
    "load-memory": ("메모리가 모자라 모델을 불러오지 못했습니다.", "There is not enough memory to load the model."),
    "load-failed": (
        "모델을 불러오지 못했습니다. 잠시 뒤에 다시 눌러 주세요.",
        "The model could not be loaded. Please press again in a moment.",
    ),
    "crashed": (
        "카피를 쓰던 프로그램이 멈춰서 다시 시작했습니다. 다시 눌러 주세요.",
        "The program that writes the lines stopped and was started again. Please press again.",
    ),
}


@pytest.mark.parametrize("key", SENTENCES)
def test_every_key_has_its_sentences(key: str) -> None:
    assert messages.MESSAGES[key] == SENTENCES[key]


def raised(*chain: BaseException) -> BaseException:
    """The last of the errors, each raised while the one before was handled."""
    for before, after in pairwise(chain):
        after.__context__ = before
    return chain[-1]


def hub_error(name: str) -> BaseException:
    from huggingface_hub import errors

    return getattr(errors, name).__new__(getattr(errors, name))  # its constructor wants a response


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (raised(hub_error("GatedRepoError"), OSError("cannot load"), ValueError("x")), "load-gated"),
        (raised(hub_error("RepositoryNotFoundError"), OSError("cannot load")), "load-missing"),
        (hub_error("RevisionNotFoundError"), "load-missing"),
        (hub_error("LocalEntryNotFoundError"), "load-offline"),
        (raised(ConnectionResetError(), RuntimeError()), "load-offline"),
        (MemoryError(), "load-memory"),
        (RuntimeError("something"), "load-failed"),
    ],
)
def test_the_chain_is_walked(error: BaseException, key: str) -> None:
    assert problem_of(error, "c/d").key == key


def test_a_gated_model_is_named() -> None:
    assert str(problem_of(hub_error("GatedRepoError"), "google/gemma")).startswith("google/gemma의 이용 조건")


def problem_at(engine: Any) -> str:
    with pytest.raises(Problem) as caught:
        engine.load()
    return caught.value.key


def test_what_is_not_on_the_hub(hub, adapter, ggufs: dict[str, Any]) -> None:
    assert problem_at(Transformers("local/absent", None, "tiny")) == "load-missing"
    assert problem_at(Transformers(adapter.id, "0" * 40, "tiny")) == "load-missing"
    assert problem_at(Llama(**ggufs | {"file": "absent.gguf"})) == "load-missing"
    assert problem_at(Llama(**ggufs | {"revision": "0" * 40})) == "load-missing"


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert problem_at(Transformers(str(tmp_path), None, "tiny")) == "load-failed"


@pytest.mark.parametrize(
    "engine",
    [
        "from engines.transformers_engine import Transformers; engine = Transformers('a/b', None, 'c')",
        f"from engines.llama import Llama; engine = Llama('a/b', '{'0' * 40}', 'x.gguf', None)",
    ],
)
def test_a_hub_that_is_down(tmp_path: Path, engine: str) -> None:
    """In a process of its own: the clients read HF_ENDPOINT when they are imported."""
    code = f"{engine}\ntry: engine.load()\nexcept Exception as error: print(error.key)"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    folder = Path(engines.__file__).parents[1]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "load-offline\n", done.stderr
