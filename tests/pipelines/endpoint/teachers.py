"""Options and teachers for a loopback endpoint, as tests want them unless they say otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.teacher_llm import Teacher, teacher_llm
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

SAMPLING = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 40, "seed": 7}


def options_for(url: str, folder: Path, **fields: Any) -> EndpointOptions:
    """Options with a store of their own in the folder."""
    defaults: dict[str, Any] = {
        "model": MODEL,
        "identity": "who",
        "store": folder / "answers.sqlite",
        "run_id": "run",
        "concurrency": 4,
        "timeout": 10,
        "choices": 128,
    }
    return EndpointOptions(base_url=url, **(defaults | fields))


def teacher_at(url: str, folder: Path, key: str = KEY, **fields: Any) -> Teacher:
    """A teacher; `fields` are of its options or of `SAMPLING`."""
    sampling = {name: fields.pop(name, value) for name, value in SAMPLING.items()}
    return teacher_llm(options_for(url, folder, **fields), key, **sampling)


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a client try again at once, and an endpoint that fails at everything be found in a moment."""
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("pipelines.endpoint.client.LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr("pipelines.endpoint.rate_limiter.FIRST_TRY_S", 0.01)
    monkeypatch.setattr("pipelines.endpoint.rate_limiter.LONGEST_TRY_S", 0.05)
    monkeypatch.setattr("pipelines.endpoint.health.SECONDS", (0.2, 0.4))
