"""`hanjul train`: rows of a dataset become a LoRA adapter with its tokenizer, chat template, curve and card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri

from scripts.errors import HanjulError
from scripts.hub import Hub
from scripts.log import log
from scripts.settings import EvaluateSettings, TrainSettings
from scripts.stage import Outcome, Stage, run_stage

if TYPE_CHECKING:
    import datasets

MIN_ROWS = 8
NEEDED = ("prompt", "completion", "source")


def run(
    hub: Hub,
    dataset: HfUri,
    base: HfUri,
    settings: TrainSettings,
    seed: int,
    sources: Sequence[str] | None = None,
    sealed: str | None = None,
) -> HfUri:
    """Commit an adapter trained on config `default` of a pinned dataset.

    Args:
        base: the base model, pinned.
        sources: train on rows of these sources only, e.g. `["written"]`; None takes all.

    Raises:
        HanjulError: columns are missing, rows are too few or too long, the memory is too small, the loss is no number.
    """
    from model_card import card

    repo = hub.repo("model", settings.repo)
    recipe = settings.model_dump() | {"seed": seed, "sources": sorted(sources) if sources else None}
    stage = Stage("train", repo, {"dataset": dataset.to_uri(), "base": base.to_uri()}, recipe, sealed)

    def work(folder: Path) -> Outcome:
        splits = _splits(hub, dataset, sources)
        train, held_out = splits.get("train", []), splits.get("validation")
        if len(train) < MIN_ROWS:
            raise HanjulError(
                f"{len(train)} rows are too few to train on, {MIN_ROWS} are the least", dataset.to_uri(), "add rows"
            )
        curve = _train(hub, base, settings, seed, train, held_out, folder)
        counts = {"in": len(train), "validation": len(held_out or []), "steps": curve["steps"][-1]["step"]}
        return Outcome(_summary(curve), counts)

    def readme(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return card.render(_facts(hub, repo, dataset, base, recipe, folder / "out", outcome))

    return run_stage(hub, stage, work, readme)


def _splits(hub: Hub, dataset: HfUri, sources: Sequence[str] | None) -> dict[str, datasets.Dataset]:
    splits = hub.splits(dataset, "default")
    for name, rows in splits.items():
        missing = [column for column in NEEDED if column not in rows.column_names]
        if missing:
            what = f"No column {', '.join(missing)} in split {name}"
            raise HanjulError(what, dataset.to_uri(), "run `hanjul filter` on its rows first")
        if sources:
            splits[name] = rows.filter(lambda source: source in sources, input_columns="source")
    return {name: rows for name, rows in splits.items() if len(rows)}


def _train(
    hub: Hub,
    base: HfUri,
    settings: TrainSettings,
    seed: int,
    train: datasets.Dataset,
    held_out: datasets.Dataset | None,
    folder: Path,
) -> dict[str, Any]:
    """Train and write everything but the card into `folder`/out; the curve."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from model_card.facts import HeldOut
    from model_card.figures import training_curve
    from pipelines.rows import CHAT_TEMPLATE, PROMPT_FORMAT
    from scripts import fitting, sft

    with sft.quiet():
        tokenizer = AutoTokenizer.from_pretrained(base.id, revision=base.revision)
        tokenizer.chat_template = tokenizer.chat_template or CHAT_TEMPLATE
        lengths = fitting.check_lengths(tokenizer, [train, *([held_out] if held_out else [])], settings.max_length)
        fitting.check_memory(base, settings, lengths)
        model = AutoModelForCausalLM.from_pretrained(base.id, revision=base.revision, dtype="bfloat16")
        log(f"train: {len(train)} rows, {len(held_out or [])} held out")
        trainer = sft.build_trainer(model, tokenizer, train, held_out, settings, seed, folder / "checkpoints")
        curve = sft.fit(trainer)
        # A sha of the local Hub means nothing elsewhere, where the adapter must find its base too. The manifest has it.
        trainer.model.peft_config["default"].revision = None if hub.is_local else base.revision
        out = folder / "out"
        trainer.model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        _generation_config(trainer.model, tokenizer).save_pretrained(out)
    (out / "training").mkdir(exist_ok=True)
    (out / "training" / "curve.json").write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
    held = curve["held_out"]
    (out / "training" / "curve.png").write_bytes(training_curve(curve["steps"], HeldOut(**held) if held else None))
    (out / "hanjul.json").write_text(json.dumps({"prompt_format": PROMPT_FORMAT}, ensure_ascii=False) + "\n", "utf-8")
    return curve


def _generation_config(model: Any, tokenizer: Any) -> Any:
    """How to sample lines: our defaults, and every token that ends an answer, the tokenizer's own among them."""
    from transformers import GenerationConfig

    from pipelines.generation import TOP_K

    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends] if ends is not None else []
    ours = EvaluateSettings()
    return GenerationConfig(
        do_sample=True,
        temperature=ours.temperature,
        top_p=ours.top_p,
        top_k=TOP_K,
        max_new_tokens=ours.max_new_tokens,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=sorted({tokenizer.eos_token_id, *ends}),
        pad_token_id=tokenizer.pad_token_id,
    )


def _summary(curve: dict[str, Any]) -> str:
    held_out = curve["held_out"]
    if held_out is None:
        return f"loss {curve['steps'][-1]['loss']:.2f}"
    return f"held-out loss {held_out['base']:.2f} -> {held_out['adapter']:.2f}"


def _facts(
    hub: Hub, repo: HfUri, dataset: HfUri, base: HfUri, recipe: dict[str, Any], out: Path, outcome: Outcome
) -> Any:
    """What the card is made of. Writes the licence's NOTICE beside it, where the base's licence asks for one."""
    from huggingface_hub import ModelCard

    from model_card.facts import CardFacts, ReleaseFacts, TrainingFacts
    from model_card.licences import licence_of
    from scripts.embedded import TERMS

    licence = str(ModelCard(hub.text(base, "README.md")).data.get("license") or "other")
    notice = licence_of(licence, base.id).notice
    if notice:
        (out / "NOTICE").write_text(notice, encoding="utf-8")
    terms = hub.file(base, TERMS)
    if terms:  # Gemma's go wherever a derivative goes
        shutil.copyfile(terms, out / TERMS)
    curve = json.loads((out / "training" / "curve.json").read_text(encoding="utf-8"))
    release = ReleaseFacts(repo.id, base.id, str(base.revision), dataset.id, str(dataset.revision), licence)
    return CardFacts(release, TrainingFacts.of(outcome.counts["in"], recipe, curve))
