"""Which tokens stay: what Korean copy is made of, whatever it takes to merge it, and then Latin words by rank."""

from __future__ import annotations

import pytest

from scripts.exporting.kept_tokens import choose_tokens, is_needed
from scripts.exporting.vocabulary import Vocabulary

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def sentencepiece(*tokens: str, kinds: dict[str, int] | None = None) -> Vocabulary:
    """Merged in the order of the tokens."""
    types = tuple((kinds or {}).get(token, NORMAL) for token in tokens)
    return Vocabulary("llama", tokens, types, tuple(-float(n) for n in range(len(tokens))), (), frozenset())


@pytest.mark.parametrize(
    "token",
    [
        "가",
        "▁오늘",
        "ㅋㅋ",
        "A",
        "z",
        "7",
        "%",
        "·",
        "…",
        "「",
        "₩",
        "℃",
        "㎡",
        "①",
        "★",
        "！",
        "é",
        "▁A",
        '."',
        "▁(",
        "?!",
    ],
)
def test_what_korean_copy_is_made_of_stays(token: str) -> None:
    assert is_needed(sentencepiece(token), 0)


@pytest.mark.parametrize("token", ["the", "▁the", "猫", "の", "Привет", "\t\t", "😀", "();", "ab"])
def test_other_words_and_scripts_are_not_needed(token: str) -> None:
    assert not is_needed(sentencepiece(token), 0)


@pytest.mark.parametrize(
    ("token", "kind", "stays"),
    [
        ("<eos>", CONTROL, True),
        ("<start_of_turn>", CONTROL, True),
        ("<unused12>", CONTROL, False),
        ("<|reserved_special_token_7|>", CONTROL, False),
        ("<unk>", UNKNOWN, True),
        ("\n\n", USER, True),
        ("[PAD9]", UNUSED, False),
        ("<0xEA>", BYTE, True),
    ],
)
def test_special_tokens_stay_but_placeholders(token: str, kind: int, stays: bool) -> None:
    assert is_needed(sentencepiece(token, kinds={token: kind}), 0) is stays


@pytest.mark.parametrize(("token", "stays"), [("ê°", True), ("ĠìĿ", True), ("é«", False), ("x", True), ("ĠìĿ´", True)])
def test_parts_of_a_syllable_stay_in_byte_level_bpe(token: str, stays: bool) -> None:
    assert is_needed(Vocabulary("gpt2", (token,), (NORMAL,), (), (), frozenset()), 0) is stays


def test_the_way_to_a_token_stays() -> None:
    whole = sentencepiece("猫", "砂", "の", "猫砂", "猫砂の", "犬", "砂の")
    assert [whole.tokens[number] for number in choose_tokens(whole, {4}, size=0).kept] == [
        "猫",
        "砂",
        "の",
        "猫砂",
        "猫砂の",
    ]


def test_names_come_before_other_words_while_there_is_room() -> None:
    words = ["the", "and", "LG", "Galaxy"]
    whole = Vocabulary("llama", ("가", *words), (NORMAL,) * 5, (0.0,) * 5, (), frozenset())

    def kept(size: int) -> list[str]:
        return [whole.tokens[number] for number in choose_tokens(whole, (), size).kept]

    assert [kept(size) for size in (0, 2, 3, 4)] == [
        ["가"],
        ["가", "LG"],
        ["가", "LG", "Galaxy"],
        ["가", "the", "LG", "Galaxy"],
    ]
