"""Every bench in its smoke size: it ends, and its last line has the keys that README.md explains, with real figures."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import BENCHES, RESULTS
from tests.bench.processes import ROOT

pytestmark = pytest.mark.slow  # about a minute each

METRICS = {"pv", "naturalness", "creativity"}
KINDS = {"stock", "ours", "bare"}
KEYS = {
    "synthesis": {
        *("plain_rows_s", "stock_rows_s", "ours_rows_s", "ratio", "rss_ratio", "cached_seconds", "cached_requests"),
        *(f"faults.{key}" for key in ("rows", "distinct", "seconds", "requests", "bound")),
        *(f"kills.{key}" for key in ("rows", "distinct", "requests", "bound", "kills", "orphans")),
    },
    "dataset": {
        *("ours_rows_s", "distilabel_rows_s", "datasketch_rows_s", "ratio", "recall_distilabel", "recall_datasketch"),
        *("million_seconds", "million_rss_gb", "accepted_million"),
        *("hundred_thousand_seconds", "hundred_thousand_rss_gb", "ray_same_ids"),
    },
    "train": {
        *(f"{kind}_samples_s" for kind in KINDS),
        *("ratio_stock", "ratio_bare"),
        *(f"loss_{kind}" for kind in KINDS),
        *(f"rss_{kind}_gb" for kind in KINDS),
    },
    "judge": {
        *("bad_judges_caught", "bad_judges_tried"),
        *(f"geval_{client}_requests_s" for client in ("plain", "ours", "stock")),
        *("geval_ratio", "geval_stock_ratio", "geval_ratios.0"),
        *("likelihood_ratio", "likelihood_rows_s", "score_difference"),
        *(f"{table}.{metric}" for table in ("auc", "paired", "auc_low", "auc_shown") for metric in METRICS),
        *(f"kinds.pv.{kind}" for kind in ("other_product", "other_value", "model_made")),
        *(f"kinds.naturalness.{kind}" for kind in ("shuffled", "wrong_ending", "model_made")),
        *(f"kinds.creativity.{kind}" for kind in ("template", "worn_out", "model_made")),
    },
    "space": {
        *(
            f"{who}_{key}_{count}"
            for who in ("pipeline", "ours")
            for key in ("tokens_s", "first_s")
            for count in (1, 8)
        ),
        *("single_ratio", "eight_ratio", "eight_errors", "first_line_s", "p95_first_line_s", "p95_first_line_ratio"),
        *("start_to_interactive_seconds", "interactive_seconds", "rss_mb", "rss_growth_mb"),
    },
}
#: Figures that may be nothing: what should not happen, and what a tiny model of random weights cannot do.
MAY_BE_ZERO = {"cached_requests", "kills.orphans", "score_difference", "eight_errors", "rss_growth_mb"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """As a user has it who has set nothing for any Hub."""
    home = tmp_path_factory.mktemp("bench")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return clean | {"HANJUL_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}


def flat(figures: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure by its dotted name."""
    if isinstance(figures, dict | list):
        for key, value in figures.items() if isinstance(figures, dict) else enumerate(figures):
            yield from flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, figures


@pytest.mark.parametrize("bench", BENCHES)
def test_a_smoke_run_has_every_figure(bench: str, environment: dict[str, str]) -> None:
    kept = RESULTS.read_bytes() if RESULTS.exists() else b""
    command = [sys.executable, "-m", "tests.bench", "--only", bench, "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    line = json.loads(done.stdout.splitlines()[-1])
    assert (line["bench"], line["smoke"]) == (bench, True)
    assert (RESULTS.read_bytes() if RESULTS.exists() else b"") == kept

    figures = dict(flat(line["figures"]))
    assert figures.keys() == KEYS[bench]
    for name, value in figures.items():
        assert isinstance(value, int | float), name
        assert math.isfinite(value), name
        assert value > 0 or name in MAY_BE_ZERO or ".pv" in name, name
    CHECKS[bench](figures)


def check_synthesis(figures: dict[str, Any]) -> None:
    """Nothing is written twice or paid twice, whatever happens to the run."""
    assert figures["cached_requests"] == figures["kills.orphans"] == 0
    for part in ("faults", "kills"):
        assert figures[f"{part}.rows"] == figures[f"{part}.distinct"]
        assert figures[f"{part}.rows"] <= figures[f"{part}.requests"] <= figures[f"{part}.bound"]


def check_dataset(figures: dict[str, Any]) -> None:
    assert figures["ray_same_ids"] is True
    assert all(0 < figures[f"recall_{tool}"] <= 1 for tool in ("distilabel", "datasketch"))


def check_train(figures: dict[str, Any]) -> None:
    """All three learn the same thing."""
    assert figures["loss_ours"] == pytest.approx(figures["loss_bare"], abs=0.02)


def check_judge(figures: dict[str, Any]) -> None:
    """Judges that know nothing are found out, and both ways of reading a text come to the same scores."""
    assert figures["bad_judges_caught"] == figures["bad_judges_tried"]
    assert figures["score_difference"] < 1e-3
    assert all(0 <= value <= 1 for name, value in figures.items() if name.startswith(("auc", "paired", "kinds")))


def check_space(figures: dict[str, Any]) -> None:
    """Everybody is served, and a visitor types before the weights are there."""
    assert figures["eight_errors"] == 0
    assert figures["interactive_seconds"] < figures["start_to_interactive_seconds"]


CHECKS = {
    "synthesis": check_synthesis,
    "dataset": check_dataset,
    "train": check_train,
    "judge": check_judge,
    "space": check_space,
}


def test_the_readme_explains_every_key() -> None:
    explained = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    keys = {key.partition(".")[0] for keys in KEYS.values() for key in keys}
    assert not {key for key in keys if f"`{key}`" not in explained}
