"""The queue in front of the model, with models that load late, fail, repeat themselves or are slow."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import view
import writer as queue
from model import Model
from request import Problem, Request
from writer import Writer

from pipelines.rows import PROMPT_FORMAT
from tests.tiny.adapter import PAIR, WORDS

ASKED = Request("제습기", ("뽀송함",), 3, 0.8)


class Scripted(Model):
    """Loads when told to, then gives batches from a script; what the real one may do to the queue and no more."""

    def __init__(self, *batches: list[str], before: Callable[[], None] = lambda: None) -> None:
        super().__init__("local/scripted", "0" * 40, "local/base")
        self.before, self.batches, self.asked = before, list(batches), []
        self.lines = self.scripted

    def _load(self) -> None:
        self.before()

    def scripted(self, chat: list[dict[str, str]], count: int, temperature: float, seed: int) -> Iterator[str]:
        self.asked.append((chat, count, temperature, seed))
        batch = self.batches.pop(0)
        assert len(batch) == count
        yield from batch


def test_empty_and_repeated_lines_are_written_again() -> None:
    model = Scripted(["가", "", "가"], ["가", "나"], ["다"])
    shown = list(Writer(model, PROMPT_FORMAT).write(ASKED))
    assert shown[-1] == (queue.WRITING, ["가", "나", "다"])
    assert [count for _, count, _, _ in model.asked] == [3, 2, 1]
    assert model.asked[0][0] == [{"role": "user", "content": "상품: 제습기\n가치: 뽀송함"}]
    assert len({seed for *_, seed in model.asked}) == 3


def test_rounds_are_bounded() -> None:
    model = Scripted(*[["", "", ""]] * 3)
    with pytest.raises(Problem, match=queue.NOTHING):
        list(Writer(model, PROMPT_FORMAT).write(ASKED))
    assert model.batches == []


def test_request_made_while_loading_waits_and_says_so() -> None:
    loaded = threading.Event()
    shown = Writer(Scripted(["가", "나", "다"], before=loaded.wait), PROMPT_FORMAT).write(ASKED)
    assert next(shown) == (queue.LOADING, [])
    loaded.set()
    assert list(shown)[-1][1] == ["가", "나", "다"]


def test_next_request_loads_again_after_a_failure() -> None:
    def fail_twice() -> None:
        failures.append(1)
        if len(failures) < 3:
            raise ConnectionError("down")

    failures: list[int] = []
    writer = Writer(Scripted(["가", "나", "다"], before=fail_twice), PROMPT_FORMAT)
    with pytest.raises(Problem, match="Hub에 연결할 수 없습니다"):
        list(writer.write(ASKED))
    assert "Hub에 연결할 수 없습니다" in view.state(writer.model)
    assert list(writer.write(ASKED))[-1][1] == ["가", "나", "다"]
    assert view.state(writer.model) == ""


def test_failure_while_writing_is_a_sentence_and_the_queue_moves_on() -> None:
    model = Scripted(["하나"], ["가", "나", "다"])  # the first batch is too short: the script itself fails
    writer = Writer(model, PROMPT_FORMAT)
    with pytest.raises(Problem, match=queue.FAILED):
        list(writer.write(ASKED))
    assert list(writer.write(ASKED))[-1][1] == ["가", "나", "다"]


def test_place_in_the_queue_is_told_and_a_visitor_who_left_costs_nothing() -> None:
    loaded = threading.Event()
    model = Scripted(["가", "나", "다"], before=loaded.wait)
    writer = Writer(model, PROMPT_FORMAT)
    first, second = writer.write(ASKED), writer.write(ASKED)
    assert next(first)[0] == next(second)[0] == queue.LOADING
    model.ready = True  # as the page sees it; the writer's thread is still busy
    assert next(second)[0] == "앞에 기다리는 분이 1명 있습니다. 차례가 오면 바로 씁니다."
    first.close()
    loaded.set()
    assert list(second)[-1][1] == ["가", "나", "다"]
    assert len(model.asked) == 1


def test_full_queue_is_a_sentence() -> None:
    loaded = threading.Event()
    writer = Writer(Scripted(before=loaded.wait), PROMPT_FORMAT)
    waiting = [writer.write(ASKED) for _ in range(queue.MAX_WAITING)]
    for visitor in waiting:
        next(visitor)
    with pytest.raises(Problem, match="기다리는 분이 많습니다"):
        next(writer.write(ASKED))
    for visitor in waiting:
        visitor.close()
    loaded.set()


def test_lines_differ_with_the_seed_and_repeat_with_it(tiny: Path) -> None:
    model = Model(str(tiny), None, "tiny")
    model.load()
    chat = Request(*PAIR, 8, 0.8).chat(PROMPT_FORMAT)
    first, again, other = (list(model.lines(chat, 8, 0.8, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 8
    assert any(set(line.split()) <= WORDS for line in first)


def test_line_that_does_not_end_is_not_shown(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(str(tiny), None, "tiny")
    model.load()
    monkeypatch.setattr("model.MAX_NEW_TOKENS", 2)
    assert list(model.lines(Request(*PAIR, 3, 0.8).chat(PROMPT_FORMAT), 3, 0.8, 1)) == ["", "", ""]


def test_missing_adapter_and_revision_are_sentences(hub, adapter) -> None:
    for where, revision in (("local/absent", None), (adapter.id, "0" * 40)):
        with pytest.raises(Problem, match="모델이 Hub에 없습니다"):
            Model(where, revision, "tiny").load()


def test_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="모델을 불러오지 못했습니다"):
        Model(str(tmp_path), None, "tiny").load()


def test_hub_that_is_down_is_a_sentence(tmp_path: Path) -> None:
    """In a process of its own: the clients read HF_ENDPOINT when they are imported."""
    code = "from model import Model\ntry: Model('a/b', None, 'c').load()\nexcept Exception as e: print(e)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(view.__file__).parent,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "모델이 있는 Hub에 연결할 수 없습니다. 잠시 뒤에 다시 눌러 주세요.\n"


def test_lines_are_text_never_markup() -> None:
    html = view.result("썼습니다.", ["<img src=x onerror=alert(1)> & 가"], state="done")
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; 가" in html
    assert "<img" not in html
