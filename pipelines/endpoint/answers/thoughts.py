"""Takes out of an answer what a model thought aloud before it answered."""

from __future__ import annotations

import re

#: How models begin and end a thought, as regular expressions.
_MARKS = (
    (r"<(?:seed:)?(?:think(?:ing)?|thought|reasoning)>", r"</(?:seed:)?(?:think(?:ing)?|thought|reasoning)>"),
    ("◁think▷", "◁/think▷"),  # Kimi
    (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command
    (r"<\|channel>thought", r"<channel\|>"),  # Gemma
)
#: Whole thoughts, and one in which the answer ends; that one begins a line, else it is a word that is spoken of.
_THOUGHT = "|".join(rf"{begin}.*?{end}|^[ \t]*{begin}.*\Z" for begin, end in _MARKS)
_WHOLE = re.compile(_THOUGHT, re.S | re.I | re.M)
_LEADING = re.compile(rf"\A(?:\s*(?:{_THOUGHT}))+", re.S | re.I | re.M)
#: The end of a thought; in a text of JSON it is a word that is spoken of.
_END = re.compile(rf"[:,\[]\s*\"(?:[^\"\\\n]|\\.)*\"(?=\s*[,}}\]])|(?P<end>{'|'.join(end for _, end in _MARKS)})", re.I)
#: gpt-oss: channels; what is no final one is a thought. Without its special tokens it is run together.
_TO_FINAL = re.compile(
    r"\A.*<\|channel\|>\s*final\s*(?:<\|constrain\|>\s*\w+\s*)?(?:<\|message\|>)?|\Aanalysis(?=\S).*?assistantfinal",
    re.S,
)
_NO_FINAL = re.compile(
    r"<\|channel\|>\s*(?:analysis|commentary).*|<\|(?:end|return|start|message)\|>(?:assistant)?", re.S
)


def without_thoughts(answer: str) -> str:
    """The answer alone, as it is where it holds no thought; nothing where it ends within one."""
    text = _NO_FINAL.sub("", _TO_FINAL.sub("", answer))
    text = _after_end(_WHOLE.sub("", text))
    return text if text == answer else text.strip()


def after_thoughts(answer: str) -> str:
    """What follows the thoughts, all of it: what looks like another may be a word that the answer quotes."""
    return _after_end(_LEADING.sub("", _NO_FINAL.sub("", _TO_FINAL.sub("", answer))))


def _after_end(text: str) -> str:
    """What follows the last end of a thought that is left: the prompt had begun it, or it held another."""
    return text[max((match.end() for match in _END.finditer(text) if match["end"]), default=0) :]
