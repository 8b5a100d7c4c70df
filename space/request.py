"""What a visitor asks for, and the sentences for what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

MAX_LINES = 8
MAX_PRODUCT = 40  # characters
MAX_VALUE = 20  # characters of one value
MAX_VALUES = 5
TEMPERATURES = (0.1, 1.5)
#: What stands between two values.
SEPARATORS = re.compile(r"[;；、|｜\n\r\u2028]|(?<!\d)[,，]|[,，](?!\d{3}(?!\d))|(?<!\d)[·ㆍ・‧•]|[·ㆍ・‧•](?!\d)")


class Problem(Exception):
    """A failure as the visitor reads it: a Korean sentence."""


@dataclass(frozen=True)
class Request:
    """What is asked for, clean."""

    product: str
    values: tuple[str, ...]
    count: int
    temperature: float

    def chat(self, prompt_format: str) -> list[dict[str, str]]:
        """The user's turn, as in training: `prompt_format` holds `{product}` and `{values}`."""
        content = prompt_format.format(product=self.product, values=", ".join(self.values))
        return [{"role": "user", "content": content}]


def clean(product: Any, values: Any, count: Any, temperature: Any) -> Request:
    """A request from the raw fields of the page or of the API, which may be anything that JSON can say.

    Raises:
        Problem: something is missing, too long, out of range or of another kind; the sentence says what to do.
    """
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        values = ", ".join(values)
    values = _text(values, "담을 가치는 글자로 적어 주세요. 예: 뽀송함, 여유")
    name = plain(_text(product, "상품은 글자로 적어 주세요. 예: 제습기"))
    wanted = tuple(dict.fromkeys(value for value in map(plain, part_values(values)) if value))
    if not name:
        raise Problem("상품을 적어 주세요. 예: 제습기")
    if len(name) > MAX_PRODUCT:
        raise Problem(f"상품은 {MAX_PRODUCT}자까지 적을 수 있습니다. 지금 {len(name)}자입니다.")
    if not wanted:
        raise Problem("담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유")
    if len(wanted) > MAX_VALUES:
        raise Problem(f"가치는 {MAX_VALUES}개까지 담을 수 있습니다. 지금 {len(wanted)}개입니다.")
    longest = max(wanted, key=len)
    if len(longest) > MAX_VALUE:
        raise Problem(f"가치 하나는 {MAX_VALUE}자까지입니다. 길면 쉼표로 나눠 주세요: “{longest[:MAX_VALUE]}…”")
    if not _is_between(count, 1, MAX_LINES) or count != int(count):
        raise Problem(f"카피 수는 1에서 {MAX_LINES} 사이의 정수로 골라 주세요.")
    if not _is_between(temperature, *TEMPERATURES):
        raise Problem(f"다양성(온도)은 {TEMPERATURES[0]}에서 {TEMPERATURES[1]} 사이로 골라 주세요.")
    return Request(name, wanted, int(count), float(temperature))


def part_values(text: str) -> list[str]:
    """The values of a text: parted by commas, semicolons, middle dots, bars and line breaks, in Korean or Latin width.

    Inside a number they part nothing: a comma before three digits (`1,000원`), a dot between two digits (`3·1절`). Full
    stops and slashes never do (`2.5배`, `A/S`).
    """
    return SEPARATORS.split(text)


def _text(field: Any, problem: str) -> str:
    """What a field of text holds; nothing is empty.

    Raises:
        Problem: it holds something else.
    """
    if field is not None and not isinstance(field, str):
        raise Problem(problem)
    return field or ""


def _is_between(number: Any, low: float, high: float) -> bool:
    """Whether it is a number, which true and false are not, and in the range, which NaN and the infinities are not."""
    return isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high


def plain(text: str | None) -> str:
    """NFC, without control characters, runs of white space made one space: one line, as in training."""
    normal = unicodedata.normalize("NFC", text or "")
    return " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in normal).split())
