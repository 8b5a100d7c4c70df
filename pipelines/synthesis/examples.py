"""Which lines a teacher may be shown as examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.rows import Row
from pipelines.slogans import SLOGANS, load_slogans
from pipelines.text.line_index import Lines
from pipelines.text.ngrams import letters

#: What the brief asks of a line. Shorter ones are wit that needs its brand; only the rules are looked at.
ASKED = Limits(min_chars=8, max_chars=40, slogans=Lines())
#: Slogans that no line may copy, and that no prompt shows either: a reader today finds them sexist.
SEXIST = frozenset(
    {
        "미녀는 석류를 좋아해",
        "날은 더워 죽겠는데 남친은 차가 없네",
        "아름다운 아가씨 어찌 그리 예쁜가요",
        "사나이 울리는 농심 신라면",
        "산소 같은 여자",
        "남자는 여자 하기 나름이에요",
        "여자라서 행복해요",
    }
)


def is_exemplary(row: Mapping[str, Any]) -> bool:
    """Whether a `raw` row does itself what the brief asks for: it breaks no rule and has 8 to 40 characters."""
    return not first_rule(row, ASKED)[0]


def exemplary_slogans() -> tuple[Row, ...]:
    """The shipped slogans that do what the brief asks for, name no brand and are not sexist, in the file's order."""
    shipped = SLOGANS.read_text(encoding="utf-8").splitlines()
    brands = [json.loads(line)["brand"] for line in shipped if line.strip()]
    slogans = zip(brands, load_slogans(), strict=True)
    fit = ((brand, row) for brand, row in slogans if row["ad_copy"] not in SEXIST and is_exemplary(row))
    return tuple(row for brand, row in fit if not _names(row["ad_copy"], brand))


def _names(line: str, brand: str) -> bool:
    """Whether a line says a word of a brand, however it is spaced; a word of one letter is too common to tell."""
    said = letters(line)
    words = [letters(word) for word in (brand, *brand.split())]
    return any(len(word) > 1 and word in said for word in words)
