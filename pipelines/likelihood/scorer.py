"""PV, Naturalness and Creativity from a language model's own probabilities: no API, no key, cheap for every row.

A line's tokens include the one that ends it, so that a line cut short pays. With c the line, p its product, v its
values, all after the same good examples:

- PV: a line is likely because of its pair, and its values are likely because of the line. Pointwise mutual information
  (Church & Hanks 1990) from both ends: per token of the line, log p(c | p, v) - log p̄(c), with the marginal p̄ as a
  mixture, token by token, over the line without a pair and the line under strangers' pairs; and, over all tokens of
  the values, log p(v | c, p) - mean of log p(v | stranger's line, p). The first is bounded: it sees the product, and
  how well it sees it says nothing of the values.
- Naturalness: how far the tokens fall short of the likeliest ones in their places, mean of the `WORST` largest
  shortfalls, with and without the pair. One wrong particle is a few tokens; a mean over all would drown it.
- Creativity: per token, log p(c | p, v) - log p(c | p, v, dull), where the second follows the same pairs with dull
  lines, templates and phrases that stand under any product; and how rare the line's letters are among the lines of the
  corpus, those of product and values aside.

What else was tried, and how these forms were found: model_card/judging/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

import torch

from pipelines.likelihood.rarity import Rarity
from pipelines.rows import user_message

#: Examples in the prefix, and further ones that lend only their product and values, or only their line.
SHOTS, STRANGERS = 8, 4

#: What a line follows.
CUE = "카피:"

#: Dull lines for the pairs of the prefix.
DULL_LINES = (
    "{product}의 새로운 기준을 선사합니다",
    "언제 어디서나 편리하게 이용하세요",
    "{product}{topic} {value} 제품입니다",
    "믿을 수 있는 {product}, 지금 시작하세요",
    "{value} {product}로 행복한 하루",
    "놓치지 마세요, 특별한 혜택",
    "{product}{topic} {value}입니다",
    "최상의 서비스로 보답하겠습니다",
)

#: Shortfalls that Naturalness looks at. This and the next three were found on rows of products that no test sees.
WORST = 5
#: Nats a token at which what the line owes to its pair is bounded, and the weight of what the values owe to the line.
BOUND, REVERSE = 0.4, 0.2
#: Nats a token that one nat of rarity is worth.
RARITY = 0.3


class Scorable(TypedDict):
    """What can be scored; every `rows.Row` can."""

    product: str
    values: list[str]
    ad_copy: str


@dataclass(frozen=True)
class RawScores:
    """Uncalibrated; higher is better."""

    pv: float
    naturalness: float
    creativity: float


@dataclass(frozen=True)
class LineScores:
    """One line's tokens: [tokens, 2] float32 each, as `Continuations.after` gives them, but for `marginal`.

    Attributes:
        given: log p(c | p, v).
        alone: log p(c).
        dull: log p(c | p, v, dull).
        marginal: log p̄(c), [tokens].
        values_gain: log p(v | c, p) - mean of log p(v | stranger's line, p), summed over the tokens of the values.
        rarity: mean over the line's letter pairs of how rare they are in the corpus, nats.
    """

    given: torch.Tensor
    alone: torch.Tensor
    dull: torch.Tensor
    marginal: torch.Tensor
    values_gain: float
    rarity: float

    def raw(self) -> RawScores:
        """The three scores."""
        gain = float((self.given[:, 0] - self.marginal).mean())
        return RawScores(
            pv=BOUND * math.tanh(gain / BOUND) + REVERSE * self.values_gain,
            naturalness=-shortfall(self.alone) - shortfall(self.given),
            creativity=float((self.given[:, 0] - self.dull[:, 0]).mean()) + RARITY * self.rarity,
        )


def shortfall(log_probs: torch.Tensor) -> float:
    """Mean of the `WORST` largest distances, in nats, between a token and the likeliest one in its place.

    Of a line with fewer tokens, of all: a fragment must not gain by what it lacks.
    """
    distances = log_probs[:, 1] - log_probs[:, 0]
    return float(distances.topk(min(WORST, len(distances))).values.mean()) if len(distances) else 0.0


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
        examples: good rows of the kind to be scored, from training products; the first `SHOTS + STRANGERS` are used.
        corpus: lines among which a phrase is common or rare; the more the better, some hundreds do.
        trained: the model has learnt `training_texts`, and is shown dull examples alone.

    Raises:
        ValueError: too few examples.
    """

    def __init__(
        self, reader: Reader, examples: Sequence[Scorable], corpus: Sequence[str], *, trained: bool = False
    ) -> None:
        if len(examples) < SHOTS + STRANGERS:
            raise ValueError(f"The scorer needs {SHOTS + STRANGERS} example rows and got {len(examples)}")
        self._reader, self._rarity, self._trained = reader, Rarity(corpus), trained
        shots, self._strangers = examples[:SHOTS], examples[SHOTS : SHOTS + STRANGERS]
        shown = () if trained else shots
        begin = str(reader.tokenizer.bos_token or reader.tokenizer.eos_token)  # nothing cannot be read
        self._end = str(reader.tokenizer.eos_token)
        self._given = reader.prefix(begin + "".join(map(self._shown, shown)))
        self._dull = reader.prefix(begin + "".join(self._shown(_dulled(row, i)) for i, row in enumerate(shots)))
        self._alone = reader.prefix(begin + "".join(f"{CUE}{self._line(row)}\n\n" for row in shown))
        self._reversed = reader.prefix(begin + "".join(f"{told(row)}{self._values(row)}\n\n" for row in shown))

    def scores(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[RawScores]:
        """The three scores of each row, in order.

        The same rows score the same; in other company a bfloat16 model's sums may move in the third digit.

        Args:
            progress: called with the share done, 0..1.
        """
        return [found.raw() for found in self.log_probs(rows, progress)]

    def log_probs(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[LineScores]:
        """What the scores are made from, in order."""
        done = _Progress(progress, 4 + 2 * STRANGERS)
        lines = [self._line(row) for row in rows]
        questions = [asked(row) for row in rows]
        given, dull = (done(self._reader.after(prefix, questions, lines)) for prefix in (self._given, self._dull))
        alone = done(self._reader.after(self._alone, [CUE] * len(rows), lines))
        strange = [
            done(self._reader.after(self._given, [asked(other)] * len(rows), lines)) for other in self._strangers
        ]
        gains = self._values_gains(rows, done)
        return [
            LineScores(
                given=given[i],
                alone=alone[i],
                dull=dull[i],
                marginal=self._marginal(row, alone[i], [found[i] for found in strange]),
                values_gain=gains[i],
                rarity=self._rarity.of(row["ad_copy"], [row["product"], *row["values"]]),
            )
            for i, row in enumerate(rows)
        ]

    def _values_gains(self, rows: Sequence[Scorable], done: _Progress) -> list[float]:
        """What each row's values owe to its line. Under strangers' lines a pair is asked once, for all its lines."""
        read, pairs = self._reader.after, list({_pair(row): row for row in rows}.values())
        own = done(read(self._reversed, [told(row) for row in rows], [self._values(row) for row in rows]))
        under = [
            done(
                read(
                    self._reversed,
                    [told(row, other["ad_copy"]) for row in pairs],
                    [self._values(row) for row in pairs],
                )
            )
            for other in self._strangers
        ]
        baseline = {
            _pair(row): sum(float(found[i][:, 0].sum()) for found in under) / len(under) for i, row in enumerate(pairs)
        }
        return [float(found[:, 0].sum()) - baseline[_pair(row)] for row, found in zip(rows, own, strict=True)]

    def _marginal(self, row: Scorable, alone: torch.Tensor, strange: Sequence[torch.Tensor]) -> torch.Tensor:
        """Log of the mean probability of each token; a stranger with the row's own product is none.

        A model that was trained as a judge has never learnt lines without a pair: strangers' pairs are all it goes by.
        """
        parts = [
            found[:, 0]
            for other, found in zip(self._strangers, strange, strict=True)
            if other["product"] != row["product"]
        ]
        if not self._trained or not parts:
            parts.append(alone[:, 0])
        return torch.stack(parts).logsumexp(0) - math.log(len(parts))

    def _shown(self, row: Scorable) -> str:
        return f"{asked(row)}{self._line(row)}\n\n"

    def _line(self, row: Scorable) -> str:
        """The line as an answer, from the space before it to the token that ends it."""
        return f" {row['ad_copy']}{self._end}"

    def _values(self, row: Scorable) -> str:
        return f" {', '.join(row['values'])}{self._end}"


class _Progress:
    """Counts passes over the rows."""

    def __init__(self, report: Callable[[float], None], passes: int) -> None:
        self._report, self._passes, self._done = report, passes, 0

    def __call__(self, found: list[torch.Tensor]) -> list[torch.Tensor]:
        self._done += 1
        self._report(self._done / self._passes)
        return found


def topic_particle(word: str) -> str:
    """은 after a final consonant, 는 after a vowel; 는 after anything that is no Hangul syllable."""
    code = ord(word[-1]) - ord("가")
    return "은" if 0 <= code < 11172 and code % 28 else "는"


def asked(row: Scorable) -> str:
    """What a line follows; `rows.CHAT_TEMPLATE` writes the same."""
    return f"{user_message(row['product'], row['values'])['content']}\n{CUE}"


def told(row: Scorable, line: str | None = None) -> str:
    """What the values follow: a line, the row's own or another, and its product."""
    return f"{CUE} {row['ad_copy'] if line is None else line}\n상품: {row['product']}\n가치:"


def training_texts(row: Scorable) -> list[tuple[str, str]]:
    """(prompt, completion) of what a judge learns of a row: the line from its pair, and the values from the line.

    Good rows alone: what it has never seen spoilt cannot teach it what the contrast set asks.
    """
    return [(asked(row), f" {row['ad_copy']}"), (told(row), f" {', '.join(row['values'])}")]


def _pair(row: Scorable) -> tuple[str, tuple[str, ...]]:
    return row["product"], tuple(row["values"])


def _dulled(row: Scorable, index: int) -> Scorable:
    """The row's pair with a dull line."""
    line = DULL_LINES[index % len(DULL_LINES)].format(
        product=row["product"], topic=topic_particle(row["product"]), value=row["values"][0]
    )
    return {"product": row["product"], "values": row["values"], "ad_copy": line}
