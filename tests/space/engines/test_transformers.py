"""transformers: one batch for all who wait, the adapter merged, the base beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from engines import decoding
from engines.decoding import Asked, decode
from engines.transformers_engine import MAX_ROWS, Transformers, Waiting
from request import Problem

from pipelines.rows import user_message
from tests.tiny.adapter import PAIR, WORDS

CHAT = [user_message(*PAIR)]
OTHER = [user_message("제습기", ["여유"])]


@pytest.fixture(scope="module")
def engine(tiny: Path) -> Transformers:
    engine = Transformers(str(tiny), None, str(tiny.parent / "base"))
    engine.load()
    return engine


def test_lines_differ_with_the_seed_and_repeat_with_it(engine: Transformers) -> None:
    first, again, other = (list(engine.lines(CHAT, 8, 0.8, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 8
    assert any(set(line.split()) <= WORDS for line in first)


def test_a_line_that_does_not_end_is_not_shown(engine: Transformers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_NEW_TOKENS", 2)
    assert list(engine.lines(CHAT, 3, 0.8, 1)) == ["", "", ""]


def test_who_shares_a_batch_gets_the_lines_that_he_would_get_alone(engine: Transformers) -> None:
    """Prompts of different lengths, one of them padded on the left; in float32, where padding changes nothing."""
    engine._weights._merged.float()
    asked = [Asked(CHAT, 3, 0.7, 1), Asked(OTHER, 4, 1.1, 2)]
    together = list(decode(engine._weights, asked, base=False))
    for number, one in enumerate(asked):
        alone = [line for _, line in decode(engine._weights, [one], base=False)]
        assert [line for owner, line in together if owner == number] == alone
    engine._weights._merged.bfloat16()


def test_who_stops_leaves_the_batch_to_the_others(engine: Transformers) -> None:
    asked = [Asked(CHAT, 3, 0.7, 1, stopped=lambda: True), Asked(CHAT, 2, 0.7, 2)]
    assert [owner for owner, _ in decode(engine._weights, asked, base=False)] == [1, 1]
    assert list(engine.lines(CHAT, 3, 0.7, 1, stopped=lambda: True)) == []


def test_who_waits_together_is_gathered(tiny: Path) -> None:
    engine = Transformers(str(tiny), None, "tiny")
    sizes = [(8, False), (8, True), (MAX_ROWS - 8, False), (1, False)]
    waiting = [Waiting(Asked(CHAT, count, 1, 1), base) for count, base in sizes]
    engine._waiting = list(waiting)
    assert engine._gathered() == [waiting[0], waiting[2]]
    assert engine._gathered() == [waiting[1]]
    assert engine._gathered() == [waiting[3]]


def test_visitors_write_at_the_same_time(engine: Transformers) -> None:
    counts: list[int] = []
    visitors = [
        threading.Thread(target=lambda seed=seed: counts.append(len(list(engine.lines(CHAT, 4, 0.8, seed)))))
        for seed in range(8)
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(60)
    assert counts == [4] * 8


def test_the_base_is_loaded_when_it_is_asked_and_is_not_the_adapter(tiny: Path) -> None:
    import torch

    engine = Transformers(str(tiny), None, str(tiny.parent / "base"))
    engine.load()
    assert engine._weights._base is None
    assert len(list(engine.lines(CHAT, 2, 0.8, 1, base=True))) == 2
    with torch.no_grad():
        next(engine._weights._merged.parameters()).zero_()
    assert next(engine._weights._base.parameters()).abs().sum() > 0


def test_a_base_that_cannot_be_loaded_is_a_problem(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Transformers(str(tiny), None, str(tiny.parent / "base"))
    engine.load()

    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(engine._weights, "load_base", fail)
    with pytest.raises(Problem) as caught:
        list(engine.lines(CHAT, 2, 0.8, 1, base=True))
    assert caught.value.key == "load-memory"


def test_what_goes_wrong_in_the_decoder_is_raised_to_who_waits_and_it_goes_on(
    engine: Transformers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(engine._weights.tokenizer, "chat_template", "{{ raise_exception('no') }}")
        with pytest.raises(Exception, match="no"):
            list(engine.lines(CHAT, 2, 0.8, 1))
    assert len(list(engine.lines(CHAT, 2, 0.8, 1))) == 2


def test_after_a_failure_the_next_load_tries_again(hub, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    engine = Transformers(str(folder), None, str(tiny.parent / "base"))
    with pytest.raises(Problem):
        engine.load()
    for file in tiny.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    loader = threading.Thread(target=engine.load)
    loader.start()
    loader.join(60)
    assert len(list(engine.lines(CHAT, 2, 0.8, 1))) == 2
