"""`hanjul filter`: config `raw` becomes `default`, `candidates` and `rejected`, with card and figures."""

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

Rows = Sequence[dict[str, Any]]

#: Settings of `evaluate` on which the scores of rows depend.
JUDGED_BY = {"calibration_rows", "bootstrap"}


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
        **recipe.evaluate.model_dump(include=JUDGED_BY),
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
        existing = hub.text(parent, "README.md") if parent else ""
        return _card(repo.id, recipe, base, _usage(hub, raw), existing, folder / "out")

    return run_stage(hub, stage, work, card)


def _part(rows: Rows, base: HfUri, recipe: Recipe) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(kept, rejected): rules first, so that only what passes them is scored; then thresholds and ranking."""
    from pipelines.filters import RULES, filter_rows

    with refused("filter"):
        passed, rejected = filter_rows(rows, limits_of(recipe), tuple(RULES))
        log(f"filter: {len(rejected)} of {len(rows)} rows rejected by rules")
        kept, outscored = part_passed(passed, base, recipe)
    return kept, [*rejected, *outscored]


def part_passed(rows: Rows, base: HfUri | None, recipe: Recipe) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(kept, rejected) of rows that break no rule."""
    from pipelines.filters import REASONS, RULES, filter_rows
    from pipelines.filters.scores import trusted
    from scripts.scoring import scored

    limits = limits_of(recipe)
    if limits.scored and not all(trusted(row, limits) for row in rows):
        assert base, "scores come from a base model"
        rows = scored(rows, [row for row in rows if row["source"] != "synthesised"], base, recipe)
    return filter_rows(rows, limits, [name for name in REASONS if name not in RULES])


def limits_of(recipe: Recipe) -> Any:
    """The filters' own view of the recipe's thresholds."""
    from pipelines.filters.limits import Limits

    return Limits(**recipe.filter.model_dump(exclude={"judge"}), scored=recipe.filter.judge == "likelihood")


def _write(kept: Sequence[Mapping[str, Any]], rejected: Sequence[Mapping[str, Any]], out: Path) -> None:
    from pipelines.features import (
        CANDIDATES,
        CONFIG_FILES,
        DEFAULT,
        REJECTED,
        to_candidate,
        to_default,
        to_rejected,
        write_rows,
    )
    from pipelines.rows import Split, split_of

    for split in get_args(Split):
        rows = [to_default(row) for row in kept if split_of(row["product"]) == split]
        write_rows(rows, out / CONFIG_FILES["default"][split], DEFAULT)
    outranked = [row for row in rejected if row["reason"] == "outranked"]
    others = [row for row in rejected if row["reason"] != "outranked"]
    write_rows([to_candidate(row) for row in outranked], out / "candidates" / "train.parquet", CANDIDATES)
    write_rows([to_rejected(row) for row in others], out / "rejected" / "train.parquet", REJECTED)


def _usage(hub: Hub, raw: HfUri) -> dict[str, Any]:
    """Tokens and USD that went into raw rows: of the lines and, where a teacher proposed pairs, of those."""
    manifest = hub.manifest(raw)
    used = [manifest.get("usage") or {}]
    if pairs := manifest.get("inputs", {}).get("pairs"):
        used.append(hub.manifest(hub.resolve(pairs)).get("usage") or {})
    used = [usage for usage in used if usage]
    if not used:
        return {}
    known = all(usage.get("usd") is not None for usage in used)
    total = {name: sum(usage[name] for usage in used) for name in ("input_tokens", "output_tokens")}
    return total | {"usd": sum(usage["usd"] for usage in used) if known else None}


def _card(repo_id: str, recipe: Recipe, base: HfUri, usage: Mapping[str, Any], existing: str, out: Path) -> str:
    """Figures into `out/figures`, and the README, from the rows that stand in `out`.

    Args:
        usage: what synthesis spent, from its manifest; empty where nothing was synthesised.
    """
    import pyarrow.parquet as pq

    from dataset_card import card, facts, figures

    kept, rejected, candidates = (
        [row for path in sorted((out / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
        for config in ("default", "rejected", "candidates")
    )
    rejected += [row | {"reason": "outranked"} for row in candidates]
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
                usage=usage,
            ),
            kept,
            rejected,
        )
    paths = figures.draw_figures(found, kept, out)
    return card.render(found, paths, existing)
