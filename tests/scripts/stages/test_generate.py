from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import HfUri

from scripts.hub.hub import Hub
from scripts.stages import generate

ADAPTER = HfUri(type="model", id="us/lora", revision="0" * 40)


@pytest.mark.field
def test_lines_lose_what_surrounds_them_and_come_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ["카피: 향이 먼저 깬다", '"향이 먼저 깬다"', "물론입니다!", "", "컵이 늦게 온다 (The cup is late)"]
    monkeypatch.setattr(generate.models, "base_of", lambda *_: ADAPTER)
    monkeypatch.setattr(generate.models, "load_adapter", lambda *_: (None, None))

    def generate_lines(model: Any, tokenizer: Any, chats: list[Any], **sampling: Any) -> list[str]:
        assert len(chats) == len(written)
        return written

    monkeypatch.setattr(generate, "generate_lines", generate_lines)
    lines = generate.run(hub, ADAPTER, "모카포트", ["여유"], len(written), None, seed=1)
    assert lines == ["향이 먼저 깬다", "컵이 늦게 온다"]
