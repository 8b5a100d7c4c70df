"""`hanjul synthesize`: a teacher writes lines for config `pairs`; they become rows of config `raw`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from huggingface_hub import HfUri

from dataset_card.card import merge_configs
from pipelines.errors import HanjulError
from pipelines.features import RAW_FILES, write_raw
from pipelines.text.counted import counted
from scripts.core import endpoints
from scripts.core.faults import input_errors
from scripts.core.fingerprint import output_settings
from scripts.core.settings import Recipe, SynthesizeSettings
from scripts.filtering.references import References, pin_encoder
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.judging.sense_judge import open_gate, pinned_by
from scripts.teaching import complaints, limits, teachers
from scripts.teaching.examples import Examples, rows_of_people
from scripts.teaching.prompts import prompt_builder
from scripts.teaching.rounds import WritingJob, WritingResult, write_all
from scripts.teaching.teachers import tell_who_answered

#: What of a dataset is read, but the rows that this stage itself writes there.
READS, WRITES = ("pairs", "raw"), (RAW_FILES["synthesised"],)


def run(
    hub: Hub, pairs: HfUri, adapter: HfUri | None, base: HfUri | None, recipe: Recipe, sealed: str | None = None
) -> HfUri:
    """Commit the synthesised rows of config `raw` of the dataset repo that holds the pairs.

    Args:
        pairs: pinned dataset with config `pairs`; the rows that people wrote in its config `raw`, if any, are shown as
            examples to a teacher that is not tuned.
        adapter: pinned adapter that writes, when the recipe names no endpoint.
        base: pinned model that the filter's judge stands on, where `synthesize.n` asks for accepted rows.

    Raises:
        HanjulError: neither endpoint nor adapter, an endpoint that is down or goes away, a key that is missing, a
            teacher of whose lines not one is usable.
    """

    recipe = pin_encoder(hub, recipe)
    settings = recipe.synthesize or SynthesizeSettings()
    repo = HfUri(type="dataset", id=pairs.id)
    judged = settings.n is not None and recipe.filter.judge == "sense"
    if settings.n is not None and recipe.filter.previous == "append":
        raise HanjulError(
            "Exactly n rows cannot be asked for where rows of the version before are filtered with them",
            "synthesize.n, filter.previous",
            "set synthesize.n to null, or filter.previous to replace",
        )
    examples = None if adapter else Examples.find(hub, settings.examples_from)
    references = References.resolve(hub, recipe.filter)
    inputs = {"pairs": pairs.to_uri()} | ({"teacher": adapter.to_uri()} if adapter else {})
    inputs |= {"examples": examples.identity} if examples else {}
    options = output_settings(settings) | {"seed": recipe.seed}
    if settings.n is not None:
        options["filter"] = output_settings(recipe.filter) | {"bootstrap": recipe.evaluate.bootstrap}
        inputs |= references.identities
        inputs |= pinned_by(base) if base and judged else {}
    stage = Stage("synthesize", repo, inputs, options, sealed)

    def work(folder: Path) -> Outcome:
        people = rows_of_people(hub, pairs)
        prompts = prompt_builder(hub, settings, examples, people, recipe.seed)
        planned = list(hub.rows(pairs, "pairs"))
        with input_errors("synthesize.examples"):
            prompts.prompt(planned[0])  # too few examples are better known now than in a step
        gate = open_gate(hub, base, recipe) if base and judged else None
        with (
            teachers.open_teacher(hub, settings.teacher, adapter, settings.concurrency, folder) as endpoint,
            input_errors(endpoint.name),
        ):
            job = WritingJob(recipe, endpoint, prompts, references.limits(hub, recipe.filter), folder, gate)
            written = write_all(job, planned, people)
        return _outcome(job, written, folder)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", repo.id, "raw")

    return run_stage(hub, stage, work, card)


def _outcome(job: WritingJob, written: WritingResult, folder: Path) -> Outcome:
    settings, endpoint = job.settings, job.endpoint
    usage = endpoints.usage_of(settings, job.run_id, written.input_tokens, written.output_tokens)
    if written.is_useless(endpoint):
        asked = f"not one usable line came of {sum(written.rounds)} pairs ({complaints.in_words(written.complaints)})"
        if written.limit:
            raise limits.reached(written.limit, "synthesize", asked, usage, endpoint.base_url)
        raise HanjulError(
            f"{asked[0].upper()}{asked[1:]}; requests sent: {usage['requests_sent']}",
            endpoint.base_url,
            complaints.next_step(written.complaints, endpoint.place),
        )
    write_raw(written.lines, folder / "out" / RAW_FILES["synthesised"])
    answered_by = written.answered_by(endpoint.name)
    tell_who_answered("synthesize: lines", endpoint, answered_by)
    counts = {
        "in": sum(written.rounds),
        "out": len(written.lines),
        "rounds": written.rounds,
        "failed_pairs": sum(written.failures.values()),
        "failures": dict(Counter(failure.label for failure in written.failures.elements())),
    }
    counts |= {"answered_by": answered_by} if answered_by else {}
    summary = f"{counted(len(written.lines), 'line')} for {counted(sum(written.rounds), 'pair')}"
    if settings.n is not None:
        counts |= {"wanted": settings.n, "accepted": written.accepted, "limit": written.limit}
        summary = f"{written.accepted} of {counted(settings.n, 'row')} accepted, {summary}"
    if written.limit:
        counts["limit"] = written.limit
        summary += f"; ended by {written.limit}"
    return Outcome(summary, counts, usage, job.prompts.digests())
