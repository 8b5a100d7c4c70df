"""Rows from a teacher's answers, each checked by the rules: in this process or in one of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.endpoint.completions import Completion
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.json_answers import is_refusal
from pipelines.endpoint.served_model import same_model
from pipelines.endpoint.streaming import Response
from pipelines.filters.apply_rules import first_rule, warm_up
from pipelines.filters.limits import Limits
from pipelines.rows import Row, make_row, row_id
from pipelines.text.plain_answers import one_copy

#: Longest name of a model that an endpoint may give itself, in characters, and what of it is no part of a card.
NAME_CHARS, UNPRINTABLE = 100, re.compile(r"[\s`|<>\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class PairResult:
    """What came of one turn of a pair.

    Attributes:
        turn: place of the pair among those that were asked; -1 while it is not known.
        id: of the pair.
        rows: raw rows, each with `reason` and `evidence`, empty where no rule is broken.
        failure: why lines are missing; None where they are not.
    """

    turn: int
    id: str
    rows: list[dict[str, Any]]
    failure: Failure | None
    input_tokens: int
    output_tokens: int

    @property
    def is_usable(self) -> bool:
        """Whether one of the lines breaks no rule."""
        return any(not row["reason"] for row in self.rows)


#: Makes the results of pairs from what the teacher wrote for each.
Check = Callable[[Sequence[Response]], list[PairResult]]


def check_answers(limits: Limits, answers: Sequence[Response]) -> list[PairResult]:
    """The rows of each answer with the first rule that they break. What `about` says of the pair makes the rows."""
    return [_check_answer(limits, answer.about, answer.completion) for answer in answers]


def _check_answer(limits: Limits, pair: dict[str, Any], completion: Completion) -> PairResult:
    rows, failure = [], completion.failure
    written_by = who_wrote(pair["teacher"], pair["asked"], completion.model)
    for row in raw_rows({**pair, "teacher": written_by}, completion.texts, failure):
        reason, evidence = first_rule(row, limits)
        rows.append({**row, "reason": reason, "evidence": evidence})
    if completion.texts and not rows:
        failure = failure or Failure(FailureKind.UNUSABLE, "no line of copy", sample=completion.texts[0])
    return PairResult(-1, pair["id"], rows, failure, completion.input_tokens, completion.output_tokens)


def who_wrote(teacher: str, asked: str, served: str) -> str:
    """What stands in the column `teacher`: who was asked or, where another model answered, that one.

    Args:
        teacher: what the one who was asked is called there.
        asked, served: the models' names at the endpoint; empty where it is ours, or does not say.
    """
    if not (asked and served) or same_model(asked, served):
        return teacher
    return UNPRINTABLE.sub(" ", served)[:NAME_CHARS].strip() or teacher


@contextmanager
def in_own_process(limits: Limits) -> Iterator[Check]:
    """`check_answers` in a process that is started at once: the rules take seconds to load and let nothing else run."""
    with ProcessPoolExecutor(1, initializer=_begin, initargs=(limits,)) as pool:
        pool.submit(warm_up)
        yield lambda answers: pool.submit(_check, answers).result()


#: Of the process that checks: handing the slogans over with the answers would take longer than the check.
_check_here: Check


def _begin(limits: Limits) -> None:
    global _check_here
    _check_here = partial(check_answers, limits)


def _check(answers: Sequence[Response]) -> list[PairResult]:
    return _check_here(answers)


def raw_rows(pair: Mapping[str, Any], texts: Sequence[str], failure: Failure | None) -> list[Row]:
    """Rows of config `raw` from what a teacher wrote for a pair; its refusal is a line too, which a rule rejects.

    What surrounds a line is left off, and a text that holds none makes no row.
    """
    found = (text.strip() if is_refusal(text) else one_copy(text.strip()) for text in texts)
    texts = [line for line in found if line]
    if not texts and failure and failure.kind is FailureKind.REFUSED:
        # What the rule does not know as a refusal might pass as a line.
        texts = [failure.message if is_refusal(failure.message) else ""]
    columns = {name: pair[name] for name in ("category", "device", "tone", "teacher", "example_ids")}
    rows: list[Row] = []
    for text in texts:
        row = make_row(pair["product"], pair["values"], text, source="synthesised", **columns)
        # `make_row` joins lines; here they stay apart for the `format` filter, and the id is of what was written.
        rows.append({**row, "ad_copy": text, "id": row_id(row["product"], row["values"], text)})
    return rows
