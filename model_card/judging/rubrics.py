"""What an LLM judge is asked: criteria, steps and rubrics of `rubrics.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

from pipelines.metrics import METRICS
from pipelines.rows import Scorable, user_message

#: Whole scores of every rubric, one token each in every tokenizer; judges agree best with people on such a scale.
SCALE = tuple(range(6))
_FILE = Path(__file__).parent / "rubrics.yaml"


@dataclass(frozen=True)
class Rubric:
    """One metric.

    Attributes:
        criteria: what is judged, in English.
        steps: how, in English, the criteria among them.
        levels: what each score of `SCALE` means, in Korean.
    """

    criteria: str
    steps: tuple[str, ...]
    levels: tuple[str, ...]


@cache
def rubrics() -> dict[str, Rubric]:
    """Metric -> its rubric, in the order of `METRICS`."""
    content = _read()
    return {metric: _rubric(content["metrics"][metric], content["first"], content["last"]) for metric in METRICS}


def comparison(first: Scorable, second: Scorable) -> str:
    """The prompt that asks which of two lines for one pair is better: 1, 2, or 0 for neither."""
    pair = user_message(first["product"], first["values"])["content"]
    template = Template(_read()["comparison"])
    return template.substitute(input=pair, first=first["ad_copy"], second=second["ad_copy"])


def reason_again(reason: str) -> str:
    """The prompt that asks for a reason in Korean which came in another language."""
    return Template(_read()["reason_again"]).substitute(reason=reason)


def probe() -> str:
    """A question whose answer shows whether an endpoint gives token probabilities."""
    return str(_read()["probe"])


def _rubric(content: dict[str, Any], first: list[str], last: list[str]) -> Rubric:
    # GEval shows no criteria where steps are given: the first step says them.
    steps = (*first, f"Judge this alone: {content['criteria']}", *content["steps"], *last)
    return Rubric(content["criteria"], steps, tuple(content["rubric"][score] for score in SCALE))


@cache
def _read() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return content
