"""A folder whose app.py speaks the API of the Space's page and does what `script.json` beside it says at the moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

APP = '''
import json, subprocess, time
from pathlib import Path
from gradio import Error, Server

script = Path(__file__).with_name("script.json")
child = subprocess.Popen(["sleep", "600"])  # what a page may have started
server = Server(title="small")

@server.get("/status")
def status() -> dict:
    now = json.loads(script.read_text(encoding="utf-8"))
    state = now["states"][0]
    script.write_text(json.dumps(now | {"states": now["states"][1:] or [state]}), encoding="utf-8")
    said = "모델을 불러오지 못했습니다." if state == "problem" else ""
    return {"state": state, "message": {"ko": said}, "child": child.pid}

@server.api(name="write_copy")
def write_copy(product: str, values: list[str], count: int = 5, temperature: float = 0.3) -> list[str]:
    """Write lines."""
    lines = json.loads(script.read_text(encoding="utf-8"))["lines"]
    if lines == "refuse":
        raise Error("지금은 쓸 수 없습니다.")
    time.sleep(5 if lines == "slow" else 0)
    return lines[:count]

server.launch(mcp_server=True, quiet=True, ssr_mode=False)
'''


def write_page(folder: Path) -> Path:
    """The folder with it in."""
    (folder / "app.py").write_text(APP, encoding="utf-8")
    direct(folder, ["ready"], ["비 오는 날도 수건은 뽀송", "창밖은 비, 방 안은 맑음"])
    return folder


def direct(folder: Path, states: list[str], lines: Any) -> None:
    """Say what the page answers from now on: states one after the other, lines or `refuse` or `slow`."""
    (folder / "script.json").write_text(json.dumps({"states": states, "lines": lines}), encoding="utf-8")
