"""`hanjul train`: rows of a dataset become a LoRA adapter with its tokenizer, chat template, curve and card."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri, ModelCard

from model_card.cards import card
from model_card.cards.facts import CardFacts, ReleaseFacts, TrainingFacts
from model_card.cards.licences import UNKNOWN, identifier_of, licence_of, may_publish
from model_card.cards.report_files import OWN
from model_card.cards.training_curve import training_curve
from pipelines.errors import HanjulError
from pipelines.feedback.pairs import Tally
from pipelines.rows import PROMPT_FORMAT
from pipelines.text.counted import counted
from scripts.core.fingerprint import output_settings
from scripts.core.log import log
from scripts.core.settings import TrainSettings
from scripts.exporting import exports
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.models.embedded import PACKAGE, TERMS
from scripts.models.models import adapter_config
from scripts.training import launch, loading, preflight
from scripts.training.job import TrainingJob, read_curve, write_rows
from scripts.training.learnt_rows import learnt_rows, of_visitors

MIN_ROWS = 8

#: Where rows come from that people wrote: a judge must not learn from what it will judge.
PEOPLE = ("written", "imported")

#: What a base's authors want to be passed on.
LICENCE_FILE = re.compile(r"(LICEN[SC]E|NOTICE|COPYING)[^/]*", re.IGNORECASE)


def run(
    hub: Hub,
    dataset: HfUri,
    base: HfUri,
    settings: TrainSettings,
    seed: int,
    sources: Sequence[str] | None = None,
    sealed: str | None = None,
) -> HfUri:
    """Commit an adapter trained on a pinned dataset: on config `default`, or on `preferences` for `method: dpo`.

    With `method: judge` each row that people wrote is learnt twice: the line from its pair, the values from its line.

    Args:
        base: the base model, pinned.
        sources: train on rows of these sources only, e.g. `["written"]`; None takes all.

    Raises:
        HanjulError: columns are missing, rows are too few or too long, none has a merit that is to be learnt, the base
            gives no right to publish an adapter, its chat template cannot be learnt, the memory is too small, the loss
            is no number, others have filled a repo that an export would go to.
    """

    sources = sources or (PEOPLE if settings.method == "judge" else None)
    repo = hub.repo("model", settings.repo, "train.repo")
    start = hub.resolve(settings.start, "model") if settings.start else None
    if start:
        check_start(start, base, repo)
    inputs = {"dataset": dataset, "base": base} | ({"start": start} if start else {})
    recipe = output_settings(settings) | {"seed": seed, "sources": sorted(sources) if sources else None}
    pinned = {name: uri.to_uri() for name, uri in inputs.items()}

    def work(folder: Path) -> Outcome:
        licence = publishable(hub, base, settings)
        exports.check(hub, repo, settings)
        curve, counts = _train(hub, dataset, base, start, settings, seed, sources, folder)
        _dress(hub, base, licence, curve, settings.method, folder / "out")
        return Outcome(_summary(curve), counts | {"steps": curve["steps"][-1]["step"]})

    def readme(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        licence = publishable(hub, base, settings)
        learnt = outcome.counts.get("preferences of visitors")
        visitors = _visitors(hub, dataset, learnt) if learnt else None
        return card.render(_facts(repo, inputs, licence, recipe, folder / "out", outcome, visitors))

    return run_stage(hub, Stage("train", repo, pinned, recipe, sealed, owns=OWN), work, readme)


def publishable(hub: Hub, base: HfUri, settings: TrainSettings) -> str:
    """The licence of a base, by its Hub identifier: its card's, or where that names none, the recipe's.

    Raises:
        HanjulError: it does not allow an adapter to be published, or is not the one that the recipe names.
    """
    data = ModelCard(hub.text(base, "README.md")).data
    licence = identifier_of(data.get("license"), data.get("license_name"))
    if licence == UNKNOWN and settings.licence:  # the recipe answers for what the authors say elsewhere
        licence = settings.licence
    if settings.licence not in (None, licence):
        raise HanjulError(
            f"The recipe names the licence {settings.licence}, the base's card {licence}",
            base.to_uri(),
            f"read the base's page, then set train.licence to {licence} or pin another train.base_revision",
        )
    if not may_publish(licence):
        raise HanjulError(
            f"The licence of this base ({licence}) gives no right to publish an adapter of it",
            base.to_uri(),
            "take another base, or set train.licence where its authors name one elsewhere",
        )
    return licence


def check_start(start: HfUri, base: HfUri, repo: HfUri) -> None:
    """
    Raises:
        HanjulError: preference tuning is to start from something that is no adapter, or one of another base, or would
            be published over it.
    """

    if start.id == repo.id:
        raise HanjulError("This would be published over the adapter it starts from", repo.to_uri(), "set train.repo")

    own = adapter_config(start).base_model_name_or_path
    if own != base.id:
        raise HanjulError(f"This is an adapter of {own}, not of {base.id}", start.to_uri(), "set train.base_model")


def _train(
    hub: Hub,
    dataset: HfUri,
    base: HfUri,
    start: HfUri | None,
    settings: TrainSettings,
    seed: int,
    sources: Sequence[str] | None,
    folder: Path,
) -> tuple[dict[str, Any], dict[str, int]]:
    """Check, write the job down and do it: the curve, and the counts for the manifest."""

    preflight.check_tools(settings)
    config = "preferences" if settings.method == "dpo" else "default"
    configs = learnt_rows(hub, dataset, settings, seed, sources)
    splits = configs[config]
    train, held_out = splits.get("train", []), splits.get("validation", [])
    if len(train) < MIN_ROWS:
        raise HanjulError(
            f"{counted(len(train), 'row')} in config {config}: too few to train on, {MIN_ROWS} are the least",
            dataset.to_uri(),
            "add rows",
        )
    processes = launch.process_count(settings)
    with loading.quiet_libraries():
        tokenizer = loading.load_tokenizer(base.id, base.revision, settings)
        lengths = preflight.check_lengths(tokenizer, [*train, *held_out], settings.max_length)
        preflight.check_memory(base, settings, lengths, processes)
        for kind, name in (("rows", "default"), ("preferences", "preferences")):
            write_rows(folder, kind, configs.get(name, {}))
    log(
        f"train: {counted(len(train), 'row')}, {len(held_out)} held out"
        + (f", {processes} processes" if processes > 1 else "")
    )
    # A sha of the local Hub means nothing elsewhere, where the adapter must find its base too. The manifest has it.
    started = (start.id, start.revision) if start else (None, None)
    TrainingJob(base.id, base.revision, not hub.is_local, settings, seed, *started).write(folder)
    launch.run(folder, processes)
    counts = {"in": len(train), "validation": len(held_out)}
    if settings.method == "dpo" and (theirs := of_visitors(train)):
        counts["preferences of visitors"] = theirs
    return read_curve(folder), counts


def _dress(hub: Hub, base: HfUri, licence: str, curve: dict[str, Any], method: str, out: Path) -> None:
    """What is published beside weights and tokenizer: curve, prompt format, what the base's licence asks for."""

    (out / "training").mkdir(exist_ok=True)
    (out / "training" / "curve.json").write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
    (out / "training" / "curve.png").write_bytes(training_curve(curve))
    shared = {"prompt_format": PROMPT_FORMAT, "method": method}
    (out / "hanjul.json").write_text(json.dumps(shared, ensure_ascii=False) + "\n", "utf-8")
    for path in hub.api.list_repo_files(base.id, revision=base.revision):
        if found := hub.file(base, path) if LICENCE_FILE.fullmatch(path) else None:
            shutil.copyfile(found, out / path)
    notice = licence_of(licence, base.id).notice
    if notice:
        (out / "NOTICE").write_text(notice, encoding="utf-8")
    if licence == "gemma":  # its terms go wherever a derivative goes
        (out / TERMS).write_bytes((resources.files(PACKAGE) / "data" / TERMS).read_bytes())


