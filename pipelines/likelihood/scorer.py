"""Scores from a language model's own probabilities: no API, no key, cheap for every row. `line_scores` says how."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from pipelines.likelihood.line_scores import LineScores
from pipelines.likelihood.prompts import CUE, line_prompt, values_prompt, with_generic_line
from pipelines.likelihood.rarity import Rarity
from pipelines.rows import Scorable

#: Examples in the prefix, and further ones, the distractors, that lend only their product and values, or their line.
SHOTS, DISTRACTORS = 8, 4


class Reader(Protocol):
    """What reads texts for a scorer; `Continuations` does."""

    tokenizer: Any

    def prefix(self, text: str) -> Any: ...

    def after(self, prefix: Any, befores: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]: ...


class Scorer:
    """A causal language model that scores lines: behind fixed examples, or trained as a judge.

    Rows that are to be scored should not be among the examples or in the corpus: the model has seen those.

    Args:
        reader: of the model; its tokenizer's own chat template is not used.
        examples: good rows of the kind to be scored, from training products; the first `SHOTS + DISTRACTORS` are used.
        corpus: lines among which a phrase is common or rare; the more the better, some hundreds do.
        trained: the model has learnt `prompts.training_texts`, and is shown generic examples alone.

    Raises:
        ValueError: too few examples.
    """

    def __init__(
        self, reader: Reader, examples: Sequence[Scorable], corpus: Sequence[str], *, trained: bool = False
    ) -> None:
        if len(examples) < SHOTS + DISTRACTORS:
            raise ValueError(f"The scorer needs {SHOTS + DISTRACTORS} example rows and got {len(examples)}")
        self._reader, self._rarity, self._trained = reader, Rarity(corpus), trained
        shots, self._distractors = examples[:SHOTS], examples[SHOTS : SHOTS + DISTRACTORS]
        shown = () if trained else shots
        begin = str(reader.tokenizer.bos_token or reader.tokenizer.eos_token)  # nothing cannot be read
        self._end = str(reader.tokenizer.eos_token)
        self._given = reader.prefix(begin + "".join(map(self._shown, shown)))
        self._generic = reader.prefix(
            begin + "".join(self._shown(with_generic_line(row, place)) for place, row in enumerate(shots))
        )
        self._alone = reader.prefix(begin + "".join(f"{CUE}{self._line(row)}\n\n" for row in shown))
        self._reversed = reader.prefix(begin + "".join(f"{values_prompt(row)}{self._values(row)}\n\n" for row in shown))

    def scores(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[dict[str, float]]:
        """The scores of each row by metric, in order.

        The same rows score the same; in other company a bfloat16 model's sums may move in the third digit.

        Args:
            progress: called with the share done, 0..1.
        """
        return [line.raw() for line in self.log_probs(rows, progress)]

    def log_probs(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[LineScores]:
        """What the scores are made from, in order."""
        done = _Progress(progress, 4 + 2 * DISTRACTORS)
        lines = [self._line(row) for row in rows]
        prompts = [line_prompt(row) for row in rows]
        given, generic = (done(self._reader.after(prefix, prompts, lines)) for prefix in (self._given, self._generic))
        alone = done(self._reader.after(self._alone, [CUE] * len(rows), lines))
        distracted = [
            done(self._reader.after(self._given, [line_prompt(other)] * len(rows), lines))
            for other in self._distractors
        ]
        gains = self._values_gains(rows, done)
        return [
            LineScores(
                given=given[i],
                alone=alone[i],
                generic=generic[i],
                marginal=self._marginal(row, alone[i], [log_probs[i] for log_probs in distracted]),
                values_gain=gains[i],
                rarity=self._rarity.of(row["ad_copy"], [row["product"], *row["values"]]),
            )
            for i, row in enumerate(rows)
        ]

    def _values_gains(self, rows: Sequence[Scorable], done: _Progress) -> list[float]:
        """What each row's values owe to its line. Under distractors' lines a pair is read once, for all its lines."""
        read, pairs = self._reader.after, list({_pair(row): row for row in rows}.values())
        own = done(read(self._reversed, [values_prompt(row) for row in rows], [self._values(row) for row in rows]))
        under = [
            done(
                read(
                    self._reversed,
                    [values_prompt(row, other["ad_copy"]) for row in pairs],
                    [self._values(row) for row in pairs],
                )
            )
            for other in self._distractors
        ]
        baseline = {
            _pair(row): sum(float(log_probs[i][:, 0].sum()) for log_probs in under) / len(under)
            for i, row in enumerate(pairs)
        }
        return [float(log_probs[:, 0].sum()) - baseline[_pair(row)] for row, log_probs in zip(rows, own, strict=True)]

    def _marginal(self, row: Scorable, alone: torch.Tensor, distracted: Sequence[torch.Tensor]) -> torch.Tensor:
        """Log of the mean probability of each token; a distractor with the row's own product is none.

        A model that was trained as a judge has never learnt lines without a pair, and goes by distractors' alone.
        """
        parts = [
            log_probs[:, 0]
            for other, log_probs in zip(self._distractors, distracted, strict=True)
            if other["product"] != row["product"]
        ]
        if not self._trained or not parts:
            parts.append(alone[:, 0])
        return torch.stack(parts).logsumexp(0) - math.log(len(parts))

    def _shown(self, row: Scorable) -> str:
        return f"{line_prompt(row)}{self._line(row)}\n\n"

    def _line(self, row: Scorable) -> str:
        """The line as an answer, from the space before it to the token that ends it."""
        return f" {row['ad_copy']}{self._end}"

    def _values(self, row: Scorable) -> str:
        return f" {', '.join(row['values'])}{self._end}"


class _Progress:
    """Counts passes over the rows."""

    def __init__(self, report: Callable[[float], None], passes: int) -> None:
        self._report, self._passes, self._done = report, passes, 0

    def __call__(self, log_probs: list[torch.Tensor]) -> list[torch.Tensor]:
        self._done += 1
        self._report(self._done / self._passes)
        return log_probs


def _pair(row: Scorable) -> tuple[str, tuple[str, ...]]:
    return row["product"], tuple(row["values"])
