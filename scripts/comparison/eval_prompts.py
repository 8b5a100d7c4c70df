"""What every system of an evaluation is asked: the same pairs, with or without the same examples before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_card.comparison.evaluation import Answer, Candidate
from pipelines.rows import Message, Row, user_message
from scripts.core.settings import EvaluateSettings

#: Product and values.
EvalPair = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class EvalPrompts:
    """The prompts that all systems are given.

    Attributes:
        pairs: product and values.
        shots: rows shown to a system that has not learnt the task.
        settings: candidates (lines a pair) and sampling.
    """

    pairs: tuple[EvalPair, ...]
    shots: tuple[Row, ...]
    settings: EvaluateSettings
    seed: int

    def chats(self, with_shots: bool) -> list[list[Message]]:
        """A chat for each line wanted, pair by pair."""
        shots = self.shots if with_shots else ()
        return [few_shot_chat(shots, *pair) for pair in self.pairs for _ in range(self.settings.candidates)]

    def candidate(self, name: str, model: str, revision: str, lines: Sequence[str], pace: float | None) -> Candidate:
        """The lines of a system, in the order of `chats`, beside product and values."""
        pairs = [pair for pair in self.pairs for _ in range(self.settings.candidates)]
        answers = (Answer(product, values, line) for (product, values), line in zip(pairs, lines, strict=True))
        return Candidate(name, model, revision, tuple(answers), pace)


def few_shot_chat(shots: Sequence[Row], product: str, values: Sequence[str]) -> list[Message]:
    """The examples as turns already taken, then the question."""
    turns: list[Message] = []
    for row in shots:
        turns += [user_message(row["product"], row["values"]), {"role": "assistant", "content": row["ad_copy"]}]
    return [*turns, user_message(product, values)]
