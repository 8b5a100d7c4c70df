"""What a row is: columns, id, split and prompt. Every other part imports this and repeats none of it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

Split = Literal["train", "validation", "test"]

#: What people said of a line: `good`, a client would buy or use it; `plain`, it says the gain in everyday words, which
#: a small model can learn; `flat`, it is correct, but nobody would remember it; "" where nobody said.
Merit = Literal["good", "plain", "flat", ""]

#: The user's turn. The Space and `hanjul.json` in the adapter repo carry this very string, so nobody retypes it.
PROMPT_FORMAT = "상품: {product}\n가치: {values}"

#: Chat template for bases without one: the plain text form a pretrained model reads best.
CHAT_TEMPLATE = (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")

#: Share of products (not rows) held out, in percent.
VALIDATION_PERCENT = 10
TEST_PERCENT = 10


class Message(TypedDict):
    role: str
    content: str


class Row(TypedDict):
    """One line of copy, as it stands in config `raw`.

    Columns: id (16 hex), product, category (node of the taxonomy, "" when unknown), values (list of str), ad_copy,
    device, tone ("" when not asked for), merit (good | plain | flat, see `Merit`; "" for imported rows whose table does
    not say, and for synthesised ones), source (written | synthesised | imported), teacher ("" or `hf://…@sha` or
    name of the model that answered), example_ids (ids of the rows shown to the teacher).
    """

    id: str
    product: str
    category: str
    values: list[str]
    ad_copy: str
    device: str
    tone: str
    merit: str
    source: str
    teacher: str
    example_ids: list[str]


class Scorable(TypedDict):
    """What a judge scores; every `Row` can be."""

    product: str
    values: list[str]
    ad_copy: str


def normalise(text: str) -> str:
    """NFC, with runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def row_id(product: str, values: Sequence[str], ad_copy: str) -> str:
    """Content hash, 16 hex digits: stable across releases, blind to the order of the values."""
    content = json.dumps([product, sorted(values), ad_copy], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def pair_of(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Product and values of a row, blind to the order of the values: rows that share it are lines for one pair."""
    return row["product"], tuple(sorted(row["values"]))


def make_row(product: str, values: Sequence[str], ad_copy: str, **columns: Any) -> Row:
    """A `raw` row from its three meanings; other columns default to empty."""
    product, ad_copy = normalise(product), normalise(ad_copy)
    values = [normalise(value) for value in values]
    row: Row = {
        "id": row_id(product, values, ad_copy),
        "product": product,
        "category": "",
        "values": values,
        "ad_copy": ad_copy,
        "device": "",
        "tone": "",
        "merit": "",
        "source": "",
        "teacher": "",
        "example_ids": [],
    }
    unknown = columns.keys() - row.keys()
    if unknown:
        raise TypeError(f"not columns of a row: {sorted(unknown)}")
    return row | columns  # type: ignore[return-value]


@lru_cache(maxsize=100_000)  # a product has many rows, and each stage asks for each of them
def split_of(product: str) -> Split:
    """The split a product belongs to, for ever: decided by its hash, so no product stands in two splits."""
    bucket = int(hashlib.sha256(normalise(product).encode()).hexdigest()[:8], 16) % 100
    if bucket < TEST_PERCENT:
        return "test"
    return "validation" if bucket < TEST_PERCENT + VALIDATION_PERCENT else "train"


def user_message(product: str, values: Sequence[str]) -> Message:
    """The one user turn that training, evaluation and generation share."""
    return {"role": "user", "content": PROMPT_FORMAT.format(product=product, values=", ".join(values))}


def trl_columns(row: Row) -> dict[str, list[Message]]:
    """The TRL-native conversational `prompt` and `completion` of a row."""
    return {
        "prompt": [user_message(row["product"], row["values"])],
        "completion": [{"role": "assistant", "content": row["ad_copy"]}],
    }
