"""Parity: the cases, the divergence against its definition, and a spoilt GGUF that does not get through."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from transformers import AutoModelForCausalLM, AutoTokenizer

from model_card.cards.exports import Parity
from scripts.exporting import convert, parity, trim
from scripts.exporting.kept_tokens import choose_tokens
from scripts.exporting.parity import Case, ServerAnswer
from scripts.exporting.vocabulary import read_vocabulary
from tests.tiny import language_model

LOGITS = arrays.arrays(np.float64, 12, elements=st.floats(-20, 20))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum())


@pytest.fixture(scope="module")
def asked(tiny_folder: Path) -> list[Case]:
    return parity.sample_cases(AutoTokenizer.from_pretrained(tiny_folder), list(language_model.rows(8)), 24, 7)


@pytest.fixture(scope="module")
def ours(tiny_folder: Path, asked: list[Case]) -> list[np.ndarray]:
    model = AutoModelForCausalLM.from_pretrained(tiny_folder).float().eval()
    return [parity.log_probabilities(model, case) for case in asked]


def test_a_case_is_a_line_cut_after_its_prompt(tiny_folder: Path, asked: list[Case]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_folder)
    prompts = [
        tokenizer.apply_chat_template(list(case.chat), add_generation_prompt=True, tokenize=False) for case in asked
    ]
    for case, prompt in zip(asked, prompts, strict=True):
        assert tokenizer.decode(case.ids) == prompt + case.rest
        assert case.rest.startswith(" ") and case.rest.endswith("<eos>")
        assert tokenizer.decode(case.ids[: case.cut]).startswith(prompt)
    places = {len(tokenizer.decode(case.ids[: case.cut])) - len(p) for case, p in zip(asked, prompts, strict=True)}
    assert 0 in places and len(places) > 3


def test_cases_are_seeded_distinct_and_no_more_than_there_are(tiny_folder: Path) -> None:
    tokenizer, rows = AutoTokenizer.from_pretrained(tiny_folder), list(language_model.rows(2))
    every = parity.sample_cases(tokenizer, rows, 10_000, 1)
    assert len(set((case.ids, case.cut) for case in every)) == len(every) < 50
    assert parity.sample_cases(tokenizer, rows, 5, 1) == parity.sample_cases(tokenizer, rows, 5, 1)
    assert parity.sample_cases(tokenizer, rows, 5, 1) != parity.sample_cases(tokenizer, rows, 5, 2)


def test_divergence_by_hand() -> None:
    ours = np.log(np.array([0.5, 0.25, 0.25], np.float32))
    theirs = {0: math.log(0.25), 1: math.log(0.5)}
    wanted = 0.5 * math.log(0.5 / 0.25) + 0.25 * math.log(0.25 / 0.5) + 0.25 * math.log(0.25 / 0.25)
    assert parity.divergence(ours, theirs) == pytest.approx(wanted, abs=1e-6)
    assert parity.divergence(ours, {0: math.log(0.5)}) == pytest.approx(0, abs=1e-6)
    assert parity.divergence(ours, {2: 0.0}) > 5  # all of it on a token that has a quarter


@given(LOGITS, LOGITS, st.integers(1, 12))
def test_divergence_is_a_lower_bound_that_is_reached_with_the_whole_vocabulary(
    first: np.ndarray, second: np.ndarray, top: int
) -> None:
    p, q = log_softmax(first), log_softmax(second)
    whole = float(np.sum(np.exp(p) * (p - q)))
    named = {int(token): float(q[token]) for token in np.argsort(-q)[:top]}
    found = parity.divergence(p.astype(np.float32), named)
    assert 0 <= found <= whole + 1e-4
    if top == 12:
        assert found == pytest.approx(whole, abs=1e-4)


def test_measure_counts_shares() -> None:
    ours = np.log(np.array([0.7, 0.2, 0.1], np.float32))
    same = {0: math.log(0.7), 1: math.log(0.2), 2: math.log(0.1)}
    other = {1: math.log(0.7), 0: math.log(0.2), 2: math.log(0.1)}
    case = Case((), "", (5, 6), 1)
    found = parity.parity_of([(case, ours, ServerAnswer(same, (5, 6))), (case, ours, ServerAnswer(other, (5, 7)))])
    assert (found.prompts, found.agreement, found.tokenizer) == (2, 0.5, 0.5)
    assert found.kl == pytest.approx(0.5 * 0.5 * math.log(0.7 / 0.2), abs=1e-6)


@pytest.mark.parametrize("kind", convert.KINDS)
def test_a_good_gguf_passes(
    kind: str, tiny_gguf: Path, asked: list[Case], ours: list[np.ndarray], tmp_path: Path
) -> None:
    found = parity.compare(convert.quantise(tiny_gguf, tmp_path / "made.gguf", kind), asked, ours)
    assert parity.exceeded_limits(kind, found) == ""
    assert found.prompts == 24 and found.tokenizer == 1.0


def test_a_trimmed_gguf_is_measured_in_ids_of_the_whole(
    tiny_gguf: Path, asked: list[Case], ours: list[np.ndarray], tmp_path: Path
) -> None:
    trimmed = choose_tokens(read_vocabulary(gguf.GGUFReader(tiny_gguf)), ())
    part = trim.trim(convert.quantise(tiny_gguf, tmp_path / "whole.gguf", "Q8_0"), tmp_path / "part.gguf", trimmed)
    lost = np.array([token for token in range(len(ours[0])) if token not in trimmed.new_ids])
    left = []  # what the model would say if it could not write them
    for log_p in ours:
        among_kept = np.where(np.isin(np.arange(len(log_p)), lost), -np.inf, log_p)
        left.append((among_kept - np.log(np.exp(among_kept).sum())).astype(np.float32))
    found = parity.compare(part, asked, left, trimmed)
    assert parity.exceeded_limits("Q8_0", found) == ""
    assert parity.compare(part, asked, ours, trimmed).kl > 0.1  # their probability is among the others


def spoil(path: Path, name: str) -> Path:
    """Zeros in one tensor."""
    reader = gguf.GGUFReader(path, "r+")
    next(tensor for tensor in reader.tensors if tensor.name == name).data[:] = 0
    reader.data.flush()
    return path


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Q8_0", "blk.1.attn_output.weight"), ("Q8_0", "blk.0.ffn_down.weight"), ("Q4_K_M", "token_embd.weight")],
)
def test_a_gguf_with_one_tensor_of_zeros_is_refused(
    kind: str, name: str, tiny_gguf: Path, asked: list[Case], ours: list[np.ndarray], tmp_path: Path
) -> None:
    found = parity.compare(spoil(Path(shutil.copy(tiny_gguf, tmp_path / "bad.gguf")), name), asked, ours)
    assert parity.exceeded_limits(kind, found)


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        (Parity(200, 0.5, 0.0, 1.0), "agreement 0.5 < 0.85"),
        (Parity(200, 1.0, 0.2, 1.0), "kl 0.2 > 0.05"),
        (Parity(200, 1.0, math.nan, 1.0), "kl nan > 0.05"),
        (Parity(200, 1.0, 0.0, 0.5), "tokenizer 0.5 < 0.99"),
    ],
)
def test_what_was_missed_is_named(found: Parity, missed: str) -> None:
    assert parity.exceeded_limits("Q8_0", found) == missed
