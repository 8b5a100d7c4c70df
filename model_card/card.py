"""The README of an adapter repo: facts through templates, metadata through huggingface_hub."""

from __future__ import annotations

import json
import re
from statistics import fmean
from typing import Any, cast

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined

from model_card.facts import FLOOR, METRICS, CardFacts, Line, Report, System
from model_card.licences import licence_of
from pipelines import rows
from pipelines.markdown import cell

START, END = "<!-- hanjul:evaluation -->", "<!-- /hanjul:evaluation -->"
CURVE, FIGURE, REPORT = "training/curve.png", "evaluation/scores.png", "evaluation/report.md"

#: Prefix of our metric types, by which `replace_evaluation` knows its own results in a `model-index`.
METRIC_TYPE = "hanjul-"
_EXAMPLE = rows.user_message("핸드크림", ["촉촉한"])


class CardError(ValueError):
    """A card that cannot be written or changed; the message says what and where."""


def environment() -> Environment:
    """Jinja over this package's Markdown templates."""
    found = Environment(  # noqa: S701 - Markdown, and `cell` guards what models wrote
        loader=PackageLoader("model_card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["cell"] = cell
    found.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    found.filters["interval"] = lambda i: f"{i.value:.3f} [{i.low:.3f}, {i.high:.3f}]"
    found.filters["signed"] = lambda i: f"{i.value:+.3f} [{i.low:+.3f}, {i.high:+.3f}]"
    found.globals |= {"metrics": METRICS, "floor": FLOOR}
    return found


def render(facts: CardFacts) -> str:
    """The whole README.md, metadata block included.

    Raises:
        CardError: the evaluation in `facts` does not judge this adapter.
    """
    release = facts.release
    results = model_index(facts.evaluation, release.repo_id) if facts.evaluation else []
    data = ModelCardData(
        language="ko",
        license=release.licence,
        library_name="peft",
        pipeline_tag="text2text-generation" if release.encoder_decoder else "text-generation",
        base_model=release.base_model,
        base_model_relation="adapter",
        datasets=[release.dataset],
        tags=["hanjul", "ad-copy", "copywriting", "korean", "lora", *(["dpo"] if release.start else [])],
        model_name=release.repo_id.split("/")[-1] if results else None,
        eval_results=results or None,
    )
    body = (
        environment()
        .get_template("template.md.jinja")
        .render(
            release=release,
            training=facts.training,
            licence=licence_of(release.licence, release.base_model),
            evaluation=evaluation_section(facts.evaluation, release.repo_id),
            example=json.dumps(_EXAMPLE, ensure_ascii=False),
            curve=CURVE,
            model_class="AutoPeftModelForSeq2SeqLM" if release.encoder_decoder else "AutoPeftModelForCausalLM",
        )
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def evaluation_section(report: Report | None, repo_id: str) -> str:
    """The marked section of the card, markers included."""
    shown: dict[str, Any] = {"report": report, "repo_id": repo_id, "figure": FIGURE, "report_path": REPORT}
    if report:
        system = _system(report, repo_id)
        ranked = sorted(system.lines, key=lambda line: _trusted_mean(report, line), reverse=True)
        shown |= {"system": system, "best": ranked[:3], "worst": ranked[3:][-2:]}
    text = environment().get_template("evaluation.md.jinja").render(shown).strip()
    return f"{START}\n{text}\n{END}"


def model_index(report: Report, repo_id: str) -> list[EvalResult]:
    """Results for `model-index`: the adapter's means by the metrics that the judge can be trusted with."""
    system = _system(report, repo_id)
    return [
        EvalResult(
            task_type="text-generation",
            task_name="Korean one-line ad copy",
            dataset_type=report.dataset,
            dataset_name=report.dataset.split("/")[-1],
            dataset_split=report.dataset_split,
            dataset_revision=report.dataset_revision,
            metric_type=METRIC_TYPE + metric,
            metric_name=f"{english}, 0–1, likelihood judge with AUC {report.calibration[metric].auc:.2f}",
            metric_value=round(system.means[metric].value, 4),
            metric_args={"judge": report.judge, "pairs": report.pairs},
        )
        for metric, (_, english) in METRICS.items()
        if report.calibration[metric].reliable
    ]


def replace_evaluation(card_text: str, report: Report, repo_id: str) -> str:
    """The card with its evaluation section and its own `model-index` results replaced, and nothing else.

    A card without our markers, written by hand for instance, gets the section at its end.

    Raises:
        CardError: one marker without the other, metadata that cannot be read, or a report on other models.
    """
    try:
        card = ModelCard(card_text)
    except ValueError as error:
        raise CardError(f"The card's metadata cannot be read ({repo_id}, README.md): {error}") from error
    section = evaluation_section(report, repo_id)
    if (START in card.text) != (END in card.text):
        raise CardError(f"The card has only one of the markers {START} and {END} ({repo_id}, README.md): restore both")
    if START in card.text:
        pattern = re.compile(re.escape(START) + ".*?" + re.escape(END), re.DOTALL)
        card.text = pattern.sub(lambda _: section, card.text, count=1)
    else:
        card.text = f"{card.text.rstrip()}\n\n{section}\n"
    data = cast(ModelCardData, card.data)
    others = [result for result in data.eval_results or [] if not result.metric_type.startswith(METRIC_TYPE)]
    results = others + model_index(report, repo_id)
    data.eval_results = results or None
    data.model_name = (data.model_name or repo_id.split("/")[-1]) if results else None
    return str(card)


def _system(report: Report, repo_id: str) -> System:
    for system in report.systems:
        if system.model == repo_id:
            return system
    judged = ", ".join(system.model for system in report.systems)
    raise CardError(f"The report does not judge {repo_id}: it judges {judged}")


def _trusted_mean(report: Report, line: Line) -> float:
    """Mean score by the reliable metrics; by all where none is."""
    trusted = [metric for metric in METRICS if report.calibration[metric].reliable] or list(METRICS)
    return fmean(line.scores[metric] for metric in trusted)
