"""The script for HF Jobs: the real client reads its header, and it is the command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.command import ROOT

SCRIPT = "scripts/train_sft.py"
ARGUMENTS = ["hf://datasets/team/hanjul-copy", "--recipe", "train/polyglot-ko-3.8b"]


def test_hf_jobs_reads_the_header(tmp_path: Path) -> None:
    hf = Path(sys.executable).with_name("hf")
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_TOKEN": "hf_planted", "NO_COLOR": "1"}
    done = subprocess.run(
        [hf, "jobs", "uv", "run", "--dry-run", SCRIPT, *ARGUMENTS],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shown = dict(re.findall(r"^  (\w+) +(.+)$", done.stdout, re.MULTILINE))
    assert shown.pop("image").startswith("ghcr.io/astral-sh/uv:")
    assert shown == {
        "script": SCRIPT,
        "args": " ".join(ARGUMENTS),
        "flavor": "l4x1 (from script)",
        "timeout": "6h (from script)",
        "env": "PYTHONUNBUFFERED=1 (from script)",
        "secrets": "HF_TOKEN=*** (from script)",
        "labels": "name=hanjul-train (from script)",
    }
    assert "hf_planted" not in done.stdout + done.stderr
    assert "(dry run) Job not submitted." in done.stdout


def test_the_script_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--help"], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Train a LoRA adapter and publish it" in done.stdout
    assert "--merge" in done.stdout
