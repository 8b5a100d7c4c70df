"""`hanjul filter`: config `raw` becomes `default` (train, validation, test) and `rejected`, with card and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from huggingface_hub import HfUri

from scripts.faults import refused
from scripts.hub import Hub
from scripts.log import log
from scripts.settings import Recipe
from scripts.stage import Outcome, Stage, run_stage


def run(hub: Hub, raw: HfUri, base: HfUri, recipe: Recipe, sealed: str | None = None) -> HfUri:
    """Commit configs `default` and `rejected` of the dataset repo that holds the raw rows.

    Args:
        raw: pinned dataset with config `raw`.
        base: pinned model whose likelihoods are the scores.

    Raises:
        HanjulError: no row passes, or too few rows to calibrate the judge on.
    """
    repo = HfUri(type="dataset", id=raw.id)
    options = recipe.filter.model_dump() | {
        "calibration_rows": recipe.evaluate.calibration_rows,
        "bootstrap": recipe.evaluate.bootstrap,
        "seed": recipe.seed,
        "title": recipe.title,
        "terms": recipe.import_.terms,
    }
    stage = Stage("filter", repo, {"raw": raw.to_uri(), "base": base.to_uri()}, options, sealed)

    def work(folder: Path) -> Outcome:
        kept, rejected = _part(list(hub.rows(raw, "raw")), base, recipe)
        _write(kept, rejected, folder / "out")
        counts = {
            "in": len(kept) + len(rejected),
            "out": len(kept),
            "rejected": dict(Counter(row["reason"] for row in rejected)),
            "sources": dict(Counter(row["source"] for row in kept)),
        }
        return Outcome(f"{len(kept)} rows kept, {len(rejected)} rejected", counts)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return _card(repo.id, recipe, base, hub.text(parent, "README.md") if parent else "", folder / "out")

    return run_stage(hub, stage, work, card)


def _part(
    rows: Sequence[dict[str, Any]], base: HfUri, recipe: Recipe
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rules first, so that only what passes them is scored; then thresholds and ranking."""
    from pipelines.filters import REASONS, RULES, filter_rows
    from pipelines.filters.scores import trusted

    limits = limits_of(recipe)
    with refused("filter"):
        passed, rejected = filter_rows(rows, limits, tuple(RULES))
        log(f"filter: {len(rejected)} of {len(rows)} rows rejected by rules")
        scored = passed if all(trusted(row, limits) for row in passed) else _scored(passed, base, recipe)
        kept, outscored = filter_rows(scored, limits, [name for name in REASONS if name not in RULES])
    return kept, [*rejected, *outscored]


def _scored(rows: Sequence[dict[str, Any]], base: HfUri, recipe: Recipe) -> list[dict[str, Any]]:
    """The rows with `scores`. Needed only where a threshold or a rank applies to one of them."""
    from scripts import judge, models

    measure = judge.of_rows(
        *models.load_base(base),
        base,
        rows,
        calibration_rows=recipe.evaluate.calibration_rows,
        bootstrap=recipe.evaluate.bootstrap,
        seed=recipe.seed,
    )
    return [row | {"scores": scores} for row, scores in zip(rows, measure.scores(rows), strict=True)]  # type: ignore[arg-type]


def limits_of(recipe: Recipe) -> Any:
    """The filters' own view of the recipe's thresholds."""
    from pipelines.filters.limits import Limits

    return Limits(**recipe.filter.model_dump())


def _write(kept: Sequence[Mapping[str, Any]], rejected: Sequence[Mapping[str, Any]], out: Path) -> None:
    from pipelines.features import CONFIG_FILES, DEFAULT, REJECTED, to_default, to_rejected, write_rows
    from pipelines.rows import Split, split_of

    for split in get_args(Split):
        rows = [to_default(row) for row in kept if split_of(row["product"]) == split]
        write_rows(rows, out / CONFIG_FILES["default"][split], DEFAULT)
    write_rows([to_rejected(row) for row in rejected], out / "rejected" / "train.parquet", REJECTED)


def _card(repo_id: str, recipe: Recipe, base: HfUri, existing: str, out: Path) -> str:
    """Figures into `out/figures`, and the README, from the rows that stand in `out`."""
    import pyarrow.parquet as pq

    from dataset_card import card, facts, figures

    kept, rejected = (
        [row for path in sorted((out / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
        for config in ("default", "rejected")
    )
    teachers = sorted({row["teacher"] for row in kept if row["teacher"]})
    with refused("filter"):
        found = facts.gather(
            facts.Given(
                repo_id=repo_id,
                title=recipe.title,
                imported_terms=recipe.import_.terms,
            ),
            facts.Produced(
                teacher=", ".join(teachers),
                teacher_base=base.id if any(name.startswith("hf://") for name in teachers) else "",
                scorer=f"{base.id}@{base.revision}" if any(row["scores"]["pv"] is not None for row in kept) else "",
                limits=limits_of(recipe),
                seed=recipe.seed,
            ),
            kept,
            rejected,
        )
    paths = figures.draw_figures(found, kept, out)
    return card.render(found, paths, existing)
