# /// script
# requires-python = ">=3.11"
# dependencies = ["hanjul>=0.1", "bitsandbytes", "kernels"]
#
# [tool.hf-jobs]
# name = "hanjul-train"
# flavor = "l4x1"
# timeout = "6h"
# secrets = ["HF_TOKEN"]
# env = { PYTHONUNBUFFERED = "1" }
# ///
"""`hanjul train` as a script of its own, for HF Jobs and for clusters that start scripts.

    hf jobs uv run scripts/train_sft.py hf://datasets/NAMESPACE/hanjul-copy --recipe train/polyglot-ko-3.8b
    hf jobs uv run --flavor l4x4 scripts/train_sft.py hf://datasets/NAMESPACE/hanjul-copy --recipe train/gemma-ko-2b
    uv run scripts/train_sft.py hf://datasets/NAMESPACE/hanjul-copy --set train.epochs=1

The header above names what the script needs and the machine it asks for; flags of `hf jobs uv run` win over it. With
several GPUs one process is started for each. A job that was ended begins anew: its disk goes with it.
"""

import sys

from scripts.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["train"]
    main()
