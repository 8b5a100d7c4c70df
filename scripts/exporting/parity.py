"""Measure how near a GGUF is to its model: next-token distributions and tokens on the same prompts.

Limits are set a kind of GGUF; a GGUF beyond them is not published.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from httpx2 import Client
from numpy.typing import NDArray

from model_card.cards.exports import Parity
from pipelines.progress import Progress
from scripts.exporting.vocabulary import Trimmed
from scripts.models.llama_server import serve

#: Prompts compared, and the largest number of tokens whose probabilities the GGUF is asked for.
PROMPTS, TOP = 200, 1000

#: The least `agreement` and `tokenizer` and the largest `kl` of each kind. Measured on Gemma 3 270M: bfloat16 0.99 and
#: 0.0002, Q8_0 0.93 and 0.010 (llama.cpp rounds activations to 8 bits), Q4_K_M 0.91 and 0.014. The embedded base was
#: itself dequantised from Q4_K_M: to round an adapter's weights there takes most of it away, 0.5 and 0.55, refused.
#: Q8_0-ko 0.96 and 0.006: an adapter gives the lost tokens 0.1 % of the probability. Its base, which has not learnt to
#: write Korean alone, gives them 1 %, and what GGUF and model give to all but the likeliest is compared as one outcome.
LIMITS = {
    "Q8_0": Parity(PROMPTS, 0.85, 0.05, 0.99),
    "Q4_K_M": Parity(PROMPTS, 0.75, 0.15, 0.99),
    "Q8_0-ko": Parity(PROMPTS, 0.85, 0.1, 0.99),
}

_ROUNDING = 1e-6  # sums of a thousand float32 probabilities are no more exact


@dataclass(frozen=True)
class Case:
    """A text with a place to stop reading.

    Attributes:
        chat: the prompt's messages.
        rest: what the text has after the rendered prompt.
        ids: tokens of the whole text.
        cut: the next token is asked for after this many.
    """

    chat: tuple[Mapping[str, str], ...]
    rest: str
    ids: tuple[int, ...]
    cut: int


@dataclass(frozen=True)
class ServerAnswer:
    """What a GGUF says of a case: log-probabilities (nats) of its likeliest next tokens, best first, and its tokens."""

    top: dict[int, float]
    ids: tuple[int, ...]


def sample_cases(tokenizer: Any, rows: Sequence[Mapping[str, Any]], n: int, seed: int) -> list[Case]:
    """Up to n prompts: lines of copy cut at a random token, so that the next one is at any place of a line.

    Args:
        tokenizer: with a chat template.
        rows: columns `prompt` and `completion`, TRL-native. Few rows are cut at several places each.
    """
    cuts = []
    for row in rows:
        prompt, whole = list(row["prompt"]), [*row["prompt"], *row["completion"]]
        start = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
        text = tokenizer.apply_chat_template(whole, tokenize=False)
        if not text.startswith(start):  # a template that renders a last message in its own way
            text = start + row["completion"][0]["content"]
        ids = tuple(tokenizer(text, add_special_tokens=False).input_ids)
        first = len(tokenizer(start, add_special_tokens=False).input_ids)
        cuts += [Case(tuple(prompt), text.removeprefix(start), ids, cut) for cut in range(first, len(ids))]
    return random.Random(seed).sample(cuts, min(n, len(cuts)))


def ask(model: Any, cases: Sequence[Case]) -> list[NDArray[np.float32]]:
    """Log-probabilities (nats) of every next token of each case by a transformers model, which is made float32."""
    model.float()  # rounding of bfloat16 activations alone moves the likeliest token of 3 % of the prompts
    expected = []
    with Progress("gguf: asking the model", len(cases), unit="prompts") as progress:
        for case in cases:
            expected.append(log_probabilities(model, case))
            progress.advance()
    return expected


def log_probabilities(model: Any, case: Case) -> NDArray[np.float32]:
    """Log-probabilities (nats) of every next token by a transformers model."""
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([case.ids[: case.cut]]), logits_to_keep=1).logits[0, -1]
        log_p: NDArray[np.float32] = logits.float().log_softmax(-1).numpy()
    return log_p


def query(client: Client, case: Case, trimmed: Trimmed | None = None) -> ServerAnswer:
    """The same from llama.cpp's server: probabilities before any sampler, and tokens as /v1/chat/completions cuts them.

    Args:
        client: with the server's root as its base URL.
        trimmed: the part of the vocabulary that the GGUF has; the answer is in ids of the whole.
    """
    before = case.ids[: case.cut]
    wanted = {
        "prompt": trimmed.narrow(before) if trimmed else list(before),
        "n_predict": 1,
        "n_probs": TOP,
        "post_sampling_probs": False,
        "logit_bias": [["\n", 1000]],  # an answer that ends within a letter would come without its probabilities
    }
    first = _post(client, "/completion", wanted)["completion_probabilities"][0]
    prompt = _post(client, "/apply-template", {"messages": [dict(message) for message in case.chat]})["prompt"]
    text = {"content": prompt + case.rest, "add_special": True, "parse_special": True}
    tokens = _post(client, "/tokenize", text)["tokens"]
    top = [token["id"] for token in first["top_logprobs"]]
    if trimmed:
        top, tokens = trimmed.widen(top), trimmed.widen(tokens)
    log_p = [token["logprob"] for token in first["top_logprobs"]]
    return ServerAnswer(dict(zip(top, log_p, strict=True)), tuple(tokens))


def _post(client: Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


def divergence(ours: NDArray[np.float32], theirs: Mapping[int, float]) -> float:
    """KL(ours || theirs) in nats over the tokens that `theirs` names, all others being one outcome.

    By the data processing inequality, merging outcomes never raises the divergence (Cover and Thomas, Elements of
    Information Theory, 2.8): this is a lower bound of the divergence over the whole vocabulary.

    Args:
        ours: log-probabilities of the whole vocabulary.
        theirs: token -> log-probability.
    """
    q = np.array(list(theirs.values()))
    p = ours[np.array(list(theirs), dtype=int)].astype(float)
    total = float(np.sum(np.exp(p) * (p - q)))
    left_p, left_q = max(0.0, 1 - float(np.exp(p).sum())), max(0.0, 1 - float(np.exp(q).sum()))
    if left_p > _ROUNDING:
        total += left_p * math.log(left_p / max(left_q, _ROUNDING))
    return max(0.0, total)


def parity_of(pairs: Sequence[tuple[Case, NDArray[np.float32], ServerAnswer]]) -> Parity:
    """What the cases say together, each as (case, the model's log-probabilities, the GGUF's answer)."""
    return Parity(
        prompts=len(pairs),
        agreement=fmean(int(ours.argmax()) == next(iter(served.top)) for _, ours, served in pairs),
        kl=fmean(divergence(ours, served.top) for _, ours, served in pairs),
        tokenizer=fmean(case.ids == served.ids for case, _, served in pairs),
    )


def compare(
    gguf: Path, cases: Sequence[Case], expected: Sequence[NDArray[np.float32]], trimmed: Trimmed | None = None
) -> Parity:
    """Serve a GGUF with its own chat template and measure it against the model's log-probabilities of the cases.

    Args:
        trimmed: the part of the vocabulary that the GGUF has. To it, the probability of all other tokens is zero.
    """
    longest = max(len(case.ids) for case in cases)
    with (
        serve(gguf, None, "", slots=1, context_per_slot=longest + 16) as url,
        Client(base_url=url.removesuffix("/v1"), timeout=120, trust_env=False) as client,
    ):
        asked = zip(cases, expected, strict=True)
        return parity_of([(case, log_p, query(client, case, trimmed)) for case, log_p in asked])


def exceeded_limits(kind: str, measured: Parity) -> str:
    """Say by what a GGUF is beyond the limits of its kind, e.g. `kl 0.2 > 0.05`; empty where it is within them."""
    limit = LIMITS[kind]
    return ", ".join(
        f"{name} {value:.4g} {sign} {bound:.4g}"
        for name, value, sign, bound, bad in (
            ("agreement", measured.agreement, "<", limit.agreement, not measured.agreement >= limit.agreement),
            ("kl", measured.kl, ">", limit.kl, not measured.kl <= limit.kl),
            ("tokenizer", measured.tokenizer, "<", limit.tokenizer, not measured.tokenizer >= limit.tokenizer),
        )
        if bad
    )
