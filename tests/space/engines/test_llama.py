"""llama.cpp's child process: many lines at a time, and a page that outlives it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from engines import llama as module
from engines import llama_lines
from engines.llama import Llama
from engines.llama_lines import Shares, rendered
from engines.llama_server import CHILD, LlamaServer
from request import Problem

from tests.space.engines.conftest import CHAT


def server_of(engine: Llama) -> LlamaServer:
    return engine._servers[engine.file]


def child_of(engine: Llama) -> subprocess.Popen[str]:
    child = server_of(engine)._child
    assert child is not None
    return child


@pytest.fixture
def long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model babbles: its lines take long, and are not shown."""
    monkeypatch.setitem(llama_lines.SAMPLING, "ignore_eos", True)
    monkeypatch.setitem(llama_lines.SAMPLING, "stop", [])
    monkeypatch.setitem(llama_lines.SAMPLING, "n_predict", 200)


def test_as_many_lines_as_asked_for(llama: Llama) -> None:
    for count in (1, 3, 24):
        assert len(list(llama.lines(CHAT, count, 0.8, 1))) == count


def test_lines_differ_with_the_seed(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.llama_lines.finished", lambda text: text)
    monkeypatch.setitem(llama_lines.SAMPLING, "stop", [" "])  # these weights rarely end a line
    first, other = (Counter(llama.lines(CHAT, 8, 1.5, seed)) for seed in (1, 1001))
    assert first != other
    assert max(first.values()) < 8


def test_the_prompt_is_the_chat_template_of_the_adapters_gguf(llama: Llama) -> None:
    assert rendered(server_of(llama), CHAT) == "상품: 향초\n가치: 차분한\n카피:"


def test_a_line_that_does_not_end_is_not_shown(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(llama_lines.SAMPLING, "n_predict", 2)
    monkeypatch.setitem(llama_lines.SAMPLING, "ignore_eos", True)
    monkeypatch.setitem(llama_lines.SAMPLING, "stop", [])
    assert list(llama.lines(CHAT, 3, 0.8, 1)) == ["", "", ""]


def test_the_base_has_a_server_of_its_own_started_when_it_is_asked(ggufs: dict[str, Any]) -> None:
    engine = Llama(**ggufs)
    engine.load()
    assert [*engine._servers] == ["merged.gguf"]
    assert len(list(engine.lines(CHAT, 2, 0.8, 1, base=True))) == 2
    assert [*engine._servers] == ["merged.gguf", "base.gguf"]
    engine.stop()


def test_visitors_write_at_the_same_time(llama: Llama) -> None:
    counts: list[int] = []
    visitors = [
        threading.Thread(target=lambda seed=seed: counts.append(len(list(llama.lines(CHAT, 15, 0.8, seed)))))
        for seed in range(8)
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(120)
    assert counts == [15] * 8


def test_slots_are_shared_out_and_come_back() -> None:
    shares = Shares(16, 8)
    with shares.one() as first:
        assert first() == 8
        with shares.one(), shares.one():
            assert first() == 5
        assert first() == 8


@pytest.mark.usefixtures("long_lines")
def test_who_stops_frees_the_slots(llama: Llama) -> None:
    pressed = threading.Event()
    lines = llama.lines(CHAT, 1000, 0.8, 1, stopped=pressed.is_set)
    assert next(lines) == ""
    pressed.set()
    assert list(lines) == []
    assert len(list(llama.lines(CHAT, 16, 0.8, 1))) == 16


@pytest.mark.usefixtures("long_lines")
def test_a_crash_is_a_sentence_and_the_next_press_is_served(llama: Llama) -> None:
    old, lines = child_of(llama), llama.lines(CHAT, 1000, 0.8, 1)
    next(lines)
    old.send_signal(signal.SIGSEGV)
    with pytest.raises(Problem) as caught:
        list(lines)
    assert caught.value.key == "crashed"
    assert child_of(llama).pid != old.pid and child_of(llama).poll() is None
    assert len(list(llama.lines(CHAT, 2, 0.8, 1))) == 2


def test_a_server_that_died_while_nobody_wrote_is_started_again(llama: Llama) -> None:
    child_of(llama).kill()
    child_of(llama).wait()
    assert len(list(llama.lines(CHAT, 2, 0.8, 1))) == 2


@pytest.mark.usefixtures("long_lines")
def test_a_server_that_hangs_counts_as_crashed(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.llama_server.SILENCE_S", 0.5)
    child_of(llama).send_signal(signal.SIGSTOP)
    with pytest.raises(Problem, match="다시 시작했습니다"):
        list(llama.lines(CHAT, 2, 0.8, 1))
    monkeypatch.undo()
    assert child_of(llama).poll() is None


def test_a_file_that_is_no_gguf_is_a_problem_and_can_be_tried_again(tmp_path: Path, ggufs: dict[str, Any]) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, or not")
    server = LlamaServer(tmp_path / "bad.gguf", 2)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            server.start()
        assert caught.value.key == "load-failed"


def test_nobody_else_can_ask_the_server(llama: Llama) -> None:
    request = urllib.request.Request(f"{server_of(llama)._address}/completion", b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)


def test_the_child_ends_with_a_parent_that_is_killed(llama: Llama) -> None:
    plan = {"gguf": str(server_of(llama).gguf), "slots": 1, "context": 64, "threads": 1, "key": "key"}
    code = (
        "import json, os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, {str(CHILD)!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        f"child.stdin.write(json.dumps({plan!r} | {{'parent': os.getpid()}}).encode()); child.stdin.close()\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    child.wait(60)
    assert not child.is_running()


def test_tokens_are_drawn_as_with_transformers(llama: Llama) -> None:
    """The chances of the first token, after all samplers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, TopPLogitsWarper

    gguf = server_of(llama).gguf
    options = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name, "local_files_only": True}
    model = AutoModelForCausalLM.from_pretrained(**options)
    ids = AutoTokenizer.from_pretrained(**options)(rendered(server_of(llama), CHAT), return_tensors="pt")
    with torch.inference_mode():
        logits = model(**ids).logits[:, -1].float() / 1.4
    expected = TopPLogitsWarper(llama_lines.TOP_P)(None, logits).softmax(-1)[0]
    body = llama_lines.SAMPLING | {"stream": False, "n_predict": 1, "temperature": 1.4, "stop": []}
    asked = {"prompt": rendered(server_of(llama), CHAT), "n_probs": 2000, "post_sampling_probs": True}
    with server_of(llama).post("/completion", body | asked) as answer:
        found = json.load(answer)["completion_probabilities"][0]["top_probs"]
    chances = {token["id"]: token["prob"] for token in found if token["prob"] > 0}
    assert len(chances) == pytest.approx(int((expected > 0).sum()), rel=0.03)
    apart = sum(abs(chance - float(expected[token])) for token, chance in chances.items()) / 2
    assert apart < 0.2  # llama.cpp rounds in other places, and these weights are random


def test_slots_hold_what_the_page_lets_through() -> None:
    assert module.CONCURRENCY * module.FIRST <= module.SLOTS
