"""The prompt that our synthesis and the plain clients send alike."""

from __future__ import annotations

from pipelines.corpus import load_corpus
from pipelines.rows import make_row
from pipelines.synthesis.prompts import PromptBuilder, usable_examples

#: Examples in each prompt, as in the settings that ours runs with.
EXAMPLES = 4


def prompt_builder() -> PromptBuilder:
    """One line in JSON, with examples of the written corpus."""
    rows = [make_row(row["product"], row["values"], row["ad_copy"], source="written") for row in load_corpus()]
    return PromptBuilder(lines=1, examples=EXAMPLES, pools=(usable_examples(rows),))
