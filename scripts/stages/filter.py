"""`hanjul filter`: config `raw` becomes the configs of a release, with card, report and figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
from huggingface_hub import HfUri

from dataset_card import card, facts, report
from dataset_card.changes import changelog
from dataset_card.figures import draw
from dataset_card.gate import GateFacts, ReadingFacts
from model_card.judging.graded import READERS, Kind, graded_lines, is_usable
from model_card.judging.sense.gate import Gate
from pipelines import features
from pipelines.feedback.pairs import Tally
from pipelines.filters.filter_rows import CANDIDATE_REASONS
from pipelines.filters.gate import is_synthesised
from pipelines.filters.limits import Limits
from pipelines.preferences import preferences_of
from pipelines.rows import split_of
from pipelines.text.counted import counted
from scripts.core.faults import input_errors
from scripts.core.fingerprint import output_settings
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.filtering import previous, visitors
from scripts.filtering.partition import partition_by_rules, partition_passed
from scripts.filtering.references import References, pin_encoder
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.judging.sense_judge import open_gate, pinned_by

#: What of a dataset is read.
READS = ("raw", visitors.CONFIG)


def run(hub: Hub, raw: HfUri, base: HfUri | None, recipe: Recipe, sealed: str | None = None) -> HfUri:
    """Commit the configs of a release to the dataset repo that holds the raw rows.

    Args:
        raw: pinned dataset with config `raw`.
        base: pinned model that the judge stands on; None where the recipe's judge is none.

    Raises:
        HanjulError: no row passes, or lines to compare with that are no table.
    """
    repo = HfUri(type="dataset", id=raw.id)
    recipe = pin_encoder(hub, recipe)
    references = References.resolve(hub, recipe.filter)
    limits = references.limits(hub, recipe.filter)
    judged = recipe.filter.judge == "sense"
    before = hub.before(repo, recipe.version)
    earlier = before if recipe.filter.previous == "append" else None
    inputs = {"raw": raw.to_uri(), **references.identities}
    inputs |= pinned_by(base) if base and judged else {}
    inputs |= {"previous": earlier[1].to_uri()} if earlier else {}
    options = output_settings(recipe.filter) | {
        "bootstrap": recipe.evaluate.bootstrap,
        "seed": recipe.seed,
        "title": recipe.title,
        "terms": recipe.import_.terms,
    }

    def work(folder: Path) -> Outcome:
        rows = [features.to_raw(row) for row in hub.rows(raw, "raw")]
        if earlier:
            rows = previous.combine(rows, previous.rows_of(hub, earlier[1]))
        with input_errors("filter"):
            passed, by_rules = partition_by_rules(rows, limits, folder, recipe.filter.engine)
            log(f"filter: {len(by_rules):,} of {counted(len(rows), 'row')} rejected by rules")
            written_by_models = any(is_synthesised(row) for row in passed)
            gate = open_gate(hub, base, recipe) if base and judged and written_by_models else None
            kept, others = partition_passed(passed, limits, gate, recipe)
        said = visitors.of_release(hub, raw, kept, limits)
        rejected = [*by_rules, *others]
        write_configs(kept, rejected, recipe.filter.min_margin, folder / "out", said.pairs if said else ())
        counts = {
            "in": len(rows),
            "out": len(kept),
            "rejected": dict(Counter(row["reason"] for row in rejected)),
            "sources": dict(Counter(row["source"] for row in kept)),
        }
        counts |= {"gate": asdict(_gate_facts(gate))} if gate else {}
        counts |= {"visitors": asdict(said.tally), "pairs of visitors rejected": said.rejected} if said else {}
        return Outcome(f"{counted(len(kept), 'row')} kept, {len(rejected):,} rejected", counts)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        gate = GateFacts(**found) if (found := outcome.counts.get("gate")) else None
        tally = Tally(**found) if (found := outcome.counts.get("visitors")) else None
        return _card(hub, raw, base, recipe, limits, before, parent, folder / "out", gate, tally)

    return run_stage(hub, Stage("filter", repo, inputs, options, sealed, owns=draw.PATHS), work, card)


def write_configs(
    kept: Sequence[Any], rejected: Sequence[Any], min_margin: float, out: Path, by_visitors: Sequence[Any] = ()
) -> None:
    """Write the Parquet files of a release's configs: `default`, `preferences`, `candidates` and `rejected`.

    Args:
        by_visitors: what visitors prefer, whatever we would of the same two lines.
    """
    theirs = {_lines(pair) for pair in by_visitors}
    ours = preferences_of(kept, rejected, min_margin)
    preferences = [*(pair for pair in ours if _lines(pair) not in theirs), *by_visitors]
    for split in features.SPLITS:
        rows = (features.to_default(row) for row in kept if split_of(row["product"]) == split)
        features.write_rows(rows, out / features.CONFIG_FILES["default"][split], features.DEFAULT)
        pairs = (pair for pair in preferences if split_of(pair["product"]) == split)
        features.write_rows(pairs, out / features.CONFIG_FILES["preferences"][split], features.PREFERENCES)
    candidates = (features.to_rejected(row) for row in rejected if row["reason"] in CANDIDATE_REASONS)
    others = (features.to_rejected(row) for row in rejected if row["reason"] not in CANDIDATE_REASONS)
    features.write_rows(candidates, out / "candidates" / "train.parquet", features.CANDIDATES)
    features.write_rows(others, out / "rejected" / "train.parquet", features.REJECTED)


def _lines(pair: Mapping[str, Any]) -> frozenset[str]:
    return frozenset((pair["chosen_id"], pair["rejected_id"]))


def _card(
    hub: Hub,
    raw: HfUri,
    base: HfUri | None,
    recipe: Recipe,
    limits: Limits,
    before: tuple[str, HfUri] | None,
    parent: HfUri | None,
    out: Path,
    gate: GateFacts | None,
    tally: Tally | None,
) -> str:
    """The README from the rows that stand in `out`; figures, `report.json` and `CHANGELOG.md` go there too."""

    kept, preferences, rejected, candidates = (
        _read(out / config) for config in ("default", "preferences", "rejected", "candidates")
    )
    rejected += candidates
    if gate:
        limits = limits.model_copy(update={"gated": True, "min_sense": gate.threshold})
    teachers = sorted({row["teacher"] for row in [*kept, *candidates] if row["teacher"]})
    semantic = recipe.filter.semantic
    changes = previous.changes_since(hub, before, [*kept, *rejected])
    with input_errors("filter"):
        found = facts.gather(
            facts.Given(repo_id=raw.id, title=recipe.title, imported_terms=recipe.import_.terms),
            facts.Produced(
                teacher=", ".join(teachers),
                teacher_base=base.id if base and any(name.startswith("hf://") for name in teachers) else "",
                limits=limits,
                gate=gate,
                reading=_reading(),
                visitors=tally,
                seed=recipe.seed,
                version=recipe.version,
                encoder=f"{semantic.model}@{semantic.revision}" if semantic else "",
                max_cosine=semantic.max_cosine if semantic else 1.0,
                **_synthesis(hub, raw),
            ),
            kept,
            rejected,
            preferences=Counter(split_of(pair["product"]) for pair in preferences),
            pairs="pairs" in hub.config_names(parent or raw),
            changes=changes,
        )
    paths = draw.draw_figures(found, kept, out)
    (out / "report.json").write_text(json.dumps(report.report(found), ensure_ascii=False, indent=2) + "\n", "utf-8")
    existing = {name: hub.text(parent, name) if parent else "" for name in ("README.md", "CHANGELOG.md")}
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    text = changelog(existing["CHANGELOG.md"], recipe.version, today, changes, len(kept))
    (out / "CHANGELOG.md").write_text(text, "utf-8")
    return card.render(found, paths, existing["README.md"])


def _gate_facts(gate: Gate) -> GateFacts:
    calibration, auc = gate.calibration, gate.calibration.auc
    return GateFacts(
        judge=gate.judge,
        auc=(auc.value, auc.low, auc.high),
        reliable=calibration.reliable,
        threshold=gate.threshold,
        why=gate.why,
        precision=gate.precision,
    )


def _reading() -> ReadingFacts:
    lines = graded_lines()
    shares = {}
    for kind in get_args(Kind):
        of_kind = [is_usable(line) for line in lines if line.kind == kind]
        shares[kind] = (sum(of_kind), len(of_kind))
    return ReadingFacts(*READERS, shares)


def _read(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def _synthesis(hub: Hub, raw: HfUri) -> dict[str, Any]:
    """What went into raw rows that a teacher wrote and, where it proposed the pairs, into those: usage and prompts; and
    the model that was asked where another answered.

    Usage is tokens and USD, empty where nothing was synthesised; the price is None where one of them is not known.
    """
    manifests = [hub.manifest(raw)]
    if pairs := manifests[0].get("inputs", {}).get("pairs"):
        manifests.append(hub.manifest(hub.resolve(pairs)))
    prompts = {name: text for manifest in manifests for name, text in manifest.get("prompts", {}).items()}
    found: dict[str, Any] = {"prompts": prompts}
    if manifests[0].get("counts", {}).get("answered_by"):
        found["asked"] = manifests[0]["recipe"]["teacher"]["model"]
    used = [manifest["usage"] for manifest in manifests if manifest.get("usage")]
    if not used:
        return found | {"usage": {}}
    known = all(usage.get("usd") is not None for usage in used)
    total = {name: sum(usage[name] for usage in used) for name in ("input_tokens", "output_tokens")}
    return found | {"usage": total | {"usd": sum(usage["usd"] for usage in used) if known else None}}
