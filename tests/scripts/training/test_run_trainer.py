"""The trainer on a tiny Gemma 3: loss, seeds, interruption, errors."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from pipelines.errors import HanjulError
from pipelines.filters.limits import Limits
from pipelines.filters.rules import length
from pipelines.rows import CHAT_TEMPLATE, make_row, trl_columns
from scripts.core.settings import TrainSettings
from scripts.training import loading, preflight
from scripts.training.build_trainer import build_trainer
from scripts.training.encoding import encode
from scripts.training.run_trainer import held_out_loss, last_checkpoint, run_trainer
from scripts.training.trainers import CompletionTrainer
from tests.tiny import language_model

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = TrainSettings(repo="tiny-train-lora", batch_size=4, max_steps=4, learning_rate=1e-2)


def tiny_trainer(folder: Path, settings: TrainSettings = SETTINGS, seed: int = 1) -> CompletionTrainer:
    tokenizer = language_model.tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    model = language_model.model(len(tokenizer))
    return build_trainer(model, tokenizer, language_model.rows(), language_model.rows(8), settings, seed, folder)


def test_prompt_is_a_prefix_bos_stands_once_and_eos_is_learnt(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path)
    tokenizer = trainer.processing_class
    source = language_model.rows()[0]
    prompt = tokenizer.apply_chat_template(source["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]
    row = trainer.train_dataset[0]
    assert row["input_ids"][: len(prompt)] == prompt
    assert row["labels"][: len(prompt)] == [-100] * len(prompt)
    assert row["labels"][len(prompt) :] == row["input_ids"][len(prompt) :]
    assert row["input_ids"].count(tokenizer.bos_token_id) == 1
    assert row["labels"][-1] == tokenizer.eos_token_id
    assert tokenizer.decode(row["labels"][len(prompt) : -1]).strip() == source["completion"][0]["content"]


def test_loss_is_that_of_the_whole_sequence_with_the_prompt_masked(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    model = trainer.model.eval()
    with torch.no_grad():
        ours = trainer.compute_loss(model, batch)
        theirs = model(**batch).loss
        summed = trainer.compute_loss(model, batch, num_items_in_batch=1)
    completion_tokens = int((batch["labels"][:, 1:] != -100).sum())
    assert float(ours) == pytest.approx(float(theirs), rel=2e-2)  # bfloat16 logits
    assert float(summed) == pytest.approx(float(ours) * completion_tokens, rel=1e-4)


def test_same_seed_same_losses_and_held_out_loss_falls(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with loading.quiet_libraries():
        trainers = [tiny_trainer(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
        one, two, other = (run_trainer(trainer)["steps"] for trainer in trainers)
        held = [held_out_loss(trainer) for trainer in trainers[:2]]
    assert one == two != other
    assert held[0] == held[1]
    assert held[0] and held[0]["adapter"] < held[0]["base"]
    assert held[0]["base"] == pytest.approx(math.log(len(language_model.tokenizer())), rel=0.2)  # random weights
    assert capfd.readouterr().out == ""  # stdout is for URIs


def test_the_best_epoch_is_kept_and_training_ends_when_it_gets_no_better(tmp_path: Path) -> None:
    diverging = SETTINGS.model_copy(update={"max_steps": -1, "epochs": 9, "patience": 1, "learning_rate": 20.0})
    with loading.quiet_libraries():
        trainer = tiny_trainer(tmp_path, diverging)
        curve = run_trainer(trainer)
        held = held_out_loss(trainer)
    measured = {point["step"]: point["loss"] for point in curve["held_out_steps"]}
    best = min(measured, key=measured.__getitem__)
    assert curve["best_step"] == best
    assert held and held["adapter"] == pytest.approx(measured[best], rel=1e-3)
    assert max(measured) == best + 8 < 9 * 8  # an epoch of 8 steps after the best one


def test_the_last_epoch_is_kept_where_that_is_wanted(tmp_path: Path) -> None:
    changes = {"max_steps": -1, "epochs": 4, "patience": 1, "learning_rate": 20.0, "keep": "last"}
    with loading.quiet_libraries():
        trainer = tiny_trainer(tmp_path, SETTINGS.model_copy(update=changes))
        curve = run_trainer(trainer)
        held = held_out_loss(trainer)
    losses = [point["loss"] for point in curve["held_out_steps"]]
    assert curve["best_step"] is None
    assert len(losses) == 4 and losses[-1] > min(losses)  # it got worse, and went on
    assert held and held["adapter"] == pytest.approx(losses[-1], rel=1e-3)


def command(folder: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "tests.scripts.training.run_tiny", str(folder), *flags]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The curve of a run that nobody stopped."""
    done = subprocess.run(command(tmp_path_factory.mktemp("whole")), cwd=ROOT, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_goes_on_from_the_last_checkpoint(tmp_path: Path, whole: dict[str, Any], number: signal.Signals) -> None:
    victim = subprocess.Popen(
        command(tmp_path, "--pause"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint-12" / "trainer_state.json").is_file():  # in the second epoch of 8 steps
        assert victim.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    victim.send_signal(number)
    said = victim.communicate()[1]
    stood = last_checkpoint(tmp_path)
    if number is signal.SIGTERM:
        assert "Stopped by SIGTERM after step" in said
        assert stood and stood != str(tmp_path / "checkpoint-12")  # one more, although none was due
    (tmp_path / "checkpoint-19").mkdir()  # a checkpoint that a kill cut off
    (tmp_path / "checkpoint-19" / "trainer_state.json").write_text("")
    assert last_checkpoint(tmp_path) == stood
    done = subprocess.run(command(tmp_path), cwd=ROOT, capture_output=True, check=True)
    resumed = json.loads(done.stdout)
    assert [entry["step"] for entry in resumed["steps"]] == list(range(1, 21))
    losses = [[entry["loss"] for entry in run["steps"]] for run in (resumed, whole)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert resumed["held_out"] == pytest.approx(whole["held_out"], abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path / "run")
    with torch.no_grad():
        trainer.model.get_input_embeddings().weight.fill_(float("nan"))
    with loading.quiet_libraries(), pytest.raises(HanjulError, match="The loss is nan at step 1") as caught:
        run_trainer(trainer)
    assert "learning_rate" in caught.value.next_step
    assert not (tmp_path / "run").exists()


def test_lengths_are_checked_before_anything_is_loaded() -> None:
    tokenizer = language_model.tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    longest, completion = preflight.check_lengths(tokenizer, language_model.rows(), 128)
    assert 0 < completion < longest
    with pytest.raises(
        HanjulError, match=rf"of more than train\.max_length 16 tokens: .* \({longest} tokens\)"
    ) as caught:
        preflight.check_lengths(tokenizer, language_model.rows(), 16)
    assert caught.value.next_step.startswith(f"set train.max_length to {longest}, or filter again with a lower ")


LONG = "가나다라마바사" * 30


@pytest.mark.field
@pytest.mark.parametrize(
    ("product", "values", "line", "named", "limit"),
    [
        (LONG, ["포근한"], "줄", f"{LONG[:30]}…", "filter.max_product_chars"),
        ("향초", ["포근한", LONG], "줄", "향초", "filter.max_value_chars"),
        ("향초", ["차분한"] * 70, "줄", "향초", "filter.max_values"),
        ("향초", ["차분한"], LONG, "향초", "filter.max_chars"),
    ],
)
def test_a_long_row_is_named_with_what_would_take_it_out(
    product: str, values: list[str], line: str, named: str, limit: str
) -> None:
    tokenizer = language_model.tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    row = make_row(product, values, line)
    rows = [*language_model.rows(), {**row, **trl_columns(row)}]
    with pytest.raises(HanjulError) as caught:
        preflight.check_lengths(tokenizer, rows, 128)
    tokens = sum(map(len, encode(tokenizer, rows[-1])))
    assert caught.value.what == f"1 row of more than train.max_length 128 tokens: {named} ({tokens} tokens)"
    assert caught.value.next_step == f"set train.max_length to {tokens}, or filter again with a lower {limit}"
    assert preflight.check_lengths(tokenizer, rows, tokens)[0] == tokens  # the advice works
    limits = Limits(**{limit.removeprefix("filter."): 20})
    assert length.check(row, limits)
    tokenizer.model_max_length = 128
    with pytest.raises(HanjulError) as caught:
        preflight.check_lengths(tokenizer, rows, 128)
    assert caught.value.next_step == f"filter again with a lower {limit}"  # the base takes no more


@pytest.mark.field
def test_of_many_long_rows_the_longest_are_named() -> None:
    tokenizer = language_model.tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    long = [make_row(f"향초 {n}", ["차분한"], LONG[: 140 + n]) for n in range(5)]
    with pytest.raises(HanjulError, match=r"5 rows of more than .*: 향초 4 .*, 향초 3 .*, 향초 2 .* and 2 more"):
        preflight.check_lengths(tokenizer, [{**row, **trl_columns(row)} for row in long], 64)
    texts = [{"prompt": f"상품: 향초\n{LONG}", "completion": " 줄"}]  # a judge's
    with pytest.raises(HanjulError, match=r"1 row of more than .*: 상품: 향초 가나다") as caught:
        preflight.check_lengths(tokenizer, texts, 64)
    assert all(limit in caught.value.next_step for limit in preflight.LIMITS)
