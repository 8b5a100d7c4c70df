"""What a visitor asks for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import messages
from plain_text import part_values, plain

MAX_LINES = 8
MAX_PRODUCT = 40  # characters
MAX_VALUE = 20  # characters of one value
MAX_VALUES = 5
MAX_OPTION = 20  # characters of a device or a tone
MAX_LIKE = 120  # characters of the line to write more like
MAX_NAME = 64  # characters of what the page calls a visit or a job
TEMPERATURES = (0.1, 1.5)
#: What the page shows and checks before it asks.
LIMITS = {
    "product": MAX_PRODUCT,
    "value": MAX_VALUE,
    "values": MAX_VALUES,
    "option": MAX_OPTION,
    "like": MAX_LIKE,
    "count": [1, MAX_LINES],
    "temperature": list(TEMPERATURES),
}


class Problem(Exception):
    """A failure that the visitor reads: a key of `messages` and what its sentence names."""

    def __init__(self, key: str, **fields: Any) -> None:
        super().__init__(messages.text(key, "ko", **fields))
        self.key, self.fields = key, fields

    def say(self, lang: messages.Language) -> str:
        """The sentence. A field may be the problem behind this one."""
        fields = {name: field.say(lang) if isinstance(field, Problem) else field for name, field in self.fields.items()}
        return messages.text(self.key, lang, **fields)


@dataclass(frozen=True)
class Request:
    """What is asked for, clean."""

    product: str
    values: tuple[str, ...]
    count: int
    temperature: float
    base: bool = False
    like: str = ""
    device: str = ""
    tone: str = ""

    def chat(self, prompt_format: str) -> list[dict[str, str]]:
        """The user's turn, as in training: `prompt_format` holds `{product}` and `{values}`, maybe more."""
        fields = {"product": self.product, "values": ", ".join(self.values), "device": self.device, "tone": self.tone}
        return [{"role": "user", "content": prompt_format.format(**fields)}]


def options(prompt_format: str) -> list[str]:
    """Which of device and tone the prompt has a place for."""
    return [name for name in ("device", "tone") if f"{{{name}}}" in prompt_format]


def clean(
    product: Any,
    values: Any,
    count: Any,
    temperature: Any,
    *,
    base: Any = False,
    like: Any = "",
    device: Any = "",
    tone: Any = "",
    options: Sequence[str] = (),
) -> Request:
    """A request from the raw fields of the page or of the API, which may be anything that JSON can say.

    Args:
        options: which of device and tone the model was trained with.

    Raises:
        Problem: something is missing, too long, out of range or of another kind; the sentence says what to do.
    """
    name, wanted = _product(product), _values(values)
    if not _is_between(count, 1, MAX_LINES) or count != int(count):
        raise Problem("count", low=1, high=MAX_LINES)
    if not _is_between(temperature, *TEMPERATURES):
        raise Problem("temperature", low=TEMPERATURES[0], high=TEMPERATURES[1])
    if base is not None and not isinstance(base, bool):
        raise Problem("base")
    model = plain(_text(like, "like_text", most=MAX_LIKE))
    if len(model) > MAX_LIKE:
        raise Problem("like_text", most=MAX_LIKE)
    chosen = {"device": _option(device), "tone": _option(tone)}
    if any(text and name not in options for name, text in chosen.items()):
        raise Problem("no_option")
    return Request(name, wanted, int(count), float(temperature), bool(base), model, **chosen)


def clean_name(name: Any) -> str:
    """What the page calls a visit or a job.

    Raises:
        Problem: it is no text, or long.
    """
    text = _text(name, "name_text", most=MAX_NAME)
    if len(text) > MAX_NAME:
        raise Problem("name_text", most=MAX_NAME)
    return text


def clean_language(lang: Any) -> messages.Language:
    """
    Raises:
        Problem: the server does not speak it.
    """
    for known in messages.LANGUAGES:
        if lang == known:
            return known
    raise Problem("lang")


def _product(product: Any) -> str:
    name = plain(_text(product, "product_text"))
    if not name:
        raise Problem("no_product")
    if len(name) > MAX_PRODUCT:
        raise Problem("long_product", most=MAX_PRODUCT, length=len(name))
    return name


def _values(values: Any) -> tuple[str, ...]:
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        values = ", ".join(values)
    parts = map(plain, part_values(_text(values, "values_text")))
    wanted = tuple(dict.fromkeys(value for value in parts if value))
    if not wanted:
        raise Problem("no_value")
    if len(wanted) > MAX_VALUES:
        raise Problem("many_values", most=MAX_VALUES, count=len(wanted))
    longest = max(wanted, key=len)
    if len(longest) > MAX_VALUE:
        raise Problem("long_value", most=MAX_VALUE, start=longest[:MAX_VALUE])
    return wanted


def _option(option: Any) -> str:
    text = plain(_text(option, "option_text"))
    if len(text) > MAX_OPTION:
        raise Problem("long_option", most=MAX_OPTION)
    return text


def _text(field: Any, key: str, **fields: Any) -> str:
    """What a field of text holds; nothing is empty.

    Raises:
        Problem: it holds something else; `key` is its sentence.
    """
    if field is not None and not isinstance(field, str):
        raise Problem(key, **fields)
    return field or ""


def _is_between(number: Any, low: float, high: float) -> bool:
    """Whether it is a number, which true and false are not, and in the range, which NaN and the infinities are not."""
    return isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high
