"""python -m tests.scripts.training.run_tiny FOLDER: a tiny run for a test to kill. Prints its curve in the end."""

import json
import sys
import time
from pathlib import Path

import torch
from transformers import TrainerCallback

from pipelines.rows import CHAT_TEMPLATE
from scripts.core.settings import TrainSettings
from scripts.training import callbacks, loading
from scripts.training.build_trainer import build_trainer
from scripts.training.run_trainer import held_out_loss, run_trainer
from tests.tiny import language_model

SETTINGS = TrainSettings(batch_size=4, max_steps=20, learning_rate=1e-2)


class Slow(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        time.sleep(0.2)


def main(folder: Path, pause: bool) -> None:
    torch.set_num_threads(1)
    callbacks.CHECKPOINT_STEPS = 4
    with loading.quiet_libraries():
        tokenizer = language_model.tokenizer()
        tokenizer.chat_template = CHAT_TEMPLATE
        model = language_model.model(len(tokenizer))
        trainer = build_trainer(model, tokenizer, language_model.rows(), language_model.rows(8), SETTINGS, 3, folder)
        if pause:
            trainer.add_callback(Slow())
        curve = run_trainer(trainer)
        print(json.dumps(curve | {"held_out": held_out_loss(trainer)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), pause="--pause" in sys.argv)
