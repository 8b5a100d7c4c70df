"""Korean particles, which change form with the letter before them."""

from __future__ import annotations


def ends_in_consonant(word: str) -> bool:
    """Whether a word's last letter is a Hangul syllable with a final consonant; anything else counts as without."""
    code = ord(word[-1]) - ord("가")
    return 0 <= code < 11172 and code % 28 > 0


def topic_particle(word: str) -> str:
    """은 after a final consonant, 는 after anything else."""
    return "은" if ends_in_consonant(word) else "는"
