"""An adapter's results as metadata: `model-index` on the card, `.eval_results/hanjul.yaml` beside it."""

from __future__ import annotations

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml

from model_card.comparison.report import Report, System
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from pipelines.text.counted import counted

#: Prefix of our metric types, by which `card.replace_evaluation` knows its own results in a `model-index`.
METRIC_TYPE = "hanjul-"


class ReportError(HanjulError):
    """A report that does not fit the repo it is for; the message says which."""


def system_of(report: Report, repo_id: str) -> System:
    """The system that is this repo's model.

    Raises:
        ReportError: the report does not judge it.
    """
    for system in report.systems:
        if system.model == repo_id:
            return system
    judged = ", ".join(system.model for system in report.systems)
    raise ReportError(f"The report does not judge {repo_id}: it judges {judged}")


def model_index(report: Report, repo_id: str) -> list[EvalResult]:
    """Results for `model-index`: the model's means by every judge, in the metrics that it can be trusted with."""
    name = system_of(report, repo_id).name
    return [
        EvalResult(
            task_type="text-generation",
            task_name="Korean one-line ad copy",
            dataset_type=report.dataset,
            dataset_name=report.dataset.split("/")[-1],
            dataset_split=report.dataset_split,
            dataset_revision=report.dataset_revision,
            metric_type=METRIC_TYPE + metric.key,
            metric_name=f"{metric.name}, 0–1, judged by {judgement.judge.name} (AUC {calibration.auc.value:.2f})",
            metric_value=round(judgement.means[name][metric.key].value, 4),
            metric_args={"judge": judgement.judge.name, "pairs": report.pairs - judgement.unjudged},
        )
        for judgement in report.judgements
        for metric in judgement.judge.metrics
        if (calibration := judgement.judge.calibration[metric.key]).reliable
    ]


def eval_results(report: Report, repo_id: str, date: str | None = None) -> str:
    """The text of `.eval_results/hanjul.yaml`, see https://huggingface.co/docs/hub/eval-results.

    A task has one value there: that of `Report.trusted_with`. Without any the list is empty, so that an earlier
    evaluation's results do not stay.

    Args:
        date: ISO 8601, when it was evaluated; the Hub takes the commit's where there is none.
    """
    name = system_of(report, repo_id).name
    entries = []
    for metric in METRICS:
        if judgement := report.trusted_with(metric):
            judge = judgement.judge
            entries.append(
                EvalResultEntry(
                    dataset_id=report.dataset,
                    task_id=METRIC_TYPE + metric,
                    value=round(judgement.means[name][metric].value, 4),
                    dataset_revision=report.dataset_revision,
                    date=date,
                    source_url=f"https://huggingface.co/{repo_id}/blob/main/evaluation/report.md",
                    source_name="Hanjul evaluation report",
                    notes=f"{counted(report.pairs - judgement.unjudged, 'pair')}, 0-1, judged by {judge.name} "
                    f"(AUC {judge.calibration[metric].auc.value:.2f})",
                )
            )
    return yaml.safe_dump(eval_result_entries_to_yaml(entries), allow_unicode=True, sort_keys=False, width=120)
