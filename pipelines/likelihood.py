"""Scores from a language model's own probabilities: no API, no key, cheap enough for every row.

All log-probabilities are natural, and a line's tokens include the one that ends it, so that a line cut short pays.
They are conditional on the line being in Hangul: the vocabulary is cut down to tokens without letters of other scripts
(Gemma: 262,144 -> 13,484), for the head would otherwise be most of the cost; a foreign token is added for itself.

With c the line, p its product and v its values, and the mean taken over tokens:

- PV: mean of log p(c | p, v) - log p̄(c), pointwise mutual information (Church & Hanks 1990) with the marginal p̄ as a
  mixture, token by token, over the line without a pair and the line under strangers' pairs.
- Naturalness: mean of log p(c).
- Creativity: mean of log p(c | p, v) - log p(c | p, v, dull), where the first follows good examples and the second the
  same pairs with dull lines: templates and phrases that stand under any product.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import torch
from torch.nn import functional

from pipelines.rows import CHAT_TEMPLATE, Message, user_message

#: Examples in the prefix, and further ones that lend only their product and values.
SHOTS, STRANGERS = 8, 4

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

_BATCH = 32
_FOREIGN = re.compile("[^\\W\\d_가-힣ㄱ-ㅣ]")  # a letter of another script


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
    """What many prompts begin with, read once.

    Attributes:
        cache: the model's keys and values of it.
        product: of the stranger it ends with, else empty.
    """

    cache: Any
    product: str = ""


class Continuations:
    """A causal language model that reads what many texts begin with only once, and scores how each goes on.

    Args:
        model: a `transformers` causal model in evaluation mode; bfloat16 is enough, sums are float32.
        tokenizer: needs an end-of-sequence token.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self._vocabulary = torch.tensor(hangul_vocabulary(tokenizer), device=model.device)
        self._weight = model.get_output_embeddings().weight.detach()[self._vocabulary]

    def log_probs_after(self, prefix: str, befores: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]:
        """Log-probabilities, [tokens] float32, of each line after the prefix and what stands before it, in order.

        The three are tokenized apart, and the beginning of a text is part of the prefix.
        """
        return self._pass(self._prefix(prefix), befores, lines)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    @torch.inference_mode()
    def _prefix(self, text: str, product: str = "") -> _Prefix:
        ids = torch.tensor([self._ids(text)], device=self.model.device)
        return _Prefix(self.model.base_model(input_ids=ids, use_cache=True).past_key_values, product)

    @torch.inference_mode()
    def _pass(self, prefix: _Prefix, befores: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]:
        """Log-probabilities, [tokens] float32, of each line after the prefix and what stands before it."""
        pairs = [(self._ids(before), self._ids(line)) for before, line in zip(befores, lines, strict=True)]
        order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))  # like lengths together: less padding
        found: list[torch.Tensor] = [torch.empty(0)] * len(pairs)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            for i, log_probs in zip(batch, self._batch(prefix, [pairs[i] for i in batch]), strict=True):
                found[i] = log_probs
        return found

    def _batch(self, prefix: _Prefix, pairs: Sequence[tuple[list[int], list[int]]]) -> Sequence[torch.Tensor]:
        """As `_pass`, for token ids and one batch.

        Padding stands on the right, where causal attention keeps it from every token that counts: no mask is needed.
        The last token of a line predicts nothing and stays out.
        """
        width = max(len(before) + len(line) for before, line in pairs) - 1
        inputs = torch.zeros(len(pairs), width, dtype=torch.long)
        where: list[int] = []  # flat positions of the hidden states that predict
        targets: list[int] = []  # and the tokens they should predict
        for row, (before, line) in enumerate(pairs):
            ids = before + line
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            where += range(row * width + len(before) - 1, row * width + len(ids) - 1)
            targets += line
        cache = copy.deepcopy(prefix.cache)
        for layer in cache.layers:
            layer.keys, layer.values = (kept.expand(len(pairs), -1, -1, -1) for kept in (layer.keys, layer.values))
        device = self.model.device
        output = self.model.base_model(input_ids=inputs.to(device), past_key_values=cache, use_cache=True)
        hidden = output.last_hidden_state.flatten(0, 1)[torch.tensor(where, device=device)]
        log_probs = self._head(hidden, torch.tensor(targets, device=device)).cpu()
        return torch.split(log_probs, [len(line) for _, line in pairs])

    def _head(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Log-probability of each target among the Hangul vocabulary and itself, [tokens] float32."""
        head = self.model.get_output_embeddings()
        bias = None if head.bias is None else head.bias[self._vocabulary]
        kept = self._capped(functional.linear(hidden, self._weight, bias))
        chosen = (hidden * head.weight[targets]).sum(1, dtype=torch.float32)
        chosen = self._capped(chosen if head.bias is None else chosen + head.bias[targets])
        total = kept.logsumexp(1)
        return chosen - torch.where(torch.isin(targets, self._vocabulary), total, torch.logaddexp(total, chosen))

    def _capped(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits in float32, soft-capped where the model does so."""
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return cap * torch.tanh(logits.float() / cap) if cap else logits.float()


class Scorer(Continuations):
    """A causal language model behind fixed examples.

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
        super().__init__(model, tokenizer)
        shots, strangers = examples[:SHOTS], examples[SHOTS : SHOTS + STRANGERS]
        self._given = self._prefix(self._render(_turns(shots)))
        self._dull = self._prefix(self._render(_turns([_dulled(row, i) for i, row in enumerate(shots)])))
        self._alone = self._prefix(self._render([_answer(row) for row in shots]))
        first = [_answer(shots[0])]
        self._next = self._after(first, [*first, *first]).removesuffix(self._line(shots[0]))
        self._cue = self._after([_user(shots[0])], [_user(shots[0])], prompt=True)
        self._strangers = [
            self._prefix(self._render([*_turns(shots), _user(row)]), row["product"]) for row in strangers
        ]

    def log_probs(
        self, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
    ) -> list[LineScores]:
        """Log-probabilities of each row's line, in order.

        The same rows score the same; in other company a bfloat16 model's sums may move in the third digit.

        Args:
            progress: called with the share done, 0..1.
        """
        lines = [self._line(row) for row in rows]
        asked = [self._asked(row) for row in rows]
        passes = [(self._given, asked), (self._dull, asked), (self._alone, [self._next] * len(rows))]
        passes += [(stranger, [self._cue] * len(rows)) for stranger in self._strangers]
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
        parts += [
            found
            for stranger, found in zip(self._strangers, strange, strict=True)
            if stranger.product != row["product"]
        ]
        return torch.stack(parts).logsumexp(0) - torch.log(torch.tensor(float(len(parts))))

    def _render(self, messages: list[Message], *, prompt: bool = False) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages, chat_template=CHAT_TEMPLATE, tokenize=False, add_generation_prompt=prompt
            )
        )

    def _after(self, before: list[Message], whole: list[Message], *, prompt: bool = False) -> str:
        """What `whole` says after `before`."""
        return self._render(whole, prompt=prompt).removeprefix(self._render(before))

    def _asked(self, row: Scorable) -> str:
        """What stands between the examples and the line: the row's pair and the cue."""
        return self._after([_answer(row)], [_answer(row), _user(row)], prompt=True)

    def _line(self, row: Scorable) -> str:
        """The line as an answer, from the space before it to the token that ends it."""
        return self._render([_user(row), _answer(row)]).removeprefix(self._render([_user(row)], prompt=True))


def hangul_vocabulary(tokenizer: Any) -> list[int]:
    """Ids of the tokens without letters of other scripts, and of the token that ends a line."""
    texts = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return [i for i, text in enumerate(texts) if i == tokenizer.eos_token_id or not _FOREIGN.search(text)]


def raw_scores(
    scorer: Scorer, rows: Sequence[Scorable], progress: Callable[[float], None] = lambda share: None
) -> list[RawScores]:
    """The three scores of each row, in order."""
    return [
        RawScores(
            pv=(line.given - line.marginal) / line.tokens,
            naturalness=line.alone / line.tokens,
            creativity=(line.given - line.dull) / line.tokens,
        )
        for line in scorer.log_probs(rows, progress)
    ]


def topic_particle(word: str) -> str:
    """은 after a final consonant, 는 after a vowel; 는 after anything that is no Hangul syllable."""
    code = ord(word[-1]) - ord("가")
    return "은" if 0 <= code < 11172 and code % 28 else "는"


def _user(row: Scorable) -> Message:
    return user_message(row["product"], row["values"])


def _answer(row: Scorable) -> Message:
    return {"role": "assistant", "content": row["ad_copy"]}


def _turns(rows: Sequence[Scorable]) -> list[Message]:
    return [turn for row in rows for turn in (_user(row), _answer(row))]


def _dulled(row: Scorable, index: int) -> Scorable:
    """The row's pair with a dull line."""
    line = DULL_LINES[index % len(DULL_LINES)].format(
        product=row["product"], topic=topic_particle(row["product"]), value=row["values"][0]
    )
    return {"product": row["product"], "values": row["values"], "ad_copy": line}
