"""Choose which tokens of a vocabulary Korean lines need."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gguf import TokenType

from scripts.exporting.vocabulary import BYTE_LEVEL, Trimmed, Vocabulary

#: Rows of the embedding, as measured (scripts/training/README.md); a multiple of what the CPU multiplies at a time.
SIZE = 16_384

#: Tokens that were set aside for others and never trained, and those that fill the embedding up.
_PLACEHOLDER = re.compile(r"<unused\d+>|<\|?(reserved|extra|placeholder)\D*\d+\|?>|\[(unused|PAD)\d+\]")
_HANGUL = re.compile(r"[가-힣ㄱ-ㆎᄀ-ᇿ]")
_WORD = re.compile(rb" ?[A-Za-z]+")
#: ASCII, Latin with accents, punctuation, currencies, units, arrows, circled numbers, shapes, full width; two ASCII
#: marks together, as at the end of a quotation.
_SIGN = re.compile(r" ?(?:[ -ɏ‐-⁯₠-⃀℀-⇿①-⓿■-♯　-〟㈀-㏿！-～￠-￦]|[!-/:-@\[-`{-~]{2})")
#: The first and the last lead byte of a Hangul syllable in UTF-8, and all that a character goes on with.
_HANGUL_BYTES = frozenset(range(0xEA, 0xEE)) | frozenset(range(0x80, 0xC0))


def choose_tokens(vocabulary: Vocabulary, used: Iterable[int], size: int = SIZE) -> Trimmed:
    """Keep what is needed, with the pieces on the way to it, then words in Latin letters while there is room.

    Those with a capital come first: English in a Korean line is mostly names. Of these the most frequent are first, ids
    being in the order in which training has found the tokens.

    Args:
        used: ids that texts of the dataset are cut into.
        size: tokens at most, unless more are needed.
    """
    everything = range(len(vocabulary.tokens))
    kept = {*vocabulary.named, *used, *(number for number in everything if is_needed(vocabulary, number))}
    for number in sorted(kept):
        kept |= _way_to(vocabulary, number)
    words = [number for number in everything if _WORD.fullmatch(vocabulary.bytes_of(number))]
    for number in sorted(words, key=lambda number: vocabulary.bytes_of(number).islower()):
        if len(kept) >= size:
            break
        missing = ({number} | _way_to(vocabulary, number)) - kept
        if vocabulary.types[number] == TokenType.NORMAL and len(kept) + len(missing) <= size:
            kept |= missing
    return Trimmed(vocabulary, tuple(sorted(kept)))


def is_needed(vocabulary: Vocabulary, number: int) -> bool:
    """Whether a token stays however small the vocabulary is to be."""
    kind, token = vocabulary.types[number], vocabulary.tokens[number]
    if kind == TokenType.BYTE or (vocabulary.model == BYTE_LEVEL and len(token) == 1):
        return True
    if kind in (TokenType.CONTROL, TokenType.USER_DEFINED, TokenType.UNKNOWN):
        return not _PLACEHOLDER.fullmatch(token)
    if kind != TokenType.NORMAL:
        return False
    said = vocabulary.bytes_of(number)
    try:
        text = said.decode()
    except UnicodeDecodeError:
        return _HANGUL_BYTES.issuperset(said.lstrip(b" "))
    return bool(_HANGUL.search(text) or _SIGN.fullmatch(text))


def _way_to(vocabulary: Vocabulary, number: int) -> set[int]:
    """The tokens that are merged on the way to one."""
    if vocabulary.types[number] != TokenType.NORMAL:
        return set()
    token = vocabulary.tokens[number]
    pieces, merged = vocabulary.cut(token)
    return {vocabulary.ids[piece] for piece in {*token, *pieces, *merged} if piece in vocabulary.ids}
