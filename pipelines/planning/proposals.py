"""Has a teacher propose products for categories and values for products, as a distilabel pipeline."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.steps.tasks import GeneratorTask
from distilabel.typing import GeneratorStepOutput, StepColumns
from pydantic import Field

from pipelines.drought import Drought
from pipelines.endpoint.completions import Completion
from pipelines.endpoint.failures import Failure
from pipelines.endpoint.streaming import Request, Response, in_batches, stream_answers
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.errors import HanjulError
from pipelines.execution.orphans import end_with_parent
from pipelines.execution.running import pipeline_of
from pipelines.planning.questions import Kind, answer_form, prompt_of, read_answer


def build_proposals_pipeline(
    questions: Sequence[Mapping[str, Any]], llm: Teacher, *, kind: Kind, count: int, cache_dir: Path
) -> Pipeline:
    """A pipeline that asks the teacher each question once: run it with `execution.running`, read it by `read_leaf`.

    Args:
        questions: `category` and `there` (its products), or `category` and `product`.
        kind: what is asked for.
        count: products wanted of each category, or values of each product and kind of value.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.

    Raises:
        HanjulError: no questions.
    """
    if not questions:
        raise HanjulError(f"There is nothing to propose a {kind} for", next_step="raise `pairs.propose.products`")
    with pipeline_of("hanjul-proposals", cache_dir) as pipeline:
        Propose(name="propose", llm=llm, questions=[dict(question) for question in questions], kind=kind, count=count)
    return pipeline


class Propose(GeneratorTask):  # type: ignore[misc]
    """Asks the teacher for products of categories or values of products; all questions are in flight at once.

    Where nothing usable comes for long, no more is asked.

    Attributes:
        questions, kind, count: see `build_proposals_pipeline`.

    Output columns:
        - about (`str`): JSON: `category`, `product` where values were asked for, and its place, `turn`.
        - completion (`str`): JSON of `pipelines.endpoint.completions.Completion`; its text is the whole answer.

    Categories:
        - text-generation
    """

    questions: list[dict[str, Any]] = Field(default_factory=list, exclude=True)
    kind: Kind
    count: int

    def load(self) -> None:
        """Open the client, in a process that must not outlive the run."""
        super().load()
        end_with_parent()

    @property
    def outputs(self) -> StepColumns:
        return ["about", "completion"]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"completion": output}

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Questions with their answers in the order in which they come, and whether a batch is the last."""
        form = answer_form(self.kind, self.count, self.llm.generation_kwargs["max_new_tokens"])
        answers = stream_answers(self.llm, self._requests(), lambda: len(self.questions), 1, form)
        with closing(answers):
            responses = _until_drought(chain.from_iterable(answers), [request.about for request in self._requests()])
            yield from in_batches(map(_to_leaf, responses), self.batch_size)

    def _requests(self) -> Iterator[Request]:
        for turn, question in enumerate(self.questions):
            prompt = prompt_of(self.kind, question, self.count)
            about = {name: question[name] for name in question if name != "there"} | {"turn": turn}
            yield Request([{"role": "user", "content": prompt}], 0, about)


def _until_drought(responses: Iterator[Response], asked: Sequence[dict[str, Any]]) -> Iterator[Response]:
    """Responses until nothing usable has come for long; where something had, the questions left meet a limit."""
    drought, left = Drought(), {about["turn"]: about for about in asked}
    for response in responses:
        del left[response.about["turn"]]
        done = response.completion
        if drought.add(done.failure, usable=bool(done.texts)):
            failure = drought.end(done.failure)
            yield replace(response, completion=replace(done, failure=failure))
            if drought.broken:
                yield from (Response(about, Completion([], failure, 0, 0)) for about in left.values())
            return
        yield response


def _to_leaf(response: Response) -> dict[str, str]:
    """Text, because distilabel infers the types of each file anew: lists that are empty in one would not fit others."""
    return {
        "about": json.dumps(response.about, ensure_ascii=False),
        "completion": json.dumps(response.completion.to_json(), ensure_ascii=False),
    }


@dataclass(frozen=True)
class ProposalAnswer:
    """The answer to one question.

    Attributes:
        product: empty where products were asked for.
        lists: `products`, or kind of value -> values.
        failure: why there is nothing, or too little; None where the answer is whole.
        model: who answered, as the endpoint says; empty where it does not.
    """

    category: str
    product: str
    lists: dict[str, list[str]]
    failure: Failure | None
    input_tokens: int
    output_tokens: int
    model: str = ""


def read_leaf(leaf: Sequence[Mapping[str, str]], kind: Kind, count: int) -> list[ProposalAnswer]:
    """The rows of the leaf in the order of the questions, at most so many items of each list."""
    rows = [(json.loads(row["about"]), json.loads(row["completion"])) for row in leaf]
    answers = []
    for question, completion in sorted(rows, key=lambda pair: pair[0]["turn"]):
        lists = read_answer("".join(completion["texts"]), kind)
        answers.append(
            ProposalAnswer(
                question["category"],
                question.get("product", ""),
                {name: items[:count] for name, items in lists.items()},
                Failure.from_json(completion["failure"]),
                completion["input_tokens"],
                completion["output_tokens"],
                completion["model"],
            )
        )
    return answers
