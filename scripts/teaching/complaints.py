"""What came back where nothing of it could be used: each reason with its number and an example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.planning.proposals import ProposalAnswer
from pipelines.planning.screening import Proposal
from pipelines.synthesis.checking import PairResult

#: Reasons that are told, the most frequent; and characters of an example.
TOLD, CHARS = 4, 80


@dataclass(frozen=True)
class Complaint:
    """Why one line, product or value was not used, or an answer held none.

    Attributes:
        reason: in words; equal ones are counted.
        example: of what came back.
        by_rule: a rule of ours decided; else nothing was there to decide on.
    """

    reason: str
    example: str
    by_rule: bool


def of_lines(results: Iterable[PairResult]) -> list[Complaint]:
    """Why lines of pairs were not used."""
    found = []
    for result in results:
        broken = [row for row in result.rows if row["reason"]]
        found += [Complaint(f"lines rejected as `{row['reason']}`", row["ad_copy"], True) for row in broken]
        found += _of_failure(result.failure) if not result.rows else []
    return found


def of_proposals(answers: Iterable[ProposalAnswer], proposals: Iterable[Proposal]) -> list[Complaint]:
    """Why proposals were not used."""
    found = [complaint for answer in answers for complaint in _of_failure(answer.failure)]
    for proposal in proposals:
        if proposal.reason:
            reason = f"{proposal.kind}s {proposal.status} as `{proposal.reason}`"
            found.append(Complaint(reason, proposal.value or proposal.product, True))
    return found


def in_words(complaints: Sequence[Complaint]) -> str:
    """The reasons with their numbers, the most frequent first, each with an example."""
    counts = Counter(complaint.reason for complaint in complaints)
    examples = {complaint.reason: complaint.example for complaint in reversed(complaints)}
    told = [
        f"{reason}: {count}" + (f", e.g. “{_short(examples[reason])}”" if examples[reason].strip() else "")
        for reason, count in counts.most_common(TOLD)
    ]
    return "; ".join(told) or "every answer was empty"


def next_step(complaints: Sequence[Complaint], place: str) -> str:
    """What to do about it.

    Args:
        place: where a recipe names the teacher.
    """
    if sum(complaint.by_rule for complaint in complaints) * 2 > len(complaints):
        return f"name another `{place}.model`, or see by the examples what it takes from the prompt"
    return f"check `{place}.base_url` and `{place}.model` by what came back"


def _of_failure(failure: Failure | None) -> Iterator[Complaint]:
    if failure and failure.kind is FailureKind.REFUSED:
        yield Complaint("refusals", failure.message, False)
    elif failure and failure.kind is not FailureKind.LIMIT:
        said = failure.message or str(failure.kind)
        status = f" ({failure.status})" if failure.status else ""
        if failure.sample:
            yield Complaint(f"{said}{status}", failure.sample, False)
        else:
            yield Complaint(f"{failure.kind}{status}", said, False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CHARS else line[:CHARS].rstrip() + "…"
