"""The brief that ours and plain clients send alike."""

import json
from pathlib import Path

import pipelines
from pipelines.rows import make_row
from pipelines.synthesis.prompts import Brief, usable_examples

#: Examples in each prompt, as in the settings that ours runs with.
EXAMPLES = 4


def brief() -> Brief:
    """One line in JSON, with examples of the starter rows."""
    starter = (Path(pipelines.__file__).parent / "starter.jsonl").read_text(encoding="utf-8").splitlines()
    lines = [json.loads(line) for line in starter]
    rows = [make_row(line["product"], line["values"], line["ad_copy"], source="written") for line in lines]
    return Brief(lines=1, examples=EXAMPLES, pools=(usable_examples(rows),))
