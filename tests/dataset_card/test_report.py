from __future__ import annotations

import json
from dataclasses import asdict, replace

from dataset_card.facts import gather
from dataset_card.report import report
from pipelines.filters.limits import FilterLimits
from pipelines.text.line_index import Lines
from tests.dataset_card.rows import GATE, GIVEN, PRODUCED, READING, facts, release
from tests.limits import limits


def test_report_says_exactly_this():
    found = facts()
    said = json.loads(json.dumps(report(found)))
    before, after = said.pop("before"), said.pop("after")
    assert said == {
        "repo_id": "NS/hanjul-copy",
        "title": "한 줄 Hanjul",
        "version": "v0.2.0",
        "seed": 7,
        "teacher": PRODUCED.teacher,
        "teacher_base": "google/gemma-3-270m",
        "prompts": {"brief.jinja": "0123456789abcdef" * 4},
        "usage": {"input_tokens": 12_345, "output_tokens": 678, "usd": 1.2345},
        "limits": FilterLimits().model_dump()
        | {
            "max_similarity": 0.8,
            "max_eval_similarity": 0.6,
            "slogans": 0,
            "reserved": 0,
            "gated": True,
            "min_sense": 0.5,
        },
        "gate": asdict(GATE),
        "reading": asdict(READING),
        "visitors": None,
        "expected": {"default": {"rows": 3, "share": (0.9 + 0.7 + 0.6) / 3}, "candidates": {"rows": 2, "share": 0.5}},
        "merits": {"good": {"default": 2, "candidates": 0}},
        "encoder": "",
        "rows": {"before": 10, "after": 5, "preferences": 1},
        "sources": {"synthesised": 3, "written": 2},
        "acceptance": [
            {"reason": "leak", "rejected": 2, "left": 8},
            {"reason": "judge", "rejected": 1, "left": 7},
            {"reason": "near_duplicate", "rejected": 1, "left": 6},
            {"reason": "outranked", "rejected": 1, "left": 5},
        ],
        "splits": {
            "train": {"rows": 3, "products": 3},
            "validation": {"rows": 1, "products": 1},
            "test": {"rows": 1, "products": 1},
        },
        "samples": {"most": 2_000, "near_duplicates": 10_000, "self_bleu": 300},
        "changes": {"since": "v0.1.0", "added": 2, "removed": 1, "kept": 3, "moved": {"default → leak": 1}},
    }
    assert before == json.loads(json.dumps(asdict(found.computed.before)))
    assert after == json.loads(json.dumps(asdict(found.computed.after)))


def test_json_gives_it_back():
    said = report(facts("imported"))
    assert json.loads(json.dumps(said, ensure_ascii=False, allow_nan=False)) == said


def test_lines_to_compare_with_are_counted_and_the_first_version_has_no_changes():
    compared = replace(PRODUCED, limits=limits(slogans=Lines(["가", "나"])))
    said = report(gather(GIVEN, compared, *release()))
    assert said["limits"]["slogans"] == 2 and said["changes"] is None
