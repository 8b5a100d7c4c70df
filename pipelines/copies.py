"""Has a teacher write lines for product–values pairs, as a distilabel pipeline."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
import random
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from distilabel.constants import DISTILABEL_METADATA_KEY
from distilabel.models import LLM
from distilabel.pipeline import Pipeline
from distilabel.steps import GlobalStep, LoadDataFromDicts, StepInput
from distilabel.steps.tasks import ChatGeneration
from distilabel.typing import StepColumns, StepOutput
from jinja2 import Template

from pipelines.rows import Message, Row, make_row, row_id, split_of, user_message
from pipelines.running import StrictPipeline
from pipelines.taxonomy import Craft, load_craft

#: Name of the task: distilabel puts it into the names of the columns it adds.
TASK = "write"
TOKENS = ("input_tokens", "output_tokens")


def build_copies_pipeline(
    pairs: Sequence[Mapping[str, Any]],
    llm: LLM,
    *,
    teacher: str,
    candidates: int,
    tuned: bool,
    examples: int,
    example_rows: Sequence[Row],
    seed: int,
    cache_dir: Path,
) -> Pipeline:
    """A pipeline that asks the teacher for `candidates` lines a pair. Run it with `pipelines.running.run`.

    The leaf has one row a line, with the columns of config `raw`, and one for a pair without lines; `split_failures`
    parts them.

    Args:
        pairs: rows of config `pairs`.
        llm: see `pipelines.teacher.teacher_llm`.
        teacher: what stands in the column `teacher`: a pinned URI or the name of the model.
        tuned: the teacher has learnt our prompt and gets nothing else; otherwise it gets a brief and examples.
        examples: lines shown to a teacher that is not tuned, drawn for each pair by seed.
        example_rows: where they are drawn from.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.

    Raises:
        ValueError: no pairs, or fewer example rows than are to be shown.
    """
    if not pairs:
        raise ValueError("there are no pairs to write for; plan some with `hanjul pairs`")
    prompts = [tuned_prompt(pair) for pair in pairs]
    shown: list[list[Row]] = [[] for _ in pairs]
    if not tuned:
        craft = load_craft()
        shown = [draw_examples(pair, example_rows, examples, seed) for pair in pairs]
        prompts = [brief_prompt(pair, rows, craft) for pair, rows in zip(pairs, shown, strict=True)]
    data = [
        {**pair, "messages": messages, "example_ids": [row["id"] for row in rows], "teacher": teacher}
        for pair, messages, rows in zip(pairs, prompts, shown, strict=True)
    ]
    with StrictPipeline("hanjul-copies", cache_dir=cache_dir) as pipeline:
        load = LoadDataFromDicts(name="load_pairs", data=data, batch_size=len(data))
        # All pairs in one batch: a batch waits for its slowest request, and the LLM itself bounds what is in flight.
        write = ChatGeneration(
            name=TASK,
            llm=llm,
            num_generations=candidates,
            group_generations=True,
            input_batch_size=len(data),
            add_raw_input=False,
            add_raw_output=False,
        )
        load >> write >> ToRawRows(name="to_raw_rows")
    return pipeline


def tuned_prompt(pair: Mapping[str, Any]) -> list[Message]:
    """The one user turn that a tuned teacher was trained on."""
    return [user_message(pair["product"], pair["values"])]


def brief_prompt(pair: Mapping[str, Any], rows: Sequence[Row], craft: Craft) -> list[Message]:
    """A creative director's brief, the examples as turns already taken, and the pair."""
    brief = _brief().render(device=craft.devices.get(pair["device"]), tone=craft.tones.get(pair["tone"]))
    messages: list[Message] = [{"role": "system", "content": brief}]
    for row in rows:
        messages += [
            user_message(row["product"], row["values"]),
            {"role": "assistant", "content": row["ad_copy"]},
        ]
    return [*messages, user_message(pair["product"], pair["values"])]


