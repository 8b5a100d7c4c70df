"""No packed row sees another: asked of the model, and shown on whole batches."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from pipelines.errors import HanjulError
from pipelines.rows import CHAT_TEMPLATE
from scripts.core.settings import TrainSettings
from scripts.training import loading
from scripts.training.build_trainer import build_trainer
from scripts.training.packing import check_packing
from scripts.training.run_trainer import held_out_loss, run_trainer
from scripts.training.trainers import CompletionTrainer
from tests.tiny import language_model

SETTINGS = TrainSettings(batch_size=4, max_steps=4, learning_rate=1e-2, packing=True)


def trainer(folder: Path, settings: TrainSettings) -> CompletionTrainer:
    tokenizer = language_model.tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    return build_trainer(
        language_model.model(len(tokenizer)),
        tokenizer,
        language_model.rows(),
        language_model.rows(8),
        settings,
        1,
        folder,
    )


def test_a_row_s_logits_do_not_change_with_the_rows_around_it(tmp_path: Path) -> None:
    packed = trainer(tmp_path, SETTINGS)
    batch = next(iter(packed.get_train_dataloader()))
    ids, positions = batch["input_ids"][0], batch["position_ids"][0]
    starts = [*(positions == 0).nonzero()[:, 0].tolist(), len(ids)]
    assert len(starts) > 3
    assert packed.rows_of(batch) == len(starts) - 1
    model = packed.model.eval()
    with torch.no_grad():
        together = model(input_ids=ids[None], position_ids=positions[None], use_cache=False).logits[0].float()
        for start, end in itertools.pairwise(starts):
            alone = model(input_ids=ids[None, start:end]).logits[0].float()
            assert torch.allclose(together[start:end], alone, atol=0.02 * float(alone.abs().max()))
        changed = ids.clone()
        changed[: starts[1]] = 7  # another first row
        other = model(input_ids=changed[None], position_ids=positions[None], use_cache=False).logits[0].float()
    assert torch.equal(other[starts[1] :], together[starts[1] :])


def test_packed_rows_are_learnt(tmp_path: Path) -> None:
    with loading.quiet_libraries():
        packed = trainer(tmp_path, SETTINGS)
        curve, held = run_trainer(packed), held_out_loss(packed)
    assert held and held["adapter"] < held["base"]
    assert curve["steps"][-1]["step"] == 4


def test_a_model_whose_rows_would_see_each_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = language_model.model(40)
    rows = ([4, 5, 6, 7, 8], [9, 10, 11])
    check_packing(model, *rows)
    plain = model.forward
    monkeypatch.setattr(model, "forward", lambda input_ids, **ignored: plain(input_ids=input_ids))
    with pytest.raises(HanjulError, match="Packed rows would see each other: logits move by") as caught:
        check_packing(model, *rows)
    assert caught.value.next_step == "set train.packing to false, or install flash-attn"
