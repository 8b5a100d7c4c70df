"""`hanjul evaluate`: adapters, bases and the teacher on held-out pairs, judged; the report goes onto each card."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from model_card.cards.card import DATA, replace_evaluation
from model_card.cards.report_files import OWN, files
from model_card.comparison.evaluation import Candidate, EvalSplit, evaluate_systems
from model_card.comparison.report import Report
from model_card.judging.graded import graded_lines, of_part
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from pipelines.rows import split_of
from pipelines.text.counted import counted
from scripts.comparison import system_lines
from scripts.comparison.eval_prompts import EvalPair, EvalPrompts
from scripts.core.faults import input_errors
from scripts.core.fingerprint import output_settings
from scripts.core.settings import EndpointSettings, EvaluateSettings, Recipe, Sampling
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.judging import judges, sense_judge
from scripts.judging.calibration_data import calibration_data
from scripts.models import models
from scripts.training.learnt_rows import flat_rows

#: Lines shown to a model that has not learnt the task.
SHOTS = 4
SPLIT = "test"


@dataclass(frozen=True)
class Group:
    """Adapters that are compared.

    Attributes:
        adapters: pinned.
        dataset: pinned; pairs come from its test split, whose products were never trained on.
        bases, starts: pinned base of each adapter, and the SFT adapter that it started from or None.
        teacher: pinned adapter that wrote, if one did.
        scorer: pinned model whose likelihoods judge.
        votes: pinned dataset of people's votes, if there is one.
    """

    adapters: tuple[HfUri, ...]
    dataset: HfUri
    bases: tuple[HfUri, ...]
    starts: tuple[HfUri | None, ...]
    teacher: HfUri | None
    scorer: HfUri
    votes: HfUri | None

    @classmethod
    def of(
        cls, hub: Hub, adapters: Sequence[HfUri], dataset: HfUri, settings: EvaluateSettings, teacher: HfUri | None
    ) -> Group:
        """The adapters with all that belongs to them.

        Raises:
            HanjulError: one is given twice, or is no adapter.
        """
        if len({uri.id for uri in adapters}) < len(adapters):
            raise HanjulError("An adapter is given twice", " ".join(uri.to_uri() for uri in adapters), "give each once")
        bases = tuple(models.base_of(hub, adapter) for adapter in adapters)
        scorer = models.scorer_of(hub, bases, settings.scorer)
        starts = tuple(models.start_of(hub, adapter) for adapter in adapters)
        votes = hub.resolve(settings.votes, "dataset") if settings.votes else None
        return cls(tuple(adapters), dataset, bases, starts, teacher, scorer, votes)

    def inputs(self, adapter: HfUri) -> dict[str, str]:
        """What pins the report on one of them: name -> URI."""
        place = self.adapters.index(adapter)
        named = {
            "adapter": adapter,
            "base": self.bases[place],  # `models.base_of` reads them here again
            "start": self.starts[place],
            "dataset": self.dataset,
            "scorer": self.scorer,
            "teacher": self.teacher,
            "votes": self.votes,
        }
        named |= {f"beside_{other.id}": other for other in self.adapters if other != adapter}
        return {name: uri.to_uri() for name, uri in named.items() if uri}


def run(
    hub: Hub,
    adapters: Sequence[HfUri],
    dataset: HfUri,
    recipe: Recipe,
    teacher: HfUri | None = None,
    sealed: str | None = None,
) -> list[HfUri]:
    """Commit `evaluation/` and the card's section to each adapter's repo. All get the same report.

    Args:
        adapters: pinned.
        dataset: pinned.
        teacher: pinned adapter that wrote; a recipe whose teacher is an endpoint has that one asked.

    Raises:
        HanjulError: too few held-out pairs or rows, or see `scripts.judging.judges`.
    """
    judges.check_installed()
    settings = recipe.evaluate
    if teacher and _endpoint(recipe):
        raise HanjulError(
            "There are two teachers: an adapter, and the endpoint of the recipe", teacher.to_uri(), "give one of them"
        )
    adapters = [models.origin(hub, adapter) for adapter in adapters]
    group = Group.of(hub, adapters, dataset, settings, teacher)
    options = output_settings(settings) | {
        "seed": recipe.seed,
        "order": [adapter.id for adapter in adapters],
        "judge of sense": sense_judge.identity(),
    }
    if recipe.synthesize and _endpoint(recipe):
        asked = recipe.synthesize
        options["teacher"] = output_settings(asked.teacher, EndpointSettings) | output_settings(asked, Sampling)
    made: list[tuple[Report, dict[str, Any]]] = []

    def report(folder: Path) -> tuple[Report, dict[str, Any]]:
        if not made:  # one for all adapters
            made.append(judged(hub, group, recipe, folder))
        return made[0]

    return [
        _attach(
            hub,
            adapter,
            Stage("evaluate", _repo(adapter), group.inputs(adapter), options, sealed, OWN, adds=True),
            report,
        )
        for adapter in adapters
    ]


def _attach(hub: Hub, adapter: HfUri, stage: Stage, report: Any) -> HfUri:
    def work(folder: Path) -> Outcome:
        found, usage = report(folder)
        for path, content in files(found, adapter.id).items():
            target = folder / "out" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        judges = [judgement.judge.name for judgement in found.judgements]
        counts = {"pairs": found.pairs, "judges": judges, "means": _means(found)}
        return Outcome(_summary(found), counts, usage)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        found = Report.from_json((folder / "out" / DATA).read_bytes())
        return replace_evaluation(hub.text(parent or adapter, "README.md"), found, adapter.id)

    return run_stage(hub, stage, work, card)


def _means(report: Report) -> dict[str, dict[str, float]]:
    """System -> metric -> mean, by the leading judge in the metrics that it can be trusted with; empty without one."""
    leading = report.leading
    if leading is None:
        return {}
    return {
        name: {metric: round(of[metric].value, 4) for metric in leading.judge.trusted}
        for name, of in leading.means.items()
    }


def _summary(report: Report) -> str:
    """Means of all systems in the first metric that the leading judge can be trusted with, in one line."""
    pairs = counted(report.pairs, "pair")
    if report.leading is None:
        return f"{pairs}, no judge is reliable"
    metric = report.leading.judge.trusted[0]
    means = " -> ".join(f"{of[metric]:.2f}" for of in _means(report).values())
    return f"{METRICS[metric].name} {means} on {pairs}"


def judged(hub: Hub, group: Group, recipe: Recipe, folder: Path) -> tuple[Report, dict[str, Any]]:
    """Have every system write for the same pairs, and every judge score every line: the report, and what was used."""

    settings, seed = recipe.evaluate, recipe.seed
    rows = list(hub.rows(group.dataset, "default"))
    train = [row for row in rows if split_of(row["product"]) == "train"]
    with input_errors(group.dataset.to_uri()):
        pairs = choose_pairs(rows, settings.pairs, seed)
    used: dict[str, Any] = {}
    split = EvalSplit(group.dataset.id, str(group.dataset.revision), SPLIT)
    lines = [row["ad_copy"] for row in [*train, *flat_rows(hub, group.dataset)]]
    data = calibration_data(rows, group.dataset.to_uri(), settings, seed)
    prompts = EvalPrompts(tuple(pairs), tuple(random.Random(seed).sample(train, SHOTS)), settings, seed)
    # What cannot judge should not be found out after lines were written and paid for.
    with judges.open_judges(hub, group.scorer, group.votes, recipe, data) as (opened, usage), input_errors("evaluate"):
        candidates = list(_candidates(hub, group, recipe, prompts, folder, used))
        report = evaluate_systems(opened, candidates, split, lines, bootstrap=settings.bootstrap, seed=seed)
        return report, used | ({"judge": usage()} if settings.judge else {})


def _candidates(
    hub: Hub, group: Group, recipe: Recipe, prompts: EvalPrompts, folder: Path, used: dict[str, Any]
) -> Iterator[Candidate]:
    """Bases first, then who wrote, then the adapters, each after the SFT adapter that it started from.

    Args:
        used: is given what a teacher behind an endpoint has used.
    """
    bases = [base for base in dict.fromkeys(group.bases) if not models.is_encoder_decoder(base)]
    for base, name in zip(bases, ["base"] if len(set(group.bases)) == 1 else apart(bases), strict=False):
        named = f"{name}, {SHOTS} examples"  # which an encoder-decoder cannot be shown
        yield system_lines.lines_of_model(named, base, partial(models.load_base, base), prompts, with_shots=True)
    if recipe.synthesize and _endpoint(recipe):
        run_id = f"evaluate {recipe.dataset} {recipe.version} {recipe.seed}"
        candidate, used["teacher"] = system_lines.lines_of_teacher(
            hub, f"teacher, {SHOTS} examples", recipe.synthesize, prompts, run_id, folder
        )
        yield candidate
    elif group.teacher:
        base = models.base_of(hub, group.teacher)
        load = partial(models.load_adapter, group.teacher, base)
        yield system_lines.lines_of_model("teacher", group.teacher, load, prompts, base=base)
    alone = len(group.adapters) == 1
    names, seen = apart(group.adapters), {adapter.id for adapter in group.adapters}
    for name, adapter, base, start in zip(names, group.adapters, group.bases, group.starts, strict=True):
        if start and start.id not in seen:  # it may be compared itself, or be the start of two
            seen.add(start.id)
            load = partial(models.load_adapter, start, base)
            before = "SFT adapter" if alone else f"{name}, before DPO"
            yield system_lines.lines_of_model(before, start, load, prompts, base=base)
        own = ("DPO adapter" if start else "adapter") if alone else name
        yield system_lines.lines_of_model(own, adapter, partial(models.load_adapter, adapter, base), prompts, base=base)


def count_systems(group: Group, recipe: Recipe) -> int:
    """How many systems write, as `_candidates` has them."""
    bases = [base for base in dict.fromkeys(group.bases) if not models.is_encoder_decoder(base)]
    starts = {start.id for start in group.starts if start} - {adapter.id for adapter in group.adapters}
    return systems_of(recipe, len(bases), len(starts), len(group.adapters), adapter_wrote=group.teacher is not None)


def systems_of(
    recipe: Recipe, bases: int = 1, starts: int = 0, adapters: int = 1, *, adapter_wrote: bool = False
) -> int:
    """How many systems write where there are so many bases that do, SFT adapters that others started from, adapters."""
    return bases + (adapter_wrote or _endpoint(recipe)) + starts + adapters


def apart(uris: Sequence[HfUri]) -> list[str]:
    """A name for each, as short as tells it from the others: of its repo, with the namespace, with the revision."""
    spelt = [(uri.id.split("/")[-1], uri.id, f"{uri.id}@{str(uri.revision)[:7]}") for uri in uris]
    return [
        next((name for i, name in enumerate(names) if sum(other[i] == name for other in spelt) == 1), names[-1])
        for names in spelt
    ]


def _endpoint(recipe: Recipe) -> bool:
    return bool(recipe.synthesize and recipe.synthesize.teacher.base_url)


def _repo(adapter: HfUri) -> HfUri:
    return HfUri(type="model", id=adapter.id)


def choose_pairs(rows: Sequence[Mapping[str, Any]], n: int, seed: int) -> list[EvalPair]:
    """Pairs of the test split by seed, first one of each product, and first of all for products new to the judge.

    Sense is fitted on graded lines, some of them for products of this split: a judge knows lines for those too well.

    Raises:
        HanjulError: the split has fewer than `n`.
    """
    pairs = sorted({(row["product"], tuple(row["values"])) for row in rows if split_of(row["product"]) == SPLIT})
    if len(pairs) < n:
        raise HanjulError(
            f"{counted(n, 'pair')} asked for, the test split has {len(pairs)}",
            next_step="lower `evaluate.pairs` or add rows",
        )
    random.Random(seed).shuffle(pairs)
    first = {pair[0]: pair for pair in reversed(pairs)}
    known = {line.row["product"] for line in of_part(graded_lines(), "fit")}
    return sorted(pairs, key=lambda pair: (pair[0] in known, first[pair[0]] != pair))[:n]
