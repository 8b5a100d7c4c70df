"""Trimming: what names a token by its id follows it, and the smaller GGUF reads and writes as the whole one does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from httpx2 import Client

from pipelines.errors import HanjulError
from pipelines.rows import CHAT_TEMPLATE
from scripts.exporting import convert, trim
from scripts.exporting.kept_tokens import choose_tokens
from scripts.exporting.vocabulary import Trimmed, Vocabulary, read_vocabulary
from scripts.models.embedded import gguf_path
from scripts.models.llama_server import serve
from tests.tiny import language_model

PROMPTS = [f"상품: {p}\n가치: {v}\n카피:" for p, v in zip(language_model.PRODUCTS, language_model.VALUES, strict=False)]
OTHERS = ["猫の砂 😀", "Привет, ½ мир", "뷁 café 犬"]


def without_some(whole: Vocabulary) -> Trimmed:
    """Every other token that neither a longer one nor a prompt holds is lost: no piece on the way to another is."""
    tokens, spared = "\n".join(whole.tokens), "\n".join(PROMPTS).encode()
    ends = [
        n
        for n, token in enumerate(whole.tokens)
        if len(token) > 1 and tokens.count(token) == 1 and whole.bytes_of(n) not in spared
    ]
    lost = {n for n in ends[::2] if whole.types[n] == gguf.TokenType.NORMAL}
    padding = {n for n, kind in enumerate(whole.types) if kind == gguf.TokenType.UNUSED}
    return Trimmed(whole, tuple(n for n in range(len(whole.tokens)) if n not in lost | padding))


@pytest.fixture(scope="session", params=["llama", "gpt2"])
def pair(
    request: pytest.FixtureRequest, tiny_gguf: Path, byte_level_gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Trimmed]:
    """A Q8_0 GGUF, the trimmed one, and what was kept."""
    folder = tmp_path_factory.mktemp("trim")
    whole = {"llama": tiny_gguf, "gpt2": byte_level_gguf}[request.param]
    q8 = convert.quantise(whole, folder / "q8.gguf", "Q8_0")
    trimmed = without_some(read_vocabulary(gguf.GGUFReader(q8)))
    return q8, trim.trim(q8, folder / "ko.gguf", trimmed), trimmed


@contextmanager
def served(path: Path) -> Iterator[Client]:
    with (
        serve(path, None, "", slots=1, context_per_slot=200) as url,
        Client(base_url=url.removesuffix("/v1"), timeout=60, trust_env=False) as client,
    ):
        yield client


def tokenize(client: Client, text: str) -> list[int]:
    body = {"content": text, "add_special": True, "parse_special": True}
    return list(client.post("/tokenize", json=body).json()["tokens"])


def write(client: Client, prompt: list[int], banned: list[int]) -> tuple[list[int], dict[int, float]]:
    """The likeliest answer to a prompt, and log-probabilities of its first token, of whatever is not banned, too."""
    body = {"prompt": prompt, "n_predict": 12, "temperature": 0, "n_probs": 1000, "return_tokens": True}
    answer = client.post("/completion", json=body | {"logit_bias": [[token, False] for token in banned]}).json()
    first = answer["completion_probabilities"][0]["top_logprobs"]
    return answer["tokens"], {token["id"]: token["logprob"] for token in first}


def test_the_keys_name_the_same_tokens(pair: tuple[Path, Path, Trimmed]) -> None:
    old, new = (gguf.GGUFReader(path) for path in pair[:2])
    kept = pair[2].kept
    tokens = new.fields["tokenizer.ggml.tokens"].contents()
    assert 0 < len(tokens) == len(kept) < len(old.fields["tokenizer.ggml.tokens"].contents())
    for name, field in old.fields.items():
        before = field.contents()
        after: Any = new.fields[name].contents() if name in new.fields else None
        if name.endswith("_token_id"):
            assert tokens[after] == old.fields["tokenizer.ggml.tokens"].contents()[before], name
        elif name in ("tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
            assert after == [before[number] for number in kept], name
        elif name.endswith(".vocab_size"):
            assert after == len(kept)
        elif name == "tokenizer.ggml.suppress_tokens":
            assert after == [tokens.index("!")]
        elif name == "tokenizer.ggml.merges":
            assert after == [merge for merge in before if merge in after] and 0 < len(after) < len(before)
        elif not name.startswith("GGUF."):
            assert after == before, name
    assert new.fields["tokenizer.chat_template"].contents() == CHAT_TEMPLATE


def test_rows_of_kept_tokens_are_the_same_bytes_and_layers_too(pair: tuple[Path, Path, Trimmed]) -> None:
    old, new = (gguf.GGUFReader(path) for path in pair[:2])
    for before, after in zip(old.tensors, new.tensors, strict=True):
        of_tokens = before.name in ("token_embd.weight", "output.weight")
        expected = before.data[np.array(pair[2].kept)] if of_tokens else before.data
        assert (before.name, before.tensor_type) == (after.name, after.tensor_type)
        assert np.array_equal(expected, after.data), before.name


def check(whole: Path, part: Path, trimmed: Trimmed, prompts: list[str], rounding: float) -> None:
    """Texts of kept tokens are cut the same way, and answered with the same tokens by the same probabilities."""
    lost = [number for number in range(len(trimmed.whole.tokens)) if number not in trimmed.new_ids]
    with served(whole) as old, served(part) as new:
        for prompt in prompts:
            ids = tokenize(old, prompt)
            assert trimmed.widen(tokenize(new, prompt)) == ids
            expected, old_p = write(old, ids, lost)
            found, new_p = write(new, trimmed.narrow(ids), [])
            assert trimmed.widen(found) == expected
            shared = [token for token in new_p if trimmed.kept[token] in old_p]
            assert len(shared) > 100
            pairs = ([old_p[trimmed.kept[token]] for token in shared], [new_p[token] for token in shared])
            # logits but for a constant: what is left of the probability is shared out among fewer tokens
            first, second = (np.array(log_p) - np.logaddexp.reduce(log_p) for log_p in pairs)
            assert first == pytest.approx(second, abs=rounding)


def test_it_reads_and_writes_as_the_whole_one(pair: tuple[Path, Path, Trimmed]) -> None:
    check(*pair, PROMPTS, rounding=1e-3)


def test_what_it_does_not_know_goes_by_smaller_pieces(pair: tuple[Path, Path, Trimmed]) -> None:
    _, part, trimmed = pair
    with served(part) as client:
        for text in (*language_model.LINES, *OTHERS):
            ids = tokenize(client, text)
            spelt = b"".join(map(trimmed.part.bytes_of, ids))
            assert spelt.removeprefix(b"<bos>").decode() == text
            assert len(write(client, ids, [])[0]) > 0


def test_a_gguf_of_another_vocabulary_is_refused(pair: tuple[Path, Path, Trimmed], tmp_path: Path) -> None:
    with pytest.raises(HanjulError, match="This GGUF has another vocabulary"):
        trim.trim(pair[1], tmp_path / "ko.gguf", pair[2])
    assert not list(tmp_path.iterdir())


def test_a_tensor_of_tokens_that_is_not_known_is_refused(byte_level_gguf: Path, tmp_path: Path) -> None:
    source = tmp_path / "other.gguf"
    source.write_bytes(byte_level_gguf.read_bytes().replace(b"output.weight", b"strange.weigh"))
    trimmed = without_some(read_vocabulary(gguf.GGUFReader(source)))
    with pytest.raises(HanjulError, match=r"Tensor strange\.weigh has a row for each token"):
        trim.trim(source, tmp_path / "ko.gguf", trimmed)
    assert not (tmp_path / "ko.gguf").exists()


@pytest.mark.parametrize(
    ("model", "kept", "reason"),
    [
        ("t5", 10, "its tokenizer is of type t5, and only those of types llama and gpt2 are trimmed"),
        ("", 10, "its tokenizer is of type none, and only those of types llama and gpt2 are trimmed"),
        ("llama", 90, "Korean lines need 90 of its 100 tokens"),
        ("gpt2", 75, ""),
    ],
)
def test_a_vocabulary_is_left_whole_for_a_reason(model: str, kept: int, reason: str) -> None:
    whole = Vocabulary(model, tuple(map(str, range(100))), (1,) * 100, (), (), frozenset())
    assert trim.reason_not_to(Trimmed(whole, tuple(range(kept)))) == reason


@pytest.mark.slow
def test_the_embedded_model_trimmed_writes_as_it_did(tmp_path: Path) -> None:
    """By llama.cpp's own tokenizer, of 262,144 tokens."""
    trimmed = choose_tokens(read_vocabulary(gguf.GGUFReader(gguf_path())), ())
    part = trim.trim(gguf_path(), tmp_path / "ko.gguf", trimmed)
    assert part.stat().st_size < gguf_path().stat().st_size / 2
    check(gguf_path(), part, trimmed, PROMPTS, rounding=1e-2)
    with served(part) as client:
        for text in OTHERS:
            ids = tokenize(client, text)
            assert b"".join(map(trimmed.part.bytes_of, ids[1:])).decode() == text
            assert write(client, ids, [])[0]
