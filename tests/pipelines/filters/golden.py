"""Rows and what the filters make of them, with the version of the filters that does.

    python -m tests.pipelines.filters.golden    take down what they make of these rows now; raise
                                                `pipelines.filters.filter_rows.VERSION` first, if it is something else

`golden.jsonl`: its first line has the version and the limits, each further one a row (`merit` only where people gave
one) with `reason`, `evidence` and `group_id`. To have more behaviour watched, add rows without these three.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.filters.filter_rows import VERSION, filter_rows
from pipelines.filters.limits import FilterLimits, Limits
from pipelines.rows import make_row

GOLDEN = Path(__file__).parent / "golden.jsonl"
GIVEN = ("product", "category", "values", "ad_copy", "source", "merit", "scores")
#: From where on the gate lets synthesised rows in.
MIN_SENSE = 0.5
FOUND = ("reason", "evidence", "group_id")


def read() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(version and limits, rows)."""
    head, *rows = map(json.loads, GOLDEN.read_text(encoding="utf-8").splitlines())
    return head, rows


def filtered(head: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what the filters make of them now, in their order."""
    whole = []
    for place, row in enumerate(rows):
        columns = {"category": row["category"], "source": row["source"], "merit": row.get("merit", "")}
        plain = dict(make_row(row["product"], row["values"], "", **columns))
        whole.append(plain | {"ad_copy": row["ad_copy"], "scores": row["scores"], "place_in_file": place})
    kept, rejected = filter_rows(whole, Limits(**head["limits"], gated=True, min_sense=MIN_SENSE))
    found = {row["place_in_file"]: {"reason": "", "evidence": "", **row} for row in [*kept, *rejected]}
    return [
        {name: row[name] for name in GIVEN if name in row} | {name: found[place][name] for name in FOUND}
        for place, row in enumerate(rows)
    ]


def write() -> None:
    head, rows = read()
    found = filtered(head, rows)
    changed = sum(now != before for now, before in zip(found, rows, strict=True) if set(FOUND) <= before.keys())
    if changed and head["version"] == VERSION:
        raise SystemExit(f"{changed} rows are judged otherwise: raise VERSION of pipelines.filters.filter_rows first")
    lines = [{"version": VERSION, "limits": FilterLimits(**head["limits"]).model_dump()}, *found]
    GOLDEN.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    print(f"{changed} of {len(rows)} rows are judged otherwise than before")


if __name__ == "__main__":
    write()