def draw_examples(pair: Mapping[str, Any], rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """Rows of other products, from the train split only: what is held out stays unseen.

    Raises:
        ValueError: there are fewer than `count`.
    """
    pool = [row for row in rows if row["product"] != pair["product"] and split_of(row["product"]) == "train"]
    if len(pool) < count:
        raise ValueError(
            f"{count} examples asked for, {len(pool)} rows of other train products are there to draw them from; "
            "lower `synthesize.examples` or import more rows"
        )
    return random.Random(f"{seed} {pair['id']}").sample(pool, count)


def split_failures(rows: Sequence[dict[str, Any]]) -> tuple[list[Row], dict[str, str], dict[str, int]]:
    """(rows of config `raw`, reason by id of the pair that failed, tokens spent) from the leaf of the pipeline.

    A pair whose request failed half-way has rows and a failure.

    Raises:
        ValueError: not one line was written; the message has the first reason.
    """
    failures = {row["pair_id"]: row["failure"] for row in rows if row["failure"]}
    usage = {name: sum(row[name] for row in rows) for name in TOKENS}
    columns = Row.__annotations__
    lines: list[Row] = [{name: row[name] for name in columns} for row in rows if row["ad_copy"]]  # type: ignore[misc]
    if not lines:
        reason = next(iter(failures.values()), "every answer was empty")
        raise ValueError(f"the teacher wrote nothing: {reason}; check the endpoint and the name of the model")
    return lines, failures, usage


@cache
def _brief() -> Template:
    text = (Path(__file__).parent / "brief.jinja").read_text(encoding="utf-8")
    brief: Template = Template(text)
    return brief


class ToRawRows(GlobalStep):  # type: ignore[misc]
    """Makes one row of config `raw` of each line the teacher wrote.

    Global, so that all rows are written to one file: distilabel infers the types of each file anew, and lists that are
    empty throughout one of them would not fit the others.

    Input columns:
        - id, product, category, values, device, tone: of the pair.
        - teacher (`str`), example_ids (`list[str]`): provenance.
        - generation (`list[str | None]`): lines, None where the request failed.
        - llm_write_failure (`list[str]`): why, the same for each line.

    Output columns:
        - those of config `raw`, with line breaks in ad_copy kept for the `format` filter.
        - pair_id (`str`): id of the pair.
        - failure (`str`): empty, or why lines are missing. A pair without a line has one row with an empty ad_copy.
        - input_tokens, output_tokens (`int`): spent on the pair, on its first row.

    Categories:
        - text-manipulation
    """

    @property
    def inputs(self) -> StepColumns:
        return ["id", "product", "category", "values", "device", "tone", "teacher", "example_ids", "generation"]

    @property
    def outputs(self) -> StepColumns:
        return [*Row.__annotations__, "pair_id", "failure", *TOKENS]

    def process(self, inputs: StepInput) -> StepOutput:
        """Rows of all pairs, in order."""
        yield [row for pair in inputs for row in _raw_rows(pair)]


def _raw_rows(pair: Mapping[str, Any]) -> list[dict[str, Any]]:
    statistics = [entry.get(f"statistics_{TASK}") or {} for entry in pair.get(DISTILABEL_METADATA_KEY) or []]
    failure = next(iter(pair.get(f"llm_{TASK}_failure") or []), "")
    lines = [line.strip() for line in pair["generation"] or [] if line and line.strip()] or [""]
    columns = {name: pair[name] for name in ("category", "device", "tone", "teacher", "example_ids")}
    rows = []
    for line in lines:
        row = make_row(pair["product"], pair["values"], line, source="synthesised", **columns)
        # `make_row` joins lines; here they stay apart, and the id is of what was written.
        written = {"ad_copy": line, "id": row_id(row["product"], row["values"], line)}
        rows.append({**row, **written, **dict.fromkeys(TOKENS, 0), "pair_id": pair["id"], "failure": failure})
    rows[0].update({name: sum(entry.get(name) or 0 for entry in statistics) for name in TOKENS})
    return rows
