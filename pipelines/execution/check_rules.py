"""Checks rows of config `raw` by the rules, as a distilabel pipeline over as many processes as there are."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
import json
from pathlib import Path

import pyarrow.parquet as pq
from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep, StepInput, StepResources
from distilabel.typing import GeneratorStepOutput, StepColumns, StepOutput

from pipelines.execution.ray_actors import pin_to_driver
from pipelines.execution.running import leaf_of, pipeline_of
from pipelines.filters.apply_rules import check_row
from pipelines.filters.limits import Limits
from pipelines.filters.steps import CheckRules
from pipelines.progress import Progress

#: Rows of a block.
BLOCK = 2000
#: Of a raw row, what the rules look at.
LOOKED_AT = ["product", "category", "values", "ad_copy", "source"]


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
        read = ReadRows(name="read", path=path, batch_size=1, resources=pin_to_driver())
        resources = StepResources(replicas=replicas)
        read >> CheckBlocks(name="check_rules", limits=limits, input_batch_size=1, resources=resources)
    return pipeline


def verdicts_of(pipeline: Pipeline, count: int) -> list[tuple[str, str, str]]:
    """What `check_row` says of each row, in the order of the rows.

    Raises:
        RuntimeError: a step failed, or rows are missing; the log names the step.
    """
    blocks = sorted(leaf_of(pipeline), key=lambda block: block["place"])  # replicas finish as they can
    verdicts = [tuple(found) for block in blocks for found in json.loads(block["verdicts"])]
    if len(verdicts) != count:
        raise RuntimeError(f"{count - len(verdicts)} of {count} rows were lost on the way; see the log above")
    return verdicts


class ReadRows(GeneratorStep):  # type: ignore[misc]
    """Reads raw rows from a file, a block at a time.

    A block is one row of the pipeline: handing rows over one by one takes distilabel longer than checking them.

    Attributes:
        path: Parquet file of this machine.

    Output columns:
        - place (`int`): of the block in the file, from 0.
        - rows (`str`): JSON list of raw rows, with the columns that the rules look at.
    """

    path: Path

    @property
    def outputs(self) -> StepColumns:
        return ["place", "rows"]

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Blocks in the order of the file, and whether a block is the last."""
        file = pq.ParquetFile(self.path)
        count, read = file.metadata.num_rows, 0
        blocks = file.iter_batches(BLOCK, columns=LOOKED_AT)
        with Progress("checking rules", count, unit="rows") as progress:
            for place, block in enumerate(blocks):
                read += block.num_rows
                progress.reach(read)  # of a generator step, distilabel asks for the next block when it needs one
                if read == count:
                    progress.close()  # and for nothing after the last
                yield [{"place": place, "rows": json.dumps(block.to_pylist(), ensure_ascii=False)}], read == count


class CheckBlocks(CheckRules):
    """`CheckRules` for blocks of rows.

    Input columns:
        - place (`int`), rows (`str`): see `ReadRows`.

    Output columns:
        - place (`int`): as it came.
        - verdicts (`str`): JSON list of [ad_copy, reason, evidence], see `CheckRules`.
    """

    @property
    def inputs(self) -> StepColumns:
        return ["place", "rows"]

    @property
    def outputs(self) -> StepColumns:
        return ["place", "verdicts"]

    def process(self, inputs: StepInput) -> StepOutput:
        """The verdicts of each block."""
        yield [{"place": block["place"], "verdicts": self._verdicts(block["rows"])} for block in inputs]

    def _verdicts(self, rows: str) -> str:
        return json.dumps([check_row(row, self.limits) for row in json.loads(rows)], ensure_ascii=False)
