"""The README of an adapter repo: facts through templates, metadata through huggingface_hub."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, cast

from huggingface_hub import ModelCard, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined
from yaml import YAMLError

from model_card.cards import views
from model_card.cards.facts import CardFacts
from model_card.cards.hub_results import METRIC_TYPE, model_index, system_of
from model_card.cards.licences import licence_of
from model_card.cards.published import is_comparable, published
from model_card.comparison.report import Report
from model_card.comparison.surface import COPY
from model_card.judging.facts import FLOOR, TIE
from model_card.judging.graded import READERS
from pipelines import rows
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from pipelines.text.counted import counted
from pipelines.text.markdown import cell

START, END = "<!-- hanjul:evaluation -->", "<!-- /hanjul:evaluation -->"
CURVE = "training/curve.png"
#: Files of an evaluation, in the adapter's repo.
DATA, REPORT = "evaluation/report.json", "evaluation/report.md"
SCORES, CALIBRATION, PAIRWISE = "evaluation/scores.png", "evaluation/calibration.png", "evaluation/duels.png"
_EXAMPLE = rows.user_message("핸드크림", ["촉촉한"])


class CardError(HanjulError):
    """A card that cannot be written or changed; the message says what and where."""


@cache
def environment() -> Environment:
    """Jinja over this package's Markdown templates."""
    templates = Environment(  # noqa: S701 - Markdown, and `cell` guards what models wrote
        loader=PackageLoader("model_card.cards"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "cell": cell,
        "percent": lambda share: f"{100 * share:.0f}%",
        "interval": views.interval,
        "signed": views.signed,
        "probability": views.probability,
        "counted": counted,
    }
    templates.globals |= {
        "metrics": list(METRICS.values()),
        "floor": FLOOR,
        "readers": READERS,
        "copy": COPY,
        "published": published(),
    }
    templates.globals |= {
        each.__name__: each
        for each in (
            *(views.how, views.kind_name, views.blind_spots, views.is_unreliable, views.judges_itself),
            *(views.scored_metrics, views.trusted_metrics, views.flat_metrics, views.has_scores, views.has_pairwise),
            *(views.against, views.by_pair, is_comparable),
        )
    }
    return templates


def render(facts: CardFacts) -> str:
    """The whole README.md, metadata block included.

    Raises:
        ReportError: the evaluation in `facts` does not judge this adapter.
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
    """The marked section of the card, markers included.

    Raises:
        ReportError: the report does not judge this repo's model.
    """
    shown: dict[str, Any] = {"report": report, "repo_id": repo_id}
    if report:
        own = system_of(report, repo_id)
        shown |= {
            "own": own,
            "extremes": views.extremes(report, own),
            "rated": len(report.systems) > 1,
            "tie": TIE,
            "paths": {
                "report": REPORT,
                "data": DATA,
                "scores": SCORES,
                "calibration": CALIBRATION,
                "pairwise": PAIRWISE,
            },
        }
    text = environment().get_template("evaluation.md.jinja").render(shown).strip()
    return f"{START}\n{text}\n{END}"


def replace_evaluation(card_text: str, report: Report, repo_id: str) -> str:
    """The card with its evaluation section and its own `model-index` results replaced, and nothing else.

    A card without our markers, written by hand for instance, gets the section at its end.

    Raises:
        CardError: one marker without the other, or metadata that cannot be read.
        ReportError: the report does not judge this repo's model.
    """
    where = f"{repo_id}, README.md"
    try:
        card = ModelCard(card_text)
    except (ValueError, YAMLError) as error:  # ValueError: a head that is no mapping, or results without a value
        raise CardError(f"The card's metadata cannot be read: {error}", where, "mend the YAML at its top") from error
    section = evaluation_section(report, repo_id)
    if (START in card.text) != (END in card.text):
        raise CardError(f"The card has only one of the markers {START} and {END}", where, "restore both")
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
