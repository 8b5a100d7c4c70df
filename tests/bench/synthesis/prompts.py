"""The prompt that our synthesis and the plain clients send alike."""

from __future__ import annotations

from pipelines.corpus import load_corpus
from pipelines.rows import make_row
from pipelines.synthesis.prompts import Brief, usable_examples

#: Examples in each prompt, as in the settings that ours runs with.
EXAMPLES = 4


def brief() -> Brief:
    """One line in JSON, with examples of the written corpus."""
    rows = [make_row(row["product"], row["values"], row["ad_copy"], source="written") for row in load_corpus()]
    return Brief(lines=1, examples=EXAMPLES, pools=(usable_examples(rows),))
