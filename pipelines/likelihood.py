"""Scores from a language model's own probabilities: no API, no key, cheap enough for every row.

All log-probabilities are natural, and a line's tokens include the one that ends it, so that a line cut short pays.
With c the line, p its product and v its values, and the mean taken over tokens:

- PV: mean of log p(c | p, v) - log p̄(c), pointwise mutual information (Church & Hanks 1990) with the marginal p̄ as a
  mixture, token by token, over the line without a pair and the line under strangers' pairs.
- Naturalness: mean of log p(c).
- Creativity: mean of log p(c | p, v) - log p(c | p, v, dull), where the first follows good examples and the second the
  same pairs with dull lines: templates and phrases that stand under any product.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import torch

from pipelines.rows import CHAT_TEMPLATE, Message, user_message

#: Examples in the prefix, and further ones that lend only their product and values.
SHOTS, STRANGERS = 8, 2

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

_HEAD_TOKENS = 128  # rows of logits at a time: 128 x 262,144 float32 are 134 MB
_BATCH = 32


class Scorable(TypedDict):
    """What can be scored; every `rows.Row` can."""

    product: str
    values: list[str]
    ad_copy: str


@dataclass(frozen=True)
class LineScores:
    """Sums over one line's tokens.

    Attributes:
        tokens: tokens of the line and the one that ends it.
        given: log p(c | p, v).
        alone: log p(c).
        marginal: log p̄(c).
        dull: log p(c | p, v, dull).
    """

    tokens: int
    given: float
    alone: float
    marginal: float
    dull: float


@dataclass(frozen=True)
class RawScores:
    """Uncalibrated, in nats per token; higher is better."""

    pv: float
    naturalness: float
    creativity: float


@dataclass(frozen=True)
class _Prefix:
    """Keys and values of a text that many prompts begin with."""

    text: str
    cache: Any


class Scorer:
    """A causal language model behind fixed examples, which it reads once.

    Rows that are to be scored should not be among the examples: the model has seen those.

    Args:
        model: a `transformers` causal model in evaluation mode; bfloat16 is enough, sums are float32.
        tokenizer: needs an end-of-sequence token; its own chat template is not used.
        examples: good rows of the kind to be scored, from training products; the first `SHOTS + STRANGERS` are used.

    Raises:
        ValueError: too few examples.
    """

    def __init__(self, model: Any, tokenizer: Any, examples: Sequence[Scorable]) -> None:
        if len(examples) < SHOTS + STRANGERS:
            raise ValueError(f"The scorer needs {SHOTS + STRANGERS} example rows and got {len(examples)}")
        self.model = model
        self.tokenizer = tokenizer
        shots, strangers = examples[:SHOTS], examples[SHOTS : SHOTS + STRANGERS]
        self._given = self._prefix(self._render(_turns(shots)))
        self._dull = self._prefix(self._render(_turns([_dulled(row, i) for i, row in enumerate(shots)])))
        bare: list[Message] = [{"role": "assistant", "content": row["ad_copy"]} for row in shots]
        self._alone = self._prefix(self._render(bare, prompt=True))
        self._strangers = [
            (row["product"], self._prefix(self._render([*_turns(shots), _user(row)], prompt=True)))
            for row in strangers
        ]

    def log_probs(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[LineScores]:
        """Log-probabilities of each row's line, in order.

        The same rows in the same order score the same; another batch may move a bfloat16 model's sums in the third digit.

        Args:
            progress: called with the share done, 0..1.
        """
        lines = [self._line(row) for row in rows]
        contexts = [self._context(row) for row in rows]
        nothing = [""] * len(rows)
        passes = [(self._given, contexts), (self._dull, contexts), (self._alone, nothing)]
        passes += [(prefix, nothing) for _, prefix in self._strangers]
        done: list[list[torch.Tensor]] = []
        for prefix, before in passes:
            done.append(self._pass(prefix, before, lines))
            progress(len(done) / len(passes))
        given, dull, alone, *strange = done
        return [
            LineScores(
                tokens=len(given[i]),
                given=float(given[i].sum()),
                alone=float(alone[i].sum()),
                marginal=float(self._marginal(row, alone[i], [found[i] for found in strange]).sum()),
                dull=float(dull[i].sum()),
            )
            for i, row in enumerate(rows)
        ]

    def _marginal(self, row: Scorable, alone: torch.Tensor, strange: Sequence[torch.Tensor]) -> torch.Tensor:
        """Log of the mean probability of each token; a stranger with the row's own product is none."""
        parts = [alone]
        parts += [found for (name, _), found in zip(self._strangers, strange, strict=True) if name != row["product"]]
        return torch.stack(parts).logsumexp(0) - torch.log(torch.tensor(float(len(parts))))

    def _render(self, messages: list[Message], *, prompt: bool = False) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages, chat_template=CHAT_TEMPLATE, tokenize=False, add_generation_prompt=prompt
            )
        )

    def _context(self, row: Scorable) -> str:
        """What stands between the examples and the line."""
        seen: Message = {"role": "assistant", "content": ""}
        return self._render([seen, _user(row)], prompt=True).removeprefix(self._render([seen]))

    def _line(self, row: Scorable) -> str:
        """The line as an answer, from the space before it to the token that ends it."""
        answer: Message = {"role": "assistant", "content": row["ad_copy"]}
        return self._render([_user(row), answer]).removeprefix(self._render([_user(row)], prompt=True))

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    @torch.inference_mode()
    def _prefix(self, text: str) -> _Prefix:
        ids = torch.tensor([self._ids(text)], device=self.model.device)
        return _Prefix(text, self.model.base_model(input_ids=ids, use_cache=True).past_key_values)

    @torch.inference_mode()
    def _pass(self, prefix: _Prefix, contexts: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]:
        """Log-probabilities, [tokens] float32, of each line after prefix and context; batches of like length."""
        pairs = [(self._ids(context), self._ids(line)) for context, line in zip(contexts, lines, strict=True)]
        order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))
        found: list[torch.Tensor] = [torch.empty(0)] * len(pairs)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            for i, log_probs in zip(batch, self._batch(prefix, [pairs[i] for i in batch]), strict=True):
                found[i] = log_probs
        return found
