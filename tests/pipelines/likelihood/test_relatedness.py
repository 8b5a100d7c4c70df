"""Relatedness against a computation without cache or batches, on a tiny random model."""

import pytest
import torch

from pipelines.likelihood.relatedness import DISTRACTORS, SHOTS, relatedness
from tests.pipelines.likelihood.test_log_probabilities import model, naive, tokenizer  # noqa: F401

PAIRS = [("드립백 커피", "비 오는 날"), ("제습기", "보송한"), ("제습기", "비 오는 날"), ("이불", "여유")]


def expected(model, tokenizer, product, value, distractors):  # noqa: F811
    prefix = "<bos>" + "".join(f"상품: {name}\n가치: {shown}\n\n" for name, shown in SHOTS)

    def log_probs(name):
        return naive(model, tokenizer, f"{prefix}상품: {name}\n가치:", f" {value}\n")[:, 0]

    baseline = torch.stack([log_probs(name) for name in distractors]).exp().mean(0).log()
    return float((log_probs(product) - baseline).mean())


def test_scores_are_pointwise_mutual_information_a_token(model, tokenizer):  # noqa: F811
    scores = relatedness(model, tokenizer, PAIRS)
    assert scores == pytest.approx([expected(model, tokenizer, *pair, DISTRACTORS) for pair in PAIRS], abs=1e-3)
    assert max(map(abs, scores)) > 0.01  # the random model tells products apart


def test_a_distractor_is_none_to_itself(model, tokenizer):  # noqa: F811
    (score,) = relatedness(model, tokenizer, [(DISTRACTORS[1], "여유")])
    others = [name for name in DISTRACTORS if name != DISTRACTORS[1]]
    assert score == pytest.approx(expected(model, tokenizer, DISTRACTORS[1], "여유", others), abs=1e-3)


def test_progress_ends_at_one_and_nothing_scores_nothing(model, tokenizer):  # noqa: F811
    shares = []
    relatedness(model, tokenizer, PAIRS, shares.append)
    assert shares == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert relatedness(model, tokenizer, []) == []
