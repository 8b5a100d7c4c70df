"""Rows from a teacher's answers, each checked by the rules: in this process or in one of its own."""

from __future__ import annotations

import multiprocessing
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from pipelines.endpoint.answers.json_answers import is_refusal
from pipelines.endpoint.answers.served_model import same_model
from pipelines.endpoint.completions import Completion
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.streaming import Response
from pipelines.errors import HanjulError
from pipelines.execution.deaths import died, exit_code
from pipelines.execution.step_processes import Raised, fail_step
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
    """`check_answers` in a process that is started at once: the rules take seconds to load and let nothing else run.

    If that process dies, the step that waits for answers ends at once with it, and so does the run.
    """
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there, here, limits), daemon=True)
    process.start()
    there.close()
    ended = threading.Event()
    threading.Thread(target=_watch, args=(process, ended), daemon=True).start()
    try:
        yield lambda answers: _ask(process, here, answers)
    finally:
        ended.set()
        process.kill()
        process.join()
        here.close()


def _watch(process: multiprocessing.Process, ended: threading.Event) -> None:
    wait([process.sentinel])
    if not ended.is_set():
        fail_step(_died(process))


def _died(process: multiprocessing.Process) -> HanjulError:
    return died("The process that checks lines", exit_code(process), f"process {process.pid}")


def _ask(process: multiprocessing.Process, there: Connection, answers: Sequence[Response]) -> list[PairResult]:
    """What the process makes of answers.

    Raises:
        HanjulError: it is dead.
        Exception: what a rule raised.
    """
    try:
        there.send(answers)
        checked: list[PairResult] | Raised = there.recv()
    except (EOFError, OSError):
        raise _died(process) from None
    if isinstance(checked, Raised):
        checked.error.add_note(f"in the process that checks lines:\n{checked.trace}")
        raise checked.error
    return checked


def _serve(connection: Connection, others: Connection, limits: Limits) -> None:
    """Of the process: check what comes, for as long as somebody asks."""
    others.close()  # the end of the pipe is its end only where nobody else holds it
    with suppress(Exception):  # what fails here fails again below, where it can be said
        warm_up()
    try:
        while True:
            answers = connection.recv()
            try:
                checked: list[PairResult] | Raised = check_answers(limits, answers)
            except Exception as error:
                checked = Raised.of(error)
            connection.send(checked)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody asks any more


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
