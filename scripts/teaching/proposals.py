"""Has a teacher widen the taxonomy: products for categories, values for products, each judged before it is used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from pipelines.endpoint.failures import FailureKind
from pipelines.errors import HanjulError
from pipelines.execution.running import run as run_pipeline
from pipelines.likelihood.relatedness import relatedness
from pipelines.planning.proposals import ProposalAnswer, build_proposals_pipeline, read_leaf
from pipelines.planning.questions import Kind, prompt_digests
from pipelines.planning.screening import Proposal, extended, screen_products, screen_values
from pipelines.planning.taxonomy import Category
from pipelines.progress import Progress
from pipelines.synthesis.checking import who_wrote
from scripts.core import endpoints
from scripts.core.faults import input_errors
from scripts.core.settings import ProposeSettings
from scripts.hub.hub import Hub
from scripts.models import models
from scripts.teaching import complaints, limits, teachers

#: Where a recipe names who proposes.
PLACE = "pairs.propose.teacher"
#: What is published of proposals, beside config `pairs`.
FILE = "proposals.jsonl"


@dataclass
class WidenedTaxonomy:
    """The taxonomy with what was kept, and the proposals with what became of each.

    Attributes:
        answered_by: models that answered and were not asked, with the number of their answers.
        limit: which limit ended the questions; empty if none.
    """

    taxonomy: tuple[Category, ...]
    proposals: list[Proposal] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    usage: dict[str, Any] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    answered_by: dict[str, int] = field(default_factory=dict)
    limit: str = ""

    def counts(self) -> dict[str, Any]:
        """Proposals by kind and status, those that are not kept also by reason, and questions without an answer."""
        by_status = Counter(f"{proposal.kind}s_{proposal.status}" for proposal in self.proposals)
        reasons = Counter(f"{proposal.kind}: {proposal.reason}" for proposal in self.proposals if proposal.reason)
        counts = {**by_status, "reasons": dict(reasons.most_common()), "failures": dict(self.failures.most_common(20))}
        counts |= {"limit": self.limit} if self.limit else {}
        return counts | ({"answered_by": self.answered_by} if self.answered_by else {})

    def write(self, path: Path) -> None:
        """One JSON object a line, one line a proposal, with the columns of `pipelines.planning.screening.Proposal`."""
        lines = [json.dumps(asdict(proposal), ensure_ascii=False) + "\n" for proposal in self.proposals]
        path.write_text("".join(lines), encoding="utf-8")


def widen(
    hub: Hub,
    taxonomy: tuple[Category, ...],
    settings: ProposeSettings,
    base: HfUri | None,
    *,
    seed: int,
    run_id: str,
    folder: Path,
) -> WidenedTaxonomy:
    """Ask for products of each category, then for values of each product that was kept.

    Args:
        base: pinned model that says how a value is related to its product; None leaves that out.
        run_id: whose limits the settings' budget are.
        folder: for files that are needed meanwhile.

    Raises:
        HanjulError: no endpoint, one that is down or goes away, a missing key, a teacher that proposes nothing.
    """

    if not settings.teacher.base_url:
        raise HanjulError("Proposals need a teacher at an endpoint", PLACE, "name its `base_url` and `model`")
    with (
        teachers.open_teacher(hub, settings.teacher, None, settings.concurrency, folder, PLACE) as endpoint,
        input_errors(endpoint.name),
    ):
        proposer = _Proposer(settings, endpoint, seed, run_id, folder)
        questions = [{"category": category.name, "there": category.products} for category in taxonomy]
        answers = proposer.ask("product", questions, settings.products)
        proposals = screen_products(taxonomy, {answer.category: answer.lists["products"] for answer in answers})
        new = [proposal for proposal in proposals if proposal.status == "kept"]
        if not new:
            raise proposer.useless("product", answers, proposals)
        questions = [{"category": proposal.category, "product": proposal.product} for proposal in new]
        by_category = {category.name: category for category in taxonomy}
        screened: list[Proposal] = []
        valued = proposer.ask("value", questions, settings.values)
        for answer in valued:
            groups = by_category[answer.category].groups
            spellings = [value for group in groups for values in group.values.values() for value in values]
            screened += screen_values(answer.lists, spellings, category=answer.category, product=answer.product)
        if all(proposal.status != "kept" for proposal in screened) and not limit_of(valued):
            raise proposer.useless("value", valued, screened)
        answers, proposals = [*answers, *valued], [*proposals, *screened]
        served = proposer.who_answered(answers)
        usage = proposer.usage(answers)
    if base:
        proposals = _with_relatedness(proposals, base, settings.min_relatedness)
    failures = Counter(answer.failure.label for answer in answers if answer.failure)
    return WidenedTaxonomy(
        extended(taxonomy, proposals), proposals, failures, usage, prompt_digests(), served, limit_of(answers)
    )


def limit_of(answers: Sequence[ProposalAnswer]) -> str:
    """The limit that kept questions from being asked, in words; empty if none did."""
    failures = (answer.failure for answer in answers if answer.failure)
    return next((failure.message for failure in failures if failure.kind is FailureKind.LIMIT), "")


@dataclass(frozen=True)
class _Proposer:
    """A teacher that is asked for products or values."""

    settings: ProposeSettings
    endpoint: teachers.TeacherEndpoint
    seed: int
    run_id: str
    folder: Path

    def ask(self, kind: Kind, questions: Sequence[dict[str, Any]], count: int) -> list[ProposalAnswer]:
        llm = teachers.llm_of(self.endpoint, self.settings, run_id=self.run_id, seed=self.seed)
        cache_dir = self.folder / "distilabel"
        leaf = run_pipeline(build_proposals_pipeline(questions, llm, kind=kind, count=count, cache_dir=cache_dir))
        answers = read_leaf(leaf, kind, count)
        teachers.raise_if_gone(self.endpoint, (answer.failure for answer in answers))
        return answers

    def useless(self, kind: Kind, answers: Sequence[ProposalAnswer], proposals: Sequence[Proposal]) -> HanjulError:
        """The error of a round that brought no product, or no value."""
        found = complaints.of_proposals(answers, proposals)
        what = f"not one usable {kind} came of {len(answers)} questions ({complaints.in_words(found)})"
        usage = self.usage(answers)
        if limit := limit_of(answers):
            return limits.reached(limit, "pairs.propose", what, usage, self.endpoint.base_url)
        return HanjulError(
            f"{what[0].upper()}{what[1:]}; requests sent: {usage['requests_sent']}",
            self.endpoint.base_url,
            complaints.next_step(found, PLACE),
        )

    def usage(self, answers: Sequence[ProposalAnswer]) -> dict[str, Any]:
        """What the answers took, for the manifest."""
        tokens = [(answer.input_tokens, answer.output_tokens) for answer in answers]
        return endpoints.usage_of(self.settings, self.run_id, *(sum(column) for column in zip(*tokens, strict=True)))

    def who_answered(self, answers: Sequence[ProposalAnswer]) -> dict[str, int]:
        """Models that answered and were not asked, said on stderr, with the number of their answers."""
        asked = self.endpoint.asked
        names = (who_wrote(asked, asked, answer.model) for answer in answers)
        served = dict(Counter(name for name in names if name != asked))
        teachers.tell_who_answered("pairs: answers", self.endpoint, served)
        return served


def _with_relatedness(proposals: Sequence[Proposal], base: HfUri, least: float) -> list[Proposal]:
    """The proposals with the score of each kept value; those below the least are rejected."""

    places = [place for place, one in enumerate(proposals) if one.kind == "value" and one.status == "kept"]
    judged = list(proposals)
    if not places:
        return judged
    model, tokenizer = models.load_base(base)
    pairs = [(judged[place].product, judged[place].value) for place in places]
    with Progress("relatedness", len(pairs), unit="values") as progress:
        scores = relatedness(model, tokenizer, pairs, lambda share: progress.reach(round(share * len(pairs))))
    for place, score in zip(places, scores, strict=True):
        judged[place] = replace(judged[place], score=round(score, 4))
        if score < least:
            evidence = f"{score:.2f} < {least:g}"
            judged[place] = replace(judged[place], status="rejected", reason="unrelated", evidence=evidence)
    return judged
