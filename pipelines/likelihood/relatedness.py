"""How much a value belongs to a product, by the likelihood of a small base model: no API, no key.

Pointwise mutual information (Church & Hanks 1990) per token: mean of log p(value | product) - log p̄(value), where p̄ is
the mean of the value's probability, token by token, under distractors' products. All prompts begin with the same
sixteen products with a value each; log-probabilities are those of `pipelines.likelihood.log_probabilities`.

Measured with Gemma 3 270M (dequantised from Q4_K_M) on 600 pairs of the taxonomy, in equal parts a product with a value
of its own category and with one of the same kind from another category:

    as here                                           AUC 0.69 (by kind 0.68 to 0.71)
    log p(product | value) under four strange values  AUC 0.66
    behind eight shots: three distractors             AUC 0.68
        a prompt without any product as the baseline  AUC 0.61
        log p(value | product) alone                  AUC 0.59

Rejecting what is below -0.43 loses 5 % of the matched pairs and 14 % of the others: a coarse sieve. Part of the reason
is the ground it was measured on: many values of another category (나눔, 설렘) suit a product as well as its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from pipelines.likelihood.log_probabilities import Continuations

#: Products with a value, before every question.
SHOTS = (
    ("우산", "바람에 뒤집히지 않는"),
    ("회전초밥집", "허물없는 사이"),
    ("일기장", "마음을 털어놓는 시간"),
    ("천체 망원경", "밤하늘에 대한 궁금증"),
    ("손난로", "첫눈 오는 출근길"),
    ("전기면도기", "피부에 순한"),
    ("축의금 봉투", "예의를 갖춘"),
    ("흔들의자", "느긋함"),
    ("박물관 연간 회원권", "유물에 얽힌 이야기"),
    ("얼음 정수기", "열대야"),
    ("만년필", "손에 착 감기는"),
    ("합창단 단복", "한목소리를 내는 자부심"),
    ("반려 식물", "새잎이 나는 기쁨"),
    ("향신료 세트", "먼 나라의 맛"),
    ("졸업 앨범", "졸업식 날"),
    ("방수 등산화", "미끄러지지 않는"),
)
#: Products that lend their place to the baseline.
DISTRACTORS = ("연필깎이", "정기 예금", "등산 스틱", "생크림 케이크")


def relatedness(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    progress: Callable[[float], None] = lambda share: None,
) -> list[float]:
    """The score of each (product, value) in nats per token, in order; higher is closer, 0 is like under any product.

    Args:
        model: a `transformers` causal model in evaluation mode.
        progress: called with the share done, 0..1.
    """
    reader = Continuations(model, tokenizer)
    text = str(tokenizer.bos_token or "") + "".join(_shown(product, value) for product, value in SHOTS)
    prefix = reader.prefix(text)
    values = list(dict.fromkeys(value for _, value in pairs))
    lines = {value: _line(value) for value in values}
    given = reader.after(prefix, [_prompt(name) for name, _ in pairs], [lines[value] for _, value in pairs])
    progress(1 / (1 + len(DISTRACTORS)))
    distracted: dict[str, dict[str, torch.Tensor]] = {}
    for done, distractor in enumerate(DISTRACTORS, 2):
        log_probs = reader.after(prefix, [_prompt(distractor)] * len(values), list(lines.values()))
        distracted[distractor] = dict(zip(values, log_probs, strict=True))
        progress(done / (1 + len(DISTRACTORS)))
    scores = []
    for (product, value), own in zip(pairs, given, strict=True):
        others = torch.stack([tokens[value][:, 0] for name, tokens in distracted.items() if name != product])
        baseline = others.logsumexp(0) - torch.log(torch.tensor(float(len(others))))
        scores.append(float((own[:, 0] - baseline).mean()))
    return scores


def _prompt(product: str) -> str:
    return f"상품: {product}\n가치:"


def _line(value: str) -> str:
    return f" {value}\n"


def _shown(product: str, value: str) -> str:
    return f"{_prompt(product)}{_line(value)}\n"
