"""Checks rows of config `raw` by the rules, as a distilabel pipeline over as many processes as there are."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep, StepInput, StepResources
from distilabel.typing import GeneratorStepOutput, StepColumns, StepOutput
from rich.console import Console
from rich.progress import track

from pipelines.filters.limits import Limits
from pipelines.filters.steps import CheckRules
from pipelines.ray_actors import pin_to_driver
from pipelines.running import leaf_of, pipeline_of

#: Rows that go through a step together: few enough to share them out, enough that handing over costs little.
BATCH = 2000
#: Of a raw row, what the rules look at.
LOOKED_AT = ["product", "values", "ad_copy", "source"]


def build_check_pipeline(
    path: Path, limits: Limits, *, cache_dir: Path, replicas: int, engine: str = "local"
) -> Pipeline:
    """A pipeline that looks for the first rule that each row breaks; `verdicts_of` runs it.

    Args:
        path: Parquet file of this machine with the columns of config `raw`.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
        replicas: processes that check; each takes half a gigabyte for Kiwi.
        engine: `local` (processes on this machine) or `ray`.
    """
    with pipeline_of("hanjul-checks", cache_dir, engine) as pipeline:
        read = ReadRows(name="read", path=path, batch_size=BATCH, resources=pin_to_driver())
        resources = StepResources(replicas=replicas)
        read >> Verdicts(name="check_rules", limits=limits, input_batch_size=BATCH, resources=resources)
    return pipeline


def verdicts_of(pipeline: Pipeline, count: int) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """(lines, reasons, evidence), each in the order of the rows.

    Raises:
        ValueError: a step failed, or rows are missing; the log names the step.
    """
    leaf = leaf_of(pipeline).data.table
    if leaf.num_rows != count:
        raise ValueError(f"{count - leaf.num_rows} of {count} rows were lost on the way; see the log above")
    order = np.argsort(leaf["place"].to_numpy())  # replicas finish as they can
    lines, reasons, evidence = (leaf[name].take(order).to_pylist() for name in ("ad_copy", "reason", "evidence"))
    return lines, reasons, evidence


class ReadRows(GeneratorStep):  # type: ignore[misc]
    """Reads raw rows from a file, a batch at a time.

    Attributes:
        path: Parquet file of this machine.

    Output columns:
        - place (`int`): of the row in the file, from 0.
        - product (`str`), values (`list[str]`), ad_copy (`str`), source (`str`): see `pipelines.rows.Row`.
    """

    path: Path

    @property
    def outputs(self) -> StepColumns:
        return ["place", *LOOKED_AT]

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Batches in the order of the file, and whether a batch is the last."""
        file = pq.ParquetFile(self.path)
        count, place = file.metadata.num_rows, 0
        batches = file.iter_batches(self.batch_size, columns=LOOKED_AT)
        console = Console(stderr=True)
        for batch in track(
            batches,
            "checking rules",
            total=-(-count // self.batch_size),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            rows = [{"place": place + number, **row} for number, row in enumerate(batch.to_pylist())]
            place += len(rows)
            yield rows, place == count


class Verdicts(CheckRules):
    """`CheckRules` without the columns that the reader of its leaf has already.

    Input columns:
        - place (`int`), product (`str`), values (`list[str]`), ad_copy (`str`), source (`str`): see `ReadRows`.

    Output columns:
        - place (`int`), ad_copy (`str`), reason (`str`), evidence (`str`): see `CheckRules`.
    """

    @property
    def inputs(self) -> StepColumns:
        return ["place", *LOOKED_AT]

    @property
    def outputs(self) -> StepColumns:
        return ["place", "ad_copy", "reason", "evidence"]

    def process(self, inputs: StepInput) -> StepOutput:
        """A verdict for each row."""
        yield [self._checked(row) for row in inputs]

    def _checked(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"place": row["place"], **self.verdict(row)}
