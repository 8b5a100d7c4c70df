"""The measured figures in the documentation: the newest results of the benches, at full size, in words.

    python -m tests.docs.figures    write them anew, after `make bench`

They stand between the marks <!-- measured --> and <!-- /measured -->.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pipelines.metrics import METRICS
from tests.docs.markdown import ROOT, text

RESULTS = ROOT / "tests" / "bench" / "results.jsonl"
BLOCK = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", flags=re.S)

#: Bench -> what the README says of its figures.
SENTENCES = {
    "synthesis": (
        "{ours_rows_s:.0f} rows a second from a teacher that answers in 0.2 s: {ratio:.2f} of a plain client's pace, "
        "distilabel's own pipeline {stock_rows_s:.0f} rows a second; again from kept answers in {cached_seconds:.0f} s"
    ),
    "dataset": (
        "near-duplicates at {ours_rows_s:,.0f} rows a second, {ratio:.1f} times the better of distilabel and "
        "datasketch; a million rows filtered in {million_seconds:.0f} s with {million_rss_gb:.1f} GB"
    ),
    "train": (
        "without a GPU {ratio_stock:.1f} times the pace of TRL's `SFTTrainer` and {ratio_bare:.2f} of a bare loop's; "
        "held-out loss {loss_ours:.2f} ({loss_stock:.2f} and {loss_bare:.2f})"
    ),
    "judge": (
        "a trained judge tells good lines from spoilt ones and from what models write with an AUC of "
        "{auc[pv]:.2f} (PV), {auc[naturalness]:.2f} (Naturalness) and {auc[creativity]:.2f} (Creativity)"
    ),
}
Result = dict[str, Any]


def newest() -> dict[str, Result]:
    """Bench -> its newest result at full size; benches without one are left out."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else []
    results = [json.loads(line) for line in lines]
    return {result["bench"]: result for result in results if not result["smoke"]}


def readme_table(results: dict[str, Result]) -> str:
    """What each bench found, and where; "" where none was run."""
    rows = [
        f"| `{bench}` | {sentence.format(**results[bench]['figures'])} | {_where(results[bench])} |\n"
        for bench, sentence in SENTENCES.items()
        if bench in results
    ]
    return "".join(["| bench | measured | on |\n|---|---|---|\n", *rows]) if rows else ""


def _where(result: Result) -> str:
    machine, commit = result["machine"], result["commit"].partition("-")[0][:8]
    return f"{machine['cores']} cores, {result['date']}, `{commit}`"


def judges_table(results: dict[str, Result]) -> str:
    """AUC by metric: mean, its lower bound, each kind of bad line; "" where the bench was not run.

    Metrics and kinds are those that the bench found: the judge has no form of some, and older results lack newer ones.
    """
    if "judge" not in results:
        return ""
    figures = results["judge"]["figures"]
    trained = []
    metrics = [key for key in METRICS if key in figures["auc"]]
    for key in metrics:
        kinds = ", ".join(f"{area:.2f}" for area in figures["kinds"][key].values())
        trained.append(f"{figures['auc'][key]:.2f} [{figures['auc_low'][key]:.2f}] ({kinds})")
    shown = [f"{figures['auc_shown'][key]:.2f}" for key in metrics]
    rows = [
        ["", *(METRICS[key].name for key in metrics)],
        ["---"] * (len(metrics) + 1),
        ["trained as a judge", *trained],
        ["the base behind eight examples", *shown],
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


#: Document -> what stands between its marks; "" leaves what stands there.
WRITERS: dict[str, Callable[[dict[str, Result]], str]] = {
    "README.md": readme_table,
    "model_card/judging/README.md": judges_table,
}


def block_of(document: str) -> str:
    """What stands between the marks of a document."""
    (block,) = BLOCK.findall(text(document))
    return str(block)


def main() -> None:
    """Write the figures of all documents anew."""
    results = newest()
    for document, write in WRITERS.items():
        if block := write(results):
            (ROOT / document).write_text(BLOCK.sub(lambda _: block, text(document)), encoding="utf-8")


if __name__ == "__main__":
    main()
