"""Sampling the lines of several requests with transformers, step by step, as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engines.sampling import CANDIDATES, MAX_NEW_TOKENS, TOP_P, Chat, finished
from engines.weights import Weights


def never() -> bool:
    """Nobody stops a request."""
    return False


@dataclass(frozen=True)
class Asked:
    """One request of a batch; `stopped` tells that nobody waits for its lines any more."""

    chat: Chat
    count: int
    temperature: float
    seed: int
    stopped: Callable[[], bool] = never


def decode(weights: Weights, asked: Sequence[Asked], base: bool) -> Iterator[tuple[int, str]]:
    """Yield (number of the request, line) when a line ends; an empty one where it has not in `MAX_NEW_TOKENS`.

    The lines grow together: decoding is bound by reading the weights, so eight cost little more than one.
    """
    import torch

    # As a decorator, the mode is off again whenever this generator yields; a `with` would leak it to the caller.
    yield from torch.inference_mode()(_decode)(weights, asked, base)


def _decode(weights: Weights, asked: Sequence[Asked], base: bool) -> Iterator[tuple[int, str]]:
    import torch

    batch = Batch(weights, asked, base)
    randoms = [torch.Generator(batch.device).manual_seed(one.seed) for one in asked]
    temperatures = torch.tensor([one.temperature for one in asked], device=batch.device)
    written: list[list[int]] = [[] for _ in batch.owners]
    for _ in range(MAX_NEW_TOKENS):
        drawn = _draw(batch, temperatures, randoms)
        growing = []
        for row, token in enumerate(drawn.tolist()):
            written[row].append(token)
            owner = batch.owners[row]
            if asked[owner].stopped():
                continue
            line = _ended(weights, written[row])
            if line is None:
                growing.append(row)
            else:
                yield owner, line
        if not growing:
            return
        written = [written[row] for row in growing]
        batch.grow(growing, drawn[growing])
    yield from ((owner, "") for owner in batch.owners)


class Batch:
    """The rows that grow, those of a request together, and what the model says comes next in each.

    Attributes:
        owners: number of the request, a row.
        logits: of the next token, a row.
    """

    def __init__(self, weights: Weights, asked: Sequence[Asked], base: bool) -> None:
        self._model = weights.model(base)
        self.device = self._model.device
        prompts = weights.tokenizer.apply_chat_template(
            [one.chat for one in asked],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self.device)
        self.owners = [number for number, one in enumerate(asked) for _ in range(one.count)]
        self._mask: Any = prompts["attention_mask"]
        self._cache: Any = None
        self.logits: Any = None
        self._forward(prompts["input_ids"])
        self._keep(self.owners)  # a prompt is read once for all its lines

    def grow(self, rows: list[int], tokens: Any) -> None:
        """Go on with these rows alone, each with its token."""
        import torch

        if len(rows) < len(self.owners):
            self._keep(rows)
            self.owners = [self.owners[row] for row in rows]
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(rows), 1)], dim=1)
        self._forward(tokens[:, None])

    def _keep(self, rows: list[int]) -> None:
        self._cache.batch_select_indices(rows)
        self._mask, self.logits = self._mask[rows], self.logits[rows]

    def _forward(self, tokens: Any) -> None:
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        output = self._model(
            input_ids=tokens,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache, self.logits = output.past_key_values, output.logits[:, -1]


def _draw(batch: Batch, temperatures: Any, randoms: Sequence[Any]) -> Any:
    """The next token of each row; every request draws from its own randomness, whoever shares the batch."""
    import torch
    from transformers import TopPLogitsWarper

    likely, tokens = batch.logits.float().topk(min(CANDIDATES, batch.logits.shape[-1]))
    owners = torch.tensor(batch.owners, device=batch.device)
    shares = TopPLogitsWarper(TOP_P)(tokens, likely / temperatures[owners, None]).softmax(-1)
    drawn = [
        torch.multinomial(shares[owners == number], 1, generator=random)
        for number, random in enumerate(randoms)
        if number in batch.owners
    ]
    return tokens.gather(1, torch.cat(drawn))[:, 0]


def _ended(weights: Weights, tokens: list[int]) -> str | None:
    """The line, if its last token ends it."""
    text = weights.tokenizer.decode(tokens, skip_special_tokens=True)
    return finished(text) if tokens[-1] in weights.ends or "\n" in text else None
