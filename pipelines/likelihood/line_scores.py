"""The formulas behind likelihood scores: from the log-probabilities of a line's tokens to a score for each metric.

A line's tokens include the one that ends it, so that a line cut short pays. With c the line, p its product, v its
values, all after the same good examples:

- PV: a line is likely because of its pair, and its values are likely because of the line. Pointwise mutual information
  (Church & Hanks 1990) from both ends: per token of the line, log p(c | p, v) - log p̄(c), with the marginal p̄ as a
  mixture, token by token, over the line without a pair and the line under distractors' pairs; and, over all tokens of
  the values, log p(v | c, p) - mean of log p(v | distractor's line, p). The first is bounded: it sees the product, and
  how well it sees it says nothing of the values.
- Naturalness: how far the tokens fall short of the likeliest ones in their places, mean of the `WORST` largest
  shortfalls, with and without the pair. One wrong particle is a few tokens; a mean over all would drown it.
- Creativity: per token, log p(c | p, v) - log p(c | p, v, generic), where the second follows the same pairs with
  generic lines, templates and phrases that stand under any product; and how rare the line's letters are among the lines
  of the corpus, those of product and values aside.

What else was tried, and how these forms were found: model_card/judging/README.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

#: Shortfalls that Naturalness looks at. This and the next three were found on rows of products that no test sees.
WORST = 5
#: Nats a token at which what the line owes to its pair is bounded, and the weight of what the values owe to the line.
BOUND, REVERSE = 0.4, 0.2
#: Nats a token that one nat of rarity is worth.
RARITY = 0.3


@dataclass(frozen=True)
class LineScores:
    """One line's tokens: [tokens, 2] float32 each, as `Continuations.after` gives them, but for `marginal`.

    Attributes:
        given: log p(c | p, v).
        alone: log p(c).
        generic: log p(c | p, v, generic).
        marginal: log p̄(c), [tokens].
        values_gain: log p(v | c, p) - mean of log p(v | distractor's line, p), summed over the tokens of the values.
        rarity: mean over the line's letter pairs of how rare they are in the corpus, nats.
    """

    given: torch.Tensor
    alone: torch.Tensor
    generic: torch.Tensor
    marginal: torch.Tensor
    values_gain: float
    rarity: float

    def raw(self) -> dict[str, float]:
        """Metric -> score, uncalibrated, higher is better; of those of `METRICS` that have a likelihood form."""
        gain = float((self.given[:, 0] - self.marginal).mean())
        return {
            "pv": BOUND * math.tanh(gain / BOUND) + REVERSE * self.values_gain,
            "naturalness": -shortfall(self.alone) - shortfall(self.given),
            "creativity": float((self.given[:, 0] - self.generic[:, 0]).mean()) + RARITY * self.rarity,
        }


def shortfall(log_probs: torch.Tensor) -> float:
    """Mean of the `WORST` largest distances, in nats, between a token and the likeliest one in its place.

    Of a line with fewer tokens, of all: a fragment must not gain by what it lacks.
    """
    distances = log_probs[:, 1] - log_probs[:, 0]
    return float(distances.topk(min(WORST, len(distances))).values.mean()) if len(distances) else 0.0
