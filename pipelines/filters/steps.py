"""The filters as distilabel steps, for pipelines of ours and of others."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.

from distilabel.steps import GlobalStep, Step, StepInput
from distilabel.typing import StepColumns, StepOutput

from pipelines.filters.apply_rules import check_row, warm_up
from pipelines.filters.filter_rows import gate_and_select
from pipelines.filters.limits import Limits
from pipelines.rows import row_id


class CheckRules(Step):  # type: ignore[misc]
    """Looks for the first rule that a line breaks; see `pipelines.filters.apply_rules.RULES`.

    Attributes:
        limits: thresholds of the rules.

    Input columns:
        - product (`str`), values (`list[str]`), ad_copy (`str`): what is advertised, what to convey, the line.
        - category (`str`, optional): of the product; says more surely what kind of thing it is.
        - source (`str`, optional): `synthesised` (by default), `written` or `imported`.

    Output columns:
        - ad_copy (`str`): the line, tidied.
        - reason (`str`): empty where no rule is broken.
        - evidence (`str`): what breaks it, e.g. `part 시계`.

    Categories:
        - filtering
    """

    limits: Limits

    def load(self) -> None:
        """Load what the rules need while the first rows are on their way."""
        super().load()
        warm_up()

    @property
    def inputs(self) -> StepColumns:
        return ["product", "values", "ad_copy"]

    @property
    def outputs(self) -> StepColumns:
        return ["ad_copy", "reason", "evidence"]

    def process(self, inputs: StepInput) -> StepOutput:
        """The rows, all of them, with what was found."""
        yield [{**row, **dict(zip(self.outputs, check_row(row, self.limits), strict=True))} for row in inputs]


class SelectRows(GlobalStep):  # type: ignore[misc]
    """Keeps the lines that the gate lets in and, of those that are too much alike, the best.

    Attributes:
        limits: thresholds; with `gated=False` rows need no scores, and the line that comes first wins.

    Input columns:
        - product (`str`), values (`list[str]`), ad_copy, reason, evidence (`str`): as `CheckRules` gives them; rows
            with a reason pass through.
        - scores (`dict`, optional): `sense`, P(usable), 0..1; only synthesised rows need it.
        - source (`str`, optional): as for `CheckRules`.
        - merit (`str`, optional): `flat` lines are outranked.

    Output columns:
        - reason (`str`), evidence (`str`): empty for rows to keep.
        - group_id (`str`): id of the kept row that a near-duplicate repeats, of a kept row its own.

    Categories:
        - filtering
    """

    limits: Limits

    @property
    def inputs(self) -> StepColumns:
        return ["product", "values", "ad_copy", "reason", "evidence"]

    @property
    def outputs(self) -> StepColumns:
        return ["reason", "evidence", "group_id"]

    def process(self, inputs: StepInput) -> StepOutput:
        """The rows, all of them and in their order, with what was found."""
        rows = [
            {
                "source": "synthesised",
                **row,
                "id": row_id(row["product"], row["values"], row["ad_copy"]),
                "index": index,
            }
            for index, row in enumerate(inputs)
            if not row["reason"]
        ]
        kept, rejected = gate_and_select(rows, self.limits)
        found = {row["index"]: {name: row[name] for name in self.outputs} for row in [*kept, *rejected]}
        yield [{**row, "group_id": "", **found.get(index, {})} for index, row in enumerate(inputs)]
