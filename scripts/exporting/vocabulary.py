"""The vocabulary of a GGUF: its tokens, and how llama.cpp's two merging tokenizers cut a text into them.

`llama` (SentencePiece) merges the two neighbours whose union has the highest score; `gpt2` (byte-level BPE) those that
come first in the list of merges. A part of a vocabulary cuts a text as the whole does if it holds every piece on the
way to the tokens of that text: then the same merge is the best one at each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from gguf import Keys, TokenType

SENTENCEPIECE, BYTE_LEVEL = "llama", "gpt2"
#: The end of every key that holds the id of a token.
OF_TOKEN = "_token_id"  # noqa: S105 - no password

_SPACE = "▁"  # how SentencePiece writes one


@dataclass(frozen=True)
class Vocabulary:
    """
    Attributes:
        model: `tokenizer.ggml.model`, the kind of the tokenizer.
        tokens: by id, spelt as in the GGUF.
        types: ggml's numbers (`gguf.TokenType`).
        scores: of SentencePiece, by id; the larger, the earlier merged.
        merges: of byte-level BPE, `left right`, the earliest first.
        named: ids that other keys name: begin, end, padding and the like.
    """

    model: str
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    named: frozenset[int]

    @cached_property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {merge: rank for rank, merge in enumerate(self.merges)}

    def cut(self, text: str) -> tuple[list[str], set[str]]:
        """The pieces of a text that is spelt as tokens are, and all that were merged on the way to them."""
        pieces, merged = list(text), set()
        while pairs := self._pairs(pieces):
            _, at = min(pairs)  # of equal ones the leftmost
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
            merged.add(pieces[at])
        return pieces, merged

    def _pairs(self, pieces: Sequence[str]) -> list[tuple[float, int]]:
        """The neighbours that may be merged: how late, and where."""
        found = []
        for at, (left, right) in enumerate(pairwise(pieces)):
            if self.model == BYTE_LEVEL:
                if (rank := self._ranks.get(f"{left} {right}")) is not None:
                    found.append((float(rank), at))
            elif (number := self.ids.get(left + right)) is not None:
                found.append((-self.scores[number], at))
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of a text that is spelt as tokens are and holds no special token; unknown characters go by bytes."""
        return [number for piece in self.cut(text)[0] for number in self._of_piece(piece)]

    def _of_piece(self, piece: str) -> list[int]:
        if piece in self.ids:
            return [self.ids[piece]]
        return [self.ids[f"<0x{byte:02X}>"] for byte in piece.replace(_SPACE, " ").encode()]

    def bytes_of(self, number: int) -> bytes:
        """What a token says, in UTF-8; it may be a part of a character."""
        token = self.tokens[number]
        if self.types[number] == TokenType.BYTE:
            return bytes([int(token[3:-1], 16)])
        if self.model == BYTE_LEVEL and self.types[number] == TokenType.NORMAL:
            return bytes(_BYTE_OF.get(character, ord("?")) for character in token)
        return token.replace(_SPACE, " ").encode()


@dataclass(frozen=True)
class Trimmed:
    """A part of a vocabulary.

    Attributes:
        kept: ids in the whole, in order; a token's place here is its new id.
    """

    whole: Vocabulary
    kept: tuple[int, ...]

    @cached_property
    def new_ids(self) -> dict[int, int]:
        return {old: new for new, old in enumerate(self.kept)}

    @cached_property
    def part(self) -> Vocabulary:
        """The part as a vocabulary of its own. A merge stays if both its sides and what it makes do."""
        whole = self.whole
        tokens = tuple(whole.tokens[old] for old in self.kept)
        there = set(tokens)
        return Vocabulary(
            model=whole.model,
            tokens=tokens,
            types=tuple(whole.types[old] for old in self.kept),
            scores=tuple(whole.scores[old] for old in self.kept) if whole.scores else (),
            merges=tuple(merge for merge in whole.merges if there.issuperset((*(m := merge.split(" ")), "".join(m)))),
            named=frozenset(self.new_ids[old] for old in whole.named),
        )

    def narrow(self, ids: Iterable[int]) -> list[int]:
        """Ids of the whole as ids of the part; a token that is not kept by the smaller pieces that spell it."""
        new = self.new_ids
        return [
            piece for old in ids for piece in ([new[old]] if old in new else self.part.encode(self.whole.tokens[old]))
        ]

    def widen(self, ids: Iterable[int]) -> list[int]:
        """Ids of the part as ids of the whole."""
        return [self.kept[new] for new in ids]


def read_vocabulary(reader: Any) -> Vocabulary:
    """The vocabulary of an open GGUF (`gguf.GGUFReader`)."""

    def contents(key: str, otherwise: Any) -> Any:
        field = reader.get_field(key)
        return otherwise if field is None else field.contents()

    keys = Keys.Tokenizer
    tokens = tuple(contents(keys.LIST, ()))
    return Vocabulary(
        model=contents(keys.MODEL, ""),
        tokens=tokens,
        types=tuple(contents(keys.TOKEN_TYPE, ())),
        scores=tuple(contents(keys.SCORES, ())),
        merges=tuple(contents(keys.MERGES, ())),
        named=frozenset(
            number
            for name, field in reader.fields.items()
            if name.endswith(OF_TOKEN) and 0 <= (number := field.contents()) < len(tokens)
        ),
    )


def _alphabet() -> dict[str, int]:
    """Byte-level BPE's character for each byte, the other way round (GPT-2's bytes_to_unicode)."""
    plain: Sequence[int] = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTE_OF = _alphabet()
