"""The filters as distilabel steps: one generic step for checks of one row, one for checks across rows."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.steps import GlobalStep, LoadDataFromDicts, Step, StepInput
from distilabel.typing import StepColumns, StepOutput

from pipelines.filters import ACROSS, RULES, THRESHOLDS, mark
from pipelines.filters.limits import Limits
from pipelines.filters.scores import score, trusted
from pipelines.filters.tidy import tidy_row
from pipelines.running import StrictPipeline

#: Rows that a check of single rows takes at once; with Ray, batches go to replicas.
BATCH = 1000


def build_filter_pipeline(rows: Sequence[dict[str, Any]], limits: Limits, *, cache_dir: Path) -> Pipeline:
    """A pipeline that tidies rows and marks those to reject. Run it with `pipelines.running.run`.

    The leaf has all rows, with `reason` and `evidence`, empty where a row is kept; the same as `filter_rows` gives.

    Args:
        rows: `raw` rows with `scores`.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.

    Raises:
        ValueError: no rows, or a row that needs a score has none.
    """
    if not rows:
        raise ValueError("there are no rows to filter; import or synthesise some first")
    for row in rows:
        if not trusted(row, limits):
            score(row, "pv")
            score(row, "naturalness")
    data = [tidy_row(row) | {"reason": "", "evidence": ""} for row in rows]
    with StrictPipeline("hanjul-filter", cache_dir=cache_dir) as pipeline:
        load = LoadDataFromDicts(name="load_rows", data=data, batch_size=BATCH)
        each = RejectRows(
            name="reject_rows", reasons=[*RULES, *THRESHOLDS], limits=asdict(limits), input_batch_size=BATCH
        )
        load >> each >> RejectAcross(name="reject_across", reasons=[*ACROSS], limits=asdict(limits))
    return pipeline


class RejectRows(Step):  # type: ignore[misc]
    """Marks rows that a filter rejects with the first reason found.

    Input columns:
        - those of config `raw`.
        - scores (`struct`): pv, naturalness, creativity, 0..1.
        - reason, evidence (`str`): empty for a row that is still in.

    Output columns:
        - reason (`str`): one of `reasons`, or as it came.
        - evidence (`str`): what the filter saw.

    Attributes:
        reasons: which filters to apply.
        limits: fields of `pipelines.filters.limits.Limits`.

    Categories:
        - filtering

    Examples:
        >>> next(step.process([{"product": "커피", "ad_copy": "커피의 시작", "reason": "", …}]))
        [{"product": "커피", "ad_copy": "커피의 시작", "reason": "leak", "evidence": "product 커피", …}]
    """

    reasons: list[str]
    limits: dict[str, Any]

    @property
    def inputs(self) -> StepColumns:
        return ["id", "product", "values", "ad_copy", "source", "scores", "reason", "evidence"]

    @property
    def outputs(self) -> StepColumns:
        return ["reason", "evidence"]

    def process(self, inputs: StepInput) -> StepOutput:
        """All rows, in order."""
        yield mark(inputs, Limits(**self.limits), self.reasons)


class RejectAcross(RejectRows, GlobalStep):  # type: ignore[misc]
    """`RejectRows` with all rows at once, for filters that compare rows. The columns are the same."""
