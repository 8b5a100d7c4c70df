"""Vocabularies: texts are cut as the tokenizers cut them, and by a part of a vocabulary as by the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from scripts.exporting.kept_tokens import choose_tokens
from scripts.exporting.vocabulary import Trimmed, Vocabulary, read_vocabulary
from tests.tiny import byte_level, language_model

LINES = [
    f"{line} {product} 12% 할인" for line, product in zip(language_model.LINES, language_model.PRODUCTS, strict=False)
]


@pytest.fixture(scope="session")
def vocabularies(tiny_gguf: Path, tiny_folder: Path, byte_level_gguf: Path) -> dict[str, tuple[Vocabulary, Any]]:
    """Kind of tokenizer -> the vocabulary in a GGUF, and the tokenizer that it is of."""
    return {
        "llama": (read_vocabulary(gguf.GGUFReader(tiny_gguf)), AutoTokenizer.from_pretrained(tiny_folder)),
        "gpt2": (read_vocabulary(gguf.GGUFReader(byte_level_gguf)), byte_level.tokenizer()),
    }


def words(vocabulary: Vocabulary, tokenizer: Any, line: str) -> list[str]:
    """The line in the parts within which merges happen, spelt as tokens."""
    if vocabulary.model == "llama":
        return [line.replace(" ", "▁")]
    return [word for word, _ in tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(line)]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("line", [*LINES, "猫とcat, ½ 뷁!"])
def test_a_text_is_cut_as_its_tokenizer_cuts_it(vocabularies: Any, kind: str, line: str) -> None:
    vocabulary, tokenizer = vocabularies[kind]
    found = [number for word in words(vocabulary, tokenizer, line) for number in vocabulary.encode(word)]
    assert found == tokenizer(line, add_special_tokens=False).input_ids
    assert b"".join(map(vocabulary.bytes_of, found)).decode() == line


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@given(data=st.data())
def test_a_part_cuts_texts_of_its_tokens_as_the_whole_does(vocabularies: Any, kind: str, data: st.DataObject) -> None:
    whole, tokenizer = vocabularies[kind]
    used = data.draw(st.sets(st.integers(0, len(whole.tokens) - 1), max_size=60))
    part = choose_tokens(whole, used, size=0)
    line = data.draw(st.text("오늘의 소란을끄는시간비 오는날지붕하나abc12", max_size=30))
    for word in words(whole, tokenizer, line):
        ids = whole.encode(word)
        assert part.widen(part.part.encode(word)) == ids or not set(ids) <= set(part.kept)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@given(data=st.data())
def test_what_is_lost_is_spelt_by_what_is_kept(vocabularies: Any, kind: str, data: st.DataObject) -> None:
    whole, tokenizer = vocabularies[kind]
    letters = [number for number, kind in enumerate(whole.types) if kind == 6 or len(whole.tokens[number]) == 1]
    part = Trimmed(whole, tuple(sorted({*letters, *whole.named, *data.draw(st.sets(st.integers(0, 400)))})))
    ids = tokenizer(data.draw(st.sampled_from(LINES)), add_special_tokens=False).input_ids
    found = part.widen(part.narrow(ids))
    assert set(found) <= set(part.kept)
    assert b"".join(map(whole.bytes_of, found)) == b"".join(map(whole.bytes_of, ids))


def test_a_merge_stays_where_both_its_sides_and_what_it_makes_do() -> None:
    whole = Vocabulary("gpt2", ("a", "b", "c", "ab", "bc", "abc"), (1,) * 6, (), ("a b", "b c", "ab c"), frozenset({5}))
    part = Trimmed(whole, (0, 1, 2, 4, 5)).part
    assert (part.tokens, part.merges, set(part.named)) == (("a", "b", "c", "bc", "abc"), ("b c",), {4})