def _summary(curve: dict[str, Any]) -> str:
    held_out = curve["held_out"]
    if held_out is None:
        return f"loss {curve['steps'][-1]['loss']:.2f}"
    losses = [f"{held_out[name]:.2f}" for name in ("base", "start", "adapter") if name in held_out]
    return f"held-out loss {' -> '.join(losses)}"


def _visitors(hub: Hub, dataset: HfUri, learnt: int) -> Tally | None:
    """The votes behind the preferences of visitors that were learnt, as the dataset counts them; None if it does not.

    Args:
        learnt: so many preferences.
    """
    said = json.loads(hub.text(dataset, "report.json") or "{}").get("visitors")
    return Tally(**said | {"pairs": learnt}) if said else None


def _facts(
    repo: HfUri,
    inputs: dict[str, HfUri],
    licence: str,
    recipe: dict[str, Any],
    out: Path,
    outcome: Outcome,
    visitors: Tally | None,
) -> Any:
    curve = json.loads((out / "training" / "curve.json").read_text(encoding="utf-8"))
    config = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
    dataset, base, start = inputs["dataset"], inputs["base"], inputs.get("start")
    release = ReleaseFacts(
        repo_id=repo.id,
        base_model=base.id,
        base_revision=str(base.revision),
        dataset=dataset.id,
        dataset_revision=str(dataset.revision),
        licence=licence,
        encoder_decoder=config["task_type"] == "SEQ_2_SEQ_LM",
        start=start.id if start else None,
    )
    return CardFacts(release, TrainingFacts.of(outcome.counts["in"], recipe, curve, visitors))
